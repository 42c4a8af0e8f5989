//! The hyperbolic tangent and other smooth functions.

use mlp_tensor::{Element, math};

use super::{above_minus_infinity, finite, near, number, pointwise};
use crate::Var;

impl<E: Element> Var<'_, E> {
    /// tanh x. Derivative: 1 - y².
    pub fn tanh(self) -> Self {
        pointwise(
            "tanh",
            self,
            #[inline(always)]
            |x| math::tanh(x),
            #[inline(always)]
            |_, y| E::one() - y * y,
            |_, y| -(y * y) + E::one(),
        )
    }

    /// x / (1 + |x|). Derivative: 1 / (1 + |x|)².
    ///
    /// Source: Turian, Bergstra and Bengio, 2009.
    pub fn softsign(self) -> Self {
        pointwise(
            "softsign",
            self,
            #[inline(always)]
            |x| finite(x) / (E::one() + finite(x).abs()),
            #[inline(always)]
            |x, _| {
                let slope = (E::one() + x.abs()).recip();
                slope * slope
            },
            |x, _| (x.abs() + E::one()).powf(number(-2.0)),
        )
    }

    /// x · tanh(ln(1 + eˣ)). With t that hyperbolic tangent, the derivative is t + x (1 - t²) / (1 + e⁻ˣ).
    ///
    /// Source: Misra, 2019.
    pub fn mish(self) -> Self {
        pointwise(
            "mish",
            self,
            #[inline(always)]
            |x| above_minus_infinity(x) * tanh_of_softplus(x).0,
            #[inline(always)]
            |x, _| {
                let (t, slope) = tanh_of_softplus(x);
                t + finite(x) * slope
            },
            |x, _| {
                let x = near(x);
                let t = x.softplus(E::one()).tanh();
                t + x * (-(t * t) + E::one()) * x.sigmoid()
            },
        )
    }

    /// ln cosh x, accurate for small and for large x. Derivative: tanh x.
    pub fn ln_cosh(self) -> Self {
        pointwise(
            "ln_cosh",
            self,
            #[inline(always)]
            |x| {
                let a = x.abs();
                // Below 1, cosh² = 1 + sinh²; from 1 on, cosh = eᵃ (1 + e⁻²ᵃ) / 2.
                let small = a < E::one();
                let u = math::exp_m1(if small { a } else { E::one() });
                let sinh = (u + u / (u + E::one())) * number(0.5);
                let ln = math::ln_1p(if small { sinh * sinh } else { math::exp(number::<E>(-2.0) * a) });
                if small { ln * number(0.5) } else { a + (ln - number(std::f64::consts::LN_2)) }
            },
            #[inline(always)]
            |x, _| math::tanh(x),
            |x, _| x.tanh(),
        )
    }
}

/// t = tanh(ln(1 + eˣ)) and its derivative (1 - t²) / (1 + e⁻ˣ), from one e^-|x|.
#[inline(always)]
fn tanh_of_softplus<E: Element>(x: E) -> (E, E) {
    let (one, two) = (E::one(), number::<E>(2.0));
    let e = math::exp(-x.abs());
    let sum = one + e;
    // With n = eˣ (eˣ + 2), t = n / (n + 2); for x above 0, both are divided by e²ˣ.
    let above = x > E::zero();
    let n = if above { one + two * e } else { e * (e + two) };
    let d = n + if above { two * e * e } else { two };
    let slope = number::<E>(4.0) * e * sum * if above { e } else { one } / (d * d);
    (n / d, slope)
}
