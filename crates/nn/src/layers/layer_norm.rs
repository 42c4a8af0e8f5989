//! Normalization of every row by itself.

use mlp_autograd::Var;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::Kind;
use super::norm::{affine, check_epsilon, normalize, plan_affine};
use crate::{NnError, Pass, Plan, Weights};

/// Rows with mean 0 and variance 1: y = (x - mean) / √(variance + epsilon) · weight + bias, with the mean and the
/// variance (divided by the number of values) over the last axis.
///
/// Source: Ba et al., 2016. As PyTorch's `LayerNorm` over the last axis, with its epsilon; Keras' default is 1e-3.
///
/// # Shapes
/// `[n, .., features]`; the output has the input's shape. `weight` and `bias` `[features]`, which start at 1 and 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LayerNorm {
    /// What is added to the variance, above 0; 1e-5 by default.
    pub epsilon: f64,
    /// Whether there are a weight and a bias; true by default.
    pub affine: bool,
}

impl LayerNorm {
    /// The layer with epsilon 1e-5, a weight and a bias.
    pub fn new() -> Self {
        Self { epsilon: 1e-5, affine: true }
    }

    /// Adds `epsilon` to the variance.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// Leaves weight and bias out.
    #[must_use]
    pub fn without_affine(self) -> Self {
        Self { affine: false, ..self }
    }
}

impl Default for LayerNorm {
    /// [`LayerNorm::new`].
    fn default() -> Self {
        Self::new()
    }
}

impl Kind for LayerNorm {
    fn name(&self) -> &str {
        "LayerNorm"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        check_epsilon(self.epsilon, plan)?;
        if self.affine {
            plan_affine(input, true, plan)?;
        }
        Ok(input.to_vec())
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        _: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let last = x.value().ndim() - 1;
        affine(normalize(x, &[last], self.epsilon), self.affine, weights)
    }
}
