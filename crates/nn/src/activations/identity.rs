//! No activation.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::kind::Kind;

/// x.
pub(super) struct Identity;

impl Kind for Identity {
    fn name(&self) -> String {
        "identity".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x
    }
}
