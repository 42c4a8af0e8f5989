//! Softmax, and the steps that it is made of, over rows that lie one behind the other.
//!
//! Training, predictions and [`Tensor::softmax`] compute it here, so that a row has the same bits on every path.
//!
//! ```
//! use mlp_tensor::softmax;
//!
//! let mut rows = [0.0_f32, 0.0, 1000.0, 1000.0];
//! softmax::in_place(&mut rows, 2);
//! assert_eq!(rows, [0.5; 4]);
//! ```

use crate::fold::{BLOCK, fold_all, fold_lane, larger, plus};
use crate::simd::vectorize;
use crate::{Element, Tensor, math};

// The rows are short in most networks. Whatever works on every value by itself goes over all rows at once.

/// Writes eᵛ / Σ eᵛ over every row of `width` values, from v - max v, so that no v overflows. A row with NaN or infinity in
/// it, or with nothing but minus infinity, becomes NaN. Allocates nothing.
///
/// # Panics
/// If `width` is 0.
#[track_caller]
pub fn in_place<E: Element>(rows: &mut [E], width: usize) {
    subtract_largest(rows, width);
    vectorize(
        #[inline(always)]
        || {
            for v in &mut *rows {
                *v = math::exp(*v);
            }
        },
    );
    divide_by_sums(rows, width, |_| ());
}

/// Writes v - max v over every row of `width` values.
///
/// # Panics
/// If `width` is 0.
#[track_caller]
pub fn subtract_largest<E: Element>(rows: &mut [E], width: usize) {
    let rows = rows_of(rows, width);
    vectorize(
        #[inline(always)]
        || {
            for row in rows {
                // A NaN is the largest, and makes the whole row NaN.
                let largest =
                    row.chunks(BLOCK).fold(E::neg_infinity(), |largest, part| fold_lane(part, largest, larger));
                row.iter_mut().for_each(|v| *v -= largest);
            }
        },
    );
}

/// Writes v / Σ v over every row of `width` values. `tell` is told the sums, row by row, which are added up in the order of
/// [`Tensor::sum_axes`] over the last axis.
///
/// # Panics
/// If `width` is 0.
#[track_caller]
pub fn divide_by_sums<E: Element>(rows: &mut [E], width: usize, mut tell: impl FnMut(E)) {
    let rows = rows_of(rows, width);
    if width <= BLOCK {
        vectorize(
            #[inline(always)]
            || {
                for row in rows {
                    let sum = fold_lane(row, E::zero(), plus);
                    row.iter_mut().for_each(|v| *v /= sum);
                    tell(sum);
                }
            },
        );
    } else {
        for row in rows {
            let sum = fold_all(row, E::zero(), plus);
            row.iter_mut().for_each(|v| *v /= sum);
            tell(sum);
        }
    }
}

#[track_caller]
fn rows_of<E: Element>(rows: &mut [E], width: usize) -> std::slice::ChunksMut<'_, E> {
    assert!(width > 0, "softmax: rows of 0 values");
    rows.chunks_mut(width)
}

impl<E: Element> Tensor<E> {
    /// eᵛ / Σ eᵛ along `axis`, from v - max v, so that no v overflows. NaN all along the axis where one value is NaN or
    /// infinity or all are minus infinity.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn softmax(&self, axis: usize) -> Self {
        self.check_axis("softmax", axis);
        self.by_rows(axis, |x, width| in_place(x.as_mut_slice(), width))
    }

    /// v - ln Σ eᵛ along `axis`: the logarithm of [`Tensor::softmax`], finite even where that rounds to 0. NaN where that is
    /// NaN.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn log_softmax(&self, axis: usize) -> Self {
        self.check_axis("log_softmax", axis);
        self.by_rows(axis, |x, width| {
            subtract_largest(x.as_mut_slice(), width);
            let ln_sums = x.exp().sum_axes(&[x.ndim() - 1], false).ln();
            for (row, &ln_sum) in x.as_mut_slice().chunks_mut(width).zip(ln_sums.as_slice()) {
                row.iter_mut().for_each(|v| *v -= ln_sum);
            }
        })
    }

    /// What `f` writes over the rows along `axis`, which it gets one behind the other, with their length.
    fn by_rows(&self, axis: usize, f: impl FnOnce(&mut Self, usize)) -> Self {
        let (last, width) = (self.ndim() - 1, self.shape()[axis].max(1));
        // Another axis changes places with the last one, and back.
        let swapped = |x: &Self| {
            if axis == last || x.is_empty() {
                return x.clone();
            }
            let mut order: Vec<usize> = (0..=last).collect();
            order.swap(axis, last);
            x.permute(&order)
        };
        let mut x = swapped(self);
        f(&mut x, width);
        swapped(&x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn softmax_neither_overflows_nor_hides_nan() {
        let t = Tensor::from([[1e4_f64, 1e4, f64::NEG_INFINITY], [-1e4, f64::NAN, 0.0], [0.0, f64::INFINITY, 0.0]]);
        let s = t.softmax(1);
        assert_eq!(s.row(0), [0.5, 0.5, 0.0]);
        assert!(s.as_slice()[3..].iter().all(|v| v.is_nan()), "{s}");
        assert!(Tensor::from([f32::NEG_INFINITY; 2]).softmax(0).as_slice().iter().all(|v| v.is_nan()));
        assert_eq!(Tensor::<f32>::zeros([0, 3]).softmax(0).shape(), [0, 3]);
        assert_eq!(Tensor::<f32>::zeros([2, 4]).softmax(0), Tensor::full([2, 4], 0.5));
    }

    /// ln softmax of [0, ln 3] is [-ln 4, ln 3 - ln 4].
    #[test]
    fn log_softmax_by_hand_and_where_softmax_is_zero() {
        let t = Tensor::from([[0.0, 3f64.ln()], [0.0, 1e4]]);
        let expected = Tensor::from([[-(4f64.ln()), 0.75f64.ln()], [-1e4, 0.0]]);
        assert!(t.log_softmax(1).allclose(&expected, 1e-15, 1e-15), "{}", t.log_softmax(1));
        assert!(t.t().log_softmax(0).t().bit_eq(&t.log_softmax(1)));
        assert!(Tensor::from([1.0_f32, f32::NAN]).log_softmax(0).as_slice().iter().all(|v| v.is_nan()));
    }

    #[test]
    fn a_row_has_the_bits_that_it_has_among_others_and_along_any_axis() {
        let rng = &mut Rng::new(3);
        for width in [1, 2, 3, 10, 31, 32, 33, 100, 1024, 1025, 3000] {
            let x = Tensor::<f32>::normal([4, width], 0.0, 5.0, rng);
            let y = x.softmax(1);
            for i in 0..4 {
                let mut row = x.row(i).to_vec();
                in_place(&mut row, width);
                assert!(Tensor::from(row).bit_eq(&Tensor::from(y.row(i).to_vec())), "row {i} of width {width}");
                let total: f64 = y.row(i).iter().map(|&v| f64::from(v)).sum();
                assert!((total - 1.0).abs() < 1e-6, "{total}");
            }
            assert!(x.t().softmax(0).t().bit_eq(&y), "width {width}");
            let (powers, mut parts) = (y.exp(), y.exp());
            let mut sums = Vec::new();
            divide_by_sums(parts.as_mut_slice(), width, |sum| sums.push(sum));
            assert!(Tensor::from(sums).bit_eq(&powers.sum_axes(&[1], false)), "width {width}");
        }
    }
}
