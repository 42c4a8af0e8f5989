//! Sums, means, extremes and their places, over all values or along chosen axes.

use ndarray::{Axis, Dimension, IxDyn};

use crate::simd::vectorize;
use crate::{Element, Tensor};

impl<E: Element> Tensor<E> {
    /// The sum of all values, 0 if there are none.
    pub fn sum(&self) -> E {
        self.view().sum()
    }

    /// The mean of all values, NaN if there are none.
    pub fn mean(&self) -> E {
        self.sum() / E::from_f64(self.len() as f64)
    }

    /// The largest value; NaN if any value is.
    ///
    /// # Panics
    /// If there are no values.
    #[track_caller]
    pub fn max(&self) -> E {
        assert!(!self.is_empty(), "max: a tensor of shape {:?} has no largest value", self.shape());
        self.as_slice().iter().copied().reduce(larger).unwrap_or_else(E::nan)
    }

    /// The smallest value; NaN if any value is.
    ///
    /// # Panics
    /// If there are no values.
    #[track_caller]
    pub fn min(&self) -> E {
        assert!(!self.is_empty(), "min: a tensor of shape {:?} has no smallest value", self.shape());
        -(-self).max()
    }

    /// Sums over `axes`, which stay as axes of length 1 with `keep_dims` and disappear without.
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn sum_axes(&self, axes: &[usize], keep_dims: bool) -> Self {
        if let ([0], &[_, columns], false) = (axes, self.shape(), keep_dims) {
            return self.sum_rows(columns);
        }
        self.reduce_axes("sum_axes", axes, keep_dims, |view, axis| view.sum_axis(axis))
    }

    /// The sum of the rows of a matrix: what every bias has as its gradient, so it goes straight over the slice.
    fn sum_rows(&self, columns: usize) -> Self {
        let mut sum = vec![E::zero(); columns];
        if columns > 0 {
            let rows = self.as_slice().chunks_exact(columns);
            let sum = &mut sum[..];
            vectorize(
                #[inline(always)]
                || rows.for_each(|row| sum.iter_mut().zip(row).for_each(|(s, &v)| *s += v)),
            );
        }
        sum.into()
    }

    /// Means over `axes`, kept or not as in [`Tensor::sum_axes`]; NaN over an axis of length 0.
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn mean_axes(&self, axes: &[usize], keep_dims: bool) -> Self {
        let sum = self.reduce_axes("mean_axes", axes, keep_dims, |view, axis| view.sum_axis(axis));
        let count: usize = axes.iter().map(|&a| self.shape()[a]).product();
        sum / E::from_f64(count as f64)
    }

    /// The largest values over `axes`, kept or not as in [`Tensor::sum_axes`]; NaN wherever one is.
    ///
    /// # Panics
    /// If there is no such axis, one is named twice or one has length 0.
    #[track_caller]
    pub fn max_axes(&self, axes: &[usize], keep_dims: bool) -> Self {
        for &axis in axes {
            assert!(
                self.shape().get(axis) != Some(&0),
                "max_axes: axis {axis} of shape {:?} has no largest value",
                self.shape()
            );
        }
        self.reduce_axes("max_axes", axes, keep_dims, |view, axis| {
            view.fold_axis(axis, E::neg_infinity(), |&a, &b| larger(a, b))
        })
    }

    /// Where the largest value stands along `axis`, for each place on the other axes in row-major order. Of equal
    /// values the first counts, and NaN counts as the largest, as in NumPy.
    ///
    /// # Panics
    /// If there is no such axis or it has length 0.
    #[track_caller]
    pub fn argmax(&self, axis: usize) -> Vec<usize> {
        self.check_axis("argmax", axis);
        assert!(self.shape()[axis] > 0, "argmax: axis {axis} of shape {:?} has no largest value", self.shape());
        let view = self.view();
        let lanes = view.lanes(Axis(axis));
        lanes
            .into_iter()
            .map(|lane| {
                let mut best = 0;
                for (i, &v) in lane.iter().enumerate().skip(1) {
                    let top = lane[best];
                    if v > top || (v.is_nan() && !top.is_nan()) {
                        best = i;
                    }
                }
                best
            })
            .collect()
    }

