//! What is measured beside the loss.

use std::fmt;

use mlp_nn::Loss;
use mlp_tensor::{Element, Tensor, argmax};

/// A measure of how good predictions are, for people to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Metric {
    /// The share of rows whose largest output is that of the target's class.
    Accuracy,
    /// The mean of |p - t| over all values.
    MeanAbsoluteError,
    /// The mean of (p - t)² over all values: the loss of that name without penalties on the weights.
    MeanSquaredError,
}

impl Metric {
    /// All metrics.
    pub const ALL: [Self; 3] = [Self::Accuracy, Self::MeanAbsoluteError, Self::MeanSquaredError];

    /// The name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::MeanAbsoluteError => "mean_absolute_error",
            Self::MeanSquaredError => "mean_squared_error",
        }
    }

    /// Whether the metric says something about what `loss` trains.
    pub fn fits(self, loss: Loss) -> bool {
        // A Gaussian's predictions are means and variances: of another shape than the targets.
        loss != Loss::GaussianNll && loss.is_classification() == (self == Self::Accuracy)
    }

    /// The sum of the measure over the rows; divided by their number it is the metric. Accuracy may be taken from
    /// logits as well as from probabilities.
    pub(crate) fn sum_over_rows<E: Element>(self, predictions: &Tensor<E>, targets: &Tensor<E>) -> f64 {
        let differences = predictions.as_slice().iter().zip(targets.as_slice()).map(|(&p, &t)| (p - t).as_f64());
        let width = predictions.row_len() as f64;
        match self {
            Self::Accuracy => {
                let rows = 0..predictions.rows();
                rows.filter(|&row| argmax(predictions.row(row)) == argmax(targets.row(row))).count() as f64
            }
            Self::MeanAbsoluteError => differences.map(f64::abs).sum::<f64>() / width,
            Self::MeanSquaredError => differences.map(|d| d * d).sum::<f64>() / width,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
