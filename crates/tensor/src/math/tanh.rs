//! tanh x, in two pieces: x + x³ P(x²) near 0, and 1 - 2 / (e²ˣ + 1) farther out.

use super::exp::exp_of_moderate;
use super::polynomial;

#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let a = x.abs();
    let z = a * a;
    // (tanh x / x - 1) / x², minimax.
    let p = polynomial(z, [-0.333_332_84, 0.133_314_85, -0.053_742_953, 0.020_648_701, -0.005_714_827]);
    let near = a + a * (z * p);
    // From 9.02 on the result is 1.
    let bounded = if a > 10.0 { 10.0 } else { a };
    let far = 1.0 - 2.0 / (exp_of_moderate(bounded + bounded) + 1.0);
    (if a < 0.625 { near } else { far }).copysign(x)
}
