//! The Gaussian error linear unit by a hyperbolic tangent.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::kind::Kind;

/// x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.
pub(super) struct GeluTanh;

impl Kind for GeluTanh {
    fn name(&self) -> String {
        "gelu tanh".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.gelu_tanh()
    }
}
