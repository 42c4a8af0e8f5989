//! What one gradient is held in.

use mlp_tensor::ndarray::{ArrayView2, ArrayViewMut2, Axis, Slice};
use mlp_tensor::{Element, Tensor, gemm};

use crate::SparseRows;

/// One gradient: as numbers, or in a form from which they are computed on demand.
///
/// The gradient of a weight matrix is a product of two small matrices, the layer's input and the gradient of its
/// output; that of an embedding is zero but for the rows that were used. Code that adds up such gradients (those of the
/// parts of a batch) or uses them block by block never needs to write one out: [`Gradient::write_block`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Gradient<E: Element = f32> {
    /// The numbers themselves.
    Value(Tensor<E>),
    /// The matrix `leftᵀ · right`, from `[k, m]` and `[k, n]`.
    Product {
        /// `[k, m]`
        left: Tensor<E>,
        /// `[k, n]`
        right: Tensor<E>,
    },
    /// A table that is zero but for some of its rows.
    Rows(Box<SparseRows<E>>),
}

impl<E: Element> Gradient<E> {
    /// The numbers, written out.
    pub fn into_value(self) -> Tensor<E> {
        match self {
            Self::Value(value) => value,
            Self::Product { left, right } => left.matmul_tn(&right),
            Self::Rows(rows) => rows.to_table(),
        }
    }

    /// The length of every axis.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Self::Value(value) => value.shape().to_vec(),
            Self::Product { left, right } => vec![left.row_len(), right.row_len()],
            Self::Rows(rows) => rows.shape().to_vec(),
        }
    }

    /// Sets `out` to this gradient's values from index `start` on, or adds them with `accumulate`.
    ///
    /// What is set has the bits of [`Gradient::into_value`]. What is added is rounded differently for a product, whose terms
    /// are added to `out` one after the other. Adding sparse rows leaves what stands elsewhere as it is, also a negative zero,
    /// which adding 0 would make a positive one.
    ///
    /// # Panics
    /// If the block goes past the end, or the gradient is a product and the block is not made of whole rows.
    #[track_caller]
    pub fn write_block(&self, start: usize, accumulate: bool, out: &mut [E]) {
        match self {
            Self::Value(value) => {
                self.check_end(value.len(), start, out.len());
                let block = &value.as_slice()[start..start + out.len()];
                if accumulate {
                    out.iter_mut().zip(block).for_each(|(o, &v)| *o += v);
                } else {
                    out.copy_from_slice(block);
                }
            }
            Self::Product { left, right } => {
                let columns = right.row_len();
                self.check_end(left.row_len() * columns, start, out.len());
                assert!(
                    columns > 0 && start.is_multiple_of(columns) && out.len().is_multiple_of(columns),
                    "write_block: a block of {} values from {start} on is not made of rows of {columns}",
                    out.len()
                );
                let (first, rows) = (start / columns, out.len() / columns);
                let part = Slice::from(first..first + rows);
                let left: ArrayView2<'_, E> = left.view2();
                let left = left.slice_axis(Axis(1), part).reversed_axes();
                let beta = if accumulate { E::one() } else { E::zero() };
                match ArrayViewMut2::from_shape((rows, columns), out) {
                    Ok(out) => gemm(left, right.view2(), beta, out),
                    Err(error) => unreachable!("the block has rows x columns values: {error}"),
                }
            }
            Self::Rows(rows) => {
                self.check_end(rows.shape().iter().product(), start, out.len());
                if !accumulate {
                    out.fill(E::zero());
                }
                rows.add_block(start, out);
            }
        }
    }

    #[track_caller]
    fn check_end(&self, len: usize, start: usize, block: usize) {
        assert!(
            start <= len && block <= len - start,
            "write_block: a block of {block} values from {start} on goes past the end of a gradient of shape {:?}",
            self.shape()
        );
    }

    pub(crate) fn has_shape(&self, shape: &[usize]) -> bool {
        match self {
            Self::Value(value) => value.shape() == shape,
            Self::Product { left, right } => shape == [left.row_len(), right.row_len()],
            Self::Rows(rows) => rows.shape() == shape,
        }
    }

    pub(crate) fn add(self, other: Self) -> Self {
        match (self, other) {
            (Self::Rows(rows), Self::Rows(other)) => Self::Rows(Box::new(rows.add(&other))),
            (gradient, other) => {
                let mut sum = gradient.into_value();
                sum += &other.into_value();
                Self::Value(sum)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [[1, 2], [3, 4]]ᵀ · [[1, 0, 1], [0, 1, 1]].
    fn product() -> Gradient<f64> {
        let right = Tensor::from([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]);
        Gradient::Product { left: Tensor::from([[1.0, 2.0], [3.0, 4.0]]), right }
    }

    #[test]
    fn a_product_is_multiplied_out_row_by_row() {
        let whole = Tensor::from([[1.0, 3.0, 4.0], [2.0, 4.0, 6.0]]);
        assert_eq!((product().shape(), product().into_value()), (vec![2, 3], whole));
        let mut row = [10.0; 3];
        product().write_block(3, true, &mut row);
        assert_eq!(row, [12.0, 14.0, 16.0]);
        product().write_block(0, false, &mut row);
        assert_eq!(row, [1.0, 3.0, 4.0]);
    }

    #[test]
    #[should_panic(expected = "write_block: a block of 2 values from 3 on is not made of rows of 3")]
    fn a_part_of_a_row_of_a_product_is_refused() {
        product().write_block(3, false, &mut [0.0; 2]);
    }

    #[test]
    #[should_panic(
        expected = "write_block: a block of 3 values from 6 on goes past the end of a gradient of shape [2, 3]"
    )]
    fn a_block_past_the_end_is_refused() {
        product().write_block(6, false, &mut [0.0; 3]);
    }
}
