//! Checks of what comes from outside, for everything that takes tables.

use mlp_tensor::{Element, Tensor};

use crate::DataError;

/// Checks that every value is a finite number. The first index of the tensor is the row; the column is the place in
/// that row.
///
/// ```
/// use mlp_tensor::Tensor;
///
/// let error = mlp_data::check_finite("x", &Tensor::from([[1.0, 2.0], [3.0, f32::NAN]])).unwrap_err();
/// assert!(error.to_string().starts_with("x holds NaN in row 1, column 1 (counted from 0)"));
/// ```
///
/// # Errors
/// [`DataError::NotFinite`] with `name` and the place of the first value that is NaN or infinite.
pub fn check_finite<E: Element>(name: &str, table: &Tensor<E>) -> Result<(), DataError> {
    match table.as_slice().iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => {
            let width = table.row_len();
            Err(DataError::NotFinite {
                name: name.to_owned(),
                row: index / width,
                column: index % width,
                value: table.as_slice()[index].as_f64(),
            })
        }
    }
}

/// Checks that two things that go together row by row have the same number of rows.
///
/// # Errors
/// [`DataError::RowsDiffer`] with both names and both counts.
pub fn check_same_rows(name: &str, rows: usize, other: &str, other_rows: usize) -> Result<(), DataError> {
    if rows == other_rows {
        return Ok(());
    }
    Err(DataError::RowsDiffer { name: name.to_owned(), rows, other: other.to_owned(), other_rows })
}

/// The numbers of rows and columns of a table.
pub(crate) fn table_shape<E: Element>(name: &str, table: &Tensor<E>) -> Result<(usize, usize), DataError> {
    match *table.shape() {
        [rows, columns] => Ok((rows, columns)),
        _ => Err(DataError::NotATable { name: name.to_owned(), shape: table.shape().to_vec() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finite_numbers_of_any_rank_pass() {
        assert_eq!(check_finite("x", &Tensor::from([[1.0_f32, -2.0], [f32::MAX, 0.0]])), Ok(()));
        assert_eq!(check_finite("x", &Tensor::scalar(1.0_f64)), Ok(()));
        assert_eq!(check_finite("x", &Tensor::<f32>::zeros([0, 3])), Ok(()));
        assert_eq!(check_finite("x", &Tensor::<f32>::zeros([3, 0])), Ok(()));
    }

    #[test]
    fn the_first_bad_value_is_named_whatever_the_rank() {
        let place = |t: &Tensor<f32>| match check_finite("t", t) {
            Err(DataError::NotFinite { row, column, .. }) => (row, column),
            other => panic!("{other:?}"),
        };
        let bad = f32::NEG_INFINITY;
        assert_eq!(place(&Tensor::scalar(bad)), (0, 0));
        assert_eq!(place(&Tensor::from([0.0, bad, bad])), (1, 0));
        assert_eq!(place(&Tensor::from([[0.0, 1.0, 2.0], [3.0, 4.0, bad]])), (1, 2));
        assert_eq!(place(&Tensor::from([[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, bad]]])), (1, 3));
    }
}
