//! GELU: x times the normal distribution's probability of a smaller number.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use mlp_tensor::{Element, math};

use super::{above_minus_infinity, number, pointwise};
use crate::Var;

/// 1 / √(2π).
const DENSITY: f64 = 0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
/// 2 √(2/π).
const TWICE_SLOPE: f64 = 2.0 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
const CUBIC: f64 = 0.044715;

impl<E: Element> Var<'_, E> {
    /// x · Φ(x), with Φ(x) = (1 + erf(x / √2)) / 2. Derivative: Φ(x) + x · e^(-x²/2) / √(2π).
    ///
    /// Source: Hendrycks and Gimpel, 2016.
    pub fn gelu(self) -> Self {
        pointwise(
            "gelu",
            self,
            #[inline(always)]
            |x| above_minus_infinity(x) * probability(x),
            #[inline(always)]
            |x, _| {
                let near = bounded(x);
                probability(x) + near * number(DENSITY) * math::exp(near * near * number(-0.5))
            },
            |x, _| {
                let x = x.clamp(number(-50.0), number(50.0));
                let probability = ((x * number::<E>(FRAC_1_SQRT_2)).erf() + E::one()) * number::<E>(0.5);
                probability + x * (x * x * number::<E>(-0.5)).exp() * number::<E>(DENSITY)
            },
        )
    }

    /// x · (1 + tanh u) / 2 with u = √(2/π) (x + 0.044715 x³), which is [`Var::gelu`] to about three digits. With
    /// s = (1 + tanh u) / 2, the derivative is s + 2 x s (1 - s) u'.
    ///
    /// Source: Hendrycks and Gimpel, 2016.
    pub fn gelu_tanh(self) -> Self {
        pointwise(
            "gelu_tanh",
            self,
            #[inline(always)]
            |x| above_minus_infinity(x) * math::sigmoid(twice_u(bounded(x))),
            #[inline(always)]
            |x, _| {
                let x = bounded(x);
                let (s, rest) = (math::sigmoid(twice_u(x)), math::sigmoid(-twice_u(x)));
                let slope = number::<E>(TWICE_SLOPE) * (E::one() + number::<E>(3.0 * CUBIC) * x * x);
                s + x * s * rest * slope
            },
            |x, _| {
                let x = x.clamp(number(-50.0), number(50.0));
                let square = x * x * number::<E>(CUBIC);
                let s = ((x + x * square) * number::<E>(TWICE_SLOPE)).sigmoid();
                s + x * (s - s * s) * ((square * number::<E>(3.0) + E::one()) * number::<E>(TWICE_SLOPE))
            },
        )
    }
}

/// Φ(x), with all digits also where it is tiny.
#[inline(always)]
fn probability<E: Element>(x: E) -> E {
    number::<E>(0.5) * math::erfc(x * number(-FRAC_1_SQRT_2))
}

/// x between -50 and 50, outside of which e^(-x²/2) is 0.
#[inline(always)]
fn bounded<E: Element>(x: E) -> E {
    let x = if x > number(50.0) { number(50.0) } else { x };
    if x < number(-50.0) { number(-50.0) } else { x }
}

/// (1 + tanh u) / 2 is 1 / (1 + e⁻²ᵘ).
#[inline(always)]
fn twice_u<E: Element>(x: E) -> E {
    number::<E>(TWICE_SLOPE) * (x + number::<E>(CUBIC) * x * x * x)
}
