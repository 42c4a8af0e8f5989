//! Categorical cross-entropy: minus the logarithm of the probability that was predicted for the class that came true.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::{Kind, TargetKind};
use crate::OutputFunction;

/// -Σ t log_softmax(x) of logits x, row by row.
pub(super) struct CategoricalCrossEntropy;

impl Kind for CategoricalCrossEntropy {
    fn name(&self) -> String {
        "categorical cross-entropy".to_owned()
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn function(&self) -> OutputFunction {
        OutputFunction::Softmax
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        x.softmax_cross_entropy(t)
    }
}

/// log_softmax(x), finite for every finite x: a target of 0 times it is 0.
pub(super) fn log_softmax<E: Element>(x: Var<'_, E>) -> Var<'_, E> {
    x.log_softmax(1).clamp(E::min_value(), E::max_value())
}
