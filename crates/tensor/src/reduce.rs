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

/// `[outer, length, inner]` folded to `[outer, inner]`, in an order that depends on these three alone.
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
        if length <= BLOCK {
            vectorize(
                #[inline(always)]
                || data.extend(lanes.map(|lane| fold_lane(lane, start, join))),
            );
        } else {
            data.extend(lanes.map(|lane| fold_all(lane, start, join)));
        }
    } else {
        data.resize(outer * inner, start);
        let totals = data.chunks_exact_mut(inner).zip(source.chunks_exact(length * inner));
        if length <= BLOCK_ROWS {
            vectorize(
                #[inline(always)]
                || {
                    for (total, rows) in totals {
                        for row in rows.chunks_exact(inner) {
                            join_row(total, row, join);
                        }
                    }
                },
            );
        } else {
            vectorize(
                #[inline(always)]
                || {
                    for (total, rows) in totals {
                        fold_blocks(total, rows, join);
                    }
                },
            );
        }
    }
    data
}

/// So many rows are joined one after the other, as batches for training are; of more, blocks of so many are joined
/// first and then pairs of blocks, pairs of pairs and so on: errors of rounding grow with the longest chain.
const BLOCK_ROWS: usize = 128;

/// Joins `rows`, each as long as `total`, in blocks. `total` holds what joining starts from.
#[inline(always)]
fn fold_blocks<E: Element>(total: &mut [E], rows: &[E], join: impl Fn(E, E) -> E + Copy) {
    let inner = total.len();
    // The totals of blocks that wait for their neighbor: one for each binary digit of the count of blocks so far.
    let mut waiting: Vec<E> = Vec::new();
    for (index, block) in rows.chunks(BLOCK_ROWS * inner).enumerate() {
        let begin = waiting.len();
        waiting.extend_from_slice(total);
        let sum = &mut waiting[begin..];
        for row in block.chunks_exact(inner) {
            join_row(sum, row, join);
        }
        (0..(index + 1).trailing_zeros()).for_each(|_| join_last_two(&mut waiting, inner, join));
    }
    while waiting.len() > inner {
        join_last_two(&mut waiting, inner, join);
    }
    total.copy_from_slice(&waiting);
}

#[inline(always)]
fn join_row<E: Element>(to: &mut [E], row: &[E], join: impl Fn(E, E) -> E) {
    to.iter_mut().zip(row).for_each(|(to, &v)| *to = join(*to, v));
}

/// Joins the last total that waits to the one before it.
#[inline(always)]
fn join_last_two<E: Element>(waiting: &mut Vec<E>, inner: usize, join: impl Fn(E, E) -> E) {
    let left = waiting.len() - inner;
    let (before, last) = waiting.split_at_mut(left);
    join_row(&mut before[left - inner..], last, join);
    waiting.truncate(left);
}

/// Joins any number of values, in an order that depends on their count alone.
fn fold_all<E: Element>(values: &[E], start: E, join: impl Fn(E, E) -> E + Copy) -> E {
    vectorize(
        #[inline(always)]
        || {
            // As in `fold_blocks`.
            let mut waiting = [start; usize::BITS as usize];
            let mut count = 0;
            for (index, block) in values.chunks(BLOCK).enumerate() {
                let mut total = fold_lane(block, start, join);
                for _ in 0..(index + 1).trailing_zeros() {
                    count -= 1;
                    total = join(waiting[count], total);
                }
                waiting[count] = total;
                count += 1;
            }
            waiting[..count].iter().rev().copied().reduce(|total, earlier| join(earlier, total)).unwrap_or(start)
        },
    )
}

/// The values of a lane that are joined side by side, as vectors.
const SIDE_BY_SIDE: usize = 16;
/// So many values are joined by themselves; of more, blocks of so many and then pairs of blocks, as with rows.
const BLOCK: usize = 1024;

