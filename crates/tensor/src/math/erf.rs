//! erf x, in two pieces: x + x P(x²) near 0, and 1 - e^Q(x) farther out, where Q(x) is ln(1 - erf x).

use super::exp::exp_of_moderate;
use super::polynomial;

#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    let a = x.abs();
    // erf x / x - 1, minimax in x².
    let p = polynomial(
        a * a,
        [0.128_379_17, -0.376_126_35, 0.112_837_195, -0.026_860_753, 0.005_204_436, -0.000_818_192_84, 8.538_843e-5],
    );
    let near = a + a * p;
    // From 3.92 on the result is 1.
    let t = if a > 3.93 { 3.93 } else { a };
    let q = polynomial(
        t,
        [
            0.000_166_375_36,
            -1.129_474_6,
            -0.633_429_2,
            -0.108_188_756,
            0.025_059_907,
            -0.004_148_301_7,
            0.000_429_735_5,
            -2.068_392_5e-5,
        ],
    );
    let far = 1.0 - exp_of_moderate(q);
    (if a < 0.9 { near } else { far }).copysign(x)
}
