//! A sigmoid of three lines.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::kind::Kind;

/// min(max(x + 3, 0), 6) / 6.
pub(super) struct HardSigmoid;

impl Kind for HardSigmoid {
    fn name(&self) -> String {
        "hard sigmoid".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.hard_sigmoid()
    }

    fn has_both_signs(&self) -> bool {
        false
    }
}
