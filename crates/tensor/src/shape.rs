//! Shapes: reshaping, transposing, cutting and joining.

use std::ops::Range;

use ndarray::{ArrayViewD, IxDyn};

use crate::broadcast::Walk;
use crate::memory::room;
use crate::tensor::{count, expect_count};
use crate::{Element, Tensor};

/// The shape that `a` and `b` broadcast to by NumPy's rules: aligned at the last axis, equal lengths or 1.
pub fn broadcast_shape(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let length = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    (0..rank)
        .map(|axis| match (length(a, axis), length(b, axis)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect()
}

impl<E: Element> Tensor<E> {
    /// The same values in another shape, without copying.
    ///
    /// # Panics
    /// If the new shape does not hold the same number of values.
    #[track_caller]
    pub fn reshape(&self, shape: impl AsRef<[usize]>) -> Self {
        let shape = shape.as_ref();
        assert!(
            count(shape) == Some(self.len()),
            "reshape: shape {:?} has {} values, shape {shape:?} does not",
            self.shape(),
            self.len()
        );
        self.with_dim(IxDyn(shape))
    }

    /// The transpose of a matrix, copied. To multiply by a transpose use [`Tensor::matmul_tn`] or
    /// [`Tensor::matmul_nt`], which copy nothing.
    ///
    /// # Panics
    /// If the tensor is not of rank 2.
    #[track_caller]
    pub fn t(&self) -> Self {
        assert!(self.rank() == 2, "t: a matrix has two axes, but this tensor has shape {:?}", self.shape());
        let &[rows, columns] = self.shape() else { unreachable!("two axes, as was just checked") };
        let (from, mut data) = (self.as_slice(), room(self.len()));
        data.resize(self.len(), E::zero());
        // In squares, so that both sides stay in the cache.
        for top in (0..rows).step_by(SQUARE) {
            for left in (0..columns).step_by(SQUARE) {
                for column in left..columns.min(left + SQUARE) {
                    for row in top..rows.min(top + SQUARE) {
                        data[column * rows + row] = from[row * columns + column];
                    }
                }
            }
        }
        Self::from_parts(data, IxDyn(&[columns, rows]))
    }

    /// The axes in another order, copied: axis `i` of the result is axis `order[i]` of this tensor.
    ///
    /// # Panics
    /// If `order` does not name every axis once.
    #[track_caller]
    pub fn permute(&self, order: &[usize]) -> Self {
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        assert!(
            sorted.iter().copied().eq(0..self.rank()),
            "permute: {order:?} does not name every axis of shape {:?} once",
            self.shape()
        );
        copied(self.view().permuted_axes(IxDyn(order)))
    }

    /// The values repeated along new axes and axes of length 1 until the shape is `shape`.
    ///
    /// # Panics
    /// If the tensor does not broadcast to `shape`.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl AsRef<[usize]>) -> Self {
        let shape = shape.as_ref();
        assert!(
            broadcast_shape(self.shape(), shape).is_some_and(|common| common == shape),
            "broadcast_to: shape {:?} does not broadcast to {shape:?}",
            self.shape()
        );
        let len = expect_count(shape);
        let mut data = room(len);
        if shape.ends_with(self.shape()) && len > 0 {
            // The whole tensor over and over, as a bias is: once copied, then doubled.
            data.extend_from_slice(self.as_slice());
            while data.len() < len {
                data.extend_from_within(..data.len().min(len - data.len()));
            }
            return Self::from_parts(data, IxDyn(shape));
        }
        let walk = Walk::new(shape, [self.shape(), &[]]);
        let (from, n) = (self.as_slice(), walk.lane);
        walk.for_each_lane(|[i, _]| {
            if walk.steps[0] == 1 {
                data.extend_from_slice(&from[i..i + n]);
            } else {
                data.resize(data.len() + n, from[i]);
            }
        });
        Self::from_parts(data, IxDyn(shape))
    }

    /// The indices `range` of `axis`, copied.
    ///
    /// # Panics
    /// If there is no such axis or the range goes past its end.
    #[track_caller]
    pub fn slice(&self, axis: usize, range: Range<usize>) -> Self {
        self.check_axis("slice", axis);
        assert!(
            range.start <= range.end && range.end <= self.shape()[axis],
            "slice: {range:?} does not lie within axis {axis} of shape {:?}",
            self.shape()
        );
        let [_, length, inner] = self.around(axis);
        let mut shape = self.shape().to_vec();
        shape[axis] = range.len();
        let mut data = room(expect_count(&shape));
        if !self.is_empty() {
            let blocks = self.as_slice().chunks_exact(length * inner);
            blocks.for_each(|block| data.extend_from_slice(&block[range.start * inner..range.end * inner]));
        }
        Self::from_parts(data, IxDyn(&shape))
    }

    /// Zeros put before and after the values along `axis`, `before` and `after` many.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn pad(&self, axis: usize, before: usize, after: usize) -> Self {
        self.check_axis("pad", axis);
        let [outer, length, inner] = self.around(axis);
        let mut shape = self.shape().to_vec();
        shape[axis] += before + after;
        let mut data = room(expect_count(&shape));
        for block in 0..outer {
            data.resize(data.len() + before * inner, E::zero());
            data.extend_from_slice(&self.as_slice()[block * length * inner..(block + 1) * length * inner]);
            data.resize(data.len() + after * inner, E::zero());
        }
        Self::from_parts(data, IxDyn(&shape))
    }

    /// The tensors one after the other along `axis`.
    ///
    /// # Panics
    /// If there are none, or their shapes differ on another axis.
    #[track_caller]
    pub fn concatenate(tensors: &[&Self], axis: usize) -> Self {
        let others = |t: &Self| [&t.shape()[..axis], &t.shape()[axis + 1..]].concat();
        let fits = !tensors.is_empty()
            && tensors.iter().all(|t| axis < t.rank())
            && tensors.iter().all(|t| others(t) == others(tensors[0]));
        assert!(fits, "concatenate: shapes {:?} do not fit together along axis {axis}", shapes(tensors));
        let mut shape = tensors[0].shape().to_vec();
        shape[axis] = tensors.iter().map(|t| t.shape()[axis]).sum();
        let mut data = room(expect_count(&shape));
        let [outer, _, _] = tensors[0].around(axis);
        for block in 0..outer {
            for tensor in tensors {
                let width = tensor.len() / outer;
                data.extend_from_slice(&tensor.as_slice()[block * width..(block + 1) * width]);
            }
        }
        Self::from_parts(data, IxDyn(&shape))
    }

    /// The tensors, which have one shape, side by side along a new axis at `axis`.
    ///
    /// # Panics
    /// If there are none, their shapes differ, or `axis` is beyond the end.
    #[track_caller]
    pub fn stack(tensors: &[&Self], axis: usize) -> Self {
        let fits = tensors.first().is_some_and(|first| axis <= first.rank());
        let fits = fits && tensors.iter().all(|t| t.shape() == tensors[0].shape());
        assert!(fits, "stack: shapes {:?} do not stack along a new axis {axis}", shapes(tensors));
        let mut shape = tensors[0].shape().to_vec();
        shape.insert(axis, 1);
        let tensors: Vec<Self> = tensors.iter().map(|t| t.reshape(&shape)).collect();
        Self::concatenate(&tensors.iter().collect::<Vec<_>>(), axis)
    }
}

