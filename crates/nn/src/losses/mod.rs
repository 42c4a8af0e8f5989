//! What training makes small.

mod cosine;
mod cross_entropy;
mod distribution;
mod focal;
mod hinge;
mod options;
mod regression;
mod targets;

use std::fmt;

use mlp_autograd::Var;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use crate::error::{Problem, above_zero, not_negative};
use crate::{Activation, NnError};

pub use options::{LossOptions, Reduction};
pub use targets::TargetKind;

/// A loss: how far predictions are from their targets.
///
/// Predictions and targets are `[n, k]`: n rows of k values. Every loss gives one number a row ([`Loss::per_row`]),
/// and the mean of these numbers is what training makes small ([`Loss::forward`]). [`Loss::forward_with`] takes
/// weights, label smoothing and other reductions.
///
/// "The mean" below is that over the values of a row. Where the name does not say "with logits" or "with log-rates",
/// predictions are what the network is to output; probabilities or rates below the smallest normal number count as
/// that number, so that their logarithm stays finite.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Loss {
    /// The mean of (p - t)²; for numbers.
    MeanSquaredError,
    /// The mean of |p - t|; for numbers, some of them far off.
    MeanAbsoluteError,
    /// The mean of d²/2 where d = |p - t| is up to `delta`, and of `delta` · (d - `delta`/2) above: squared for small
    /// errors, absolute for large ones.
    ///
    /// Source: Huber, 1964.
    Huber {
        /// The error at which the two meet, finite and above 0; 1 in PyTorch and Keras.
        delta: f64,
    },
    /// The mean of ln cosh(p - t), which is much like [`Loss::Huber`] and smooth.
    LogCosh,
    /// The mean of `q` · (t - p) where p is too small and (1 - `q`) · (p - t) where it is too large, also called
    /// pinball loss: p is trained to be the quantile `q` of the numbers.
    ///
    /// Source: Koenker and Bassett, 1978.
    Quantile {
        /// The share of numbers that are to lie below p, between 0 and 1, without the two.
        q: f64,
    },
    /// The mean of -(t ln p + (1 - t) ln(1 - p)), from probabilities p; for questions that are answered by yes (1) or
    /// no (0), one a column.
    ///
    /// A network that ends in sigmoid is trained from its logits, see [`Loss::before`].
    BinaryCrossEntropy,
    /// The same from logits x: the mean of t ln(1 + e⁻ˣ) + (1 - t) ln(1 + eˣ). The network then ends without an
    /// activation.
    BinaryCrossEntropyWithLogits,
    /// -Σ t · ln p, from probabilities p; for classes.
    ///
    /// A network that ends in softmax is trained from its logits, see [`Loss::before`].
    CategoricalCrossEntropy,
    /// The same from logits x: -Σ t · log_softmax(x). The network then ends without an activation.
    CategoricalCrossEntropyWithLogits,
    /// [`Loss::BinaryCrossEntropy`] times (1 - q)^`gamma`, where q = t p + (1 - t)(1 - p) is the probability of the
    /// right answer: answers that are known already count less.
    ///
    /// Source: Lin, Goyal, Girshick, He and Dollár, 2017.
    BinaryFocal {
        /// How much less, finite and 0 or more; 2 in Keras.
        gamma: f64,
        /// With `alpha`, the loss is multiplied by t `alpha` + (1 - t)(1 - `alpha`); 0 to 1. None in Keras.
        alpha: Option<f64>,
    },
    /// The same from logits.
    BinaryFocalWithLogits {
        /// As in [`Loss::BinaryFocal`].
        gamma: f64,
        /// As in [`Loss::BinaryFocal`].
        alpha: Option<f64>,
    },
    /// -Σ `alpha` · (1 - p)^`gamma` · t · ln p; for classes of which some are known already.
    CategoricalFocal {
        /// How much less those count, finite and 0 or more; 2 in Keras.
        gamma: f64,
        /// A factor of the whole, finite and above 0; 0.25 in Keras.
        alpha: f64,
    },
    /// The same from logits.
    CategoricalFocalWithLogits {
        /// As in [`Loss::CategoricalFocal`].
        gamma: f64,
        /// As in [`Loss::CategoricalFocal`].
        alpha: f64,
    },
    /// The mean of max(1 - t p, 0) for targets t of -1 and 1. A target of 0 counts as -1, as in Keras.
    Hinge,
    /// The mean of max(1 - t p, 0)².
    SquaredHinge,
    /// Σ t · (ln t - ln p), from probabilities p: the Kullback-Leibler divergence of p from t.
    KlDivergence,
    /// The mean of p - t ln p, from rates p above 0; for counts t.
    Poisson,
    /// The same from the logarithms x of the rates: the mean of eˣ - t x. The network then ends without an activation.
    PoissonWithLogRates,
    /// The mean of (s + (m - t)² / eˢ) / 2, for numbers with an uncertainty that is predicted as well. Predictions
    /// `[n, 2k]` hold the k means m of a row and then the k logarithms s of its variances; targets are `[n, k]`.
    ///
    /// The logarithm keeps variances above 0 without an activation; it counts as at most half of that of the largest
    /// number, up or down. The constant ln(2π) / 2 is left out, as in PyTorch.
    ///
    /// Source: Nix and Weigend, 1994.
    GaussianNll,
    /// Minus the cosine of the angle between p and t, from -1 (one direction) to 1, as in Keras. Rows of zeros give 0.
    CosineSimilarity,
}

