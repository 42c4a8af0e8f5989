//! eˣ and eˣ - 1.
//!
//! With n the integer nearest to x / ln 2 and r = x - n ln 2, eˣ = 2ⁿ eʳ, where |r| is at most ln 2 / 2 and a
//! polynomial gives eʳ.

use super::polynomial;

/// ln 2 in two parts. The first has so few digits that its product with any n is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Outside of these bounds the result is 0 or infinity, as it is at them. A comparison with NaN is false.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let (n, r) = reduce(x);
    // 2ⁿ may be too large or too small for an f32 where 2ⁿ eʳ is not: two factors, of which the second rounds.
    let half = n >> 1;
    (1.0 + exp_m1_reduced(r)) * power_of_2(half) * power_of_2(n.wrapping_sub(half))
}

/// e^(high + low), where low is small: with the digits that the sum has no room for. The sum is at most 88.
#[inline(always)]
pub(super) fn exp_of_sum(high: f32, low: f32) -> f32 {
    let (n, _) = reduce(high + low);
    let n = if n < -160 { -160 } else { n };
    let r = ((high - n as f32 * LN_2_HIGH) - n as f32 * LN_2_LOW) + low;
    let half = n >> 1;
    (1.0 + exp_m1_reduced(r)) * power_of_2(half) * power_of_2(n.wrapping_sub(half))
}

/// eˣ for x from -87 to 88, with one multiplication less.
#[inline(always)]
pub(super) fn exp_of_moderate(x: f32) -> f32 {
    let (n, r) = reduce(x);
    (1.0 + exp_m1_reduced(r)) * power_of_2(n)
}

#[inline(always)]
pub(super) fn exp_m1(x: f32) -> f32 {
    // Below -20 the result is -1.
    let bounded = if x > 89.0 { 89.0 } else { x };
    let bounded = if bounded < -20.0 { -20.0 } else { bounded };
    let (n, r) = reduce(bounded);
    // 2ⁿ eʳ - 1 = 2 (h (eʳ - 1) + (h - 1/2)) with h = 2ⁿ⁻¹, which is never too large for an f32.
    let h = power_of_2(n.wrapping_sub(1));
    let y = 2.0 * (h * exp_m1_reduced(r) + (h - 0.5));
    // Tiny numbers are their own result, and so -0 stays -0.
    if x.abs() < 1e-8 { x } else { y }
}

/// n and r with x = n ln 2 + r.
#[inline(always)]
fn reduce(x: f32) -> (i32, f32) {
    /// 1.5 · 2²³: added to a number, it leaves no place for a fraction, and the integer stands in the last bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    (shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32, r)
}

/// eʳ - 1 for |r| up to ln 2 / 2.
#[inline(always)]
fn exp_m1_reduced(r: f32) -> f32 {
    // (eʳ - 1 - r) / r², minimax.
    let q = polynomial(r, [0.5, 0.166_666_67, 0.041_666_254, 0.008_333_261, 0.001_394_721_2, 0.000_199_199_22]);
    r + r * r * q
}

/// 2ⁿ for n from -126 to 127.
#[inline(always)]
fn power_of_2(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) << 23) as u32)
}
