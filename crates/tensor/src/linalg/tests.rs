//! Tests of products in all their forms.

use ndarray::{Axis, Slice};

use super::*;
use crate::Rng;

#[test]
fn nothing_multiplies_to_zeros_or_nothing() {
    let a = Tensor::<f32>::zeros([2, 0]);
    assert_eq!(a.matmul(&Tensor::zeros([0, 3])), Tensor::zeros([2, 3]));
    assert_eq!(Tensor::<f32>::zeros([0, 4]).matmul(&Tensor::zeros([4, 3])).shape(), [0, 3]);
}

#[test]
fn nan_is_not_kept_from_what_stood_in_the_output() {
    let mut out = [f32::NAN];
    let a = Tensor::from([[2.0_f32]]);
    gemm(a.view2(), a.view2(), 0.0, ArrayViewMut2::from_shape((1, 1), &mut out).unwrap());
    assert_eq!(out, [4.0]);
}

/// Sizes on both sides of every limit, both operands as they are and transposed, against sums in double precision.
#[test]
fn every_path_multiplies_alike() {
    let rng = &mut Rng::new(3);
    for [m, k, n] in [
        [1, 1, 1],
        [32, 4, 10],
        [7, 64, 17],
        [7, 65, 17],
        [1, 300, 70],
        [1, 301, 33],
        [11, 13, 14],
        [40, 30, 20],
        [16, 8, 16],
        [2, 3, 4],
    ] {
        let (a, b) = (Tensor::<f32>::normal([m, k], 0.0, 1.0, rng), Tensor::<f32>::normal([k, n], 0.0, 1.0, rng));
        let start = Tensor::<f32>::normal([m, n], 0.0, 1.0, rng);
        let (at, bt) = (a.t(), b.t());
        for (a, b) in
            [(a.view2(), b.view2()), (at.view2().reversed_axes(), b.view2()), (a.view2(), bt.view2().reversed_axes())]
        {
            for beta in [0.0, 1.0, 0.5] {
                let mut out = start.clone();
                gemm(a, b, beta, out.view2_mut());
                for ((i, j), &found) in out.view2().indexed_iter() {
                    let sum: f64 = (0..k).map(|p| f64::from(a[[i, p]]) * f64::from(b[[p, j]])).sum();
                    let expected = sum + f64::from(beta) * f64::from(start[[i, j]]);
                    let size: f64 = (0..k).map(|p| f64::from(a[[i, p]] * b[[p, j]]).abs()).sum::<f64>() + 1.0;
                    let error = (f64::from(found) - expected).abs();
                    assert!(error <= 1e-6 * size, "{m}x{k}x{n}, beta {beta}, at {i}, {j}: {found} for {expected}");
                }
            }
        }
    }
}

/// Every row of a product by itself against the same row among others, bit by bit.
fn check_rows_alone<E: Element>([k, n]: [usize; 2], rng: &mut Rng) {
    let b = Tensor::<E>::normal([k, n], 0.0, 1.0, rng);
    let bt = b.t();
    let wide_b = Tensor::<E>::stack(&[&b, &b], 2).reshape([k, 2 * n]);
    let b_gaps = wide_b.view2();
    let b_gaps = b_gaps.slice_axis(Axis(1), Slice::new(0, None, 2));
    for rows in [1, 2, 7, 64] {
        let a = Tensor::<E>::normal([rows, k], 0.0, 1.0, rng);
        let start = Tensor::<E>::normal([rows, n], 0.0, 1.0, rng);
        // As it is, column by column in memory, and with gaps between the values.
        let (at, wide) = (a.t(), Tensor::<E>::stack(&[&a, &a], 2).reshape([rows, 2 * k]));
        let gaps = wide.view2();
        let gaps = gaps.slice_axis(Axis(1), Slice::new(0, None, 2));
        let layouts = [("row-major", b.view2()), ("transposed", bt.view2().reversed_axes()), ("with gaps", b_gaps)];
        for (layout, b) in layouts {
            for beta in [E::zero(), E::one()] {
                let mut among = start.clone();
                gemm(a.view2(), b, beta, among.view2_mut());
                for (order, a) in [("rows", a.view2()), ("columns", at.view2().reversed_axes()), ("gaps", gaps)] {
                    let mut again = start.clone();
                    gemm(a, b, beta, again.view2_mut());
                    assert!(again.bit_eq(&among), "{rows} {order} x {k}x{n} {layout}, beta {beta}, {}", E::NAME);
                    let mut apart = ndarray::Array2::zeros((rows, 3 * n));
                    let mut apart = apart.slice_axis_mut(Axis(1), Slice::new(0, None, 3));
                    apart.assign(&start.view2());
                    gemm(a, b, beta, apart.view_mut());
                    assert!(Tensor::from(apart.view()).bit_eq(&among), "{rows} {order} x {k}x{n} {layout} to gaps");
                    for row in 0..rows {
                        let mut alone = start.slice(0, row..row + 1);
                        gemm(a.slice_axis(Axis(0), Slice::from(row..row + 1)), b, beta, alone.view2_mut());
                        assert!(
                            alone.bit_eq(&among.slice(0, row..row + 1)),
                            "row {row} of {rows} {order} x {k}x{n} {layout}, beta {beta}, {}",
                            E::NAME
                        );
                    }
                }
            }
        }
    }
}

