//! The sigmoid linear unit, also called swish.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::kind::Kind;

/// x / (1 + e⁻ˣ).
pub(super) struct Silu;

impl Kind for Silu {
    fn name(&self) -> String {
        "silu".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.silu()
    }
}
