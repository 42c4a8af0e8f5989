//! Losses for numbers.

use mlp_autograd::Var;
use mlp_tensor::Element;

/// d²/2 for |d| up to δ, and δ (|d| - δ/2) above. With c = d cut off at ±δ, both are c (d - c/2).
pub(super) fn huber<'t, E: Element>(p: Var<'t, E>, t: Var<'t, E>, delta: f64) -> Var<'t, E> {
    let (d, delta) = (p - t, E::from_f64(delta));
    let cut = d.clamp(-delta, delta);
    cut * (d - cut * E::from_f64(0.5))
}

/// q d for d = t - p above 0, and (q - 1) d below. Derivative: 0 at 0.
pub(super) fn quantile<'t, E: Element>(p: Var<'t, E>, t: Var<'t, E>, q: f64) -> Var<'t, E> {
    let d = t - p;
    d.relu() * E::from_f64(q) + (-d).relu() * E::from_f64(1.0 - q)
}
