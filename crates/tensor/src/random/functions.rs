//! eˣ and ln x in double precision for drawing random numbers: made of additions, multiplications, divisions and
//! comparisons alone, so that they have the same bits on every machine and with every version of the standard library.
//!
//! Both are those of Sun's fdlibm (`e_exp.c`, `e_log.c`, 1993), without what ranges not drawn from would need.

/// ln 2 in two parts. The first has so few digits that its product with a small integer is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// eˣ for x from -700 to 0, right to one unit in the last place.
///
/// With k the integer nearest to x / ln 2 and r = x - k ln 2, eˣ = 2ᵏ eʳ. With c = r - r² P(r²), a rational
/// function gives eʳ = 1 + r + r c / (2 - c).
pub(super) fn exp(x: f64) -> f64 {
    let k = (x * std::f64::consts::LOG2_E).round_ties_even();
    let (high, low) = (x - k * LN_2_HIGH, k * LN_2_LOW);
    let r = high - low;
    let t = r * r;
    let p = [
        1.666_666_666_666_660_2e-1,
        -2.777_777_777_701_559_3e-3,
        6.613_756_321_437_934e-5,
        -1.653_390_220_546_525_2e-6,
        4.138_136_797_057_238_5e-8,
    ];
    let c = r - t * (p[0] + t * (p[1] + t * (p[2] + t * (p[3] + t * p[4]))));
    let y = 1.0 - ((low - (r * c) / (2.0 - c)) - high);
    y * f64::from_bits(((k as i64 + 1023) as u64) << 52)
}

/// ln x for normal x above 0, right to one unit in the last place.
///
/// With x = 2ᵏ (1 + f), where 1 + f lies between √½ and √2, and s = f / (2 + f), ln x = k ln 2 + ln(1 + f) and
/// ln(1 + f) = f - f²/2 + s (f²/2 + R(s²)).
pub(super) fn ln(x: f64) -> f64 {
    const SQRT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    const FRACTION: u64 = (1 << 52) - 1;
    let bits = x.to_bits().wrapping_sub(SQRT_HALF);
    let k = ((bits as i64) >> 52) as f64;
    let f = f64::from_bits((bits & FRACTION) + SQRT_HALF) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w * (3.999_999_999_940_942e-1 + w * (2.222_219_843_214_978_4e-1 + w * 1.531_383_769_920_937_3e-1));
    let odd = z
        * (6.666_666_666_666_735e-1
            + w * (2.857_142_874_366_239e-1 + w * (1.818_357_216_161_805e-1 + w * 1.479_819_860_511_658_6e-1)));
    let half_square = 0.5 * f * f;
    k * LN_2_HIGH - ((half_square - (s * (half_square + (odd + even)) + k * LN_2_LOW)) - f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the standard library, whose functions are right to a unit in the last place too.
    #[test]
    fn both_are_right_to_the_last_places() {
        for i in 0..200_000 {
            let x = -f64::from(i) * 3.5e-3;
            assert!((exp(x) / x.exp() - 1.0).abs() < 5e-16, "exp {x}");
            let x = (f64::from(i) + 0.5) / 100_000.0;
            assert!((ln(x) - x.ln()).abs() <= 5e-16 * x.ln().abs(), "ln {x}");
        }
        assert_eq!((exp(0.0), ln(1.0)), (1.0, 0.0));
        let tiniest = 2f64.powi(-53);
        assert!((ln(tiniest) + 53.0 * std::f64::consts::LN_2).abs() < 1e-14);
    }
}
