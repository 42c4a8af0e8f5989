//! What training makes small.
//!
//! A loss is a file here: its settings as a struct, and what it computes as a [`Kind`]. The list below is the one place
//! that names them all.

mod binary_cross_entropy;
mod binary_focal;
mod categorical_cross_entropy;
mod categorical_focal;
mod cosine_similarity;
mod custom;
mod gaussian_nll;
mod hinge;
mod huber;
mod kind;
mod kl_divergence;
mod log_cosh;
mod mean_absolute_error;
mod mean_squared_error;
mod options;
mod poisson;
mod quantile;
mod squared_hinge;
mod targets;

use std::fmt;

use mlp_autograd::{Tape, Var};
use mlp_tensor::{Element, Tensor};

use crate::family::family;
use crate::setting::{NumberType, Problem};
use crate::{Activation, NnError, OutputFunction};
use kind::Kind;

pub use custom::CustomLoss;
pub use options::LossOptions;
pub use targets::TargetKind;

family! {
    /// A loss: how far predictions are from their targets.
    ///
    /// Outputs x and targets t are `[n, k]`: n rows of k values. Every loss gives one number a row
    /// ([`Loss::per_row`]), and the mean of these numbers is what training makes small ([`Loss::forward`]).
    /// "The mean" below is that over the values of a row.
    ///
    /// A loss takes what a network computes when it ends without an activation: cross-entropies and their like take
    /// logits, [`Loss::Poisson`] logarithms of rates. A network may also end in the function that makes predictions
    /// of these ([`Loss::function`]); then the loss is computed from what is before that function
    /// ([`Loss::input_from`]), which is exact for logits of any size, where one after the other is not.
    pub enum Loss, matched by with_loss;
    /// A loss of your own: see [`CustomLoss`].
    Custom;
    /// The mean of (x - t)²; for numbers.
    mean_squared_error::MeanSquaredError,
    /// The mean of |x - t|; for numbers, some of them far off.
    mean_absolute_error::MeanAbsoluteError,
    /// The mean of d²/2 where d = |x - t| is up to `delta`, and of `delta` · (d - `delta`/2) above: squared for small
    /// errors, absolute for large ones.
    ///
    /// Source: Huber, 1964.
    huber::Huber {
        /// The error at which the two meet, finite and above 0; 1 in PyTorch and Keras.
        delta: f64
    },
    /// The mean of ln cosh(x - t), which is much like [`Loss::Huber`] and smooth.
    log_cosh::LogCosh,
    /// The mean of `q` · (t - x) where x is too small and (1 - `q`) · (x - t) where it is too large, also called
    /// pinball loss: x is trained to be the quantile `q` of the numbers.
    ///
    /// Source: Koenker and Bassett, 1978.
    quantile::Quantile {
        /// The share of numbers that are to lie below x, between 0 and 1, without the two.
        q: f64
    },
    /// The mean of -(t ln p + (1 - t) ln(1 - p)) from logits x, with p = sigmoid(x); for questions that are answered by
    /// yes (1) or no (0), one a column. Computed as t ln(1 + e⁻ˣ) + (1 - t) ln(1 + eˣ).
    binary_cross_entropy::BinaryCrossEntropy,
    /// -Σ t · ln p from logits x, with p = softmax(x); for classes. Computed as -Σ t · log_softmax(x).
    categorical_cross_entropy::CategoricalCrossEntropy,
    /// [`Loss::BinaryCrossEntropy`] times (1 - q)^`gamma`, where q = t p + (1 - t)(1 - p) is the probability of the
    /// right answer: answers that are known already count less.
    ///
    /// Source: Lin, Goyal, Girshick, He and Dollár, 2017.
    binary_focal::BinaryFocal {
        /// How much less, finite and 0 or more; 2 in Keras.
        gamma: f64,
        /// With `alpha`, the loss is multiplied by t `alpha` + (1 - t)(1 - `alpha`); 0 to 1. None in Keras.
        alpha: Option<f64>
    },
    /// -Σ `alpha` · (1 - p)^`gamma` · t · ln p from logits x, with p = softmax(x); for classes of which some are known
    /// already.
    categorical_focal::CategoricalFocal {
        /// How much less those count, finite and 0 or more; 2 in Keras.
        gamma: f64,
        /// A factor of the whole, finite and above 0; 0.25 in Keras.
        alpha: f64
    },
    /// The mean of max(1 - t x, 0) for targets t of -1 and 1. A target of 0 counts as -1, as in Keras. The network ends
    /// without an activation, or in one with values on both sides of 0, such as tanh.
    hinge::Hinge,
    /// The mean of max(1 - t x, 0)², of networks that end as for [`Loss::Hinge`].
    squared_hinge::SquaredHinge,
    /// Σ t · (ln t - ln p) from logits x, with p = softmax(x): the Kullback-Leibler divergence of p from t.
    kl_divergence::KlDivergence,
    /// The mean of r - t ln r for counts t, from the logarithms x of the rates r; computed as eˣ - t x. A network may
    /// also end in an activation whose values are rates, 0 and above, such as softplus.
    poisson::Poisson,
    /// The mean of (s + (m - t)² / eˢ) / 2, for numbers with an uncertainty that is predicted as well. Outputs
    /// `[n, 2k]` hold the k means m of a row and then the k logarithms s of its variances; targets are `[n, k]`.
    ///
    /// The logarithm keeps variances above 0 without an activation; it counts as at most half of that of the largest
    /// number, up or down. The constant ln(2π) / 2 is left out, as in PyTorch.
    ///
    /// Source: Nix and Weigend, 1994.
    gaussian_nll::GaussianNll,
    /// Minus the cosine of the angle between x and t, from -1 (one direction) to 1, as in Keras. Rows of zeros give 0,
    /// and a gradient of 0.
    cosine_similarity::CosineSimilarity,
}

