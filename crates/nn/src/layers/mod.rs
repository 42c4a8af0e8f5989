//! The layers: a closed set, so that a saved network is opened without knowing the program that wrote it.

mod dense;
mod dropout;

use mlp_autograd::Var;
use mlp_tensor::{Element, Rng};
use serde::{Deserialize, Serialize};

use crate::{Activation, Initializer, NnError, Regularizer};

pub use dense::Dense;
pub use dropout::Dropout;

/// One layer of a network: its kind and settings, without weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layer {
    /// Y = activation(X · W + b).
    Dense(Dense),
    /// Zeros some of the values, in training only.
    Dropout(Dropout),
    /// An activation by itself.
    Activation(Activation),
}

/// Whether a forward pass trains. Training carries the generator that layers such as dropout draw from.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Every layer computes what it does in use.
    Inference,
    /// Dropout drops.
    Training(Rng),
}

/// One weight that a layer has.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// The name within the layer: `weight` or `bias`.
    pub name: &'static str,
    /// The shape.
    pub shape: Vec<usize>,
    /// How its first values are drawn.
    pub initializer: Initializer,
    /// The penalty on it, if there is one.
    pub regularizer: Option<Regularizer>,
}

impl Layer {
    /// The layer's kind, as summaries and messages show it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dense(_) => "Dense",
            Self::Dropout(_) => "Dropout",
            Self::Activation(_) => "Activation",
        }
    }

    /// The number of features of the layer's output, given that of its input.
    pub fn output_features(&self, input: usize) -> usize {
        match self {
            Self::Dense(dense) => dense.units,
            Self::Dropout(_) | Self::Activation(_) => input,
        }
    }

    /// The layer's weights, given the number of features of its input.
    pub fn parameters(&self, input: usize) -> Vec<ParameterSpec> {
        match self {
            Self::Dense(dense) => dense.parameters(input),
            Self::Dropout(_) | Self::Activation(_) => Vec::new(),
        }
    }

    /// The activation that ends the layer.
    pub fn activation(&self) -> Activation {
        match self {
            Self::Dense(dense) => dense.activation,
            Self::Activation(activation) => *activation,
            Self::Dropout(_) => Activation::Identity,
        }
    }

    /// The layer's output for the input `x` of shape `[n, features]`, with its weights in the order of
    /// [`Layer::parameters`].
    pub fn forward<'t, E: Element>(&self, parameters: &[Var<'t, E>], x: Var<'t, E>, mode: &mut Mode) -> Var<'t, E> {
        self.activation().forward(self.forward_before_activation(parameters, x, mode))
    }

    /// The layer's output before [`Layer::activation`]: of a softmax layer, the logits.
    pub fn forward_before_activation<'t, E: Element>(
        &self,
        parameters: &[Var<'t, E>],
        x: Var<'t, E>,
        mode: &mut Mode,
    ) -> Var<'t, E> {
        match self {
            Self::Dense(_) => Dense::forward_before_activation(parameters, x),
            Self::Dropout(dropout) => dropout.forward(x, mode),
            Self::Activation(_) => x,
        }
    }

    /// Checks the settings; `path` is the layer's place in the network, such as `layers.1`.
    pub(crate) fn check(&self, path: &str) -> Result<(), NnError> {
        let problem = match self {
            Self::Dense(dense) => dense.problem(),
            Self::Dropout(dropout) => dropout.problem(),
            Self::Activation(activation) => activation.problem(),
        };
        match problem {
            None => Ok(()),
            Some((setting, value, expected)) => {
                Err(NnError::Setting { layer: format!("{path} ({})", self.kind()), setting, value, expected })
            }
        }
    }
}

impl From<Dense> for Layer {
    fn from(dense: Dense) -> Self {
        Self::Dense(dense)
    }
}

impl From<Dropout> for Layer {
    fn from(dropout: Dropout) -> Self {
        Self::Dropout(dropout)
    }
}

impl From<Activation> for Layer {
    fn from(activation: Activation) -> Self {
        Self::Activation(activation)
    }
}
