//! Shapes: reshaping, transposing, cutting and joining.

use std::ops::Range;

use ndarray::{ArrayViewD, Axis, IxDyn, Slice};

use crate::memory::room;
use crate::tensor::count;
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
        self.view2().t().into()
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
        self.view().permuted_axes(IxDyn(order)).into()
    }

    /// The values repeated along new axes and axes of length 1 until the shape is `shape`.
    ///
    /// # Panics
    /// If the tensor does not broadcast to `shape`.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl AsRef<[usize]>) -> Self {
        let shape = shape.as_ref();
        if let (&[width], &[rows, columns]) = (self.shape(), shape)
            && width == columns
        {
            let mut data = room(rows * columns);
            (0..rows).for_each(|_| data.extend_from_slice(self.as_slice()));
            return Self::from_vec(data, shape);
        }
        match self.view().broadcast(IxDyn(shape)) {
            Some(view) => view.into(),
            None => panic!("broadcast_to: shape {:?} does not broadcast to {shape:?}", self.shape()),
        }
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
        self.view().slice_axis(Axis(axis), Slice::from(range)).into()
    }

    /// The rows (indices of the first axis) that `rows` names, in that order; a row may be named more than once.
    ///
    /// # Panics
    /// If there is no such row.
    #[track_caller]
    pub fn gather_rows(&self, rows: &[usize]) -> Self {
        let (count, width) = (self.rows(), self.row_len());
        let mut data = room(rows.len() * width);
        for &row in rows {
            assert!(row < count, "gather_rows: no row {row} in a tensor of shape {:?}", self.shape());
            data.extend_from_slice(&self.as_slice()[row * width..(row + 1) * width]);
        }
        let mut shape = self.shape().to_vec();
        if let Some(first) = shape.first_mut() {
            *first = rows.len();
        } else {
            shape.push(rows.len());
        }
        Self::from_vec(data, shape)
    }

    /// The tensors one after the other along `axis`.
    ///
    /// # Panics
    /// If there are none, or their shapes differ on another axis.
    #[track_caller]
    pub fn concatenate(tensors: &[&Self], axis: usize) -> Self {
        let views: Vec<ArrayViewD<'_, E>> = tensors.iter().map(|t| t.view()).collect();
        // ndarray takes it for granted that the ranks are equal.
        let same_rank = tensors.windows(2).all(|pair| pair[0].rank() == pair[1].rank());
        match same_rank.then(|| ndarray::concatenate(Axis(axis), &views)) {
            Some(Ok(array)) => array.into(),
            _ => {
                let shapes: Vec<&[usize]> = tensors.iter().map(|t| t.shape()).collect();
                panic!("concatenate: shapes {shapes:?} do not fit together along axis {axis}")
            }
        }
    }
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
    fn rows_are_gathered_in_the_order_given() {
        let t = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        assert_eq!(t.gather_rows(&[2, 0, 2]), Tensor::from([[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]]));
        assert_eq!(t.gather_rows(&[]).shape(), [0, 2]);
    }

    #[test]
    fn cutting_and_joining_are_inverse() {
        let t = Tensor::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let (left, right) = (t.slice(1, 0..1), t.slice(1, 1..3));
        assert_eq!(right, Tensor::from([[2.0, 3.0], [5.0, 6.0]]));
        assert_eq!(Tensor::concatenate(&[&left, &right], 1), t);
        assert_eq!(t.slice(0, 1..1).shape(), [0, 3]);
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
