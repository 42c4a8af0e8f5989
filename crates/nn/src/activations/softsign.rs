//! Softsign.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::kind::Kind;

/// x / (1 + |x|).
pub(super) struct Softsign;

impl Kind for Softsign {
    fn name(&self) -> String {
        "softsign".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.softsign()
    }
}
