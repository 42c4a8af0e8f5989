//! Swish with a sigmoid of three lines.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::kind::Kind;

/// x · min(max(x + 3, 0), 6) / 6.
pub(super) struct HardSwish;

impl Kind for HardSwish {
    fn name(&self) -> String {
        "hard swish".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.hard_swish()
    }
}
