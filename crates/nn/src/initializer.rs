//! The values that weights start from.

use std::fmt;
use std::sync::Arc;

use mlp_registry::{OpenError, Registry, Settings};
use mlp_tensor::{Element, Rng, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{Problem, finite, not_negative};

/// How the first values of a weight are drawn. For a weight of shape `[i, o]`, fan-in is i and fan-out is o.
///
/// The normal variants of Glorot, He and LeCun are normal distributions truncated at two standard deviations and then
/// widened to the variance that the name promises, as in Keras.
///
/// Sources: Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998; Saxe et al. 2014 (orthogonal); Martens 2010
/// (sparse).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Initializer {
    /// All 0, as biases start.
    Zeros,
    /// All 1.
    Ones,
    /// All the same.
    Constant {
        /// The value, finite.
        value: f64,
    },
    /// Uniform between two bounds.
    Uniform {
        /// The lower bound, finite.
        low: f64,
        /// The upper bound, finite and above `low`.
        high: f64,
    },
    /// Normal.
    Normal {
        /// The mean, finite.
        mean: f64,
        /// The standard deviation, finite and 0 or more.
        std: f64,
    },
    /// Normal, drawn again where a value lies more than two standard deviations from the mean. That leaves 0.88 of
    /// `std`.
    TruncatedNormal {
        /// The mean, finite.
        mean: f64,
        /// The standard deviation before the truncation, finite and 0 or more.
        std: f64,
    },
    /// Uniform, variance 2 / (fan-in + fan-out). For sigmoid, tanh and softmax; the default, as in Keras.
    #[default]
    GlorotUniform,
    /// Truncated normal, variance 2 / (fan-in + fan-out).
    GlorotNormal,
    /// Uniform, variance 2 / fan-in. For ReLU.
    HeUniform,
    /// Truncated normal, variance 2 / fan-in.
    HeNormal,
    /// Uniform, variance 1 / fan-in. For SELU and linear layers.
    LecunUniform,
    /// Truncated normal, variance 1 / fan-in.
    LecunNormal,
    /// A matrix with orthogonal columns (rows, if there are more columns than rows), each of norm `gain`, every such
    /// matrix equally likely. For weights of two axes.
    Orthogonal {
        /// The norm, finite; see [`Activation::gain`](crate::Activation::gain); usually 1.
        gain: f64,
    },
    /// `gain` on the diagonal and 0 elsewhere: the layer starts by passing its input on. For weights of two axes.
    Identity {
        /// The value on the diagonal, finite; usually 1.
        gain: f64,
    },
    /// Normal with mean 0, and then in every column (the incoming weights of a unit) ⌈`sparsity` · rows⌉ of them, drawn
    /// anew for each, set to 0. For weights of two axes.
    Sparse {
        /// The share of zeros, from 0 to 1.
        sparsity: f64,
        /// The standard deviation of the others, finite and 0 or more; usually 0.01.
        std: f64,
    },
    /// An initializer of your own: see [`CustomInitializer`].
    Custom(Custom),
}

/// The standard deviation of a standard normal distribution that is cut off at two standard deviations.
const TRUNCATED_STD: f64 = 0.879_625_661_034_239_8;

