//! Products of matrices.

mod row;
mod small;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::{Element, Tensor};

/// `out = a · b + beta · out`, on views in any layout, so that transposes and parts of matrices cost no copy. With
/// `beta = 0` what `out` held does not matter.
///
/// # Panics
/// If the shapes do not fit; the message names all three.
#[track_caller]
pub fn gemm<E: Element>(a: ArrayView2<'_, E>, b: ArrayView2<'_, E>, beta: E, mut out: ArrayViewMut2<'_, E>) {
    assert!(
        a.ncols() == b.nrows() && out.dim() == (a.nrows(), b.ncols()),
        "gemm: shapes {:?} and {:?} do not multiply to {:?}",
        a.shape(),
        b.shape(),
        out.shape()
    );
    // For small weights first: which path a row takes must not depend on how many others there are.
    if !small::multiply(a, b, beta, &mut out) && !row::multiply(a, b, beta, &mut out) {
        ndarray::linalg::general_mat_mul(E::one(), &a, &b, beta, &mut out);
    }
}

impl<E: Element> Tensor<E> {
    /// The matrix product of `[m, k]` and `[k, n]`: `[m, n]`.
    ///
    /// # Panics
    /// If either is not of rank 2 or the inner lengths differ.
    #[track_caller]
    pub fn matmul(&self, other: &Self) -> Self {
        product("matmul", self, other, [1, 0])
    }

    /// The product of this matrix transposed and another, `[k, m]` and `[k, n]`: `[m, n]`, without copying.
    ///
    /// # Panics
    /// If either is not of rank 2 or the inner lengths differ.
    #[track_caller]
    pub fn matmul_tn(&self, other: &Self) -> Self {
        product("matmul_tn", self, other, [0, 0])
    }

    /// The product of this matrix and another transposed, `[m, k]` and `[n, k]`: `[m, n]`, without copying.
    ///
    /// # Panics
    /// If either is not of rank 2 or the inner lengths differ.
    #[track_caller]
    pub fn matmul_nt(&self, other: &Self) -> Self {
        product("matmul_nt", self, other, [1, 1])
    }
}

/// The product that sums over the axis `inner[0]` of `a` and `inner[1]` of `b`.
#[track_caller]
fn product<E: Element>(op: &str, a: &Tensor<E>, b: &Tensor<E>, inner: [usize; 2]) -> Tensor<E> {
    assert!(
        a.ndim() == 2 && b.ndim() == 2 && a.shape()[inner[0]] == b.shape()[inner[1]],
        "{op}: shapes {:?} and {:?} do not multiply",
        a.shape(),
        b.shape()
    );
    let (mut a, mut b) = (a.view2(), b.view2());
    if inner[0] == 0 {
        a.swap_axes(0, 1);
    }
    if inner[1] == 1 {
        b.swap_axes(0, 1);
    }
    let (rows, columns) = (a.nrows(), b.ncols());
    let mut out = Tensor::zeros([rows, columns]);
    gemm(a, b, E::zero(), out.view2_mut());
    out
}

#[cfg(test)]
mod tests {
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
            for (a, b) in [
                (a.view2(), b.view2()),
                (at.view2().reversed_axes(), b.view2()),
                (a.view2(), bt.view2().reversed_axes()),
            ] {
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
}