impl Loss {
    /// The loss of `outputs` for `targets`: one number, the mean over the rows (NaN where there are none).
    ///
    /// Targets have the outputs' shape, but for [`Loss::GaussianNll`]. Where they are the probabilities of classes
    /// ([`TargetKind::Classes`]), `[n]` class numbers do as well: what other libraries call sparse.
    ///
    /// ```
    /// use mlp_autograd::Tape;
    /// use mlp_nn::Loss;
    /// use mlp_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let outputs = tape.variable(Tensor::from([[1.0], [4.0]]));
    /// let targets = tape.constant(Tensor::from([[0.0], [0.0]]));
    /// assert_eq!(Loss::MeanSquaredError.forward(outputs, targets).value().item(), 8.5);
    ///
    /// // Weights of rows are factors of the rows' losses.
    /// let weights = tape.constant(Tensor::from([2.0, 0.5]));
    /// let loss = (Loss::MeanSquaredError.per_row(outputs, targets) * weights).sum();
    /// assert_eq!(loss.value().item(), 2.0 * 1.0 + 0.5 * 16.0);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit, a class number is none, or a setting lies outside of its range (see [`Loss::check`]).
    #[track_caller]
    pub fn forward<'t, E: Element>(&self, outputs: Var<'t, E>, targets: Var<'t, E>) -> Var<'t, E> {
        self.per_row(outputs, targets).mean()
    }

    /// The number that [`Loss::forward`] gives, of plain tensors: nothing is recorded, and there is no gradient.
    ///
    /// `outputs` are what the loss takes: logits for the cross-entropies, not the probabilities that a model predicts.
    ///
    /// ```
    /// use mlp_nn::Loss;
    /// use mlp_tensor::Tensor;
    ///
    /// let (outputs, targets) = (Tensor::from([[1.0], [4.0]]), Tensor::from([[0.0], [0.0]]));
    /// assert_eq!(Loss::MeanSquaredError.value(&outputs, &targets), (1.0 + 16.0) / 2.0);
    ///
    /// // Even logits: each of two classes has probability 1/2, and the loss is ln 2.
    /// let loss = Loss::CategoricalCrossEntropy.value(&Tensor::from([[3.0, 3.0]]), &Tensor::from([[0.0, 1.0]]));
    /// assert!((loss - std::f64::consts::LN_2).abs() < 1e-12);
    /// ```
    ///
    /// # Panics
    /// As [`Loss::forward`].
    #[track_caller]
    pub fn value<E: Element>(&self, outputs: &Tensor<E>, targets: &Tensor<E>) -> E {
        let tape = Tape::no_record();
        self.forward(tape.constant(outputs.clone()), tape.constant(targets.clone())).value().item()
    }

