//! The columns of an input, on their way to the layers that look categories up.

use mlp_tensor::{Element, Tensor};

use super::Stack;
use crate::NnError;

/// Some of the values of every row of an input, which no layer has computed with so far.
#[derive(Clone, Debug)]
pub(crate) struct Columns<'a, E: Element> {
    x: &'a Tensor<E>,
    /// Their places in a row; `None` for all of them.
    chosen: Option<Vec<usize>>,
}

impl<'a, E: Element> Columns<'a, E> {
    pub(crate) fn all(x: &'a Tensor<E>) -> Self {
        Self { x, chosen: None }
    }

    pub(crate) fn select(&self, columns: &[usize]) -> Self {
        let place = |&column: &usize| self.chosen.as_ref().map_or(column, |chosen| chosen[column]);
        Self { x: self.x, chosen: Some(columns.iter().map(place).collect()) }
    }

    /// Every value with its row and its column.
    pub(crate) fn values(&self) -> impl Iterator<Item = (usize, usize, E)> {
        let (width, values) = (self.x.row_len(), self.x.as_slice());
        let chosen = self.chosen.as_deref();
        let count = chosen.map_or(width, <[usize]>::len);
        (0..self.x.rows()).flat_map(move |row| {
            (0..count).map(move |index| {
                let column = chosen.map_or(index, |chosen| chosen[index]);
                (row, column, values[row * width + column])
            })
        })
    }
}

impl Stack {
    /// Checks the columns that layers look up; `place` is the stack's path with a dot, or nothing.
    pub(crate) fn check_columns<'a, E: Element>(
        &self,
        columns: &Columns<'a, E>,
        place: &str,
    ) -> Result<Option<Columns<'a, E>>, NnError> {
        let mut columns = columns.clone();
        for (index, layer) in self.layers().iter().enumerate() {
            match layer.check_columns(&columns, &format!("{place}layers.{index}"))? {
                Some(kept) => columns = kept,
                None => return Ok(None),
            }
        }
        Ok(Some(columns))
    }
}
