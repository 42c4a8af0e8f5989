//! The tensor itself: a shared block of numbers and a shape.

use ndarray::{ArrayView2, ArrayViewD, ArrayViewMut2, Dimension, IxDyn};

use crate::memory::{Shared, room};
use crate::{Element, TensorError};

/// A dense array of numbers in row-major order, of any shape.
///
/// A clone shares the numbers; the first write to one of the two copies them. A tensor of shape `[]` is a single
/// number.
///
/// `Tensor` alone is a tensor of `f32`, the type that networks train in, and so is [`tensor!`](crate::tensor!). Everywhere
/// else Rust takes bare numbers for `f64`, so write the type where nothing else tells it: `let x: Tensor =
/// Tensor::zeros([2, 3]);`.
#[derive(Clone)]
pub struct Tensor<E: Element = f32> {
    data: Shared<E>,
    shape: IxDyn,
}

impl<E: Element> Tensor<E> {
    /// A tensor of `shape` that holds `data` in row-major order.
    ///
    /// # Panics
    /// If the shape does not hold as many values as `data` has. For numbers from outside use
    /// [`Tensor::try_from_vec`].
    #[track_caller]
    pub fn from_vec(data: Vec<E>, shape: impl AsRef<[usize]>) -> Self {
        match Self::try_from_vec(data, shape) {
            Ok(tensor) => tensor,
            Err(error) => panic!("from_vec: {error}"),
        }
    }

    /// A tensor of `shape` that holds `data` in row-major order.
    ///
    /// # Errors
    /// If the shape does not hold as many values as `data` has.
    pub fn try_from_vec(data: Vec<E>, shape: impl AsRef<[usize]>) -> Result<Self, TensorError> {
        let shape = shape.as_ref();
        match count(shape) {
            None => Err(TensorError::TooLarge { shape: shape.to_vec() }),
            Some(expected) if expected != data.len() => {
                Err(TensorError::WrongLength { shape: shape.to_vec(), expected, found: data.len() })
            }
            Some(_) => Ok(Self::from_parts(data, IxDyn(shape))),
        }
    }

    /// A table whose rows are `rows`: shape `[rows.len(), rows[0].len()]`, or `[0, 0]` without rows.
    ///
    /// # Errors
    /// If the rows differ in length.
    pub fn from_rows<R: AsRef<[E]>>(rows: &[R]) -> Result<Self, TensorError> {
        let columns = rows.first().map_or(0, |row| row.as_ref().len());
        let mut data = Vec::with_capacity(rows.len() * columns);
        for (index, row) in rows.iter().enumerate() {
            let row = row.as_ref();
            if row.len() != columns {
                return Err(TensorError::RaggedRows { row: index, expected: columns, found: row.len() });
            }
            data.extend_from_slice(row);
        }
        Ok(Self::from_vec(data, [rows.len(), columns]))
    }

    /// A single number, of shape `[]`.
    pub fn scalar(value: E) -> Self {
        Self::from_vec(vec![value], [])
    }

    /// `shape` filled with zeros.
    ///
    /// # Panics
    /// If the shape is too large.
    #[track_caller]
    pub fn zeros(shape: impl AsRef<[usize]>) -> Self {
        Self::filled("zeros", shape.as_ref(), E::zero())
    }

    /// `shape` filled with ones.
    ///
    /// # Panics
    /// If the shape is too large.
    #[track_caller]
    pub fn ones(shape: impl AsRef<[usize]>) -> Self {
        Self::filled("ones", shape.as_ref(), E::one())
    }

    /// `shape` filled with `value`.
    ///
    /// # Panics
    /// If the shape is too large.
    #[track_caller]
    pub fn full(shape: impl AsRef<[usize]>, value: E) -> Self {
        Self::filled("full", shape.as_ref(), value)
    }

    #[track_caller]
    fn filled(op: &str, shape: &[usize], value: E) -> Self {
        let len = expect_count(op, shape);
        let mut data = room(len);
        data.resize(len, value);
        Self::from_parts(data, IxDyn(shape))
    }

