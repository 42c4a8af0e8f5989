//! Cross-validation with the classes in the same proportions in every fold.

use mlp_tensor::Rng;

use super::{Split, check_folds, rows_by_class, splits};
use crate::DataError;

/// Divides rows into `k` folds that hold the classes in the same proportions.
///
/// The rows are dealt out class after class like cards, one to each fold in turn. So the folds differ by at most one
/// row in size, and by at most one row of each class. This is scikit-learn's rule.
///
/// ```
/// use mlp_data::StratifiedKFold;
///
/// let folds = StratifiedKFold::new(2).split(&[0, 0, 0, 0, 1, 1])?;
/// assert_eq!(folds, [(vec![2, 3, 5], vec![0, 1, 4]), (vec![0, 1, 4], vec![2, 3, 5])]);
/// # Ok::<(), mlp_data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StratifiedKFold {
    folds: usize,
    seed: Option<u64>,
}

impl StratifiedKFold {
    /// `folds` folds, at least 2. The first rows of each class go into the first fold, and so on.
    pub fn new(folds: usize) -> Self {
        Self { folds, seed: None }
    }

    /// The same, with the rows of each class put into folds at random. The same seed gives the same folds.
    #[must_use]
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// For every fold the rows to train on and those to validate on; `labels` holds the class of every row. The rows of each
    /// part come in ascending order. A class with fewer rows than there are folds is missing in some.
    ///
    /// # Errors
    /// If there are fewer than 2 folds, more folds than rows, or more folds than the largest class has rows.
    pub fn split(&self, labels: &[usize]) -> Result<Vec<Split>, DataError> {
        check_folds(self.folds, labels.len())?;
        let classes = rows_by_class(labels);
        let largest = classes.iter().map(Vec::len).max().unwrap_or(0);
        if self.folds > largest {
            return Err(DataError::TooManyStratifiedFolds { folds: self.folds, largest });
        }
        let mut rng = self.seed.map(Rng::new);
        let mut fold_of = vec![0; labels.len()];
        let mut dealt = 0;
        for rows in classes {
            let mut folds: Vec<usize> = (dealt..dealt + rows.len()).map(|card| card % self.folds).collect();
            dealt += rows.len();
            match &mut rng {
                Some(rng) => rng.shuffle(&mut folds),
                None => folds.sort_unstable(),
            }
            for (row, fold) in rows.into_iter().zip(folds) {
                fold_of[row] = fold;
            }
        }
        Ok(splits(&fold_of, self.folds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_with_fewer_rows_than_folds_is_allowed() {
        let splits = StratifiedKFold::new(3).split(&[0, 0, 0, 9]).unwrap();
        assert_eq!(splits.iter().map(|(_, test)| test.len()).collect::<Vec<_>>(), [2, 1, 1]);
    }

    #[test]
    fn a_number_of_folds_that_cannot_be_is_an_error() {
        let labels = [0, 0, 1, 1, 1];
        assert_eq!(StratifiedKFold::new(1).split(&labels), Err(DataError::TooFewFolds { folds: 1 }));
        assert_eq!(StratifiedKFold::new(6).split(&labels), Err(DataError::TooManyFolds { folds: 6, rows: 5 }));
        assert_eq!(StratifiedKFold::new(2).split(&[]), Err(DataError::TooManyFolds { folds: 2, rows: 0 }));
        let error = StratifiedKFold::new(4).split(&labels);
        assert_eq!(error, Err(DataError::TooManyStratifiedFolds { folds: 4, largest: 3 }));
    }
}
