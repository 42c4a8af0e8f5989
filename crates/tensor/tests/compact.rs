//! Products with values of 16 and 8 bits, against PyTorch (`goldens/compact.py` wrote `goldens/compact.json`), against
//! numbers worked by hand, and against products of the rounded values.

use mlp_tensor::{Compact, CompactPanels, Element, Rng, Tensor, TensorError, linear, tensor};
use serde_json::Value;

const FORMATS: [Compact; 2] = [Compact::Bfloat16, Compact::Int8];

fn golden() -> Value {
    serde_json::from_str(include_str!("goldens/compact.json")).unwrap()
}

fn floats(bits: &Value) -> Vec<f32> {
    bits.as_array().unwrap().iter().map(|bits| f32::from_bits(bits.as_u64().unwrap() as u32)).collect()
}

fn compact<E: Element>(weight: &Tensor<E>, format: Compact) -> CompactPanels<E> {
    CompactPanels::new(weight.view2(), format).unwrap()
}

/// X · W + b.
fn product<E: Element>(panels: &CompactPanels<E>, x: &[E], bias: &[E]) -> Vec<E> {
    let mut out = vec![E::nan(); x.len() / panels.rows() * panels.columns()];
    panels.linear(x, bias, &mut out);
    out
}

#[test]
fn values_are_rounded_to_bfloat16_as_pytorch_rounds_them() {
    let golden = golden();
    let cases = golden["bfloat16"].as_array().unwrap();
    assert!(cases.len() > 600);
    for case in cases {
        let size = f32::from_bits(case[0].as_u64().unwrap() as u32);
        for value in [size, -size] {
            let narrow = CompactPanels::new(Tensor::from([[value]]).view2(), Compact::Bfloat16);
            let wide = CompactPanels::new(Tensor::from([[f64::from(value)]]).view2(), Compact::Bfloat16);
            let Some(bits) = case[1].as_u64() else {
                assert!(narrow.is_err() && wide.is_err(), "{value:e}");
                continue;
            };
            let expected = f32::from_bits((bits as u32) << 16).copysign(value);
            assert_eq!(narrow.unwrap().to_tensor()[[0, 0]].to_bits(), expected.to_bits(), "{value:e}");
            assert_eq!(wide.unwrap().to_tensor()[[0, 0]].to_bits(), f64::from(expected).to_bits(), "{value:e}");
        }
    }
}

/// 1 + 2⁻⁸ is as near to 1 as to 1 + 2⁻⁷, so it goes to 1, but what is above goes up, however little it is.
#[test]
fn doubles_are_rounded_once() {
    let weight = tensor![f64; [1.0 + 1.0 / 256.0, 1.0 + 1.0 / 256.0 + 1e-12, 1e-300, -1e-45]];
    let rounded = compact(&weight, Compact::Bfloat16).to_tensor();
    assert_eq!(rounded, tensor![f64; [1.0, 1.0 + 1.0 / 128.0, 0.0, 0.0]]);
    assert!(rounded[[0, 3]].is_sign_negative());
}

#[test]
fn columns_are_quantized_as_pytorch_quantizes_them() {
    let golden = golden();
    for case in golden["int8"].as_array().unwrap() {
        let shape: [usize; 2] = serde_json::from_value(case["shape"].clone()).unwrap();
        let weight = Tensor::from_vec(floats(&case["weight"]), shape);
        let (scales, q) = (floats(&case["scales"]), case["q"].as_array().unwrap());
        let q: Vec<f32> = q.iter().map(|q| q.as_i64().unwrap() as f32).collect();
        let decoded: Vec<f32> = q.iter().enumerate().map(|(i, q)| q * scales[i % shape[1]]).collect();
        let compact = compact(&weight, Compact::Int8);
        assert_eq!(compact.to_tensor(), Tensor::from_vec(decoded, shape), "{shape:?}");
        // The whole numbers themselves: of a row of one 1, times the scale.
        for row in 0..shape[0] {
            let mut x = vec![0.0; shape[0]];
            x[row] = 1.0;
            let expected: Vec<f32> = (0..shape[1]).map(|c| q[row * shape[1] + c] * scales[c]).collect();
            assert_eq!(product(&compact, &x, &vec![0.0; shape[1]]), expected, "row {row} of {shape:?}");
        }
    }
}

