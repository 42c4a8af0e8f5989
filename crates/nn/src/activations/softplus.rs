//! A smooth rectified linear unit.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::Activation;
use super::kind::Kind;
use crate::setting::{NumberType, Problem};

/// ln(1 + e^(βx)) / β.
pub(super) struct Softplus {
    pub(super) beta: f64,
}

impl Activation {
    /// Softplus with beta 1.
    pub const fn softplus() -> Self {
        Self::Softplus { beta: 1.0 }
    }
}

impl Kind for Softplus {
    fn name(&self) -> String {
        format!("softplus {}", self.beta)
    }

    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.above_zero("beta", self.beta)
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.softplus(E::from_f64(self.beta))
    }

    fn has_both_signs(&self) -> bool {
        false
    }
}
