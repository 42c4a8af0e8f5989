//! Mean absolute error.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::{Kind, TargetKind};

/// |x - t|, value by value.
pub(super) struct MeanAbsoluteError;

impl Kind for MeanAbsoluteError {
    fn name(&self) -> String {
        "mean absolute error".to_owned()
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Numbers
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        (x - t).abs()
    }
}
