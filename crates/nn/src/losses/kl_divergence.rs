//! The Kullback-Leibler divergence.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::categorical_cross_entropy::log_softmax;
use super::{Kind, TargetKind};
use crate::OutputFunction;

/// Σ t (ln t - log_softmax(x)) of logits x, row by row; a target of 0 takes no part.
pub(super) struct KlDivergence;

impl Kind for KlDivergence {
    fn name(&self) -> String {
        "Kullback-Leibler divergence".to_owned()
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn function(&self) -> OutputFunction {
        OutputFunction::Softmax
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        let ln_t = t.clamp(E::min_positive_value(), E::max_value()).ln();
        (t * (ln_t - log_softmax(x))).sum_axes(&[1], false)
    }
}
