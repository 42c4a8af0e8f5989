//! The exponential linear unit.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::Activation;
use super::kind::Kind;
use crate::setting::{NumberType, Problem};

/// x above 0, α (eˣ - 1) up to it.
pub(super) struct Elu {
    pub(super) alpha: f64,
}

impl Activation {
    /// ELU with alpha 1.
    pub const fn elu() -> Self {
        Self::Elu { alpha: 1.0 }
    }
}

impl Kind for Elu {
    fn name(&self) -> String {
        format!("elu {}", self.alpha)
    }

    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.above_zero("alpha", self.alpha)
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.elu(E::from_f64(self.alpha))
    }
}
