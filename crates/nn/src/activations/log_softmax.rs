//! Logarithms of probabilities of classes.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::kind::Kind;

/// x - ln Σ eˣ over the last axis.
pub(super) struct LogSoftmax;

impl Kind for LogSoftmax {
    fn name(&self) -> String {
        "log-softmax".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.log_softmax(x.ndim().saturating_sub(1))
    }

    fn has_both_signs(&self) -> bool {
        false
    }

    fn of_one_value(&self) -> Option<f64> {
        Some(0.0)
    }
}
