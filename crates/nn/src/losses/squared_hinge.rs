//! The squared hinge loss.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::hinge::Hinge;
use super::{Kind, TargetKind};

/// The square of the hinge loss, value by value.
pub(super) struct SquaredHinge;

impl Kind for SquaredHinge {
    fn name(&self) -> String {
        "squared hinge loss".to_owned()
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Signs
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        Hinge.values(x, t).square()
    }
}
