//! Cosine similarity.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::{Kind, TargetKind};

/// -Σ x t / (|x| |t|) over the last axis. A row of zeros has no direction: its loss is 0, and so is its gradient.
pub(super) struct CosineSimilarity;

impl Kind for CosineSimilarity {
    fn name(&self) -> String {
        "cosine similarity".to_owned()
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Numbers
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        let last = [x.shape().len() - 1];
        -(x.normalize_axes(&last) * t.normalize_axes(&last)).sum_axes(&last, false)
    }
}
