//! A hyperbolic tangent of three lines.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::Activation;
use super::kind::Kind;
use crate::setting::{NumberType, Problem};

/// min(max(x, low), high).
pub(super) struct HardTanh {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Activation {
    /// Hard tanh between -1 and 1.
    pub const fn hard_tanh() -> Self {
        Self::HardTanh { low: -1.0, high: 1.0 }
    }
}

impl Kind for HardTanh {
    fn name(&self) -> String {
        format!("hard tanh {}..{}", self.low, self.high)
    }

    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.bounds(self.low, self.high)
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.hard_tanh(E::from_f64(self.low), E::from_f64(self.high))
    }

    fn has_both_signs(&self) -> bool {
        self.low < 0.0 && self.high > 0.0
    }
}
