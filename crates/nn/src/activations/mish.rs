//! Mish.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::kind::Kind;

/// x · tanh(ln(1 + eˣ)).
pub(super) struct Mish;

impl Kind for Mish {
    fn name(&self) -> String {
        "mish".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.mish()
    }
}
