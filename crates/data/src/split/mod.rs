//! Rows divided into those to train on and those to test on.

mod k_fold;
mod stratified;
mod train_test;

use std::collections::HashMap;

use crate::DataError;

pub use k_fold::KFold;
pub use stratified::StratifiedKFold;
pub use train_test::{TrainTestSplit, train_test_split};

/// The rows to train on and the rows to test on. Together they are all rows, and no row is in both.
///
/// Take the rows out of a tensor with [`select_rows`](mlp_tensor::Tensor::select_rows).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The rows to train on.
    pub train: Vec<usize>,
    /// The rows to test on.
    pub test: Vec<usize>,
}

/// At least 2 folds, and at most as many as there are rows.
fn check_folds(folds: usize, rows: usize) -> Result<(), DataError> {
    match folds {
        0 | 1 => Err(DataError::TooFewFolds { folds }),
        _ if folds > rows => Err(DataError::TooManyFolds { folds, rows }),
        _ => Ok(()),
    }
}

/// One split per fold: its rows are tested on, all others trained on. `fold_of` holds the fold of every row.
fn splits(fold_of: &[usize], folds: usize) -> Vec<Split> {
    let split = |fold| {
        let (test, train) = (0..fold_of.len()).partition(|&row| fold_of[row] == fold);
        Split { train, test }
    };
    (0..folds).map(split).collect()
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
