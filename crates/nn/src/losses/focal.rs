//! Focal losses: cross-entropy in which what is known already counts less.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::cross_entropy::{self, ln, ln_softmax};

/// Cross-entropy times (1 - q)^γ, value by value, where 1 - q = t (1 - p) + (1 - t) p.
pub(super) fn binary<'t, E: Element>(
    p: Var<'t, E>,
    t: Var<'t, E>,
    weights: [E; 2],
    (gamma, alpha): (f64, Option<f64>),
) -> Var<'t, E> {
    let wrong = t * (-p + E::one()) + (-t + E::one()) * p;
    balance(cross_entropy::binary(p, t, weights) * power(wrong, gamma), t, alpha)
}

/// The same from logits, with 1 - p = σ(-x).
pub(super) fn binary_with_logits<'t, E: Element>(
    x: Var<'t, E>,
    t: Var<'t, E>,
    weights: [E; 2],
    (gamma, alpha): (f64, Option<f64>),
) -> Var<'t, E> {
    let wrong = t * (-x).sigmoid() + (-t + E::one()) * x.sigmoid();
    balance(cross_entropy::binary_with_logits(x, t, weights) * power(wrong, gamma), t, alpha)
}

/// -Σ α (1 - p)^γ t ln p, row by row.
pub(super) fn categorical<'t, E: Element>(p: Var<'t, E>, t: Var<'t, E>, (gamma, alpha): (f64, f64)) -> Var<'t, E> {
    (t * ln(p) * power(-p + E::one(), gamma)).sum_axes(&[1], false) * E::from_f64(-alpha)
}

/// The same from logits, with 1 - p = -(e^(ln p) - 1).
pub(super) fn categorical_with_logits<'t, E: Element>(
    x: Var<'t, E>,
    t: Var<'t, E>,
    (gamma, alpha): (f64, f64),
) -> Var<'t, E> {
    let ln_p = ln_softmax(x);
    (t * ln_p * power(-ln_p.expm1(), gamma)).sum_axes(&[1], false) * E::from_f64(-alpha)
}

/// vᵞ. Below the smallest normal number v counts as that number: a γ below 1 has no derivative at 0.
fn power<E: Element>(v: Var<'_, E>, gamma: f64) -> Var<'_, E> {
    v.clamp(E::min_positive_value(), E::max_value()).powf(E::from_f64(gamma))
}

fn balance<'t, E: Element>(values: Var<'t, E>, t: Var<'t, E>, alpha: Option<f64>) -> Var<'t, E> {
    match alpha {
        // t α + (1 - t)(1 - α)
        Some(alpha) => values * (t * E::from_f64(2.0 * alpha - 1.0) + E::from_f64(1.0 - alpha)),
        None => values,
    }
}
