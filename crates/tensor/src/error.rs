//! What can be wrong with numbers that come from outside.

use std::fmt;

use crate::Compact;

/// Why rows or numbers from outside do not make a tensor.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// The rows of a table differ in length.
    #[error("row {row} has {found} values, but row 0 has {expected}; every row of a table needs the same length")]
    RaggedRows {
        /// The first row of another length, counted from 0.
        row: usize,
        /// The length of row 0.
        expected: usize,
        /// The length of `row`.
        found: usize,
    },
    /// The count of numbers is not the count that the shape holds.
    #[error("a tensor of shape {shape:?} holds {expected} values, but {found} were given")]
    WrongLength {
        /// The shape asked for.
        shape: Vec<usize>,
        /// The number of values in that shape.
        expected: usize,
        /// The number of values given.
        found: usize,
    },
    /// The shape holds more values than a machine word counts.
    #[error("a tensor of shape {shape:?} holds more values than this machine can count")]
    TooLarge {
        /// The shape asked for.
        shape: Vec<usize>,
    },
    /// The tensor does not have as many axes as an array of fixed rank.
    #[error("an array of rank {expected} cannot hold a tensor of shape {shape:?}")]
    WrongRank {
        /// The number of axes of the array.
        expected: usize,
        /// The tensor's shape.
        shape: Vec<usize>,
    },
    /// A value of a matrix that cannot be kept in fewer bits.
    #[error("the value at {index:?} is {value}, which has no nearest {format}; {}", needs(*format))]
    NotCompact {
        /// The row and the column of the first such value.
        index: [usize; 2],
        /// The value.
        value: f64,
        /// What it was to be kept as.
        format: Compact,
    },
}

/// What values have to be.
fn needs(format: Compact) -> &'static str {
    match format {
        Compact::Bfloat16 => "values must be finite and at most 3.39e38 in size",
        Compact::Int8 => "values must be finite",
    }
}

impl fmt::Debug for TensorError {
    /// The message, so that a `main` that returns the error tells people what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;

    /// A `main` that returns the error prints it so.
    #[test]
    fn an_error_is_its_message_with_debug_as_well() {
        let errors = [
            Tensor::from_rows(&[vec![1.0], vec![1.0, 2.0]]).unwrap_err(),
            Tensor::try_from_vec(vec![1.0], [2, 3]).unwrap_err(),
            Tensor::<f64>::try_from_vec(vec![], [usize::MAX, 2]).unwrap_err(),
            TensorError::WrongRank { expected: 1, shape: vec![2, 2] },
        ];
        for error in errors {
            assert_eq!(format!("{error:?}"), error.to_string());
        }
    }
}
