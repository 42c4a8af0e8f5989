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
        let last = x.shape().len() - 1;
        -(unit(x) * unit(t)).sum_axes(&[last], false)
    }
}

/// Every vector along the last axis divided by its norm; zeros are left as they are, and pass no gradient.
fn unit<E: Element>(x: Var<'_, E>) -> Var<'_, E> {
    let last = [x.shape().len() - 1];
    // The direction does not depend on the length: divided by its largest value, no row has squares that overflow. Of
    // zeros, 1 in place of the norm and 0 in place of 1 / largest leave neither a direction nor a slope.
    let largest = x.value().abs().max_axes(&last, true);
    let (one, zero) = (E::one(), E::zero());
    let factor = x.tape().constant(largest.map(|v| if v > zero { v.recip().min(E::max_value()) } else { zero }));
    let is_zero = x.tape().constant(largest.map(|v| if v > zero { zero } else { one }));
    let x = x * factor;
    x / (x.square().sum_axes(&last, true) + is_zero).sqrt()
}