/// Sizes on both sides of every limit of the paths for small weights and for single rows.
#[test]
fn a_row_by_itself_has_the_bits_that_it_has_among_others() {
    let rng = &mut Rng::new(8);
    for size in [
        [4, 10],
        [10, 3],
        [1, 1],
        [3, 16],
        [8, 17],
        [8, 40],
        [8, 41],
        [32, 10],
        [33, 9],
        [32, 11],
        [1, 320],
        [1, 321],
        [256, 5],
        [257, 4],
        [300, 70],
    ] {
        check_rows_alone::<f32>(size, rng);
        check_rows_alone::<f64>(size, rng);
    }
}

/// Rows and columns on both sides of every tile, terms on both sides of every block.
const SIZES: [[usize; 3]; 18] = [
    [1, 784, 40],
    [2, 31, 3],
    [3, 32, 16],
    [4, 33, 17],
    [5, 1, 8],
    [6, 64, 9],
    [7, 255, 15],
    [11, 256, 31],
    [12, 257, 32],
    [13, 512, 33],
    [16, 513, 10],
    [25, 28, 100],
    [64, 300, 70],
    [70, 20, 600],
    [255, 4, 10],
    [257, 40, 20],
    [300, 600, 5],
    [2, 5000, 18],
];

/// A matrix that was laid out, a view of it in each layout, and the parts of its rows give one result.
fn check_layouts<E: Element>(rng: &mut Rng) {
    for [m, k, n] in SIZES {
        let (a, b) = (Tensor::<E>::normal([m, k], 0.0, 1.0, rng), Tensor::<E>::normal([k, n], 0.0, 1.0, rng));
        let bias = Tensor::<E>::normal([n], 0.0, 1.0, rng);
        let (at, bt, panels) = (a.t(), b.t(), Panels::new(b.view2()));
        assert!(panels.to_tensor().bit_eq(&b) && panels.clone().to_tensor().bit_eq(&b));
        let expected = a.matmul(&b);
        let case = format!("{m} x {k} x {n}, {}", E::NAME);
        for (name, product) in [
            ("panels", a.matmul_panels(&panels)),
            ("panels of a transpose", a.matmul_panels(&Panels::new(bt.view2().reversed_axes()))),
            ("nt", a.matmul_nt(&bt)),
            ("tn", at.matmul_tn(&b)),
            ("no bias", a.linear(&panels, &Tensor::zeros([n]))),
        ] {
            assert!(product.bit_eq(&expected), "{name}, {case}");
        }
        let with_bias = a.linear(b.view2(), &bias);
        assert!(with_bias.bit_eq(&a.linear(&panels, &bias)), "{case}");
        let mut out = bias.broadcast_to([m, n]);
        gemm(a.view2(), &panels, E::one(), out.view2_mut());
        assert!(out.bit_eq(&with_bias), "{case}");

        // The rows of aᵀ and b in parts: a few, many, one, none.
        let expected = at.matmul_tn(&b);
        for cuts in [vec![], vec![k / 2], vec![0, k / 3, k / 3 + 1, k - k / 4, k]] {
            let parts: Vec<_> = at
                .split(&cuts[..], 0)
                .into_iter()
                .zip(b.split(&cuts[..], 0))
                .map(|(a, b)| (a, Panels::new(b.view2())))
                .collect();
            let parts: Vec<_> = parts.iter().map(|(a, b)| (a, b)).collect();
            let mut out = Tensor::full([m, n], E::nan());
            gemm_tn(&parts, 0, false, out.as_mut_slice());
            assert!(out.bit_eq(&expected), "parts {cuts:?}, {case}");
            let (mut some, mut twice) = (vec![E::nan(); (m - m / 3) * n], expected.clone());
            gemm_tn(&parts, m / 3, false, &mut some);
            assert_eq!(some, expected.as_slice()[m / 3 * n..], "rows from {} on, {case}", m / 3);
            gemm_tn(&parts, 0, true, twice.as_mut_slice());
            assert!(twice.allclose(&(&expected * E::from_f64(2.0)), 1e-4, 1e-4), "added, {case}");
        }
    }
}

