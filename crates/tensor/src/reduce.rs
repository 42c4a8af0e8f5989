//! Sums, means and extremes over all values or along chosen axes.

use ndarray::{Dimension, IxDyn};

use crate::fold::{fold, fold_all, larger, plus, smaller};
use crate::shape::broadcasts_to;
use crate::{Element, Tensor};

impl<E: Element> Tensor<E> {
    /// The sum of all values, 0 if there are none.
    pub fn sum(&self) -> E {
        fold_all(self.as_slice(), E::zero(), plus)
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
        fold_all(self.as_slice(), E::neg_infinity(), larger)
    }

    /// The smallest value; NaN if any value is.
    ///
    /// # Panics
    /// If there are no values.
    #[track_caller]
    pub fn min(&self) -> E {
        assert!(!self.is_empty(), "min: a tensor of shape {:?} has no smallest value", self.shape());
        fold_all(self.as_slice(), E::infinity(), smaller)
    }

    /// Sums over `axes`, which stay as axes of length 1 with `keep_dims` and disappear without. The order in which the
    /// values are added depends on the shape alone.
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn sum_axes(&self, axes: &[usize], keep_dims: bool) -> Self {
        self.fold_axes("sum_axes", axes, keep_dims, E::zero(), plus)
    }

    /// Means over `axes`, kept or not as in [`Tensor::sum_axes`]; NaN over an axis of length 0.
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn mean_axes(&self, axes: &[usize], keep_dims: bool) -> Self {
        let mut mean = self.fold_axes("mean_axes", axes, keep_dims, E::zero(), plus);
        let count = E::from_f64(self.count_along(axes) as f64);
        mean.map_in_place(|v| v / count);
        mean
    }

    /// The largest values over `axes`, kept or not as in [`Tensor::sum_axes`]; NaN wherever one is.
    ///
    /// # Panics
    /// If there is no such axis, one is named twice or one has length 0.
    #[track_caller]
    pub fn max_axes(&self, axes: &[usize], keep_dims: bool) -> Self {
        self.check_not_empty("max_axes", axes, "largest");
        self.fold_axes("max_axes", axes, keep_dims, E::neg_infinity(), larger)
    }

    /// The smallest values over `axes`, kept or not as in [`Tensor::sum_axes`]; NaN wherever one is.
    ///
    /// # Panics
    /// If there is no such axis, one is named twice or one has length 0.
    #[track_caller]
    pub fn min_axes(&self, axes: &[usize], keep_dims: bool) -> Self {
        self.check_not_empty("min_axes", axes, "smallest");
        self.fold_axes("min_axes", axes, keep_dims, E::infinity(), smaller)
    }

    /// Sums away the axes along which `shape` was broadcast to this tensor's shape: the transpose of broadcasting,
    /// as gradients need it.
    ///
    /// # Panics
    /// If `shape` does not broadcast to this tensor's shape.
    #[track_caller]
    pub fn sum_to(&self, shape: &[usize]) -> Self {
        if self.shape() == shape {
            return self.clone();
        }
        assert!(broadcasts_to(shape, self.shape()), "sum_to: shape {shape:?} does not broadcast to {:?}", self.shape());
        let extra = self.ndim() - shape.len();
        let stretched = |axis: usize| axis < extra || (shape[axis - extra] == 1 && self.shape()[axis] != 1);
        let mut axes = IxDyn::zeros(self.ndim());
        let mut count = 0;
        for axis in (0..self.ndim()).filter(|&axis| stretched(axis)) {
            axes[count] = axis;
            count += 1;
        }
        self.sum_axes(&axes.slice()[..count], true).with_dim(IxDyn(shape))
    }

    /// Joins the values along `axes` one after the other, beginning with `start`.
    ///
    /// Neighboring axes are taken as one, so that a tensor is `[outer, axis, inner]` to every pass over it, and the
    /// values are read in the order in which they lie.
    #[track_caller]
    pub(crate) fn fold_axes(
        &self,
        op: &str,
        axes: &[usize],
        keep_dims: bool,
        start: E,
        join: impl Fn(E, E) -> E + Copy,
    ) -> Self {
        self.check_axes(op, axes);
        let shape = self.shape();
        let gone = |axis: usize| axes.contains(&axis);
        let mut folded: Option<Self> = None;
        let (mut inner, mut end) = (1, shape.len());
        while end > 0 {
            let start_of_group = (0..end).rev().take_while(|&axis| gone(axis) == gone(end - 1)).last().unwrap_or(0);
            let length: usize = shape[start_of_group..end].iter().product();
            if !gone(end - 1) {
                inner *= length;
            } else if length != 1 {
                let outer = shape[..start_of_group].iter().product();
                let source = folded.as_ref().unwrap_or(self);
                let data = fold(source.as_slice(), [outer, length, inner], start, join);
                folded = Some(data.into());
            }
            end = start_of_group;
        }
        let mut left = IxDyn::zeros(if keep_dims { shape.len() } else { shape.len() - axes.len() });
        let lengths = (0..shape.len()).filter(|&axis| keep_dims || !gone(axis));
        for (place, axis) in lengths.enumerate() {
            left[place] = if gone(axis) { 1 } else { shape[axis] };
        }
        folded.as_ref().unwrap_or(self).with_dim(left)
    }

    /// The number of values that fall together along `axes`.
    pub(crate) fn count_along(&self, axes: &[usize]) -> usize {
        axes.iter().map(|&axis| self.shape()[axis]).product()
    }

    #[track_caller]
    pub(crate) fn check_not_empty(&self, op: &str, axes: &[usize], extreme: &str) {
        for &axis in axes {
            assert!(
                self.shape().get(axis) != Some(&0),
                "{op}: axis {axis} of shape {:?} has no {extreme} value",
                self.shape()
            );
        }
    }

    #[track_caller]
    pub(crate) fn check_axes(&self, op: &str, axes: &[usize]) {
        for (i, &axis) in axes.iter().enumerate() {
            self.check_axis(op, axis);
            assert!(!axes[..i].contains(&axis), "{op}: axis {axis} of shape {:?} is named twice", self.shape());
        }
    }

    #[track_caller]
    pub(crate) fn check_axis(&self, op: &str, axis: usize) {
        assert!(axis < self.dim().ndim(), "{op}: no axis {axis} in a tensor of shape {:?}", self.shape());
    }
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
