//! The functions between layers.
//!
//! An activation is a file here: its settings as a struct, and what it computes as a [`Kind`]. The list below is the one
//! place that names them all.

mod celu;
mod custom;
mod elu;
mod gelu;
mod gelu_tanh;
mod hard_sigmoid;
mod hard_swish;
mod hard_tanh;
mod identity;
mod kind;
mod leaky_relu;
mod log_sigmoid;
mod log_softmax;
mod mish;
mod relu;
mod relu6;
mod selu;
mod sigmoid;
mod silu;
mod softmax;
mod softplus;
mod softsign;
mod tanh;

use std::fmt;

use mlp_autograd::Var;
use mlp_tensor::Element;

use crate::NnError;
use crate::family::family;
use crate::predictor::InPlace;
use crate::setting::{NumberType, Problem};
use kind::Kind;

pub use custom::CustomActivation;

family! {
    /// A function of a layer's output, value by value or (the softmaxes) row by row.
    ///
    /// Two more change shapes or are trained, and so are no part of this list: [`Var::glu`] and [`Var::prelu`].
    #[derive(Default)]
    pub enum Activation, matched by with_activation;
    /// An activation of your own: see [`CustomActivation`].
    Custom;
    /// x, for regression outputs and logits.
    #[default]
    identity::Identity,
    /// max(x, 0).
    relu::Relu,
    /// min(max(x, 0), 6).
    relu6::Relu6,
    /// x above 0, `negative_slope` · x up to it.
    leaky_relu::LeakyRelu {
        /// The slope up to 0, finite; 0.01 in PyTorch, 0.2 in Keras.
        negative_slope: f64,
    },
    /// x above 0, `alpha` · (eˣ - 1) up to it.
    elu::Elu {
        /// Minus the value that it goes to, finite and above 0; usually 1.
        alpha: f64,
    },
    /// [`Activation::Elu`] with the alpha, and the factor, that keep mean 0 and variance 1 from layer to layer.
    /// Goes with [`Initializer::LecunNormal`](crate::Initializer::LecunNormal).
    selu::Selu,
    /// x above 0, `alpha` · (e^(x / `alpha`) - 1) up to it.
    celu::Celu {
        /// Minus the value that it goes to, finite and above 0; usually 1.
        alpha: f64,
    },
    /// x · Φ(x), with Φ the normal distribution's probability of a smaller number.
    gelu::Gelu,
    /// [`Activation::Gelu`] to about three digits, by a hyperbolic tangent.
    gelu_tanh::GeluTanh,
    /// x / (1 + e⁻ˣ), also called swish.
    silu::Silu,
    /// x · tanh(ln(1 + eˣ)).
    mish::Mish,
    /// ln(1 + e^(`beta` x)) / `beta`; always above 0.
    softplus::Softplus {
        /// How sharp the bend is, finite and above 0; usually 1.
        beta: f64,
    },
    /// x / (1 + |x|).
    softsign::Softsign,
    /// 1 / (1 + e⁻ˣ).
    sigmoid::Sigmoid,
    /// min(max(x + 3, 0), 6) / 6.
    hard_sigmoid::HardSigmoid,
    /// x · min(max(x + 3, 0), 6) / 6.
    hard_swish::HardSwish,
    /// tanh x.
    tanh::Tanh,
    /// x, but not below `low` and not above `high`.
    hard_tanh::HardTanh {
        /// The least value; usually -1.
        low: f64,
        /// The largest value, above `low`; usually 1.
        high: f64,
    },
    /// ln(1 / (1 + e⁻ˣ)).
    log_sigmoid::LogSigmoid,
    /// eˣ / Σ eˣ over the last axis: probabilities of classes. Of one value it is always 1, which a network refuses.
    softmax::Softmax,
    /// x - ln Σ eˣ over the last axis: the logarithms of those probabilities. Of one value it is always 0, which a network
    /// refuses.
    log_softmax::LogSoftmax,
}

impl Activation {
    /// Applies the function; the shape stays. Settings are taken as they are: [`Activation::check`] looks at them, as it
    /// does when a network is built.
    ///
    /// # Panics
    /// If this is a user's activation that a file only named, or one that changes the shape; and hard tanh, if `low` is
    /// above `high`.
    #[track_caller]
    pub fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        with_activation!(self, kind => Kind::forward(kind, x))
    }

    /// The form of the function that writes over a row, if it has one: what predictions use.
    pub(crate) fn in_place<E: Element>(&self) -> Option<InPlace<E>> {
        with_activation!(self, kind => kind.in_place())
    }

    /// The factor by which PyTorch's `calculate_gain` widens first weights in front of this function, so that the
    /// variance stays from layer to layer: 5/3 for tanh, √2 for ReLU, √(2 / (1 + slope²)) for leaky ReLU, 3/4 for SELU,
    /// 1 for identity and sigmoid, and 1 for all that PyTorch has no number for.
    ///
    /// [`Initializer::Orthogonal`](crate::Initializer::Orthogonal) takes it; the He initializers contain ReLU's.
    pub fn gain(&self) -> f64 {
        with_activation!(self, kind => kind.gain())
    }

    /// Whether the function has values below 0 and values above 0. A user's is believed to have both.
    pub(crate) fn has_both_signs(&self) -> bool {
        with_activation!(self, kind => kind.has_both_signs())
    }

    /// What the function is over a last axis of one value, if that is always the same: the softmaxes.
    pub(crate) fn of_one_value(&self) -> Option<f64> {
        with_activation!(self, kind => kind.of_one_value())
    }

    /// Checks the settings as numbers of type `E`; `what` is whose activation it is, as the error names it.
    ///
    /// # Errors
    /// If a setting lies outside of its range, or this is a user's activation that a file only named.
    pub fn check<E: Element>(&self, what: &str) -> Result<(), NnError> {
        if let Some(missing) = self.missing() {
            return Err(missing.into());
        }
        self.check_in(NumberType::of::<E>()).map_err(|problem| problem.of(what))
    }

    pub(crate) fn check_in(&self, number: NumberType) -> Result<(), Problem> {
        with_activation!(self, kind => kind.check(number))
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_activation!(self, kind => Kind::name(kind)))
    }
}
