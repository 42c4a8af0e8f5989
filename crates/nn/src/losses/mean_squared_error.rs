//! Mean squared error.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::{Kind, TargetKind};

/// (x - t)², value by value.
pub(super) struct MeanSquaredError;

impl Kind for MeanSquaredError {
    fn name(&self) -> String {
        "mean squared error".to_owned()
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Numbers
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        (x - t).square()
    }
}
