//! From nested arrays, vectors and [`ndarray`] to tensors, and back.

use ndarray::{Array, ArrayD, ArrayView, Dimension, IxDyn};

use crate::{Element, Tensor};

impl<E: Element> From<Vec<E>> for Tensor<E> {
    /// A tensor of rank 1, without copying.
    fn from(data: Vec<E>) -> Self {
        let shape = IxDyn(&[data.len()]);
        Self::from_parts(data, shape)
    }
}

impl<E: Element> From<&[E]> for Tensor<E> {
    fn from(data: &[E]) -> Self {
        data.to_vec().into()
    }
}

impl<E: Element, const A: usize> From<[E; A]> for Tensor<E> {
    fn from(data: [E; A]) -> Self {
        data.to_vec().into()
    }
}

impl<E: Element, const A: usize, const B: usize> From<[[E; B]; A]> for Tensor<E> {
    fn from(data: [[E; B]; A]) -> Self {
        Self::from_vec(data.concat(), [A, B])
    }
}

impl<E: Element, const A: usize, const B: usize, const C: usize> From<[[[E; C]; B]; A]> for Tensor<E> {
    fn from(data: [[[E; C]; B]; A]) -> Self {
        Self::from_vec(data.concat().concat(), [A, B, C])
    }
}

impl<E: Element, D: Dimension> From<Array<E, D>> for Tensor<E> {
    /// Takes over the array's memory if it is in row-major order, and copies it if not.
    fn from(array: Array<E, D>) -> Self {
        let shape = IxDyn(array.shape());
        if !array.is_standard_layout() {
            return Self::from_parts(array.iter().copied().collect(), shape);
        }
        let len = array.len();
        let (mut data, offset) = array.into_raw_vec_and_offset();
        data.truncate(offset.unwrap_or(0) + len);
        data.drain(..offset.unwrap_or(0));
        Self::from_parts(data, shape)
    }
}

impl<E: Element, D: Dimension> From<ArrayView<'_, E, D>> for Tensor<E> {
    fn from(view: ArrayView<'_, E, D>) -> Self {
        Self::from_parts(view.iter().copied().collect(), IxDyn(view.shape()))
    }
}

impl<E: Element> From<Tensor<E>> for ArrayD<E> {
    /// Without copying, unless the values are shared with another tensor.
    fn from(tensor: Tensor<E>) -> Self {
        let shape = tensor.dim().clone();
        match ArrayD::from_shape_vec(shape, tensor.into_vec()) {
            Ok(array) => array,
            Err(error) => unreachable!("the length always fits the shape: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Axis, Slice, arr2};

    use super::*;

    #[test]
    fn nested_arrays_keep_their_order() {
        let t = Tensor::from([[[1.0_f32, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]);
        assert_eq!(t.shape(), [2, 2, 2]);
        assert_eq!(t.at([1, 0, 1]), 6.0);
    }

    #[test]
    fn ndarray_goes_in_and_out_without_a_copy() {
        let array = arr2(&[[1.0_f32, 2.0], [3.0, 4.0]]);
        let before = array.as_ptr();
        let tensor = Tensor::from(array);
        assert_eq!(tensor.as_slice().as_ptr(), before);
        let back = ArrayD::from(tensor);
        assert_eq!(back.as_ptr(), before);
    }

    #[test]
    fn arrays_in_another_order_are_copied_right() {
        let array = arr2(&[[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(Tensor::from(array.t()), Tensor::from([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]));
        assert_eq!(Tensor::from(array.clone().reversed_axes()), Tensor::from(array.t()));
        let mut cut: Array2<f32> = array;
        cut.slice_axis_inplace(Axis(0), Slice::from(1..));
        assert_eq!(Tensor::from(cut), Tensor::from([[4.0, 5.0, 6.0]]));
    }
}
