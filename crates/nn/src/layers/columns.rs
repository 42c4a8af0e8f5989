//! The columns of an input, on their way to the layers that look categories up.

use std::sync::Arc;

use mlp_tensor::Element;

use crate::NnError;

/// Some of the values of every row of an input, which no layer has computed with so far.
#[derive(Clone, Debug)]
pub(crate) enum Columns {
    /// So many, from the first on.
    All(usize),
    /// Those at these places of a row.
    Chosen(Arc<[usize]>),
}

/// A layer that reads columns of the network's input as categories.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    /// The layer's path and kind.
    pub(crate) layer: String,
    pub(crate) columns: Columns,
    /// The number of categories.
    pub(crate) categories: usize,
}

impl Columns {
    pub(crate) fn all(count: usize) -> Self {
        Self::All(count)
    }

    /// Some of these columns. The places must be there.
    pub(crate) fn select(&self, places: &[usize]) -> Self {
        Self::Chosen(match self {
            Self::All(_) => places.into(),
            Self::Chosen(chosen) => places.iter().map(|&place| chosen[place]).collect(),
        })
    }
}

impl Lookup {
    /// Checks the rows `x` of so many values, of which the first is row `first` of the caller's.
    pub(crate) fn check<E: Element>(&self, first: usize, x: &[E], width: usize) -> Result<(), NnError> {
        for (row, values) in x.chunks_exact(width).enumerate() {
            let bad = |&column: &usize| category(values[column], self.categories).is_none();
            let found = match &self.columns {
                Columns::All(count) => (0..*count).find(bad),
                Columns::Chosen(chosen) => chosen.iter().copied().find(bad),
            };
            if let Some(column) = found {
                let (row, value) = (first + row, values[column].as_f64());
                let (layer, categories) = (self.layer.clone(), self.categories);
                return Err(NnError::Category { layer, row, column, value, categories });
            }
        }
        Ok(())
    }
}

/// The category that a value stands for, if it is one of so many.
pub(super) fn category<E: Element>(value: E, categories: usize) -> Option<usize> {
    let value = value.as_f64();
    (value >= 0.0 && value < categories as f64 && value.fract() == 0.0).then_some(value as usize)
}
