//! Sums, means, extremes and their places, over all values or along chosen axes.

use ndarray::{Axis, Dimension, IxDyn};

use crate::memory::room;
use crate::simd::vectorize;
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
        lanes.into_iter().map(|lane| first_largest(lane.iter().copied())).collect()
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

    /// Joins the values along `axes` one after the other, beginning with `start`.
    ///
    /// Neighbouring axes are taken as one, so that a tensor is `[outer, axis, inner]` to every pass over it, and the
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
        for (i, &axis) in axes.iter().enumerate() {
            self.check_axis(op, axis);
            assert!(!axes[..i].contains(&axis), "{op}: axis {axis} of shape {:?} is named twice", self.shape());
        }
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
        let left = |axis: usize| if gone(axis) { keep_dims.then_some(1) } else { Some(shape[axis]) };
        let left: Vec<usize> = (0..shape.len()).filter_map(left).collect();
        folded.as_ref().unwrap_or(self).with_dim(IxDyn(&left))
    }

    /// The number of values that fall together along `axes`.
    pub(crate) fn count_along(&self, axes: &[usize]) -> usize {
        axes.iter().map(|&axis| self.shape()[axis]).product()
    }

    #[track_caller]
    fn check_not_empty(&self, op: &str, axes: &[usize], extreme: &str) {
        for &axis in axes {
            assert!(
                self.shape().get(axis) != Some(&0),
                "{op}: axis {axis} of shape {:?} has no {extreme} value",
                self.shape()
            );
        }
    }

    #[track_caller]
    pub(crate) fn check_axis(&self, op: &str, axis: usize) {
        assert!(axis < self.dim().ndim(), "{op}: no axis {axis} in a tensor of shape {:?}", self.shape());
    }
}

/// `[outer, length, inner]` folded to `[outer, inner]`.
fn fold<E: Element>(
    source: &[E],
    [outer, length, inner]: [usize; 3],
    start: E,
    join: impl Fn(E, E) -> E + Copy,
) -> Vec<E> {
    let mut data = room(outer * inner);
    if length * inner == 0 {
        data.resize(outer * inner, start);
    } else if inner == 1 {
        let lanes = source.chunks_exact(length);
        vectorize(
            #[inline(always)]
            || data.extend(lanes.map(|lane| fold_lane(lane, start, join))),
        );
    } else {
        data.resize(outer * inner, start);
        let blocks = data.chunks_exact_mut(inner).zip(source.chunks_exact(length * inner));
        vectorize(
            #[inline(always)]
            || {
                for (sum, block) in blocks {
                    for row in block.chunks_exact(inner) {
                        sum.iter_mut().zip(row).for_each(|(s, &v)| *s = join(*s, v));
                    }
                }
            },
        );
    }
    data
}

fn fold_all<E: Element>(values: &[E], start: E, join: impl Fn(E, E) -> E + Copy) -> E {
    vectorize(
        #[inline(always)]
        || fold_lane(values, start, join),
    )
}

/// The values of a lane that are joined side by side, as vectors.
const SIDE_BY_SIDE: usize = 16;
/// The results of so many values are joined before more are read: errors of rounding grow with the longest chain.
const BLOCK: usize = 1024;

/// Joins all values of `lane`, in an order that depends on its length alone.
#[inline(always)]
fn fold_lane<E: Element>(lane: &[E], start: E, join: impl Fn(E, E) -> E + Copy) -> E {
    if lane.len() < 2 * SIDE_BY_SIDE {
        return lane.iter().fold(start, |sum, &v| join(sum, v));
    }
    let mut total = start;
    for block in lane.chunks(BLOCK) {
        let (groups, rest) = block.as_chunks::<SIDE_BY_SIDE>();
        let mut sums = [start; SIDE_BY_SIDE];
        for group in groups {
            sums.iter_mut().zip(group).for_each(|(s, &v)| *s = join(*s, v));
        }
        let mut width = SIDE_BY_SIDE / 2;
        while width > 0 {
            for i in 0..width {
                sums[i] = join(sums[i], sums[i + width]);
            }
            width /= 2;
        }
        total = join(total, rest.iter().fold(sums[0], |sum, &v| join(sum, v)));
    }
    total
}

#[inline(always)]
fn plus<E: Element>(a: E, b: E) -> E {
    a + b
}

#[inline(always)]
pub(crate) fn larger<E: Element>(a: E, b: E) -> E {
    if a > b || a.is_nan() { a } else { b }
}

#[inline(always)]
fn smaller<E: Element>(a: E, b: E) -> E {
    if a < b || a.is_nan() { a } else { b }
}

/// Where the largest value stands: of equal values the first counts, and NaN counts as the largest. 0 if there are none.
pub fn argmax<E: Element>(values: &[E]) -> usize {
    first_largest(values.iter().copied())
}

fn first_largest<E: Element>(values: impl Iterator<Item = E>) -> usize {
    let mut best = (0, E::neg_infinity());
    for (i, v) in values.enumerate() {
        if i == 0 || v > best.1 || (v.is_nan() && !best.1.is_nan()) {
            best = (i, v);
        }
    }
    best.0
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
