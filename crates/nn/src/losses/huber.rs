//! The Huber loss.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::{Kind, TargetKind};
use crate::setting::{NumberType, Problem, shown};

/// d²/2 for |d| up to δ, and δ (|d| - δ/2) above, where d = x - t. With c = d cut off at ±δ, both are c (d - c/2).
pub(super) struct Huber {
    pub(super) delta: f64,
}

impl Kind for Huber {
    fn name(&self) -> String {
        format!("Huber loss with delta {}", shown(self.delta))
    }

    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.above_zero("delta", self.delta)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Numbers
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        let (d, delta) = (x - t, E::from_f64(self.delta));
        let cut = d.clamp(-delta, delta);
        cut * (d - cut * E::from_f64(0.5))
    }
}