#[test]
fn a_product_has_one_result_in_every_layout() {
    check_layouts::<f32>(&mut Rng::new(5));
    check_layouts::<f64>(&mut Rng::new(6));
}

/// Of whole numbers all sums are exact. Of others, only those of processors that multiply and add in one rounding are
/// the same.
fn check_instruction_sets<E: Element>(rng: &mut Rng) {
    for [m, k, n] in SIZES {
        for whole in [false, true] {
            let mut draw = |shape| {
                let t = Tensor::<E>::normal(shape, 0.0, 3.0, rng);
                if whole { t.round() } else { t }
            };
            let (a, b) = (draw([m, k]), draw([k, n]));
            let all = crate::simd::tests::with_each(|| {
                let parts = [(&a.t(), &Panels::new(b.view2()))];
                let mut tn = Tensor::zeros([m, n]);
                gemm_tn(&parts, 0, false, tn.as_mut_slice());
                [a.matmul(&b), a.matmul_panels(&Panels::new(b.view2())), a.matmul_nt(&b.t()), tn]
            });
            for (name, products) in &all {
                if whole || !name.contains("Scalar") {
                    let same = products.iter().all(|product| product.bit_eq(&all[0].1[0]));
                    assert!(same, "{name}, {m} x {k} x {n}, {}", E::NAME);
                }
            }
        }
    }
}

#[test]
fn a_product_has_one_result_with_every_instruction_set() {
    check_instruction_sets::<f32>(&mut Rng::new(7));
    check_instruction_sets::<f64>(&mut Rng::new(8));
}

/// Each term is 0.1. The sum of 256 of them, added one by one, is 2.6e-6 off.
#[test]
fn a_sum_of_a_million_terms_is_as_good_as_one_of_a_block() {
    let rows = 1_000_000;
    let (ones, tenths) = (Tensor::<f32>::ones([rows, 1]), Tensor::<f32>::full([rows, 2], 0.1));
    let expected = 0.1_f32.as_f64() * rows as f64;
    let sum = ones.matmul_tn(&tenths);
    assert!(sum.iter().all(|s| (s.as_f64() / expected - 1.0).abs() < 3e-6), "{sum:?} for {expected}");
    let parts: Vec<_> = tenths.split(16, 0).iter().map(|part| Panels::new(part.view2())).collect();
    let ones = ones.slice(0, 0..rows / 16);
    let parts: Vec<_> = parts.iter().map(|part| (&ones, part)).collect();
    let mut again = [0.0; 2];
    gemm_tn(&parts, 0, false, &mut again);
    assert_eq!(again, sum.as_slice());
}

