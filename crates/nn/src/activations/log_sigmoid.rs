//! The logarithm of the logistic function.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::kind::Kind;

/// ln(1 / (1 + e⁻ˣ)).
pub(super) struct LogSigmoid;

impl Kind for LogSigmoid {
    fn name(&self) -> String {
        "log-sigmoid".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.log_sigmoid()
    }

    fn has_both_signs(&self) -> bool {
        false
    }
}
