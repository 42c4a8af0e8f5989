//! Which implementation each number type has.

use super::{erf, exp, ln, sigmoid, tanh};

/// The functions of one number type. What the methods do stands at the functions of the same names in [`crate::math`].
pub trait Functions {
    fn math_exp(self) -> Self;
    fn math_exp_m1(self) -> Self;
    fn math_ln(self) -> Self;
    fn math_ln_1p(self) -> Self;
    fn math_tanh(self) -> Self;
    fn math_sigmoid(self) -> Self;
    fn math_erf(self) -> Self;
    fn math_erfc(self) -> Self;
}

macro_rules! functions {
    ($type:ident: $($method:ident = $function:expr,)*) => {
        impl Functions for $type {
            $(
                #[inline(always)]
                fn $method(self) -> Self {
                    $function(self)
                }
            )*
        }
    };
}

functions! { f32:
    math_exp = exp::exp,
    math_exp_m1 = exp::exp_m1,
    math_ln = ln::ln,
    math_ln_1p = ln::ln_1p,
    math_tanh = tanh::tanh,
    math_sigmoid = sigmoid::sigmoid,
    math_erf = erf::erf,
    math_erfc = erf::erfc,
}

functions! { f64:
    math_exp = f64::exp,
    math_exp_m1 = f64::exp_m1,
    math_ln = f64::ln,
    math_ln_1p = f64::ln_1p,
    math_tanh = f64::tanh,
    math_sigmoid = sigmoid::sigmoid,
    math_erf = libm::erf,
    math_erfc = libm::erfc,
}
