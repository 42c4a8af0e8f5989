//! 16-bit floating-point numbers (IEEE 754 binary16): a sign, 5 bits of exponent, 11 significant bits of which 10 are
//! kept.

use mlp_tensor::Element;

/// The largest number that there is.
pub(super) const MAX: f64 = 65504.0;

/// The bits of the nearest such number, of the even one of two that are equally near. `None` if `value` is not a
/// number or lies beyond the largest.
pub(super) fn encode(value: f64) -> Option<u16> {
    let size = value.abs();
    // Half a step above the largest number is where rounding reaches infinity.
    if size.is_nan() || size >= MAX + 16.0 {
        return None;
    }
    // Below 2⁻¹⁴ the steps become no finer.
    let exponent = ((size.to_bits() >> 52) as i32 - 1023).max(-14);
    let steps = (size * 2f64.powi(10 - exponent)).round_ties_even() as u16;
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    // The leading bit of `steps`, and what rounding carries, add to the exponent.
    Some(sign | ((((exponent + 14) as u16) << 10) + steps))
}

/// What [`decode_small`] leaves out: 2¹¹².
pub(super) const FACTOR: f32 = f32::from_bits((127 + 112) << 23);

/// The number that has these bits, exactly. The bits must be those of a finite number.
#[inline(always)]
pub(super) fn decode<E: Element>(bits: u16) -> E {
    decode_small::<E>(bits) * E::from_f64(f64::from(FACTOR))
}

/// The number that has these bits, divided by [`FACTOR`], exactly: the exponent is put where an `f32` has its own, but
/// counts from another zero. Without a branch or a table, a loop over it becomes vector instructions.
#[inline(always)]
pub(super) fn decode_small<E: Element>(bits: u16) -> E {
    let wide = (i32::from(bits as i16) << 13) as u32 & 0x8fff_e000;
    E::from_f64(f64::from(f32::from_bits(wide)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every finite number, by the definition of the format.
    fn all() -> impl Iterator<Item = (u16, f64)> {
        (0..=u16::MAX).filter(|bits| bits & 0x7c00 != 0x7c00).map(|bits| {
            let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023) / 1024.0);
            let size =
                if exponent == 0 { fraction * 2f64.powi(-14) } else { (1.0 + fraction) * 2f64.powi(exponent - 15) };
            (bits, if bits & 0x8000 == 0 { size } else { -size })
        })
    }

    #[test]
    fn every_number_is_decoded_exactly_and_encoded_as_itself() {
        assert_eq!(all().count(), 63_488);
        for (bits, value) in all() {
            assert_eq!(decode::<f64>(bits).to_bits(), value.to_bits(), "{bits:#06x}");
            assert_eq!(decode::<f32>(bits).to_bits(), (value as f32).to_bits(), "{bits:#06x}");
            assert_eq!(encode(value), Some(bits), "{value}");
        }
    }

    /// `goldens/half.py` wrote `goldens/half.json`.
    #[test]
    fn other_numbers_are_rounded_as_numpy_rounds_them() {
        let golden: serde_json::Value = serde_json::from_str(include_str!("../../tests/goldens/half.json")).unwrap();
        let cases = golden["cases"].as_array().unwrap();
        assert!(cases.len() > 200);
        for case in cases {
            let value = f64::from_bits(case[0].as_u64().unwrap());
            let bits = case[1].as_u64().map(|bits| bits as u16);
            assert_eq!(encode(value), bits, "{value:e}");
            assert_eq!(encode(-value), bits.map(|bits| bits | 0x8000), "{value:e}");
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(encode(value), None);
        }
    }
}
