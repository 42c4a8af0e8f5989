//! What one gradient is held in.

use mlp_tensor::{Element, Panels, Tensor, gemm_tn};

use crate::SparseRows;

/// The most products that are added up as one.
const TOGETHER: usize = 16;

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
        /// `[k, n]`, laid out for the product.
        right: Panels<E>,
    },
    /// A table that is zero but for some of its rows.
    Rows(Box<SparseRows<E>>),
}

impl<E: Element> Gradient<E> {
    /// The matrix `leftᵀ · right`, from `[k, m]` and `[k, n]`.
    ///
    /// # Panics
    /// If either is not of rank 2, or they have different numbers of rows.
    #[track_caller]
    pub fn product(left: Tensor<E>, right: &Tensor<E>) -> Self {
        assert!(
            left.ndim() == 2 && right.ndim() == 2 && left.rows() == right.rows(),
            "product: shapes {:?} and {:?} do not multiply",
            left.shape(),
            right.shape()
        );
        Self::Product { left, right: Panels::new(right.view2()) }
    }

    /// The numbers, written out.
    pub fn into_value(self) -> Tensor<E> {
        match self {
            Self::Value(value) => value,
            gradient => gradient.to_value(),
        }
    }

    /// The same, of a gradient that is kept.
    pub(crate) fn to_value(&self) -> Tensor<E> {
        match self {
            Self::Value(value) => value.clone(),
            Self::Product { left, right } => {
                let mut value = Tensor::zeros([left.row_len(), right.columns()]);
                if !value.is_empty() {
                    gemm_tn(&[(left, right)], 0, false, value.as_mut_slice());
                }
                value
            }
            Self::Rows(rows) => rows.to_table(),
        }
    }

    /// The length of every axis.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Self::Value(value) => value.shape().to_vec(),
            Self::Product { left, right } => vec![left.row_len(), right.columns()],
            Self::Rows(rows) => rows.shape().to_vec(),
        }
    }

    /// Sets `out` to this gradient's values from index `start` on, or adds them with `accumulate`.
    ///
    /// What is set has the bits of [`Gradient::into_value`]. What is added is rounded differently for a product of more than
    /// 256 terms, of which blocks of so many are added to `out` one after the other. Adding sparse rows leaves what stands
    /// elsewhere as it is, also a negative zero, which adding 0 would make a positive one.
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
                self.check_product(left, right, start, out.len());
                gemm_tn(&[(left, right)], start / right.columns(), accumulate, out);
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

    /// Sets `out` to the sum of what these gradients hold from index `start` on; to zeros if there are none.
    ///
    /// Products that follow one another are summed as one product of all their rows, to the same bits, 16 of them at a time.
    ///
    /// # Panics
    /// As [`Gradient::write_block`], and if products differ in shape.
    #[track_caller]
    pub fn write_sum<'a>(parts: impl Iterator<Item = &'a Self>, start: usize, out: &mut [E]) {
        let (mut written, mut parts) = (false, parts.peekable());
        while let Some(part) = parts.next() {
            let Self::Product { left, right } = part else {
                part.write_block(start, written, out);
                written = true;
                continue;
            };
            part.check_product(left, right, start, out.len());
            // As many products together as follow one another.
            let mut products = [(left, right); TOGETHER];
            let mut count = 1;
            while count < TOGETHER
                && let Some(Self::Product { left, right }) = parts.next_if(|next| matches!(next, Self::Product { .. }))
            {
                products[count] = (left, right);
                count += 1;
            }
            gemm_tn(&products[..count], start / right.columns(), written, out);
            written = true;
        }
        if !written {
            out.fill(E::zero());
        }
    }

    #[track_caller]
    fn check_product(&self, left: &Tensor<E>, right: &Panels<E>, start: usize, block: usize) {
        let columns = right.columns();
        self.check_end(left.row_len() * columns, start, block);
        assert!(
            columns > 0 && start.is_multiple_of(columns) && block.is_multiple_of(columns),
            "write_block: a block of {block} values from {start} on is not made of rows of {columns}"
        );
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
            Self::Product { left, right } => shape == [left.row_len(), right.columns()],
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
        Gradient::Product { left: Tensor::from([[1.0, 2.0], [3.0, 4.0]]), right: Panels::new(right.view2()) }
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
