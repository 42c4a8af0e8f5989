//! ln x and ln(1 + x).
//!
//! With x = 2ᵏ (1 + f), where 1 + f lies between √½ and √2, ln x = k ln 2 + ln(1 + f). With s = f / (2 + f),
//! ln(1 + f) = ln(1 + s) - ln(1 - s) = 2s + s³ · (2/3 + 2/5 s² + ..) = f - f²/2 + s (f²/2 + R(s²)).

use super::polynomial;

/// ln 2 in two parts. The first has so few digits that its product with any k is exact.
const LN_2_HIGH: f32 = 0.693_138_1;
const LN_2_LOW: f32 = 9.058_001e-6;

#[inline(always)]
pub(super) fn ln(x: f32) -> f32 {
    // Denormal numbers are made normal first.
    let tiny = x < f32::MIN_POSITIVE;
    let (k, m) = split(if tiny { x * 8_388_608.0 } else { x });
    let k = if tiny { k - 23.0 } else { k };
    with_limits(x, ln_of_parts(k, m - 1.0, 0.0))
}

#[inline(always)]
pub(super) fn ln_1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let (k, m) = split(u);
    // What was lost in 1 + x, relative to it: ln(1 + x) = ln u + ln(1 + lost / u).
    let lost = if x < 1.0 { x - (u - 1.0) } else { 1.0 - (u - x) };
    let y = if k == 0.0 { ln_of_parts(0.0, x, 0.0) } else { ln_of_parts(k, m - 1.0, lost / u) };
    // Tiny numbers are their own result, and so -0 stays -0.
    if x.abs() < 1e-8 { x } else { with_limits(u, y) }
}

/// k and 1 + f of a normal number.
#[inline(always)]
fn split(x: f32) -> (f32, f32) {
    /// √½.
    const LOWEST: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
    let bits = x.to_bits().wrapping_sub(LOWEST);
    let k = (bits as i32) >> 23;
    (k as f32, f32::from_bits((bits & 0x007f_ffff).wrapping_add(LOWEST)))
}

/// k ln 2 + ln(1 + f) + rest.
#[inline(always)]
fn ln_of_parts(k: f32, f: f32, rest: f32) -> f32 {
    let s = f / (2.0 + f);
    let z = s * s;
    // (ln((1 + s) / (1 - s)) / s - 2) / s², minimax.
    let r = z * polynomial(z, [0.666_666_6, 0.400_003_46, 0.285_366_06, 0.235_963_02]);
    let half_square = 0.5 * f * f;
    k * LN_2_HIGH + (f - (half_square - (s * (half_square + r) + (k * LN_2_LOW + rest))))
}

/// `y`, but what the logarithm is at `x` where it is no number.
#[inline(always)]
fn with_limits(x: f32, y: f32) -> f32 {
    let y = if x < f32::INFINITY { y } else { x };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x < 0.0 { f32::NAN } else { y }
}
