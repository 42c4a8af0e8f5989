//! Elementary functions of single numbers, written so that loops over them become vector instructions.
//!
//! | function | largest error in `f32`, in units in the last place |
//! |---|---|
//! | [`exp`] | 0.97 |
//! | [`exp_m1`] | 1.54 |
//! | [`ln`] | 0.84 |
//! | [`ln_1p`] | 0.84 |
//! | [`tanh`] | 1.34 |
//! | [`sigmoid`] | 2.41 |
//! | [`erf`] | 1.28 |
//! | [`erfc`] | 5.34 |
//!
//! Measured over every `f32` there is, against references in `f64`. NaN gives NaN; infinities, zeros with their signs,
//! denormal numbers and overflow come out as the exact functions have them.
//!
//! In `f32` a function is a fixed sequence of additions, multiplications, divisions and choices without a branch or a
//! call, so a loop inside of [`simd::vectorize`](crate::simd::vectorize) computes eight or sixteen values at a time,
//! and gives the same bits with every instruction set. In `f64` the functions are those of the standard library and of
//! [`libm`].
//!
//! ```
//! use mlp_tensor::{math, simd};
//!
//! let mut values = vec![0.5_f32; 1000];
//! simd::vectorize(
//!     #[inline(always)]
//!     || values.iter_mut().for_each(|v| *v = math::tanh(*v)),
//! );
//! assert!(values.iter().all(|v| (v - 0.46211717).abs() < 1e-7));
//! ```

mod erf;
mod exp;
mod functions;
mod ln;
mod sigmoid;
mod tanh;

use crate::Element;

pub(crate) use functions::Functions;

/// eᵛ.
#[inline(always)]
pub fn exp<E: Element>(v: E) -> E {
    v.math_exp()
}

/// eᵛ - 1, accurate also where eᵛ is almost 1.
#[inline(always)]
pub fn exp_m1<E: Element>(v: E) -> E {
    v.math_exp_m1()
}

/// The natural logarithm: of 0, minus infinity; of a negative number, NaN.
#[inline(always)]
pub fn ln<E: Element>(v: E) -> E {
    v.math_ln()
}

/// ln(1 + v), accurate also where v is tiny: of -1, minus infinity; below, NaN.
#[inline(always)]
pub fn ln_1p<E: Element>(v: E) -> E {
    v.math_ln_1p()
}

/// The hyperbolic tangent, (eᵛ - e⁻ᵛ) / (eᵛ + e⁻ᵛ).
#[inline(always)]
pub fn tanh<E: Element>(v: E) -> E {
    v.math_tanh()
}

/// 1 / (1 + e⁻ᵛ), without overflow for any v.
#[inline(always)]
pub fn sigmoid<E: Element>(v: E) -> E {
    v.math_sigmoid()
}

/// max(v, 0); NaN stays NaN.
#[inline(always)]
pub fn relu<E: Element>(v: E) -> E {
    if v < E::zero() { E::zero() } else { v }
}

/// The error function, 2/√π · ∫ e^(-t²) dt from 0 to v.
#[inline(always)]
pub fn erf<E: Element>(v: E) -> E {
    v.math_erf()
}

/// 1 - erf v, accurate also where that is tiny.
#[inline(always)]
pub fn erfc<E: Element>(v: E) -> E {
    v.math_erfc()
}

/// c₀ + c₁x + c₂x² + ..., by Horner's rule.
#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    coefficients.into_iter().rev().reduce(|sum, c| sum * x + c).unwrap_or(0.0)
}