    /// The identity matrix of `n` rows.
    ///
    /// # Panics
    /// If it is too large.
    #[track_caller]
    pub fn eye(n: usize) -> Self {
        let mut data = vec![E::zero(); expect_count("eye", &[n, n])];
        data.iter_mut().step_by(n + 1).for_each(|v| *v = E::one());
        Self::from_vec(data, [n, n])
    }

    /// The caller has checked that the lengths agree.
    pub(crate) fn from_parts(data: Vec<E>, shape: IxDyn) -> Self {
        debug_assert_eq!(data.len(), shape.size());
        Self { data: Shared::new(data), shape }
    }

    pub(crate) fn dim(&self) -> &IxDyn {
        &self.shape
    }

    pub(crate) fn with_dim(&self, shape: IxDyn) -> Self {
        debug_assert_eq!(self.len(), shape.size());
        Self { data: self.data.clone(), shape }
    }

    /// The length of every axis.
    #[inline]
    pub fn shape(&self) -> &[usize] {
        self.shape.slice()
    }

    /// The number of axes.
    #[inline]
    pub fn ndim(&self) -> usize {
        self.shape.ndim()
    }

    /// The number of values.
    #[inline]
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// The values, in row-major order.
    pub fn iter(&self) -> std::slice::Iter<'_, E> {
        self.as_slice().iter()
    }

    /// Whether there are no values.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The length of the first axis: the rows of a table. A single number has one.
    #[inline]
    pub fn rows(&self) -> usize {
        self.shape().first().copied().unwrap_or(1)
    }

    /// The number of values in one row, that is, at one index of the first axis.
    #[inline]
    pub fn row_len(&self) -> usize {
        self.shape().iter().skip(1).product()
    }

    /// The values in row-major order.
    #[inline]
    pub fn as_slice(&self) -> &[E] {
        &self.data
    }

    /// The values in row-major order, to be written to. Copies them first if they are shared with another tensor.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [E] {
        self.data.make_mut()
    }

    /// A copy of the values in row-major order.
    pub fn to_vec(&self) -> Vec<E> {
        self.as_slice().to_vec()
    }

    /// The values in row-major order; copies them only if they are shared with another tensor.
    pub fn into_vec(self) -> Vec<E> {
        self.data.into_vec()
    }

    /// The values at `row` of the first axis.
    ///
    /// # Panics
    /// If there is no such row.
    #[track_caller]
    pub fn row(&self, row: usize) -> &[E] {
        assert!(row < self.rows(), "row: no row {row} in a tensor of shape {:?}", self.shape());
        let width = self.row_len();
        &self.as_slice()[row * width..(row + 1) * width]
    }

    /// The one value of a tensor that has one, whatever its rank.
    ///
    /// # Panics
    /// If it does not have exactly one value.
    #[track_caller]
    pub fn item(&self) -> E {
        assert!(self.len() == 1, "item: a tensor of shape {:?} does not hold exactly one value", self.shape());
        self.data[0]
    }

    /// The tensor as an [`ndarray`] view.
    #[track_caller]
    pub fn view(&self) -> ArrayViewD<'_, E> {
        match ArrayViewD::from_shape(self.shape.clone(), self.as_slice()) {
            Ok(view) => view,
            Err(error) => unreachable!("the length always fits the shape: {error}"),
        }
    }

    /// A matrix as an [`ndarray`] view, for products of its parts.
    ///
    /// # Panics
    /// If the tensor is not of rank 2.
    #[track_caller]
    pub fn view2(&self) -> ArrayView2<'_, E> {
        match *self.shape() {
            [rows, columns] => match ArrayView2::from_shape((rows, columns), self.as_slice()) {
                Ok(view) => view,
                Err(error) => unreachable!("the length always fits the shape: {error}"),
            },
            _ => panic!("view2: a matrix has two axes, but this tensor has shape {:?}", self.shape()),
        }
    }

    /// A matrix as an [`ndarray`] view to be written to. Copies the values first if they are shared.
    ///
    /// # Panics
    /// If the tensor is not of rank 2.
    #[track_caller]
    pub fn view2_mut(&mut self) -> ArrayViewMut2<'_, E> {
        let &[rows, columns] = self.shape() else {
            panic!("view2_mut: a matrix has two axes, but this tensor has shape {:?}", self.shape())
        };
        match ArrayViewMut2::from_shape((rows, columns), self.as_mut_slice()) {
            Ok(view) => view,
            Err(error) => unreachable!("the length always fits the shape: {error}"),
        }
    }

    /// The same values in another precision, rounded to the nearest.
    pub fn cast<F: Element>(&self) -> Tensor<F> {
        Tensor::from_parts(self.as_slice().iter().map(|v| F::from_f64(v.as_f64())).collect(), self.shape.clone())
    }

    /// Whether both hold the same shape and the same bits: a NaN equals one of the same bits here, and 0 differs from -0.
    pub fn bit_eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.as_slice().iter().zip(other.as_slice()).all(|(a, b)| a.bits() == b.bits())
    }
}

