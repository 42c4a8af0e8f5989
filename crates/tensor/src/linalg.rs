//! Products of matrices.

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
    ndarray::linalg::general_mat_mul(E::one(), &a, &b, beta, &mut out);
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
        a.rank() == 2 && b.rank() == 2 && a.shape()[inner[0]] == b.shape()[inner[1]],
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
    use super::*;

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