/// Column 0 has scale 2, so its values are 127, -50 (of -50.5, to the even one) and 1; column 1 has scale 0.01 (1.27 / 127).
#[test]
fn a_product_with_whole_numbers_by_hand() {
    let weight = tensor![f64; [254.0, 0.127], [-101.0, -1.27], [2.2, 0.004]];
    let panels = compact(&weight, Compact::Int8);
    assert_eq!([panels.rows(), panels.columns()], [3, 2]);
    assert_eq!(panels.format(), Compact::Int8);
    assert_eq!(format!("{panels:?}"), "int8 panels of [3, 2]");
    // 127 · 1 - 50 · 2 + 1 · 4 = 31, times 2; 13 · 1 - 127 · 2 + 0 · 4 = -241, times 0.01.
    let found = product(&panels, &[1.0, 2.0, 4.0], &[0.5, 10.0]);
    assert_eq!(found[0], 62.5);
    assert!((found[1] - (10.0 - 2.41)).abs() < 1e-14, "{}", found[1]);
}

/// 257 = 2⁸ + 1 is as near to 256 as to 258, and 256 is the even one; 0.1 is nearest to 205 · 2⁻¹¹.
#[test]
fn a_product_with_bfloat16_by_hand() {
    let panels = compact(&tensor![[257.0, 0.1], [-3.0, 1.0]], Compact::Bfloat16);
    assert_eq!(format!("{panels:?}"), "bfloat16 panels of [2, 2]");
    assert_eq!(product(&panels, &[2.0, 1.0], &[1.0, 0.0]), [510.0, 410.0 / 2048.0 + 1.0]);
}

/// The scale and the whole numbers of each column, as the documentation says.
fn whole_numbers<E: Element>(weight: &Tensor<E>) -> (Vec<E>, Tensor<E>) {
    let columns = weight.row_len();
    let largest = |c| (0..weight.rows()).map(|r| weight[[r, c]].as_f64().abs()).fold(0.0, f64::max);
    let scales: Vec<E> = (0..columns).map(|c| E::from_f64(largest(c)) / E::from_f64(127.0)).collect();
    let scales: Vec<E> = scales.into_iter().map(|s| s.max(E::min_positive_value())).collect();
    let q = Tensor::from_fn(weight.shape(), |i| {
        E::from_f64((weight[[i[0], i[1]]] / scales[i[1]]).as_f64().round_ties_even())
    });
    (scales, q)
}

/// The bits of a product with the rounded values (for whole numbers without scale and bias, which are one operation each), a
/// row alone and among others, and nearness to sums in double precision.
fn check_sizes<E: Element>(tolerance: f64) {
    let rng = &mut Rng::new(12);
    for inputs in [1, 15, 16, 17, 63, 65, 255, 256, 257, 4096, 4097, 9000] {
        for outputs in [1, 2, 15, 16, 17, 31, 33, 49, 63, 64, 65, 130] {
            if inputs > 65 && ![1, 17, 33, 65].contains(&outputs) {
                continue;
            }
            let weight = Tensor::<E>::normal([inputs, outputs], 0.0, 1.0, rng);
            let x = Tensor::<E>::normal([18, inputs], 0.0, 1.0, rng);
            let bias = Tensor::<E>::normal([outputs], 0.0, 1.0, rng);
            let (x, bias) = (x.as_slice(), bias.as_slice());
            for format in FORMATS {
                let panels = compact(&weight, format);
                let decoded = panels.to_tensor();
                let mut expected = vec![E::zero(); 18 * outputs];
                if format == Compact::Bfloat16 {
                    linear(x, decoded.view2(), bias, &mut expected);
                } else {
                    let (scales, q) = whole_numbers(&weight);
                    linear(x, q.view2(), &vec![E::neg_zero(); outputs], &mut expected);
                    for (i, value) in expected.iter_mut().enumerate() {
                        *value = *value * scales[i % outputs] + bias[i % outputs];
                    }
                }
                for rows in [1, 15, 18] {
                    let found = product(&panels, &x[..rows * inputs], bias);
                    assert_eq!(found, expected[..rows * outputs], "{format} [{inputs}, {outputs}], {rows} rows");
                }
                for column in [0, outputs / 2, outputs - 1] {
                    let terms = (0..inputs).map(|i| x[i].as_f64() * decoded[[i, column]].as_f64());
                    let size: f64 = terms.clone().map(f64::abs).sum();
                    let sum = terms.sum::<f64>() + bias[column].as_f64();
                    let error = (expected[column].as_f64() - sum).abs();
                    assert!(error <= tolerance * (size + 1.0), "{format} [{inputs}, {outputs}] {column}: {error}");
                }
            }
        }
    }
}

#[test]
fn products_of_every_size_have_the_bits_of_the_rounded_values_alone_and_among_others() {
    check_sizes::<f32>(2e-6);
    check_sizes::<f64>(4e-15);
}

