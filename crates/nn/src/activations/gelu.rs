//! The Gaussian error linear unit.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::kind::Kind;

/// x · Φ(x).
pub(super) struct Gelu;

impl Kind for Gelu {
    fn name(&self) -> String {
        "gelu".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.gelu()
    }
}
