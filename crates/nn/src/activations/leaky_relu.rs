//! The rectified linear unit with a slope below 0.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::Activation;
use super::kind::Kind;
use crate::setting::{NumberType, Problem};

/// x above 0, slope · x up to it.
pub(super) struct LeakyRelu {
    pub(super) negative_slope: f64,
}

impl Activation {
    /// Leaky ReLU with PyTorch's slope, 0.01.
    pub const fn leaky_relu() -> Self {
        Self::LeakyRelu { negative_slope: 0.01 }
    }
}

impl Kind for LeakyRelu {
    fn name(&self) -> String {
        format!("leaky relu {}", self.negative_slope)
    }

    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.finite("negative_slope", self.negative_slope)
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.leaky_relu(E::from_f64(self.negative_slope))
    }

    fn gain(&self) -> f64 {
        (2.0 / (1.0 + self.negative_slope * self.negative_slope)).sqrt()
    }

    fn has_both_signs(&self) -> bool {
        self.negative_slope > 0.0
    }
}
