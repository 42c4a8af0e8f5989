//! The rectified linear unit that ends at 6.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::kind::Kind;

/// min(max(x, 0), 6).
pub(super) struct Relu6;

impl Kind for Relu6 {
    fn name(&self) -> String {
        "relu6".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.relu6()
    }

    fn has_both_signs(&self) -> bool {
        false
    }
}
