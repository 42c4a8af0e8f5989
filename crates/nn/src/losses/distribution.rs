//! Losses for predictions that are distributions.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::cross_entropy::ln;

/// Σ t (ln t - ln p), row by row; a target of 0 takes no part.
pub(super) fn kl_divergence<'t, E: Element>(p: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
    (t * (ln(t) - ln(p))).sum_axes(&[1], false)
}

/// p - t ln p, value by value.
pub(super) fn poisson<'t, E: Element>(p: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
    p - t * ln(p)
}

/// (s + (m - t)² / eˢ) / 2, value by value, with the means m and then the logarithms s of the
/// variances along the last axis of p.
pub(super) fn gaussian<'t, E: Element>(p: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
    let last = p.shape().len() - 1;
    let k = p.shape()[last] / 2;
    let half = E::from_f64(0.5);
    // Farther out, eˢ times anything ordinary is infinite, and infinity times 0 is no number.
    let bound = E::max_value().ln() * half;
    let (mean, log_variance) = (p.slice(last, 0..k), p.slice(last, k..2 * k).clamp(-bound, bound));
    (log_variance + (mean - t).square() * (-log_variance).exp()) * half
}
