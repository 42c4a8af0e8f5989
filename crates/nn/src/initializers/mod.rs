//! The values that weights start from.
//!
//! An initializer is a file here: its settings as a struct, and what it does as a [`Kind`]. The list below is the one
//! place that names them all.

mod constant;
mod custom;
mod glorot_normal;
mod glorot_uniform;
mod he_normal;
mod he_uniform;
mod identity;
mod kind;
mod lecun_normal;
mod lecun_uniform;
mod normal;
mod ones;
mod orthogonal;
mod scaled;
mod sparse;
mod truncated_normal;
mod uniform;
mod zeros;

use mlp_tensor::{Element, Rng, Tensor};

use crate::NnError;
use crate::family::family;
use crate::setting::{NumberType, Problem};
use kind::Kind;

pub use custom::CustomInitializer;

family! {
    /// How the first values of a weight are drawn. For a weight of shape `[i, o]`, fan-in is i and fan-out is o.
    ///
    /// The normal variants of Glorot, He and LeCun are normal distributions truncated at two standard deviations
    /// and then widened to the variance that the name promises, as in Keras.
    ///
    /// Sources: Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998; Saxe et al. 2014 (orthogonal); Martens
    /// 2010 (sparse).
    #[derive(Default)]
    pub enum Initializer, matched by with_initializer;
    /// An initializer of your own: see [`CustomInitializer`].
    Custom;
    /// All 0, as biases start.
    zeros::Zeros,
    /// All 1.
    ones::Ones,
    /// All the same.
    constant::Constant {
        /// The value, finite.
        value: f64,
    },
    /// Uniform between two bounds.
    uniform::Uniform {
        /// The lower bound, finite.
        low: f64,
        /// The upper bound, finite and above `low`.
        high: f64,
    },
    /// Normal.
    normal::Normal {
        /// The mean, finite.
        mean: f64,
        /// The standard deviation, finite and 0 or more.
        std: f64,
    },
    /// Normal, drawn again where a value lies more than two standard deviations from the mean. That leaves 0.88 of
    /// `std`.
    truncated_normal::TruncatedNormal {
        /// The mean, finite.
        mean: f64,
        /// The standard deviation before the truncation, finite and 0 or more.
        std: f64,
    },
    /// Uniform, variance 2 / (fan-in + fan-out). For sigmoid, tanh and softmax; the default, as in Keras.
    #[default]
    glorot_uniform::GlorotUniform,
    /// Truncated normal, variance 2 / (fan-in + fan-out).
    glorot_normal::GlorotNormal,
    /// Uniform, variance 2 / fan-in. For ReLU.
    he_uniform::HeUniform,
    /// Truncated normal, variance 2 / fan-in.
    he_normal::HeNormal,
    /// Uniform, variance 1 / fan-in. For SELU and linear layers.
    lecun_uniform::LecunUniform,
    /// Truncated normal, variance 1 / fan-in.
    lecun_normal::LecunNormal,
    /// A matrix with orthogonal columns (rows, if there are more columns than rows), each of norm `gain`, every such
    /// matrix equally likely. For weights of two axes.
    orthogonal::Orthogonal {
        /// The norm, finite; see [`Activation::gain`](crate::Activation::gain); usually 1.
        gain: f64,
    },
    /// `gain` on the diagonal and 0 elsewhere: the layer starts by passing its input on. For weights of two axes.
    identity::Identity {
        /// The value on the diagonal, finite; usually 1.
        gain: f64,
    },
    /// Normal with mean 0, and then in every column (the incoming weights of a unit) ⌈`sparsity` · rows⌉ of them, drawn
    /// anew for each, set to 0. For weights of two axes.
    sparse::Sparse {
        /// The share of zeros, from 0 to 1.
        sparsity: f64,
        /// The standard deviation of the others, finite and 0 or more; usually 0.01.
        std: f64,
    },
}

impl Initializer {
    /// Draws a weight of `shape`. The first axis is fan-in and the last fan-out; a vector has both the same.
    ///
    /// # Panics
    /// If a setting lies outside of its range (see [`Initializer::check`]), `shape` does not have the two axes that the
    /// initializer is for, or this is a user's initializer that a file only named, or one that draws another shape.
    #[track_caller]
    pub fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        if let Err(error) = self.check::<E>("draw") {
            panic!("{error}");
        }
        with_initializer!(self, kind => Kind::draw(kind, shape, rng))
    }

    /// Checks the settings as numbers of type `E`; `what` is whose initializer it is, as the error names it.
    ///
    /// # Errors
    /// If a setting lies outside of its range, or this is a user's initializer that a file only named.
    pub fn check<E: Element>(&self, what: &str) -> Result<(), NnError> {
        if let Some(missing) = self.missing() {
            return Err(missing.into());
        }
        self.check_in(NumberType::of::<E>()).map_err(|problem| problem.of(what))
    }

    pub(crate) fn check_in(&self, number: NumberType) -> Result<(), Problem> {
        with_initializer!(self, kind => kind.check(number))
    }

    /// Checks that the initializer is one for weights of `rank` axes.
    pub(crate) fn check_rank(&self, rank: usize) -> Result<(), Problem> {
        if with_initializer!(self, kind => kind.is_for_matrices()) && rank != 2 {
            return Err(Problem::new("the number of the weight's axes", rank as f64, "2 for this initializer"));
        }
        Ok(())
    }
}