impl Loss {
    /// The loss of `predictions` for `targets`: one number, the mean over the rows (NaN where there are none).
    ///
    /// Targets have the predictions' shape, but for [`Loss::GaussianNll`]. Where they are the probabilities of classes
    /// ([`TargetKind::Classes`]), `[n]` class numbers do as well: what other libraries call sparse.
    ///
    /// # Panics
    /// If the shapes do not fit, or a class number is none.
    #[track_caller]
    pub fn forward<'t, E: Element>(self, predictions: Var<'t, E>, targets: Var<'t, E>) -> Var<'t, E> {
        let targets = self.in_shape(predictions, targets);
        if self == Self::CategoricalCrossEntropyWithLogits {
            return predictions.cross_entropy_with_logits(targets);
        }
        // Rows are equally long: the mean of their means is the mean of all.
        self.values(predictions, targets, [E::one(); 2]).mean()
    }

    /// The loss of every row, `[n]`.
    ///
    /// # Panics
    /// As [`Loss::forward`].
    #[track_caller]
    pub fn per_row<'t, E: Element>(self, predictions: Var<'t, E>, targets: Var<'t, E>) -> Var<'t, E> {
        self.rows(predictions, self.in_shape(predictions, targets), [E::one(); 2])
    }

    /// The loss with weights, label smoothing and a reduction: one number, or `[n]` with [`Reduction::None`].
    ///
    /// ```
    /// use mlp_autograd::Tape;
    /// use mlp_nn::{Loss, LossOptions, Reduction};
    /// use mlp_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let predictions = tape.variable(Tensor::from([[1.0], [4.0]]));
    /// let targets = tape.constant(Tensor::from([[0.0], [0.0]]));
    /// let options = LossOptions::new().sample_weights(Tensor::from([2.0, 0.5])).reduction(Reduction::Sum);
    /// let loss = Loss::MeanSquaredError.forward_with(predictions, targets, &options);
    /// assert_eq!(loss.value().item(), 2.0 * 1.0 + 0.5 * 16.0);
    /// ```
    ///
    /// # Panics
    /// As [`Loss::forward`], and if the options do not fit, see [`LossOptions::check`].
    #[track_caller]
    pub fn forward_with<'t, E: Element>(
        self,
        predictions: Var<'t, E>,
        targets: Var<'t, E>,
        options: &LossOptions<E>,
    ) -> Var<'t, E> {
        if let Err(error) = options.check(self, &predictions.shape()) {
            panic!("{error}");
        }
        let tape = predictions.tape();
        let targets = options.targets(self, self.in_shape(predictions, targets));
        let weights = options.sample_weights.as_ref().map(|weights| tape.constant(weights.clone()));
        if self == Self::CategoricalCrossEntropyWithLogits && options.reduction == Reduction::Mean {
            // Linear in the targets: the fused operation takes the weights along.
            let rows = predictions.shape()[0];
            let targets = weights.map_or(targets, |weights| targets * weights.reshape([rows, 1]));
            return predictions.cross_entropy_with_logits(targets);
        }
        let rows = self.rows(predictions, targets, options.weights_of_two_classes(self));
        let rows = weights.map_or(rows, |weights| rows * weights);
        match options.reduction {
            Reduction::Mean => rows.mean(),
            Reduction::Sum => rows.sum(),
            Reduction::None => rows,
        }
    }

    /// Whether targets are classes: one-hot rows, or class numbers.
    pub fn is_classification(self) -> bool {
        self.targets() == TargetKind::Classes
    }

    /// The number of values of a target row where a prediction row has `outputs`; `None` if no row of so many fits.
    pub fn target_len(self, outputs: usize) -> Option<usize> {
        match self {
            Self::GaussianNll => outputs.is_multiple_of(2).then_some(outputs / 2),
            _ => Some(outputs),
        }
    }

    /// The loss that is the same number when computed from the values before `activation`; `None` if there is none.
    /// Sigmoid or softmax and cross-entropy together are exact for logits of any size, where one after the other are
    /// not.
    pub fn before(self, activation: Activation) -> Option<Self> {
        match (self, activation) {
            (Self::CategoricalCrossEntropy, Activation::Softmax) => Some(Self::CategoricalCrossEntropyWithLogits),
            (Self::CategoricalFocal { gamma, alpha }, Activation::Softmax) => {
                Some(Self::CategoricalFocalWithLogits { gamma, alpha })
            }
            (Self::BinaryCrossEntropy, Activation::Sigmoid) => Some(Self::BinaryCrossEntropyWithLogits),
            (Self::BinaryFocal { gamma, alpha }, Activation::Sigmoid) => {
                Some(Self::BinaryFocalWithLogits { gamma, alpha })
            }
            _ => None,
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// If one lies outside of its range.
    pub fn check(self) -> Result<(), NnError> {
        let problem = match self {
            Self::Huber { delta } => above_zero("delta", delta),
            Self::Quantile { q } => (!(q > 0.0 && q < 1.0)).then_some(("q", q, "above 0 and below 1")),
            Self::BinaryFocal { gamma, alpha } | Self::BinaryFocalWithLogits { gamma, alpha } => {
                not_negative("gamma", gamma)
                    .or(alpha.filter(|alpha| !(0.0..=1.0).contains(alpha)).map(|alpha| ("alpha", alpha, "from 0 to 1")))
            }
            Self::CategoricalFocal { gamma, alpha } | Self::CategoricalFocalWithLogits { gamma, alpha } => {
                not_negative("gamma", gamma).or(above_zero("alpha", alpha))
            }
            _ => None,
        };
        problem.map_or(Ok(()), |problem| Err(self.setting(problem)))
    }

    pub(crate) fn setting(self, (setting, value, expected): Problem) -> NnError {
        NnError::Setting { layer: format!("loss ({self})"), setting, value, expected }
    }

    /// The targets with the shape that the formulas work on.
    #[track_caller]
    fn in_shape<'t, E: Element>(self, predictions: Var<'t, E>, targets: Var<'t, E>) -> Var<'t, E> {
        let (p, mut t) = (predictions.shape(), targets);
        let (fits, expected) = if self.is_classification() {
            (p.len() == 2 && p[1] > 0, "rows [n, k] with a value for each class")
        } else if matches!(self, Self::GaussianNll | Self::CosineSimilarity) {
            (p.len() >= 2 && p[p.len() - 1] > 0, "rows [n, .., k] of at least one value")
        } else {
            (!p.is_empty(), "rows")
        };
        assert!(fits, "{self}: predictions of shape {p:?} are not {expected}");
        if self.is_classification() && t.shape().len() == 1 {
            assert!(t.shape()[0] == p[0], "{self}: {} class numbers for {} rows of predictions", t.shape()[0], p[0]);
            t = targets::rows_of_classes(self, t, p[1]);
        }
        let (last, mut expected) = (p.len() - 1, p.clone());
        let len = self.target_len(p[last]);
        expected[last] = len.unwrap_or(p[last]);
        assert!(
            len.is_some() && t.shape() == expected,
            "{self}: predictions {p:?} and targets {:?} must have one shape{}",
            t.shape(),
            if self == Self::GaussianNll { ", but for the last axis, which is 2k and k" } else { "" }
        );
        t
    }

    /// One number a row.
    fn rows<'t, E: Element>(self, p: Var<'t, E>, t: Var<'t, E>, weights: [E; 2]) -> Var<'t, E> {
        let values = self.values(p, t, weights);
        let axes: Vec<usize> = (1..values.shape().len()).collect();
        if axes.is_empty() { values } else { values.mean_axes(&axes, false) }
    }

    /// One number a row, or as many as a row has values, of which the mean is to be taken. `weights` are those of the
    /// two classes 0 and 1 where targets are such.
    fn values<'t, E: Element>(self, p: Var<'t, E>, t: Var<'t, E>, weights: [E; 2]) -> Var<'t, E> {
        match self {
            Self::MeanSquaredError => (p - t).square(),
            Self::MeanAbsoluteError => (p - t).abs(),
            Self::Huber { delta } => regression::huber(p, t, delta),
            Self::LogCosh => (p - t).ln_cosh(),
            Self::Quantile { q } => regression::quantile(p, t, q),
            Self::BinaryCrossEntropy => cross_entropy::binary(p, t, weights),
            Self::BinaryCrossEntropyWithLogits => cross_entropy::binary_with_logits(p, t, weights),
            Self::CategoricalCrossEntropy => cross_entropy::categorical(p, t),
            Self::CategoricalCrossEntropyWithLogits => cross_entropy::categorical_with_logits(p, t),
            Self::BinaryFocal { gamma, alpha } => focal::binary(p, t, weights, (gamma, alpha)),
            Self::BinaryFocalWithLogits { gamma, alpha } => focal::binary_with_logits(p, t, weights, (gamma, alpha)),
            Self::CategoricalFocal { gamma, alpha } => focal::categorical(p, t, (gamma, alpha)),
            Self::CategoricalFocalWithLogits { gamma, alpha } => focal::categorical_with_logits(p, t, (gamma, alpha)),
            Self::Hinge => hinge::hinge(p, t, weights, |miss| miss),
            Self::SquaredHinge => hinge::hinge(p, t, weights, Var::square),
            Self::KlDivergence => distribution::kl_divergence(p, t),
            Self::Poisson => distribution::poisson(p, t),
            Self::PoissonWithLogRates => p.exp() - t * p,
            Self::GaussianNll => distribution::gaussian(p, t),
            Self::CosineSimilarity => cosine::similarity(p, t),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MeanSquaredError => f.write_str("mean squared error"),
            Self::MeanAbsoluteError => f.write_str("mean absolute error"),
            Self::Huber { delta } => write!(f, "Huber loss with delta {delta}"),
            Self::LogCosh => f.write_str("log-cosh"),
            Self::Quantile { q } => write!(f, "quantile loss with q {q}"),
            Self::BinaryCrossEntropy => f.write_str("binary cross-entropy"),
            Self::BinaryCrossEntropyWithLogits => f.write_str("binary cross-entropy with logits"),
            Self::CategoricalCrossEntropy => f.write_str("categorical cross-entropy"),
            Self::CategoricalCrossEntropyWithLogits => f.write_str("categorical cross-entropy with logits"),
            Self::BinaryFocal { .. } => f.write_str("binary focal loss"),
            Self::BinaryFocalWithLogits { .. } => f.write_str("binary focal loss with logits"),
            Self::CategoricalFocal { .. } => f.write_str("categorical focal loss"),
            Self::CategoricalFocalWithLogits { .. } => f.write_str("categorical focal loss with logits"),
            Self::Hinge => f.write_str("hinge loss"),
            Self::SquaredHinge => f.write_str("squared hinge loss"),
            Self::KlDivergence => f.write_str("Kullback-Leibler divergence"),
            Self::Poisson => f.write_str("Poisson loss"),
            Self::PoissonWithLogRates => f.write_str("Poisson loss with log-rates"),
            Self::GaussianNll => f.write_str("Gaussian negative log-likelihood"),
            Self::CosineSimilarity => f.write_str("cosine similarity"),
        }
    }
}
