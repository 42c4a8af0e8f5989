//! The hinge loss: nothing for answers that are right by a margin of 1.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::{Kind, TargetKind};

/// max(1 - t x, 0), value by value. A target of 0 counts as -1.
pub(super) struct Hinge;

impl Kind for Hinge {
    fn name(&self) -> String {
        "hinge loss".to_owned()
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Signs
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        let zeros = t.value().map(|t| if t == E::zero() { E::one() } else { E::zero() });
        let sign = t - t.tape().constant(zeros);
        (-(sign * x) + E::one()).relu()
    }
}
