//! Hinge losses: nothing for answers that are right by a margin of 1.

use mlp_autograd::Var;
use mlp_tensor::Element;

/// `of_miss`(max(1 - t p, 0)) times the weight of t's class, value by value. A target of 0 counts as -1.
pub(super) fn hinge<'t, E: Element>(
    p: Var<'t, E>,
    t: Var<'t, E>,
    [w0, w1]: [E; 2],
    of_miss: impl Fn(Var<'t, E>) -> Var<'t, E>,
) -> Var<'t, E> {
    let values = t.value();
    let sign = t - t.tape().constant(values.map(|t| if t == E::zero() { E::one() } else { E::zero() }));
    let loss = of_miss((-(sign * p) + E::one()).relu());
    if w0 == E::one() && w1 == E::one() {
        return loss;
    }
    loss * t.tape().constant(values.map(|t| if t > E::zero() { w1 } else { w0 }))
}
