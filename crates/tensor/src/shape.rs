//! Shapes: reshaping, transposing, cutting and joining.

use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};

use ndarray::{ArrayViewD, Dimension, IxDyn};

use crate::broadcast::Walk;
use crate::memory::room;
use crate::tensor::{count, expect_count};
use crate::{Element, Tensor};

/// The shape that `a` and `b` broadcast to by NumPy's rules: aligned at the last axis, equal lengths or 1.
pub fn broadcast_shape(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    common_shape(a, b).map(|shape| shape.slice().to_vec())
}

/// The same, without a list that is allocated.
pub(crate) fn common_shape(a: &[usize], b: &[usize]) -> Option<IxDyn> {
    let rank = a.len().max(b.len());
    let length = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    let mut common = IxDyn::zeros(rank);
    for axis in 0..rank {
        common[axis] = match (length(a, axis), length(b, axis)) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => return None,
        };
    }
    Some(common)
}

/// Whether a tensor of shape `from` can be repeated to the shape `to`.
pub fn broadcasts_to(from: &[usize], to: &[usize]) -> bool {
    let extra = to.len().checked_sub(from.len());
    extra.is_some_and(|extra| from.iter().zip(&to[extra..]).all(|(&own, &length)| own == length || own == 1))
}

impl<E: Element> Tensor<E> {
    /// The same values in another shape, without copying. One length may be -1: that which is left.
    ///
    /// ```
    /// use mlp_tensor::tensor;
    ///
    /// let t = tensor![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    /// assert_eq!(t.reshape([2, 3]), t.reshape([2, -1]));
    /// let columns = 3;
    /// assert_eq!(t.reshape([2, columns]), t.reshape([-1, columns as isize]));
    /// ```
    ///
    /// # Panics
    /// If the new shape does not hold the same number of values, or more than one length is below 0.
    #[track_caller]
    pub fn reshape<L: Length>(&self, shape: impl AsRef<[L]>) -> Self {
        let shape = shape.as_ref();
        let mut lengths = IxDyn::zeros(shape.len());
        let mut open = None;
        for (axis, length) in shape.iter().enumerate() {
            match length.wide() {
                -1 if open.is_none() => open = Some(axis),
                length => match usize::try_from(length) {
                    Ok(length) => lengths[axis] = length,
                    Err(_) => panic!("reshape: a length is an integer from 0 on or, once, -1, but not {shape:?}"),
                },
            }
        }
        // Beside an axis of length 0 any length would do, so none is found.
        let mut found = true;
        if let Some(axis) = open {
            lengths[axis] = 1;
            let others = count(lengths.slice()).filter(|&others| others > 0);
            found = others.is_some();
            lengths[axis] = self.len() / others.unwrap_or(1);
        }
        assert!(
            found && count(lengths.slice()) == Some(self.len()),
            "reshape: shape {:?} has {} values, shape {shape:?} does not",
            self.shape(),
            self.len()
        );
        self.with_dim(lengths)
    }

    /// All values along one axis, in row-major order, without copying.
    pub fn flatten(&self) -> Self {
        self.with_dim(IxDyn(&[self.len()]))
    }

    /// The same values without `axis`, which has length 1: what [`Tensor::unsqueeze`] put in. Nothing is copied.
    ///
    /// # Panics
    /// If there is no such axis or its length is not 1.
    #[track_caller]
    pub fn squeeze(&self, axis: usize) -> Self {
        self.check_axis("squeeze", axis);
        assert!(self.shape()[axis] == 1, "squeeze: axis {axis} of shape {:?} does not have length 1", self.shape());
        let mut shape = self.shape().to_vec();
        shape.remove(axis);
        self.with_dim(IxDyn(&shape))
    }

    /// The same values with a new axis of length 1 at `axis`, without copying: NumPy's `expand_dims`.
    ///
    /// # Panics
    /// If `axis` is beyond the end.
    #[track_caller]
    pub fn unsqueeze(&self, axis: usize) -> Self {
        assert!(axis <= self.ndim(), "unsqueeze: no place {axis} for an axis in shape {:?}", self.shape());
        let mut shape = self.shape().to_vec();
        shape.insert(axis, 1);
        self.with_dim(IxDyn(&shape))
    }

