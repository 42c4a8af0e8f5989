//! What can be taken apart by rows.

use mlp_tensor::{Element, Tensor};

/// A thing for every row of a table: a tensor, or a list of class numbers, of labels, or of anything else.
pub trait SelectRows {
    /// What some of them are.
    type Selected;

    /// The number of rows.
    fn row_count(&self) -> usize;

    /// Those of the given rows, in their order.
    ///
    /// # Panics
    /// If there is no such row.
    fn selected(&self, rows: &[usize]) -> Self::Selected;
}

impl<E: Element> SelectRows for Tensor<E> {
    type Selected = Self;

    fn row_count(&self) -> usize {
        self.rows()
    }

    #[track_caller]
    fn selected(&self, rows: &[usize]) -> Self {
        self.select_rows(rows)
    }
}

impl<T: Clone> SelectRows for [T] {
    type Selected = Vec<T>;

    fn row_count(&self) -> usize {
        self.len()
    }

    #[track_caller]
    fn selected(&self, rows: &[usize]) -> Vec<T> {
        rows.iter().map(|&row| self[row].clone()).collect()
    }
}

impl<T: Clone> SelectRows for Vec<T> {
    type Selected = Self;

    fn row_count(&self) -> usize {
        self.len()
    }

    #[track_caller]
    fn selected(&self, rows: &[usize]) -> Self {
        self[..].selected(rows)
    }
}