fn check_errors_of_rounding<E: Element>() {
    let weight = Tensor::<E>::normal([200, 40], 0.0, 1.0, &mut Rng::new(3));
    let (halves, whole) =
        (compact(&weight, Compact::Bfloat16).to_tensor(), compact(&weight, Compact::Int8).to_tensor());
    for column in 0..40 {
        let largest = (0..200).map(|row| weight[[row, column]].as_f64().abs()).fold(0.0, f64::max);
        for row in 0..200 {
            let value = weight[[row, column]].as_f64();
            let [half, whole] = [&halves, &whole].map(|t| (t[[row, column]].as_f64() - value).abs());
            assert!(half <= value.abs() / 256.0, "{value} is {half} off");
            assert!(whole <= largest / 254.0 * (1.0 + 1e-6), "{value} is {whole} off where {largest} is the largest");
        }
    }
    let changed =
        |rounded: &Tensor<E>| rounded.as_slice().iter().zip(weight.as_slice()).filter(|(a, b)| a != b).count();
    assert!(changed(&halves) > 7900 && changed(&whole) > 7900);
}

#[test]
fn values_are_at_most_half_a_step_off() {
    check_errors_of_rounding::<f32>();
    check_errors_of_rounding::<f64>();
}

/// A column of zeros gives its bias, also negative zero is not lost; numbers below the smallest normal one are kept as far as
/// a step of it goes.
#[test]
fn zeros_and_the_smallest_numbers_are_kept() {
    let tiny = f32::MIN_POSITIVE;
    let weight = tensor![[0.0, tiny, tiny / 4.0], [0.0, -127.0 * tiny, tiny / 8.0]];
    for format in FORMATS {
        let panels = compact(&weight, format);
        for rows in [1, 20] {
            let x = [1e30, -3.0].repeat(rows);
            let found = product(&panels, &x, &[-0.25, 0.0, 1.0]);
            assert_eq!(found[0], -0.25, "{format}");
            assert_eq!(found[2], 1.0, "{format}");
            let expected = 1e30 * f64::from(tiny) + 381.0 * f64::from(tiny);
            assert!((f64::from(found[1]) / expected - 1.0).abs() < 1e-6, "{format}: {}", found[1]);
        }
    }
    assert_eq!(compact(&weight, Compact::Bfloat16).to_tensor(), weight);
    assert_eq!(compact(&weight, Compact::Int8).to_tensor(), tensor![[0.0, tiny, 0.0], [0.0, -127.0 * tiny, 0.0]]);
}

#[test]
fn a_value_without_a_form_in_fewer_bits_is_named() {
    let refused = |value: f64, format: Compact| {
        let weight = tensor![f64; [1.0, 2.0, 3.0], [4.0, 5.0, value]];
        CompactPanels::new(weight.view2(), format).unwrap_err()
    };
    for format in FORMATS {
        for value in [f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(refused(value, format), TensorError::NotCompact { index: [1, 2], value, format });
        }
    }
    let message = refused(f64::NAN, Compact::Int8).to_string();
    assert_eq!(message, "the value at [1, 2] is NaN, which has no nearest int8; values must be finite");
    let expected = "which has no nearest bfloat16; values must be finite and at most 3.39e38 in size";
    for value in [f64::NAN, 1e300, -3.4e38, f64::from(f32::MAX)] {
        let message = refused(value, Compact::Bfloat16).to_string();
        assert_eq!(message, format!("the value at [1, 2] is {value}, {expected}"));
    }
    // Half a step below: the largest one.
    let weight = tensor![f64; [3.39e38, 1e300]];
    assert!(CompactPanels::new(weight.slice(1, 0..1).view2(), Compact::Bfloat16).is_ok());
    assert!(CompactPanels::new(weight.view2(), Compact::Int8).is_ok());
}

#[test]
fn a_matrix_without_values_is_multiplied() {
    for format in FORMATS {
        let none = compact(&Tensor::<f32>::zeros([0, 3]), format);
        let mut out = [7.0; 6];
        none.linear(&[], &[1.0, 2.0, 3.0], &mut out);
        assert_eq!(out, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
        let nothing = compact(&Tensor::<f32>::zeros([4, 0]), format);
        nothing.linear(&[], &[], &mut []);
        assert_eq!(nothing.to_tensor().shape(), [4, 0]);
        compact(&Tensor::<f32>::zeros([4, 3]), format).linear(&[], &[0.0; 3], &mut []);
    }
}

#[test]
fn a_copy_is_the_same() {
    let weight = Tensor::<f32>::normal([50, 70], 0.0, 1.0, &mut Rng::new(8));
    for format in FORMATS {
        let panels = compact(&weight, format);
        assert_eq!(panels.clone().to_tensor(), panels.to_tensor());
    }
}

#[test]
#[should_panic(expected = "linear: 3 inputs, weight [2, 2], 2 biases and 2 outputs do not fit together")]
fn inputs_that_do_not_fit_are_a_mistake() {
    compact(&tensor![[1.0, 2.0], [3.0, 4.0]], Compact::Int8).linear(&[1.0; 3], &[0.0; 2], &mut [0.0; 2]);
}