    /// The transpose of a matrix, copied. To multiply by a transpose use [`Tensor::matmul_tn`] or
    /// [`Tensor::matmul_nt`], which copy nothing.
    ///
    /// # Panics
    /// If the tensor is not of rank 2.
    #[track_caller]
    pub fn t(&self) -> Self {
        assert!(self.ndim() == 2, "t: a matrix has two axes, but this tensor has shape {:?}", self.shape());
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
            sorted.iter().copied().eq(0..self.ndim()),
            "permute: {order:?} does not name every axis of shape {:?} once",
            self.shape()
        );
        copied(self.view().permuted_axes(IxDyn(order)))
    }

    /// The values repeated along new axes and axes of length 1 until the shape is `shape`.
    ///
    /// # Panics
    /// If the tensor does not broadcast to `shape`, or that is too large.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl AsRef<[usize]>) -> Self {
        let shape = shape.as_ref();
        assert!(
            broadcasts_to(self.shape(), shape),
            "broadcast_to: shape {:?} does not broadcast to {shape:?}",
            self.shape()
        );
        let len = expect_count("broadcast_to", shape);
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

    /// The indices `range` of `axis`, copied: `..`, `2..`, `..5`, `2..5` or `2..=4`.
    ///
    /// # Panics
    /// If there is no such axis or the range goes past its end.
    #[track_caller]
    pub fn slice(&self, axis: usize, range: impl RangeBounds<usize>) -> Self {
        self.check_axis("slice", axis);
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&last) => last.saturating_add(1),
            Bound::Excluded(&end) => end,
            Bound::Unbounded => self.shape()[axis],
        };
        let range = start..end;
        assert!(
            range.start <= range.end && range.end <= self.shape()[axis],
            "slice: {range:?} does not lie within axis {axis} of shape {:?}",
            self.shape()
        );
        let [_, length, inner] = self.around(axis);
        let mut shape = self.shape().to_vec();
        shape[axis] = range.len();
        let mut data = room(expect_count("slice", &shape));
        if !self.is_empty() {
            let blocks = self.as_slice().chunks_exact(length * inner);
            blocks.for_each(|block| data.extend_from_slice(&block[range.start * inner..range.end * inner]));
        }
        Self::from_parts(data, IxDyn(&shape))
    }

    /// The values along `axis` with `before` zeros in front of them and `after` zeros behind.
    ///
    /// # Panics
    /// If there is no such axis, or the result is too large.
    #[track_caller]
    pub fn pad(&self, axis: usize, before: usize, after: usize) -> Self {
        self.check_axis("pad", axis);
        let [outer, length, inner] = self.around(axis);
        let mut shape = self.shape().to_vec();
        shape[axis] = length.saturating_add(before).saturating_add(after);
        let mut data = room(expect_count("pad", &shape));
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
            && tensors.iter().all(|t| axis < t.ndim())
            && tensors.iter().all(|t| others(t) == others(tensors[0]));
        assert!(fits, "concatenate: shapes {:?} do not fit together along axis {axis}", shapes(tensors));
        let mut shape = tensors[0].shape().to_vec();
        shape[axis] = tensors.iter().fold(0, |sum, t| sum.saturating_add(t.shape()[axis]));
        let mut data = room(expect_count("concatenate", &shape));
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
        let fits = tensors.first().is_some_and(|first| axis <= first.ndim());
        let fits = fits && tensors.iter().all(|t| t.shape() == tensors[0].shape());
        assert!(fits, "stack: shapes {:?} do not stack along a new axis {axis}", shapes(tensors));
        let tensors: Vec<Self> = tensors.iter().map(|t| t.unsqueeze(axis)).collect();
        Self::concatenate(&tensors.iter().collect::<Vec<_>>(), axis)
    }
}

/// A length of an axis in [`Tensor::reshape`]: a `usize`, or an `i32` or `isize`, of which one may be -1.
pub trait Length: Copy + Debug {
    #[doc(hidden)]
    fn wide(self) -> i128;
}

macro_rules! length {
    ($($type:ty)*) => {
        $(impl Length for $type {
            fn wide(self) -> i128 {
                self as i128
            }
        })*
    };
}

length!(usize isize i32);

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
    fn one_length_is_found() {
        let t = Tensor::<f64>::arange(0.0, 6.0, 1.0);
        for shape in [[2, -1], [-1, 3]] {
            assert_eq!(t.reshape(shape).shape(), [2, 3]);
        }
        assert_eq!(t.reshape([-1]).shape(), [6]);
        assert_eq!(t.reshape(vec![1_isize, -1, 2]).shape(), [1, 3, 2]);
        let (rows, shape) = (2, [3, 2]);
        assert_eq!(t.reshape([rows, 3]).shape(), [2, 3]);
        assert_eq!(t.reshape(shape).shape(), t.reshape(shape.as_slice()).shape());
        assert_eq!(t.reshape([rows as i32, -1]), t.reshape([rows, 3_usize]));
        assert_eq!(Tensor::<f32>::scalar(4.0).reshape([-1]), Tensor::from([4.0]));
        assert_eq!(Tensor::from([4.0_f32]).reshape([0_usize; 0]), Tensor::scalar(4.0));
        assert_eq!(Tensor::<f32>::zeros([0, 4]).reshape([-1, 2]).shape(), [0, 2]);
    }

    #[test]
    fn axes_of_length_one_come_and_go() {
        let t = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
        for axis in 0..=2 {
            let wider = t.unsqueeze(axis);
            assert_eq!(wider.shape().iter().filter(|&&length| length == 1).count(), 1);
            assert_eq!((wider.shape()[axis], wider.squeeze(axis)), (1, t.clone()));
        }
        assert_eq!(Tensor::scalar(1.0_f64).unsqueeze(0).squeeze(0), Tensor::scalar(1.0).flatten().squeeze(0));
        assert_eq!(t.flatten(), Tensor::from([1.0, 2.0, 3.0, 4.0]));
        assert_eq!(Tensor::<f32>::zeros([2, 0, 3]).flatten(), Tensor::zeros([0]));
        assert_eq!(t.flatten().as_slice().as_ptr(), t.as_slice().as_ptr());
    }

    #[test]
    fn open_ranges_reach_to_the_ends() {
        let t = Tensor::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(t.slice(0, ..), t);
        assert_eq!((t.slice(1, 1..), t.slice(1, ..2)), (t.slice(1, 1..3), t.slice(1, 0..2)));
        assert_eq!((t.slice(1, ..=1), t.slice(1, 1..=2)), (t.slice(1, 0..2), t.slice(1, 1..3)));
        assert_eq!((t.slice(0, 2..).shape(), t.slice(0, ..0).shape()), (&[0, 3][..], &[0, 3][..]));
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