impl Initializer {
    /// Draws a weight of `shape`. The first axis is fan-in and the last fan-out; a vector has both the same.
    ///
    /// # Panics
    /// If `shape` does not have the two axes that the initializer is for, or this is a user's initializer that a file
    /// only named, or one that draws another shape.
    #[track_caller]
    pub fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        let fan_in = shape.first().copied().unwrap_or(1).max(1) as f64;
        let fan_out = shape.last().copied().unwrap_or(1).max(1) as f64;
        let glorot = 2.0 / (fan_in + fan_out);
        match *self {
            Self::Zeros => Tensor::zeros(shape),
            Self::Ones => Tensor::ones(shape),
            Self::Constant { value } => Tensor::full(shape, E::from_f64(value)),
            Self::Uniform { low, high } => Tensor::uniform(shape, low, high, rng),
            Self::Normal { mean, std } => Tensor::normal(shape, mean, std, rng),
            Self::TruncatedNormal { mean, std } => Tensor::truncated_normal(shape, mean, std, rng),
            Self::GlorotUniform => uniform(shape, glorot, rng),
            Self::GlorotNormal => normal(shape, glorot, rng),
            Self::HeUniform => uniform(shape, 2.0 / fan_in, rng),
            Self::HeNormal => normal(shape, 2.0 / fan_in, rng),
            Self::LecunUniform => uniform(shape, 1.0 / fan_in, rng),
            Self::LecunNormal => normal(shape, 1.0 / fan_in, rng),
            Self::Orthogonal { gain } => orthogonal(self.matrix(shape), gain, rng),
            Self::Identity { gain } => identity(self.matrix(shape), gain),
            Self::Sparse { sparsity, std } => sparse(self.matrix(shape), sparsity, std, rng),
            Self::Custom(ref custom) => draw(custom, shape, rng),
        }
    }

    #[track_caller]
    fn matrix(&self, shape: &[usize]) -> [usize; 2] {
        match *shape {
            [rows, columns] => [rows, columns],
            _ => panic!("draw: {self:?} is for a weight of two axes, not of shape {shape:?}"),
        }
    }

    /// The setting that lies outside of its range, if there is one, for a weight of `rank` axes.
    pub(crate) fn problem(&self, rank: usize) -> Option<Problem> {
        let setting = match *self {
            Self::Constant { value } => finite("value", value),
            Self::Uniform { low, high } => {
                finite("low", low).or(finite("high", high)).or((low >= high).then_some(("low", low, "below high")))
            }
            Self::Normal { mean, std } | Self::TruncatedNormal { mean, std } => {
                finite("mean", mean).or(not_negative("std", std))
            }
            Self::Orthogonal { gain } | Self::Identity { gain } => finite("gain", gain),
            Self::Sparse { sparsity, std } => (!(0.0..=1.0).contains(&sparsity))
                .then_some(("sparsity", sparsity, "from 0 to 1"))
                .or(not_negative("std", std)),
            _ => None,
        };
        let for_matrices = matches!(self, Self::Orthogonal { .. } | Self::Identity { .. } | Self::Sparse { .. });
        let axes = ("the number of the weight's axes", rank as f64, "2 for this initializer");
        setting.or((for_matrices && rank != 2).then_some(axes))
    }
}

/// An initializer of your own. It goes wherever an [`Initializer`] goes.
///
/// ```
/// use mlp_nn::{CustomInitializer, Dense, Network, Sequential};
/// use mlp_tensor::{Rng, Tensor};
///
/// /// Weights of 1 and -1.
/// #[derive(Debug)]
/// struct Signs;
///
/// impl CustomInitializer for Signs {
///     fn name(&self) -> &str {
///         "signs"
///     }
///     fn draw(&self, shape: &[usize], rng: &mut Rng) -> Tensor<f64> {
///         Tensor::normal(shape, 0.0, 1.0, rng).map(f64::signum)
///     }
/// }
///
/// let network: Network = Sequential::new(2).add(Dense::new(3).initializer(Signs)).init(0)?;
/// assert_eq!(network.state()["layers.0.weight"].abs(), Tensor::ones([2, 3]));
/// # Ok::<(), mlp_nn::NnError>(())
/// ```
pub trait CustomInitializer: fmt::Debug + Send + Sync + 'static {
    /// The name in files and messages: no other initializer's.
    fn name(&self) -> &str;

    /// The settings, from which a [`Registry`] makes the initializer again.
    fn settings(&self) -> Settings {
        Settings::new()
    }

    /// The first values of a weight of `shape`, which are rounded to the network's number type.
    fn draw(&self, shape: &[usize], rng: &mut Rng) -> Tensor<f64>;
}

/// A user's initializer among those of the library.
pub(crate) type Custom = mlp_registry::Custom<Arc<dyn CustomInitializer>>;

#[track_caller]
fn draw<E: Element>(custom: &Custom, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
    let part = custom.expect("Initializer");
    let values = part.draw(shape, rng);
    assert!(
        values.shape() == shape,
        "{custom}: an initializer drew a weight of shape {:?} where {shape:?} was asked for",
        values.shape()
    );
    values.cast()
}

impl<I: CustomInitializer> From<I> for Initializer {
    fn from(initializer: I) -> Self {
        Self::Custom(Custom::new(initializer.name().to_owned(), initializer.settings(), Arc::new(initializer)))
    }
}

impl Initializer {
    fn custom(&self) -> Option<&Custom> {
        match self {
            Self::Custom(custom) => Some(custom),
            _ => None,
        }
    }

