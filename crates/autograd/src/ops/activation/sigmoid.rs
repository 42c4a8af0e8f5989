//! The logistic function, its logarithm and its integral.

use mlp_tensor::{Element, math};

use super::{above_minus_infinity, finite, near, pointwise};
use crate::Var;

impl<E: Element> Var<'_, E> {
    /// 1 / (1 + e⁻ˣ). Derivative: y (1 - y).
    pub fn sigmoid(self) -> Self {
        pointwise(
            "sigmoid",
            self,
            #[inline(always)]
            |x| math::sigmoid(x),
            #[inline(always)]
            |_, y| y * (E::one() - y),
            |_, y| y - y * y,
        )
    }

    /// ln(1 / (1 + e⁻ˣ)) = min(x, 0) - ln(1 + e^-|x|). Derivative: 1 / (1 + eˣ).
    pub fn log_sigmoid(self) -> Self {
        pointwise(
            "log_sigmoid",
            self,
            #[inline(always)]
            |x| -softplus(-x),
            #[inline(always)]
            |x, _| math::sigmoid(-x),
            |x, _| (-x).sigmoid(),
        )
    }

    /// ln(1 + e^(`beta` x)) / `beta`, computed so that nothing overflows; 1 is the usual beta. Derivative:
    /// 1 / (1 + e^(-`beta` x)).
    ///
    /// PyTorch takes x itself where `beta` x is above 20, which is wrong by up to 2e-9 / `beta`; this does not.
    pub fn softplus(self, beta: E) -> Self {
        pointwise(
            "softplus",
            self,
            #[inline(always)]
            move |x| softplus(beta * x) / beta,
            #[inline(always)]
            move |x, _| math::sigmoid(beta * x),
            move |x, _| (x * beta).sigmoid(),
        )
    }

    /// x / (1 + e⁻ˣ), also called swish. With s = 1 / (1 + e⁻ˣ), the derivative is s + y (1 - s).
    ///
    /// Source: Hendrycks and Gimpel, 2016; Ramachandran, Zoph and Le, 2017.
    pub fn silu(self) -> Self {
        pointwise(
            "silu",
            self,
            #[inline(always)]
            |x| above_minus_infinity(x) * math::sigmoid(x),
            #[inline(always)]
            |x, _| math::sigmoid(x) + finite(x) * (math::sigmoid(x) * math::sigmoid(-x)),
            |x, _| {
                let x = near(x);
                let s = x.sigmoid();
                s + x * (s * (-x).sigmoid())
            },
        )
    }
}

/// ln(1 + eˣ) = max(x, 0) + ln(1 + e^-|x|).
#[inline(always)]
fn softplus<E: Element>(x: E) -> E {
    let above = if x < E::zero() { E::zero() } else { x };
    above + math::ln_1p(math::exp(-x.abs()))
}
