//! Values in order: sorted, their order, the largest few, the distinct ones.

use std::cmp::Ordering;

use ndarray::{Axis, IxDyn};

use crate::memory::room;
use crate::{Element, Tensor};

impl<E: Element> Tensor<E> {
    /// The values along `axis` in ascending order; equal values (0 and -0 are equal) stay in their order, and NaN comes last,
    /// as in NumPy.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn sort(&self, axis: usize) -> Self {
        self.check_axis("sort", axis);
        self.ordered(axis, self.shape()[axis], ascending).0
    }

    /// Where the values stand along `axis` that [`Tensor::sort`] gives: one index for each value, in row-major order of this
    /// tensor's shape.
    ///
    /// ```
    /// use mlp_tensor::tensor;
    /// assert_eq!(tensor![[3.0, 1.0, 2.0]].argsort(1), [1, 2, 0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn argsort(&self, axis: usize) -> Vec<usize> {
        self.check_axis("argsort", axis);
        self.ordered(axis, self.shape()[axis], ascending).1
    }

    /// The `k` largest values along `axis`, the largest first, and where they stand, in row-major order of the values'
    /// shape. Of equal values the first come first, and NaN counts as the largest, as in PyTorch's `topk` and
    /// [`Tensor::argmax`].
    ///
    /// ```
    /// use mlp_tensor::tensor;
    ///
    /// let (values, places) = tensor![[0.1, 0.7, 0.2], [0.5, 0.1, 0.4]].top_k(2, 1);
    /// assert_eq!(values, tensor![[0.7, 0.2], [0.5, 0.4]]);
    /// assert_eq!(places, [1, 2, 0, 2]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis or it is shorter than `k`.
    #[track_caller]
    pub fn top_k(&self, k: usize, axis: usize) -> (Self, Vec<usize>) {
        self.check_axis("top_k", axis);
        assert!(k <= self.shape()[axis], "top_k: axis {axis} of shape {:?} does not have {k} values", self.shape());
        self.ordered(axis, k, |a, b| ascending(b, a))
    }

    /// The distinct values in ascending order, along one axis. NaN comes last and once, as in NumPy.
    pub fn unique(&self) -> Self {
        let mut values = self.flatten().sort(0).into_vec();
        values.dedup_by(|b, a| ascending(*a, *b).is_eq());
        values.into()
    }

    /// The first `k` values of each lane along `axis` in the order of `compare`, and where they stand.
    fn ordered(&self, axis: usize, k: usize, compare: impl Fn(E, E) -> Ordering) -> (Self, Vec<usize>) {
        let [outer, length, inner] = self.around(axis);
        let mut shape = self.shape().to_vec();
        shape[axis] = k;
        let mut places = vec![0; outer * k * inner];
        let mut order: Vec<usize> = Vec::with_capacity(length);
        for (index, lane) in self.view().lanes(Axis(axis)).into_iter().enumerate() {
            order.clear();
            order.extend(0..length);
            order.sort_by(|&a, &b| compare(lane[a], lane[b]));
            let start = index / inner * k * inner + index % inner;
            order[..k].iter().enumerate().for_each(|(i, &place)| places[start + i * inner] = place);
        }
        let mut values = room(places.len());
        let from = self.as_slice();
        // A place of the result lies in a block of k · inner values, and in the block at a column of inner.
        values.extend(places.iter().enumerate().map(|(i, &place)| {
            let (block, column) = (i / (k * inner), i % inner);
            from[(block * length + place) * inner + column]
        }));
        (Self::from_parts(values, IxDyn(&shape)), places)
    }
}

/// NaN is above all numbers.
fn ascending<E: Element>(a: E, b: E) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f32 = f32::NAN;

    #[test]
    fn sorting_is_stable_and_nan_comes_last() {
        let t = Tensor::from([NAN, 2.0, 0.0, f32::INFINITY, -0.0, NAN, -1.0, f32::NEG_INFINITY]);
        let sorted = t.sort(0);
        let expected = [f32::NEG_INFINITY, -1.0, 0.0, -0.0, 2.0, f32::INFINITY, NAN, NAN];
        assert!(sorted.bit_eq(&Tensor::from(expected)), "{sorted}");
        assert_eq!(t.argsort(0), [7, 6, 2, 4, 1, 3, 0, 5]);
        let unique = t.unique();
        assert!(unique.bit_eq(&Tensor::from([f32::NEG_INFINITY, -1.0, 0.0, 2.0, f32::INFINITY, NAN])), "{unique}");
    }

    #[test]
    fn every_lane_is_sorted_by_itself() {
        let t = Tensor::from([[[3.0_f64, 1.0], [1.0, 2.0]], [[0.0, 5.0], [7.0, 4.0]]]);
        assert_eq!(t.sort(0), Tensor::from([[[0.0, 1.0], [1.0, 2.0]], [[3.0, 5.0], [7.0, 4.0]]]));
        assert_eq!(t.sort(1), Tensor::from([[[1.0, 1.0], [3.0, 2.0]], [[0.0, 4.0], [7.0, 5.0]]]));
        assert_eq!(t.sort(2), Tensor::from([[[1.0, 3.0], [1.0, 2.0]], [[0.0, 5.0], [4.0, 7.0]]]));
        assert_eq!(t.argsort(1), [1, 0, 0, 1, 0, 1, 1, 0]);
        let (values, places) = t.top_k(1, 1);
        assert_eq!((values, places), (t.max_axes(&[1], true), t.argmax(1)));
    }

    #[test]
    fn the_largest_come_first_and_nan_before_all() {
        let t = Tensor::from([[1.0, NAN, 3.0, 3.0], [0.0, -1.0, -2.0, -0.0]]);
        let (values, places) = t.top_k(3, 1);
        assert_eq!(places, [1, 2, 3, 0, 3, 1]);
        assert!(values.bit_eq(&Tensor::from([[NAN, 3.0, 3.0], [0.0, -0.0, -1.0]])), "{values}");
        assert_eq!(t.top_k(0, 0), (Tensor::zeros([0, 4]), vec![]));
    }

    #[test]
    fn nothing_is_in_order() {
        for shape in [&[0][..], &[2, 0], &[0, 3]] {
            let t = Tensor::<f64>::zeros(shape);
            for axis in 0..shape.len() {
                assert_eq!((t.sort(axis), t.argsort(axis)), (t.clone(), vec![]));
            }
            assert_eq!(t.unique().shape(), [0]);
        }
        assert_eq!(Tensor::scalar(3.0_f32).unique(), Tensor::from([3.0]));
    }
}