/// Joins up to [`BLOCK`] values.
#[inline(always)]
fn fold_lane<E: Element>(lane: &[E], start: E, join: impl Fn(E, E) -> E + Copy) -> E {
    if lane.len() < 2 * SIDE_BY_SIDE {
        return lane.iter().fold(start, |sum, &v| join(sum, v));
    }
    let (groups, rest) = lane.as_chunks::<SIDE_BY_SIDE>();
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
    join(start, rest.iter().fold(sums[0], |sum, &v| join(sum, v)))
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

    /// Against the same sums in double precision, for columns alone, a few and more than a vector holds.
    #[test]
    fn sums_of_a_million_rows_lose_nothing() {
        const ROWS: usize = 1_000_000;
        for columns in [1, 3, 17] {
            let tenths = Tensor::full([ROWS, columns], 0.1_f32);
            for mean in tenths.mean_axes(&[0], false).as_slice() {
                assert!((mean - 0.1).abs() < 1e-7, "{mean} in {columns} columns");
            }
            let t = Tensor::<f32>::uniform([ROWS, columns], 0.0, 1.0, &mut crate::Rng::new(4));
            let exact: Vec<f64> = (0..columns)
                .map(|c| t.as_slice().iter().skip(c).step_by(columns).map(|&v| f64::from(v)).sum())
                .collect();
            for shape in [vec![1, columns], vec![columns]] {
                for (sum, exact) in t.sum_to(&shape).as_slice().iter().zip(&exact) {
                    assert!((f64::from(*sum) / exact - 1.0).abs() < 1e-6, "{sum} for {exact}");
                }
            }
            for (sum, exact) in t.sum_axes(&[0], false).as_slice().iter().zip(&exact) {
                assert!((f64::from(*sum) / exact - 1.0).abs() < 1e-6, "{sum} for {exact}");
            }
            // A relative error of 1e-7 in the mean would be a variance of 0.01.
            let constant = Tensor::full([ROWS, columns], 1e6_f32);
            for variance in constant.var_axes(&[0], 0, false).as_slice() {
                assert!(*variance <= 0.1, "{variance} in {columns} columns");
            }
        }
        // Around the ends of blocks every row counts once, between other axes as well.
        for rows in [1, 127, 128, 129, 255, 256, 257, 384, 1000, 1025] {
            let counted: Vec<f64> = (0..2 * rows * 3).map(|i| i as f64).collect();
            let t = Tensor::from_vec(counted, [2, rows, 3]);
            let expected = |outer: usize, c: usize| (0..rows).map(|r| ((outer * rows + r) * 3 + c) as f64).sum::<f64>();
            let expected = Tensor::from_vec((0..6).map(|i| expected(i / 3, i % 3)).collect(), [2, 3]);
            assert_eq!(t.sum_axes(&[1], false), expected, "{rows} rows");
            assert_eq!(t.max_axes(&[1], false), t.slice(1, rows - 1..rows).reshape([2, 3]), "{rows} rows");
            assert_eq!(t.min_axes(&[1], false), t.slice(1, 0..1).reshape([2, 3]), "{rows} rows");
        }
    }

    #[test]
    fn one_lane_of_many_values_loses_nothing() {
        let values = vec![0.1_f32; 50_000_000];
        let mean = Tensor::from(values).mean();
        assert!((mean - 0.1).abs() < 1e-7, "{mean}");
    }

    #[test]
    fn nan_and_infinities_in_long_columns_stay_where_they_are() {
        let mut t = Tensor::<f32>::ones([1000, 3]);
        t.as_mut_slice()[3 * 500] = f32::NAN;
        t.as_mut_slice()[3 * 700 + 1] = f32::INFINITY;
        let (sum, max) = (t.sum_axes(&[0], false), t.max_axes(&[0], false));
        assert!(
            sum.as_slice()[0].is_nan() && max.as_slice()[0].is_nan() && t.min_axes(&[0], false).as_slice()[0].is_nan()
        );
        assert_eq!(
            (&sum.as_slice()[1..], &max.as_slice()[1..]),
            (&[f32::INFINITY, 1000.0][..], &[f32::INFINITY, 1.0][..])
        );
        t.as_mut_slice()[1] = f32::NEG_INFINITY;
        assert!(t.sum_axes(&[0], false).as_slice()[1].is_nan());
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
