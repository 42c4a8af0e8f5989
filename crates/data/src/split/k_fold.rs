//! Cross-validation: k folds of the rows, each tested on once.

use mlp_tensor::Rng;

use super::{Split, check_folds, splits};
use crate::DataError;

/// Divides rows into `k` folds; each fold is tested on once while the others are trained on.
///
/// The folds are of the same size, except that the first `n % k` have one row more. Without a shuffle each fold is a
/// run of neighboring rows, so shuffle a table that is sorted by class, or use
/// [`StratifiedKFold`](crate::StratifiedKFold).
///
/// ```
/// use mlp_data::KFold;
///
/// let folds = KFold::new(3).split(7)?;
/// let (train, validation) = &folds[1];
/// assert_eq!((&train[..], &validation[..]), (&[0, 1, 2, 5, 6][..], &[3, 4][..]));
/// # Ok::<(), mlp_data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KFold {
    folds: usize,
    seed: Option<u64>,
}

impl KFold {
    /// `folds` folds of rows in their order, at least 2.
    pub fn new(folds: usize) -> Self {
        Self { folds, seed: None }
    }

    /// The same, with the rows put into folds at random. The same seed gives the same folds.
    #[must_use]
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// For every fold the rows to train on and those to validate on, which together are the rows 0 to `n - 1`. The rows of
    /// each part come in ascending order.
    ///
    /// # Errors
    /// If there are fewer than 2 folds, or more folds than rows.
    pub fn split(&self, n: usize) -> Result<Vec<Split>, DataError> {
        check_folds(self.folds, n)?;
        let order = self.seed.map_or_else(|| (0..n).collect(), |seed| Rng::new(seed).permutation(n));
        let (size, larger) = (n / self.folds, n % self.folds);
        let folds = (0..self.folds).flat_map(|fold| std::iter::repeat_n(fold, size + usize::from(fold < larger)));
        let mut fold_of = vec![0; n];
        for (row, fold) in order.into_iter().zip(folds) {
            fold_of[row] = fold;
        }
        Ok(splits(&fold_of, self.folds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffled_folds_are_not_runs_of_rows() {
        let splits = KFold::new(5).shuffle(1).split(50).unwrap();
        assert!(splits.iter().all(|(_, test)| test.len() == 10 && test[9] - test[0] > 9));
    }

    #[test]
    fn as_many_folds_as_rows_leave_one_out() {
        let splits = KFold::new(3).split(3).unwrap();
        assert_eq!(splits[2], (vec![0, 1], vec![2]));
    }

    #[test]
    fn a_number_of_folds_that_cannot_be_is_an_error() {
        assert_eq!(KFold::new(0).split(5), Err(DataError::TooFewFolds { folds: 0 }));
        assert_eq!(KFold::new(1).split(5), Err(DataError::TooFewFolds { folds: 1 }));
        assert_eq!(KFold::new(6).split(5), Err(DataError::TooManyFolds { folds: 6, rows: 5 }));
        assert_eq!(KFold::new(2).split(0), Err(DataError::TooManyFolds { folds: 2, rows: 0 }));
    }
}