/// The number of values in `shape`. None if it is too large even without the axes of length 0: [`ndarray`] has no views
/// of such shapes.
pub(crate) fn count(shape: &[usize]) -> Option<usize> {
    let others = shape.iter().filter(|&&d| d != 0).try_fold(1usize, |n, &d| n.checked_mul(d))?;
    isize::try_from(others).ok()?;
    Some(if shape.contains(&0) { 0 } else { others })
}

#[track_caller]
pub(crate) fn expect_count(op: &str, shape: &[usize]) -> usize {
    match count(shape) {
        Some(count) => count,
        None => panic!("{op}: {}", TensorError::TooLarge { shape: shape.to_vec() }),
    }
}

impl<E: Element> PartialEq for Tensor<E> {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.as_slice() == other.as_slice()
    }
}

impl<'a, E: Element> IntoIterator for &'a Tensor<E> {
    type Item = &'a E;
    type IntoIter = std::slice::Iter<'a, E>;

    /// The values, in row-major order.
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_shares_until_it_is_written_to() {
        let a = Tensor::from([1.0_f32, 2.0]);
        let mut b = a.clone();
        assert_eq!(a.as_slice().as_ptr(), b.as_slice().as_ptr());
        b.as_mut_slice()[0] = 9.0;
        assert_eq!(a, Tensor::from([1.0, 2.0]));
        assert_eq!(b, Tensor::from([9.0, 2.0]));
    }

    #[test]
    fn a_tensor_that_is_not_shared_is_written_in_place() {
        let mut a = Tensor::from([1.0_f32, 2.0]);
        let before = a.as_slice().as_ptr();
        a.as_mut_slice()[0] = 3.0;
        assert_eq!(a.as_slice().as_ptr(), before);
        let values = a.into_vec();
        assert_eq!(values.as_ptr(), before);
    }

    #[test]
    fn ragged_rows_name_the_row() {
        let error = Tensor::<f32>::from_rows(&[vec![1.0, 2.0], vec![3.0, 4.0], vec![5.0]]).unwrap_err();
        assert_eq!(error, TensorError::RaggedRows { row: 2, expected: 2, found: 1 });
        assert!(error.to_string().contains("row 2 has 1 values, but row 0 has 2"), "{error}");
        assert_eq!(Tensor::<f32>::from_rows::<Vec<f32>>(&[]).unwrap().shape(), [0, 0]);
    }

    #[test]
    fn a_wrong_length_is_an_error_and_an_absurd_shape_too() {
        assert!(matches!(Tensor::try_from_vec(vec![1.0_f32], [2]), Err(TensorError::WrongLength { expected: 2, .. })));
        let absurd = [usize::MAX, 2];
        assert!(matches!(Tensor::try_from_vec(vec![1.0_f32], absurd), Err(TensorError::TooLarge { .. })));
    }

    #[test]
    fn bit_equality_tells_zeros_apart_and_knows_nan() {
        let a = Tensor::from([f32::NAN, 0.0]);
        assert!(a.bit_eq(&a.clone()));
        assert!(!a.bit_eq(&Tensor::from([f32::NAN, -0.0])));
        // A quiet NaN and a signaling one, which a conversion makes quiet.
        let [quiet, signaling] = [0x7fc0_0001, 0x7f80_0001].map(|bits| Tensor::from([f32::from_bits(bits)]));
        assert!(quiet.bit_eq(&quiet.clone()) && !quiet.bit_eq(&signaling));
    }
}