    /// The loss of every row, `[n]`.
    ///
    /// # Panics
    /// As [`Loss::forward`].
    #[track_caller]
    pub fn per_row<'t, E: Element>(&self, outputs: Var<'t, E>, targets: Var<'t, E>) -> Var<'t, E> {
        let t = self.in_shape(outputs, targets);
        if let Err(error) = self.check_settings::<E>() {
            panic!("{error}");
        }
        mean_of_rows(with_loss!(self, kind => kind.values(outputs, t)))
    }

    /// The loss of every row, `[n]`, with label smoothing and weights of classes.
    ///
    /// # Panics
    /// As [`Loss::forward`], and if the options do not fit, see [`LossOptions::check`], or a user's loss gives one number
    /// a row where weights are those of values.
    #[track_caller]
    pub fn per_row_with<'t, E: Element>(
        &self,
        outputs: Var<'t, E>,
        targets: Var<'t, E>,
        options: &LossOptions,
    ) -> Var<'t, E> {
        if options.is_empty() {
            return self.per_row(outputs, targets);
        }
        let t = self.in_shape(outputs, targets);
        let row = outputs.value().shape().last().copied().unwrap_or(1);
        if let Err(error) = self.check_settings::<E>().and_then(|()| options.check::<E>(self, row)) {
            panic!("{error}");
        }
        let values = with_loss!(self, kind => kind.values(outputs, options.smooth(self, t)));
        match options.weights(self, &t.value()) {
            None => mean_of_rows(values),
            Some(weights) if weights.len() == weights.rows() => {
                let weights = values.tape().constant(weights.reshape([values.rows()]));
                mean_of_rows(values) * weights
            }
            Some(weights) => {
                assert!(
                    values.shape() == weights.shape(),
                    "{self}: weights of no and yes are those of values, but the loss gives {:?} where the targets are \
                     {:?}; give a number for each value",
                    values.shape(),
                    weights.shape()
                );
                mean_of_rows(values * values.tape().constant(weights))
            }
        }
    }

    /// What the loss wants for targets.
    pub fn targets(&self) -> TargetKind {
        with_loss!(self, kind => kind.targets())
    }

    /// Whether targets are classes: one-hot rows, or class numbers.
    pub fn is_classification(&self) -> bool {
        self.targets() == TargetKind::Classes
    }

    /// What makes predictions of the values that the loss takes: softmax or sigmoid of logits, the exponential of
    /// logarithms of rates; nothing, where the loss takes predictions.
    pub fn function(&self) -> OutputFunction {
        with_loss!(self, kind => kind.function())
    }

    /// The number of values of a target row where a row of outputs has `outputs`; `None` if no row of so many fits.
    pub fn target_len(&self, outputs: usize) -> Option<usize> {
        with_loss!(self, kind => kind.target_len(outputs))
    }

    /// Checks that the loss can be computed for a network that ends in `activation`, and that its answers can be told
    /// apart: where targets are signs ([`TargetKind::Signs`]), scores must be able to lie on both sides of 0, since one
    /// that is never below 0 is never right by a margin where the answer is no.
    ///
    /// # Errors
    /// What to change, if not.
    pub fn check_activation(&self, activation: &Activation) -> Result<(), &'static str> {
        use Activation as A;
        if self.targets() == TargetKind::Signs && !activation.has_both_signs() {
            return Err(
                "its scores lie on both sides of 0, below for no and above for yes; end the network in tanh, or without an \
                 activation, or use BinaryCrossEntropy",
            );
        }
        match (self.function(), activation) {
            (OutputFunction::Identity, _)
            | (_, A::Identity)
            | (OutputFunction::Softmax, A::Softmax)
            | (OutputFunction::Sigmoid, A::Sigmoid) => Ok(()),
            (OutputFunction::Softmax, _) => Err("end the network in softmax, or without an activation"),
            (OutputFunction::Sigmoid, A::Softmax | A::LogSoftmax) => {
                Err("end the network in sigmoid, or without an activation; where a row has one class of several, use \
                 CategoricalCrossEntropy")
            }
            (OutputFunction::Sigmoid, _) => Err("end the network in sigmoid, or without an activation"),
            (
                OutputFunction::Exp,
                A::Softplus { .. } | A::Relu | A::Relu6 | A::Sigmoid | A::HardSigmoid | A::Softmax | A::Custom(_),
            ) => Ok(()),
            (OutputFunction::Exp, _) => {
                Err("rates are above 0; end the network in softplus, or without an activation for their logarithms")
            }
        }
    }

    /// What the loss takes, of a network that ends in `activation` and computed `before` in front of it.
    ///
    /// Rates below the smallest normal number count as that number, so that their logarithm stays finite.
    ///
    /// # Panics
    /// If the loss cannot be computed for such a network, see [`Loss::check_activation`].
    #[track_caller]
    pub fn input_from<'t, E: Element>(&self, activation: &Activation, before: Var<'t, E>) -> Var<'t, E> {
        if let Err(advice) = self.check_activation(activation) {
            panic!("{self} does not fit a network that ends in {activation}: {advice}");
        }
        match (self.function(), activation) {
            (OutputFunction::Identity, _) => activation.forward(before),
            (OutputFunction::Exp, activation) if *activation != Activation::Identity => {
                activation.forward(before).clamp(E::min_positive_value(), E::max_value()).ln()
            }
            _ => before,
        }
    }

    /// Checks the settings as numbers of type `E`.
    ///
    /// # Errors
    /// If one lies outside of its range, or this is a user's loss that a file only named.
    pub fn check<E: Element>(&self) -> Result<(), NnError> {
        if let Some(missing) = self.missing() {
            return Err(missing.into());
        }
        self.check_settings::<E>()
    }

    fn check_settings<E: Element>(&self) -> Result<(), NnError> {
        with_loss!(self, kind => kind.check(NumberType::of::<E>())).map_err(|problem| self.setting(problem))
    }

    fn setting(&self, problem: Problem) -> NnError {
        problem.of(format!("loss ({self})"))
    }

    /// The targets with the shape that the formulas work on.
    #[track_caller]
    fn in_shape<'t, E: Element>(&self, outputs: Var<'t, E>, targets: Var<'t, E>) -> Var<'t, E> {
        let (outputs, mut t) = (outputs.value(), targets);
        let x = outputs.shape();
        let (fits, expected) = if self.is_classification() {
            (x.len() == 2 && x[1] > 0, "rows [n, k] with a value for each class")
        } else if matches!(self, Self::GaussianNll | Self::CosineSimilarity) {
            (x.len() >= 2 && x[x.len() - 1] > 0, "rows [n, .., k] of at least one value")
        } else {
            (!x.is_empty(), "rows")
        };
        assert!(fits, "{self}: outputs of shape {x:?} are not {expected}");
        let mut found = t.value();
        if let (true, &[classes]) = (self.is_classification(), found.shape()) {
            assert!(classes == x[0], "{self}: {classes} class numbers for {} rows of outputs", x[0]);
            t = targets::rows_of_classes(self, t, x[1]);
            found = t.value();
        }
        let (last, rest) = x.split_last().unwrap_or((&1, &[]));
        let len = self.target_len(*last);
        let fits = len.is_some_and(|len| found.shape().split_last() == Some((&len, rest)));
        assert!(fits, "{self}: outputs {x:?} and targets {:?} {}", found.shape(), self.advice(x, len));
        t
    }

    /// What must be otherwise where targets do not fit outputs of shape `x`, a row of which goes with `len` target values.
    fn advice(&self, x: &[usize], len: Option<usize>) -> String {
        match (len, x.split_last()) {
            _ if *self == Self::GaussianNll => {
                "must have one shape, but for the last axis, which is 2k and k".to_owned()
            }
            (Some(len), Some((last, rest))) if len != *last => {
                format!("do not fit: these outputs go with targets {:?}", [rest, &[len]].concat())
            }
            (Some(_), _) => "must have one shape".to_owned(),
            (None, _) => "do not fit: no targets go with such outputs".to_owned(),
        }
    }
}

/// The mean of each row's numbers, `[n]`.
fn mean_of_rows<E: Element>(values: Var<'_, E>) -> Var<'_, E> {
    let value = values.value();
    match (value.ndim(), value.row_len()) {
        (1, _) => values,
        (_, 1) => values.reshape([value.rows()]),
        (rank, _) => values.mean_axes(&(1..rank).collect::<Vec<_>>(), false),
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_loss!(self, kind => Kind::name(kind)))
    }
}
