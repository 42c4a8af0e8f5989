//! Normalization of every row by its size.

use mlp_autograd::Var;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::Kind;
use super::norm::{check_epsilon, plan_affine};
use crate::{NnError, Pass, Plan, Weights};

/// Rows of size 1: y = x / √(mean of x² + epsilon) · weight, with the mean over the last axis.
///
/// Source: Zhang and Sennrich, 2019. PyTorch's `RMSNorm` over the last axis and Keras' `RMSNormalization`, with Keras'
/// epsilon; PyTorch's default is the spacing of the number type (1.2e-7 for f32).
///
/// # Shapes
/// `[n, .., features]`; the output has the input's shape. `weight` `[features]`, which starts at 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RmsNorm {
    /// What is added to the mean square, above 0; 1e-6 by default.
    pub epsilon: f64,
    /// Whether there is a weight; true by default.
    pub affine: bool,
}

impl RmsNorm {
    /// The layer with epsilon 1e-6 and a weight.
    pub fn new() -> Self {
        Self { epsilon: 1e-6, affine: true }
    }

    /// Adds `epsilon` to the mean square.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// Leaves the weight out.
    #[must_use]
    pub fn without_affine(self) -> Self {
        Self { affine: false, ..self }
    }
}

impl Default for RmsNorm {
    /// [`RmsNorm::new`].
    fn default() -> Self {
        Self::new()
    }
}

impl Kind for RmsNorm {
    fn name(&self) -> &str {
        "RmsNorm"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        check_epsilon(self.epsilon, plan)?;
        if self.affine {
            plan_affine(input, false, plan)?;
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
        let y = x / (x.square().mean_axes(&[last], true) + E::from_f64(self.epsilon)).sqrt();
        if self.affine { y * weights.parameter() } else { y }
    }
}