    /// Makes a user's initializer that a file only named, if `registry` knows it.
    pub(crate) fn open(&mut self, registry: &Registry) -> Result<(), OpenError> {
        mlp_registry::open(self, Self::custom, "Initializer", registry)
    }

    /// Why the initializer cannot draw, if a file only named it.
    pub(crate) fn missing(&self) -> Option<OpenError> {
        self.custom()?.get("Initializer").err()
    }
}

/// Uniform in ±√(3 variance).
fn uniform<E: Element>(shape: &[usize], variance: f64, rng: &mut Rng) -> Tensor<E> {
    let limit = (3.0 * variance).sqrt();
    Tensor::uniform(shape, -limit, limit, rng)
}

fn normal<E: Element>(shape: &[usize], variance: f64, rng: &mut Rng) -> Tensor<E> {
    Tensor::truncated_normal(shape, 0.0, variance.sqrt() / TRUNCATED_STD, rng)
}

/// Normal vectors, each freed of its part along those before it (Gram and Schmidt) and scaled.
///
/// That is the Q of the QR decomposition whose R has a positive diagonal, and so uniformly distributed (Mezzadri 2007).
/// Each is freed twice, after which nothing is left but rounding (Giraud et al. 2005).
fn orthogonal<E: Element>([rows, columns]: [usize; 2], gain: f64, rng: &mut Rng) -> Tensor<E> {
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut vectors: Tensor<f64> = Tensor::normal([count, length], 0.0, 1.0, rng);
    for index in 0..count {
        let (before, rest) = vectors.as_mut_slice().split_at_mut(index * length);
        let vector = &mut rest[..length];
        for _ in 0..2 {
            for other in before.chunks(length) {
                let along = dot(vector, other);
                vector.iter_mut().zip(other).for_each(|(v, &o)| *v -= along * o);
            }
        }
        let norm = dot(vector, vector).sqrt();
        vector.iter_mut().for_each(|v| *v /= norm);
    }
    let scaled = (if rows >= columns { vectors.t() } else { vectors }) * gain;
    scaled.cast()
}

/// Σ ab, in eight sums that are added up at the end: the same bits on every machine.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum()
}

fn identity<E: Element>([rows, columns]: [usize; 2], gain: f64) -> Tensor<E> {
    let mut weight = Tensor::zeros([rows, columns]);
    weight.as_mut_slice().iter_mut().step_by(columns + 1).take(rows.min(columns)).for_each(|w| *w = E::from_f64(gain));
    weight
}

fn sparse<E: Element>([rows, columns]: [usize; 2], sparsity: f64, std: f64, rng: &mut Rng) -> Tensor<E> {
    let mut weight: Tensor<E> = Tensor::normal([rows, columns], 0.0, std, rng);
    let zeros = (sparsity * rows as f64).ceil() as usize;
    for column in 0..columns {
        for row in rng.permutation(rows).into_iter().take(zeros) {
            weight.as_mut_slice()[row * columns + column] = E::zero();
        }
    }
    weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variances_are_those_of_the_formulas() {
        let (fan_in, fan_out) = (200.0, 300.0);
        let cases = [
            (Initializer::GlorotUniform, 2.0 / (fan_in + fan_out)),
            (Initializer::GlorotNormal, 2.0 / (fan_in + fan_out)),
            (Initializer::HeUniform, 2.0 / fan_in),
            (Initializer::HeNormal, 2.0 / fan_in),
            (Initializer::LecunUniform, 1.0 / fan_in),
            (Initializer::LecunNormal, 1.0 / fan_in),
        ];
        for (initializer, variance) in cases {
            let w: Tensor<f64> = initializer.draw(&[200, 300], &mut Rng::new(1));
            let found = w.square().mean();
            assert!((found / variance - 1.0).abs() < 0.02, "{initializer:?}: {found} for {variance}");
            assert!(w.mean().abs() < 4.0 * (variance / 60_000.0).sqrt(), "{initializer:?}: mean {}", w.mean());
        }
    }

    #[test]
    fn a_seed_repeats_and_another_differs() {
        let draw = |seed| Initializer::HeNormal.draw::<f32>(&[3, 4], &mut Rng::new(seed));
        assert!(draw(1).bit_eq(&draw(1)));
        assert!(!draw(1).bit_eq(&draw(2)));
    }
}
