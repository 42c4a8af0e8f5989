//! What a metric is shown.

use mlp_tensor::{Element, Tensor};

/// Some rows: what was predicted, what came true, and how much each row counts.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, E: Element = f32> {
    predictions: &'a Tensor<E>,
    targets: &'a Tensor<E>,
    labels: Option<&'a Labels>,
    weights: Option<&'a [f64]>,
}

/// The classes of some rows as numbers, predicted and true: one a row, or where a row has several labels, 0 or 1 for each
/// label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    predicted: Vec<usize>,
    actual: Vec<usize>,
}

impl Labels {
    /// Predicted and true classes.
    ///
    /// # Panics
    /// If there are more of one than of the other.
    #[track_caller]
    pub fn new(predicted: impl Into<Vec<usize>>, actual: impl Into<Vec<usize>>) -> Self {
        let (predicted, actual) = (predicted.into(), actual.into());
        assert!(
            predicted.len() == actual.len(),
            "Labels: {} classes were predicted, but there are {} true ones",
            predicted.len(),
            actual.len()
        );
        Self { predicted, actual }
    }

    /// The predicted classes, row after row.
    pub fn predicted(&self) -> &[usize] {
        &self.predicted
    }

    /// The true classes, row after row.
    pub fn actual(&self) -> &[usize] {
        &self.actual
    }
}

impl<'a, E: Element> Batch<'a, E> {
    /// Rows of predictions `[n, ..]` and their targets `[n, ..]`, all of the same weight.
    ///
    /// # Panics
    /// If predictions and targets differ in the number of rows.
    #[track_caller]
    pub fn new(predictions: &'a Tensor<E>, targets: &'a Tensor<E>) -> Self {
        assert!(
            predictions.ndim() > 0 && targets.ndim() > 0 && predictions.rows() == targets.rows(),
            "Batch: predictions of shape {:?} and targets of shape {:?} are not of the same rows",
            predictions.shape(),
            targets.shape()
        );
        Self { predictions, targets, labels: None, weights: None }
    }

    /// With the classes of the rows, for a task that has some.
    ///
    /// # Panics
    /// If rows differ in the number of their classes.
    #[must_use]
    #[track_caller]
    pub fn with_labels(self, labels: &'a Labels) -> Self {
        let (count, rows) = (labels.actual.len(), self.rows());
        assert!(
            (rows == 0 && count == 0) || (rows > 0 && count.is_multiple_of(rows)),
            "Batch: {count} classes cannot be divided among {rows} rows"
        );
        Self { labels: Some(labels), ..self }
    }

    /// With a weight for every row, 0 or more.
    ///
    /// # Panics
    /// If there is not one for each row.
    #[must_use]
    #[track_caller]
    pub fn with_weights(self, weights: &'a [f64]) -> Self {
        assert!(weights.len() == self.rows(), "Batch: {} weights for {} rows", weights.len(), self.rows());
        Self { weights: Some(weights), ..self }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.predictions.rows()
    }

    /// What was predicted: probabilities or, with a hinge loss, scores where the task is about classes, numbers in the
    /// targets' units otherwise.
    pub fn predictions(&self) -> &'a Tensor<E> {
        self.predictions
    }

    /// What came true, usually in the shape of the predictions: numbers, one-hot rows, 0 and 1.
    pub fn targets(&self) -> &'a Tensor<E> {
        self.targets
    }

    /// The classes of the rows; `None` where the task has none.
    pub fn labels(&self) -> Option<&'a Labels> {
        self.labels
    }

    /// How much row `row` counts: 1 if no weights were given.
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// Adds the sum over the rows of `measure(row)`, each times the row's weight, and the sum of the weights to the two
    /// numbers of `state`: what a metric that is a weighted mean over rows keeps.
    pub fn add_mean(&self, state: &mut Vec<f64>, measure: impl Fn(usize) -> f64) {
        state.resize(2, 0.0);
        for row in 0..self.rows() {
            let weight = self.weight(row);
            // A row of weight 0 takes no part, whatever it is.
            if weight != 0.0 {
                state[0] += weight * measure(row);
                state[1] += weight;
            }
        }
    }

    /// [`Batch::add_mean`] of the mean over a row's values of `measure(p - t)`, for the metric of this name.
    #[track_caller]
    pub(crate) fn add_mean_error(&self, name: &str, state: &mut Vec<f64>, measure: impl Fn(f64) -> f64) {
        let (predictions, targets) = (self.predictions, self.targets);
        assert!(
            predictions.shape() == targets.shape(),
            "{name}: predictions {:?} and targets {:?} must have one shape",
            predictions.shape(),
            targets.shape()
        );
        self.add_mean(state, |row| {
            let (p, t) = (predictions.row(row), targets.row(row));
            let errors = p.iter().zip(t).map(|(p, t)| measure(p.as_f64() - t.as_f64()));
            errors.sum::<f64>() / p.len() as f64
        });
    }

    /// The same rows in double precision, handed to `f`.
    pub(crate) fn in_double<R>(&self, f: impl FnOnce(&Batch<'_, f64>) -> R) -> R {
        let (predictions, targets) = (self.predictions.cast(), self.targets.cast());
        f(&Batch { predictions: &predictions, targets: &targets, labels: self.labels, weights: self.weights })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "predictions of shape [2, 1] and targets of shape [3, 1] are not of the same rows")]
    fn rows_must_agree() {
        let _ = Batch::new(&Tensor::<f32>::zeros([2, 1]), &Tensor::zeros([3, 1]));
    }

    #[test]
    #[should_panic(expected = "3 classes cannot be divided among 2 rows")]
    fn classes_must_agree() {
        let x = Tensor::<f32>::zeros([2, 1]);
        let _ = Batch::new(&x, &x).with_labels(&Labels::new([1, 2, 3], [1, 2, 3]));
    }
}
