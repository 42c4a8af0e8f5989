//! From nested arrays, vectors and [`ndarray`] to tensors, and back.

use ndarray::{Array, ArrayD, ArrayView, ArrayViewD, Dimension, Ix0, Ix1, Ix2, Ix3, Ix4, Ix5, Ix6, IxDyn};

use crate::{Element, Tensor, TensorError};

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

impl<E: Element> FromIterator<E> for Tensor<E> {
    /// A tensor of rank 1.
    fn from_iter<I: IntoIterator<Item = E>>(values: I) -> Self {
        Vec::from_iter(values).into()
    }
}

impl<E: Element, const N: usize> From<Vec<[E; N]>> for Tensor<E> {
    /// A table whose rows are those of the vector.
    fn from(rows: Vec<[E; N]>) -> Self {
        rows.as_slice().into()
    }
}

impl<E: Element, const N: usize> From<&[[E; N]]> for Tensor<E> {
    fn from(rows: &[[E; N]]) -> Self {
        Self::from_vec(rows.as_flattened().to_vec(), [rows.len(), N])
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

impl<E: Element, const A: usize, const B: usize, const C: usize, const D: usize> From<[[[[E; D]; C]; B]; A]>
    for Tensor<E>
{
    fn from(data: [[[[E; D]; C]; B]; A]) -> Self {
        Self::from_vec(data.as_flattened().as_flattened().as_flattened().to_vec(), [A, B, C, D])
    }
}

impl<E: Element, const A: usize, const B: usize, const C: usize, const D: usize, const F: usize>
    From<[[[[[E; F]; D]; C]; B]; A]> for Tensor<E>
{
    fn from(data: [[[[[E; F]; D]; C]; B]; A]) -> Self {
        let rows = data.as_flattened().as_flattened().as_flattened();
        Self::from_vec(rows.as_flattened().to_vec(), [A, B, C, D, F])
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

impl<E: Element, D: Dimension> From<&Array<E, D>> for Tensor<E> {
    fn from(array: &Array<E, D>) -> Self {
        array.view().into()
    }
}

impl<'a, E: Element> From<&'a Tensor<E>> for ArrayViewD<'a, E> {
    /// The same as [`Tensor::view`].
    fn from(tensor: &'a Tensor<E>) -> Self {
        tensor.view()
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

/// To arrays and views of fixed rank.
macro_rules! fixed_rank {
    ($($dimension:ident)*) => {
        $(
            impl<E: Element> TryFrom<Tensor<E>> for Array<E, $dimension> {
                type Error = TensorError;

                /// Without copying, unless the values are shared with another tensor.
                ///
                /// # Errors
                /// If the tensor has another number of axes.
                fn try_from(tensor: Tensor<E>) -> Result<Self, TensorError> {
                    let wrong = wrong_rank::<E, $dimension>(&tensor);
                    ArrayD::from(tensor).into_dimensionality().map_err(|_| wrong)
                }
            }

            impl<'a, E: Element> TryFrom<&'a Tensor<E>> for ArrayView<'a, E, $dimension> {
                type Error = TensorError;

                /// # Errors
                /// If the tensor has another number of axes.
                fn try_from(tensor: &'a Tensor<E>) -> Result<Self, TensorError> {
                    tensor.view().into_dimensionality().map_err(|_| wrong_rank::<E, $dimension>(tensor))
                }
            }
        )*
    };
}

fixed_rank!(Ix0 Ix1 Ix2 Ix3 Ix4 Ix5 Ix6);

fn wrong_rank<E: Element, D: Dimension>(tensor: &Tensor<E>) -> TensorError {
    TensorError::WrongRank { expected: D::NDIM.unwrap_or_default(), shape: tensor.shape().to_vec() }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, Axis, Slice, arr2};

    use super::*;

    #[test]
    fn nested_arrays_keep_their_order() {
        let t = Tensor::from([[[1.0_f32, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]);
        assert_eq!(t.shape(), [2, 2, 2]);
        assert_eq!(t[[1, 0, 1]], 6.0);
        let t = Tensor::from([[[[1.0_f64, 2.0, 3.0]], [[4.0, 5.0, 6.0]]]]);
        assert_eq!((t.shape(), t[[0, 1, 0, 2]]), (&[1, 2, 1, 3][..], 6.0));
    }

    #[test]
    fn rows_and_iterators_become_tensors() {
        let rows = vec![[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0]];
        assert_eq!(Tensor::from(rows.as_slice()), Tensor::from(rows.clone()));
        assert_eq!(Tensor::from(rows), Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
        assert_eq!(Tensor::from(Vec::<[f32; 3]>::new()).shape(), [0, 3]);
        assert_eq!((0..3).map(f64::from).collect::<Tensor<f64>>(), Tensor::from([0.0, 1.0, 2.0]));
        let t: Tensor = std::iter::empty().collect();
        assert_eq!((t.shape(), t.to_vec()), (&[0][..], vec![]));
    }

    #[test]
    fn arrays_of_a_fixed_rank_are_had_if_the_rank_is_theirs() {
        let t = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
        let before = t.as_slice().as_ptr();
        let view = ArrayView2::try_from(&t).unwrap();
        assert_eq!(view, arr2(&[[1.0, 2.0], [3.0, 4.0]]));
        assert_eq!(ArrayViewD::from(&t), t.view());
        let error = ArrayView1::try_from(&t).unwrap_err();
        assert_eq!(error, TensorError::WrongRank { expected: 1, shape: vec![2, 2] });
        assert_eq!(error.to_string(), "an array of rank 1 cannot hold a tensor of shape [2, 2]");
        assert_eq!(Array3::try_from(t.clone()).unwrap_err(), TensorError::WrongRank { expected: 3, shape: vec![2, 2] });
        assert_eq!(Tensor::from(&arr2(&[[1.0, 2.0], [3.0, 4.0]])), t);
        let array: Array2<f32> = t.try_into().unwrap();
        assert_eq!(array.as_ptr(), before);
        assert_eq!(Array1::try_from(Tensor::<f64>::zeros([0])).unwrap().len(), 0);
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
