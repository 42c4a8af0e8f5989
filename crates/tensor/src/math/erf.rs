//! erf x and 1 - erf x.
//!
//! erf x in two pieces: x + x P(x²) near 0, and 1 - e^Q(x) farther out, where Q(x) is ln(1 - erf x).

use super::exp::{exp_of_moderate, exp_of_sum};
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

/// With a = |x| and t = 2 / (2 + a), erfc a = t e^(P - a²), where P is ln(erfc a / t) + a², a polynomial in 1 - t.
#[inline(always)]
pub(super) fn erfc(x: f32) -> f32 {
    /// 1.5 · 2¹⁵: added to a number, it leaves eight places behind the point.
    const ROUND: f32 = 49_152.0;
    let a = x.abs();
    // From 10.1 on the result is 0.
    let a = if a > 10.5 { 10.5 } else { a };
    let t = 2.0 / (2.0 + a);
    let u = 0.5 * a * t;
    // Through Chebyshev's points.
    let p = u * polynomial(
        u,
        [
            -1.256_758_5,
            -0.303_234,
            0.161_439_06,
            0.192_363_04,
            0.067_278_29,
            -0.130_156_07,
            0.154_299_72,
            -0.478_166_76,
            0.476_168_54,
            -0.148_811_62,
        ],
    );
    // A square of so few digits is exact, and what is left of a² is small.
    let high = (a + ROUND) - ROUND;
    let y = t * exp_of_sum(-high * high, p - (a - high) * (a + high));
    if x < 0.0 { 2.0 - y } else { y }
}
