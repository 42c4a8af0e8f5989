//! Functions that are a straight line above 0 and an exponential below.

use mlp_tensor::{Element, Tensor, math};

use super::{number, pointwise};
use crate::Var;

/// Selu's two numbers: with them, and with LeCun's normal initialization, mean 0 and variance 1 are a fixed point.
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

impl<E: Element> Var<'_, E> {
    /// x above 0, `alpha` · (eˣ - 1) up to it. Derivative: 1 above 0, `alpha` · eˣ up to it.
    ///
    /// Source: Clevert, Unterthiner and Hochreiter, 2016.
    pub fn elu(self, alpha: E) -> Self {
        exponential("elu", self, E::one(), alpha, E::one())
    }

    /// s · x above 0, s · a · (eˣ - 1) up to it, with s = 1.0507 and a = 1.6733. Derivative: s above 0, s · a · eˣ up to
    /// it.
    ///
    /// Source: Klambauer, Unterthiner, Mayr and Hochreiter, 2017.
    pub fn selu(self) -> Self {
        exponential("selu", self, number(SELU_SCALE), number(SELU_SCALE * SELU_ALPHA), E::one())
    }

    /// x above 0, `alpha` · (e^(x / `alpha`) - 1) up to it. Derivative: 1 above 0, e^(x / `alpha`) up to it.
    ///
    /// Source: Barron, 2017.
    pub fn celu(self, alpha: E) -> Self {
        exponential("celu", self, E::one(), alpha, alpha.recip())
    }
}

/// above · x above 0, below · (e^(rate x) - 1) up to it, with the derivative `above` or rate · below · e^(rate x).
fn exponential<'t, E: Element>(name: &'static str, x: Var<'t, E>, above: E, below: E, rate: E) -> Var<'t, E> {
    pointwise(
        name,
        x,
        #[inline(always)]
        move |x| {
            // Where the line holds, the exponential is not to overflow.
            let bent = below * math::exp_m1(rate * if x > E::zero() { E::zero() } else { x });
            if x > E::zero() { above * x } else { bent }
        },
        #[inline(always)]
        move |x, _| {
            let bent = rate * below * math::exp(rate * if x > E::zero() { E::zero() } else { x });
            if x > E::zero() { above } else { bent }
        },
        move |x, _| {
            let bent = x.value().map(|x| if x > E::zero() { E::zero() } else { E::one() });
            let slope = (x.masked(&bent) * rate).exp() * (rate * below);
            Var::where_(&bent, slope, x.tape().constant(Tensor::scalar(above)))
        },
    )
}