fn shapes<'a, E: Element>(tensors: &[&'a Tensor<E>]) -> Vec<&'a [usize]> {
    tensors.iter().map(|t| t.shape()).collect()
}

/// The side of the squares in which a matrix is transposed.
const SQUARE: usize = 16;

/// The values of a view, in its order.
fn copied<E: Element>(view: ArrayViewD<'_, E>) -> Tensor<E> {
    let mut data = room(view.len());
    data.extend(view.iter());
    Tensor::from_parts(data, view.raw_dim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_follows_numpy() {
        assert_eq!(broadcast_shape(&[2, 1, 3], &[4, 1]), Some(vec![2, 4, 3]));
        assert_eq!(broadcast_shape(&[], &[2]), Some(vec![2]));
        assert_eq!(broadcast_shape(&[0, 3], &[1, 3]), Some(vec![0, 3]));
        assert_eq!(broadcast_shape(&[2, 3], &[2]), None);
    }

    #[test]
    fn cutting_and_joining_are_inverse() {
        let t = Tensor::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let (left, right) = (t.slice(1, 0..1), t.slice(1, 1..3));
        assert_eq!(right, Tensor::from([[2.0, 3.0], [5.0, 6.0]]));
        assert_eq!(Tensor::concatenate(&[&left, &right], 1), t);
        assert_eq!(t.slice(0, 1..1).shape(), [0, 3]);
        assert_eq!(right.pad(1, 1, 0), Tensor::from([[0.0, 2.0, 3.0], [0.0, 5.0, 6.0]]));
        assert_eq!(left.pad(0, 0, 1), Tensor::from([[1.0], [4.0], [0.0]]));
    }

    #[test]
    fn stacking_makes_an_axis() {
        let (a, b) = (Tensor::from([1.0_f32, 2.0]), Tensor::from([3.0, 4.0]));
        assert_eq!(Tensor::stack(&[&a, &b], 0), Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
        assert_eq!(Tensor::stack(&[&a, &b], 1), Tensor::from([[1.0, 3.0], [2.0, 4.0]]));
        assert_eq!(Tensor::stack(&[&Tensor::scalar(5.0_f32)], 0), Tensor::from([5.0]));
    }

    #[test]
    #[should_panic(expected = "slice: 1..4 does not lie within axis 1 of shape [2, 3]")]
    fn a_slice_past_the_end_is_named() {
        Tensor::<f32>::zeros([2, 3]).slice(1, 1..4);
    }

    #[test]
    #[should_panic(expected = "concatenate: shapes [[2, 3], [2, 4]] do not fit together along axis 0")]
    fn tensors_that_do_not_fit_are_named() {
        Tensor::concatenate(&[&Tensor::<f32>::zeros([2, 3]), &Tensor::zeros([2, 4])], 0);
    }

    #[test]
    #[should_panic(expected = "reshape: shape [2, 3] has 6 values, shape [4] does not")]
    fn a_reshape_keeps_the_count() {
        Tensor::<f32>::zeros([2, 3]).reshape([4]);
    }
}
