//! Cross-entropy: minus the logarithm of the probability that was predicted for what came true.

use mlp_autograd::Var;
use mlp_tensor::Element;

/// -(w₁ t ln p + w₀ (1 - t) ln(1 - p)), value by value.
pub(super) fn binary<'t, E: Element>(p: Var<'t, E>, t: Var<'t, E>, weights: [E; 2]) -> Var<'t, E> {
    let below_one = E::one() - E::epsilon() / E::from_f64(2.0);
    let ln_no = (-p.clamp(E::min_value(), below_one)).ln_1p();
    -weighted(ln(p), ln_no, t, weights)
}

/// w₁ t ln(1 + e⁻ˣ) + w₀ (1 - t) ln(1 + eˣ), value by value.
pub(super) fn binary_with_logits<'t, E: Element>(x: Var<'t, E>, t: Var<'t, E>, weights: [E; 2]) -> Var<'t, E> {
    weighted((-x).softplus(E::one()), x.softplus(E::one()), t, weights)
}

/// w₁ t · yes + w₀ (1 - t) · no.
fn weighted<'t, E: Element>(yes: Var<'t, E>, no: Var<'t, E>, t: Var<'t, E>, [w0, w1]: [E; 2]) -> Var<'t, E> {
    t * yes * w1 + (-t + E::one()) * no * w0
}

/// -Σ t ln p, row by row.
pub(super) fn categorical<'t, E: Element>(p: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
    -(t * ln(p)).sum_axes(&[1], false)
}

/// -Σ t log_softmax(x), row by row.
pub(super) fn categorical_with_logits<'t, E: Element>(x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
    -(t * ln_softmax(x)).sum_axes(&[1], false)
}

/// ln p, with p below the smallest normal number counting as that number.
pub(super) fn ln<E: Element>(p: Var<'_, E>) -> Var<'_, E> {
    p.clamp(E::min_positive_value(), E::max_value()).ln()
}

/// log_softmax(x), finite for every finite x: a target of 0 times it is 0.
pub(super) fn ln_softmax<E: Element>(x: Var<'_, E>) -> Var<'_, E> {
    x.log_softmax().clamp(E::min_value(), E::max_value())
}