/// A product that is too small for a number keeps its sign, on every path.
#[test]
fn a_negative_zero_stays_one() {
    let negative = |t: Tensor<f32>| assert!(t.iter().all(|v| *v == 0.0 && v.is_sign_negative()), "{t:?}");
    let tiny = |shape: [usize; 2], sign: f32| Tensor::full(shape, sign * 1e-30);
    for columns in [1, 16, 40] {
        let b = tiny([1, columns], -1.0);
        for rows in [1, 2, 9] {
            let a = tiny([rows, 1], 1.0);
            let panels = Panels::new(b.view2());
            negative(a.matmul(&b));
            negative(a.matmul_panels(&panels));
            negative(a.matmul_nt(&b.t()));
            negative(a.t().matmul_tn(&b));
            negative(a.linear(&panels, &Tensor::full([columns], -0.0)));
            let mut out = vec![1.0; rows * columns];
            linear(a.as_slice(), &panels, &vec![-0.0; columns], &mut out);
            negative(Tensor::from(out));
        }
    }
}

#[test]
fn many_parts_and_long_sums_have_the_bits_of_one_product() {
    let rng = &mut Rng::new(9);
    let (a, b) = (Tensor::<f32>::normal([9000, 7], 0.0, 1.0, rng), Tensor::<f32>::normal([9000, 19], 0.0, 1.0, rng));
    let expected = a.matmul_tn(&b);
    // Of 5 rows: over 50 in a block. Of 600: the blocks end within parts.
    for rows in [5, 600] {
        let pieces = |t: &Tensor<f32>| -> Vec<_> {
            (0..9000).step_by(rows).map(|at| t.slice(0, at..(at + rows).min(9000))).collect()
        };
        let (a, b) = (pieces(&a), pieces(&b));
        let b: Vec<_> = b.iter().map(|b| Panels::new(b.view2())).collect();
        let parts: Vec<_> = a.iter().zip(&b).collect();
        let (mut out, mut added) = (Tensor::zeros([7, 19]), Tensor::ones([7, 19]));
        gemm_tn(&parts, 0, false, out.as_mut_slice());
        assert!(out.bit_eq(&expected), "parts of {rows}");
        gemm_tn(&parts, 0, true, added.as_mut_slice());
        assert!(added.allclose(&(&expected + 1.0), 1e-5, 1e-4), "parts of {rows}");
    }
    // More rows than are laid out by the way, and more terms than are added up at once.
    let product = a.matmul(&a.t().slice(1, 0..300));
    assert!(product.slice(0, 0..1).bit_eq(&a.slice(0, 0..1).matmul(&a.t().slice(1, 0..300))));
    let wide = a.t().matmul_nt(&b.t());
    assert!(wide.bit_eq(&expected));
}

#[test]
fn no_outputs_take_nothing() {
    linear::<f32>(&[], &Panels::new(Tensor::zeros([4, 0]).view2()), &[], &mut []);
    linear::<f32>(&[], Tensor::zeros([4, 3]).view2(), &[0.0; 3], &mut []);
    assert_eq!(
        Panels::from_fn(2, 17, |panel, rows| rows.fill([panel as f32; 16])).to_tensor().row(1)[15..],
        [0.0, 1.0]
    );
}

#[test]
fn nan_and_infinity_stay_in_their_rows_and_columns() {
    let (mut a, b) = (Tensor::<f32>::ones([20, 40]), Tensor::<f32>::ones([40, 21]));
    a.as_mut_slice()[3 * 40 + 39] = f32::NAN;
    a.as_mut_slice()[19 * 40] = f32::INFINITY;
    let product = a.matmul(&b);
    for (row, values) in product.as_slice().chunks(21).enumerate() {
        match row {
            3 => assert!(values.iter().all(|v| v.is_nan())),
            19 => assert!(values.iter().all(|v| v.is_infinite())),
            _ => assert!(values.iter().all(|&v| v == 40.0)),
        }
    }
    let tiny = Tensor::<f32>::full([7, 40], f32::from_bits(1));
    assert_eq!(tiny.matmul(&b), Tensor::full([7, 21], f32::from_bits(40)));
}

#[test]
#[should_panic(expected = "matmul: shapes [2, 3] and [2, 3] do not multiply")]
fn inner_lengths_must_agree() {
    let a = Tensor::<f32>::zeros([2, 3]);
    let _ = a.matmul(&a);
}

#[test]
#[should_panic(expected = "matmul: shapes [3] and [3, 1] do not multiply")]
fn a_vector_is_not_a_matrix() {
    let _ = Tensor::<f32>::zeros([3]).matmul(&Tensor::zeros([3, 1]));
}
