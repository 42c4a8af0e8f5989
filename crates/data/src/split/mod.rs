//! Rows divided: into those to train on and those to test on, and into batches.

mod batches;
mod k_fold;
mod select_rows;
mod stratified;
mod train_test;

use std::collections::HashMap;

use crate::DataError;

pub use batches::batches;
pub use k_fold::KFold;
pub use select_rows::SelectRows;
pub use stratified::StratifiedKFold;
pub use train_test::{TrainTestSplit, train_test_split};

/// The rows to train on, and the rows to test or to validate on. No row is in both, and together they are all.
///
/// Take them out of a tensor with [`select_rows`](mlp_tensor::Tensor::select_rows).
pub type Split = (Vec<usize>, Vec<usize>);

/// At least 2 folds, and at most as many as there are rows.
fn check_folds(folds: usize, rows: usize) -> Result<(), DataError> {
    match folds {
        0 | 1 => Err(DataError::TooFewFolds { folds }),
        _ if folds > rows => Err(DataError::TooManyFolds { folds, rows }),
        _ => Ok(()),
    }
}

/// For every fold the rows of all others and its own. `fold_of` holds the fold of every row.
fn splits(fold_of: &[usize], folds: usize) -> Vec<Split> {
    (0..folds).map(|fold| (0..fold_of.len()).partition(|&row| fold_of[row] != fold)).collect()
}

/// The rows of every class. Classes come in the order of their first rows.
fn rows_by_class(labels: &[usize]) -> Vec<Vec<usize>> {
    let mut place = HashMap::new();
    let mut rows: Vec<Vec<usize>> = Vec::new();
    for (row, &label) in labels.iter().enumerate() {
        let class = *place.entry(label).or_insert(rows.len());
        if class == rows.len() {
            rows.push(Vec::new());
        }
        rows[class].push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_come_in_the_order_of_their_first_rows() {
        assert_eq!(rows_by_class(&[7, usize::MAX, 7, 0]), [vec![0, 2], vec![1], vec![3]]);
        assert!(rows_by_class(&[]).is_empty());
    }
}
