//! The fully connected layer.

use mlp_autograd::Var;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::ParameterSpec;
use crate::error::Problem;
use crate::{Activation, Initializer, Regularizer};

/// A fully connected layer: Y = activation(X · W + b).
///
/// # Shapes
/// X `[n, features]`, W (`weight`) `[features, units]`, b (`bias`) `[units]`, Y `[n, units]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dense {
    /// The number of outputs, at least 1.
    pub units: usize,
    /// The function applied to the outputs; none by default.
    pub activation: Activation,
    /// Whether b is added; true by default.
    pub use_bias: bool,
    /// How W starts; [`Initializer::GlorotUniform`] by default. b starts at 0.
    pub initializer: Initializer,
    /// The penalty on W; none by default.
    pub regularizer: Option<Regularizer>,
}

impl Dense {
    /// A layer of `units` outputs.
    pub fn new(units: usize) -> Self {
        Self {
            units,
            activation: Activation::Identity,
            use_bias: true,
            initializer: Initializer::default(),
            regularizer: None,
        }
    }

    /// Applies `activation` to the outputs.
    pub fn activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// Draws the first weights by `initializer`.
    pub fn initializer(self, initializer: Initializer) -> Self {
        Self { initializer, ..self }
    }

    /// Adds a penalty on the weights (not on the bias) to the loss.
    pub fn regularizer(self, regularizer: Regularizer) -> Self {
        Self { regularizer: Some(regularizer), ..self }
    }

    /// Leaves the bias out.
    pub fn without_bias(self) -> Self {
        Self { use_bias: false, ..self }
    }

    pub(super) fn parameters(&self, input: usize) -> Vec<ParameterSpec> {
        let weight = ParameterSpec {
            name: "weight",
            shape: vec![input, self.units],
            initializer: self.initializer,
            regularizer: self.regularizer,
        };
        let bias =
            ParameterSpec { name: "bias", shape: vec![self.units], initializer: Initializer::Zeros, regularizer: None };
        if self.use_bias { vec![weight, bias] } else { vec![weight] }
    }

    pub(super) fn forward_before_activation<'t, E: Element>(parameters: &[Var<'t, E>], x: Var<'t, E>) -> Var<'t, E> {
        match *parameters {
            [weight, bias] => x.linear(weight, bias),
            [weight] => x.matmul(weight),
            _ => panic!("Dense: expected a weight and possibly a bias, got {} parameters", parameters.len()),
        }
    }

    pub(super) fn problem(&self) -> Option<Problem> {
        if self.units == 0 {
            return Some(("units", 0.0, "at least 1"));
        }
        let regularizer = self.regularizer.and_then(|regularizer| regularizer.problem());
        self.activation.problem().or(self.initializer.problem(2)).or(regularizer)
    }
}
