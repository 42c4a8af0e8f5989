//! The exponential linear unit with a slope of 1 at 0 for any alpha.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::Activation;
use super::kind::Kind;
use crate::setting::{NumberType, Problem};

/// x above 0, α (e^(x/α) - 1) up to it.
pub(super) struct Celu {
    pub(super) alpha: f64,
}

impl Activation {
    /// CELU with alpha 1.
    pub const fn celu() -> Self {
        Self::Celu { alpha: 1.0 }
    }
}

impl Kind for Celu {
    fn name(&self) -> String {
        format!("celu {}", self.alpha)
    }

    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.above_zero("alpha", self.alpha)
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.celu(E::from_f64(self.alpha))
    }
}
