//! What training makes small.

use std::fmt;

use mlp_autograd::Var;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

/// A loss: one number for how far predictions are from their targets, the mean over the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Loss {
    /// The mean of (p - t)² over all values; for regression.
    MeanSquaredError,
    /// The mean over the rows of -Σ t · ln p, from probabilities p; for classes.
    ///
    /// Where a network ends in softmax, [`Network`](crate::Network) and training compute both together from the
    /// logits, which is exact for any size of logit. On probabilities alone, p below the smallest normal number
    /// counts as that number, so that the loss stays finite.
    CategoricalCrossEntropy,
    /// The same from logits x: the mean over the rows of -Σ t · log_softmax(x). The network then ends without an
    /// activation.
    CategoricalCrossEntropyWithLogits,
}

impl Loss {
    /// The loss of `predictions` `[n, k]` for `targets` `[n, k]`: one number. A target row is the values wanted, or
    /// for cross-entropy the probability of every class (one-hot, as a rule).
    ///
    /// # Panics
    /// If the shapes differ, or for cross-entropy are not of rank 2 with at least one value.
    #[track_caller]
    pub fn forward<'t, E: Element>(self, predictions: Var<'t, E>, targets: Var<'t, E>) -> Var<'t, E> {
        let (p, t) = (predictions.shape(), targets.shape());
        assert!(p == t, "{self}: predictions {p:?} and targets {t:?} must have one shape");
        match self {
            Self::MeanSquaredError => (predictions - targets).square().mean(),
            Self::CategoricalCrossEntropy => {
                let p = predictions.clamp(E::min_positive_value(), E::max_value());
                -(targets * p.ln()).sum_axes(&[1], false).mean()
            }
            Self::CategoricalCrossEntropyWithLogits => predictions.cross_entropy_with_logits(targets),
        }
    }

    /// Whether targets are classes: one-hot rows, or class numbers.
    pub fn is_classification(self) -> bool {
        match self {
            Self::MeanSquaredError => false,
            Self::CategoricalCrossEntropy | Self::CategoricalCrossEntropyWithLogits => true,
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MeanSquaredError => "mean squared error",
            Self::CategoricalCrossEntropy => "categorical cross-entropy",
            Self::CategoricalCrossEntropyWithLogits => "categorical cross-entropy with logits",
        })
    }
}
