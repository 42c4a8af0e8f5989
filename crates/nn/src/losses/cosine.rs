//! Cosine similarity.

use mlp_autograd::Var;
use mlp_tensor::Element;

/// -Σ p t / (|p| |t|) over the last axis.
pub(super) fn similarity<'t, E: Element>(p: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
    let last = p.shape().len() - 1;
    -(unit(p) * unit(t)).sum_axes(&[last], false)
}

/// Every vector along the last axis divided by its norm, zeros left as they are.
fn unit<E: Element>(x: Var<'_, E>) -> Var<'_, E> {
    let last = [x.shape().len() - 1];
    // The direction does not depend on the length: divided by its largest value, no row has squares that overflow.
    let largest = x.value().abs().max_axes(&last, true).map(|v| if v > E::zero() { v } else { E::one() });
    let x = x / x.tape().constant(largest);
    x / x.square().sum_axes(&last, true).clamp(E::min_positive_value(), E::max_value()).sqrt()
}
