//! The values that weights start from.

use mlp_tensor::{Element, Rng, Tensor};
use serde::{Deserialize, Serialize};

/// How the first values of a weight are drawn. For a weight of shape `[i, o]`, fan-in is i and fan-out is o.
///
/// The normal variants are normal distributions truncated at two standard deviations and then widened to the
/// variance that the name promises, as in Keras.
///
/// Sources: Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Initializer {
    /// All 0, as biases start.
    Zeros,
    /// All 1.
    Ones,
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
}

/// The standard deviation of a standard normal distribution that is cut off at two standard deviations.
const TRUNCATED_STD: f64 = 0.879_625_661_034_239_8;

impl Initializer {
    /// Draws a weight of `shape`. The first axis is fan-in and the last fan-out; a vector has both the same.
    pub fn draw<E: Element>(self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        let fan_in = shape.first().copied().unwrap_or(1).max(1) as f64;
        let fan_out = shape.last().copied().unwrap_or(1).max(1) as f64;
        let glorot = 2.0 / (fan_in + fan_out);
        match self {
            Self::Zeros => Tensor::zeros(shape),
            Self::Ones => Tensor::ones(shape),
            Self::GlorotUniform => uniform(shape, glorot, rng),
            Self::GlorotNormal => normal(shape, glorot, rng),
            Self::HeUniform => uniform(shape, 2.0 / fan_in, rng),
            Self::HeNormal => normal(shape, 2.0 / fan_in, rng),
            Self::LecunUniform => uniform(shape, 1.0 / fan_in, rng),
            Self::LecunNormal => normal(shape, 1.0 / fan_in, rng),
        }
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
