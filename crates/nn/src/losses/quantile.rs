//! The quantile loss, also called pinball loss.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::{Kind, TargetKind};
use crate::setting::{NumberType, Problem, shown};

/// q d for d = t - x above 0, and (q - 1) d below. Derivative: 0 at 0.
pub(super) struct Quantile {
    pub(super) q: f64,
}

impl Kind for Quantile {
    fn name(&self) -> String {
        format!("quantile loss with q {}", shown(self.q))
    }

    fn check(&self, number: NumberType) -> Result<(), Problem> {
        let Self { q } = *self;
        let holds = |q: f64| q > 0.0 && q < 1.0;
        number.check("q", q, "above 0 and below 1", |as_used| holds(as_used(q)))
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Numbers
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        let d = t - x;
        d.relu() * E::from_f64(self.q) + (-d).relu() * E::from_f64(1.0 - self.q)
    }
}