    /// Sums away the axes along which `shape` was broadcast to this tensor's shape: the inverse of broadcasting, as
    /// gradients need it.
    ///
    /// # Panics
    /// If `shape` does not broadcast to this tensor's shape.
    #[track_caller]
    pub fn sum_to(&self, shape: &[usize]) -> Self {
        if self.shape() == shape {
            return self.clone();
        }
        assert!(
            crate::broadcast_shape(self.shape(), shape).is_some_and(|common| common == self.shape()),
            "sum_to: shape {shape:?} does not broadcast to {:?}",
            self.shape()
        );
        let extra = self.rank() - shape.len();
        let stretched = |axis: usize| axis < extra || (shape[axis - extra] == 1 && self.shape()[axis] != 1);
        let axes: Vec<usize> = (0..self.rank()).filter(|&axis| stretched(axis)).collect();
        self.sum_axes(&axes, true).reshape(shape)
    }

    #[track_caller]
    fn reduce_axes(
        &self,
        op: &str,
        axes: &[usize],
        keep_dims: bool,
        reduce: impl Fn(&ndarray::ArrayViewD<'_, E>, Axis) -> ndarray::ArrayD<E>,
    ) -> Self {
        let mut kept = self.shape().to_vec();
        for (i, &axis) in axes.iter().enumerate() {
            self.check_axis(op, axis);
            assert!(!axes[..i].contains(&axis), "{op}: axis {axis} of shape {:?} is named twice", self.shape());
            kept[axis] = 1;
        }
        let mut current: Option<ndarray::ArrayD<E>> = None;
        for &axis in axes {
            let view = current.as_ref().map_or_else(|| self.view(), |array| array.view());
            let reduced = reduce(&view, Axis(axis)).insert_axis(Axis(axis));
            current = Some(reduced);
        }
        let result = current.map_or_else(|| self.clone(), Self::from);
        if keep_dims {
            return result;
        }
        let left: Vec<usize> = (0..self.rank()).filter(|a| !axes.contains(a)).map(|a| kept[a]).collect();
        result.with_dim(IxDyn(&left))
    }

    #[track_caller]
    pub(crate) fn check_axis(&self, op: &str, axis: usize) {
        assert!(axis < self.dim().ndim(), "{op}: no axis {axis} in a tensor of shape {:?}", self.shape());
    }
}

fn larger<E: Element>(a: E, b: E) -> E {
    if a > b || a.is_nan() { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_the_largest() {
        let t = Tensor::from([[1.0_f32, f32::NAN, 3.0], [4.0, 5.0, 5.0]]);
        assert_eq!(t.argmax(1), [1, 1]);
        assert!(t.max().is_nan() && t.min().is_nan());
        let max = t.max_axes(&[1], false);
        assert!(max.as_slice()[0].is_nan());
        assert_eq!(max.as_slice()[1], 5.0);
    }

    #[test]
    fn empty_tensors_sum_to_zero() {
        let t = Tensor::<f32>::zeros([0, 3]);
        assert_eq!(t.sum(), 0.0);
        assert_eq!(t.sum_axes(&[0], false), Tensor::zeros([3]));
        assert!(t.mean().is_nan());
        assert_eq!(t.argmax(1), Vec::<usize>::new());
    }

    #[test]
    fn sum_to_undoes_broadcasting() {
        let t = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
        assert_eq!(t.sum_to(&[2]), Tensor::from([4.0, 6.0]));
        assert_eq!(t.sum_to(&[2, 1]), Tensor::from([[3.0], [7.0]]));
        assert_eq!(t.sum_to(&[]), Tensor::scalar(10.0));
        assert_eq!(t.sum_to(&[1, 1]), Tensor::from([[10.0]]));
    }

    #[test]
    #[should_panic(expected = "sum_axes: no axis 2 in a tensor of shape [2, 3]")]
    fn a_missing_axis_is_named() {
        Tensor::<f32>::zeros([2, 3]).sum_axes(&[2], false);
    }

    #[test]
    #[should_panic(expected = "max_axes: axis 0 of shape [0, 3] has no largest value")]
    fn nothing_has_no_largest_value() {
        Tensor::<f32>::zeros([0, 3]).max_axes(&[0], false);
    }
}
