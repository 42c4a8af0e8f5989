//! 1 / (1 + e⁻ˣ), by e^-|x|, which never overflows: the same for x ≥ 0, and e^-|x| / (1 + e^-|x|) for x < 0.

use crate::Element;

#[inline(always)]
pub(super) fn sigmoid<E: Element>(x: E) -> E {
    let e = super::exp(-x.abs());
    (if x < E::zero() { e } else { E::one() }) / (E::one() + e)
}
