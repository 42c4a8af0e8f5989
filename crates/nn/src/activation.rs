//! The functions between layers.

use std::fmt;

use mlp_autograd::Var;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

/// A function of a layer's output, value by value or (softmax) row by row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activation {
    /// x, for regression outputs and logits.
    #[default]
    Identity,
    /// max(x, 0).
    Relu,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// tanh x.
    Tanh,
    /// eˣ / Σ eˣ over the last axis: probabilities of classes.
    Softmax,
}

impl Activation {
    /// Applies the function; the shape stays.
    pub fn forward<E: Element>(self, x: Var<'_, E>) -> Var<'_, E> {
        match self {
            Self::Identity => x,
            Self::Relu => x.relu(),
            Self::Sigmoid => x.sigmoid(),
            Self::Tanh => x.tanh(),
            Self::Softmax => x.softmax(),
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Softmax => "softmax",
        })
    }
}
