//! How long, in which portions and against which rows a model is fitted.

use std::fmt;
use std::sync::Arc;

use mlp_tensor::{Element, Tensor};

use crate::callback::{CLOSURE, Prototype};
use crate::{Callback, RunContext, Targets, TrainError};

/// The settings of a fit: one epoch in batches of 32, without validation, unless set otherwise.
///
/// ```
/// use mlp_train::Fit;
/// let fit: Fit = Fit::new().epochs(100).batch_size(32).stratified_validation_split(0.2);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Fit<E: Element = f32> {
    pub(crate) epochs: usize,
    pub(crate) batch_size: usize,
    pub(crate) shuffle: bool,
    pub(crate) validation: Validation<E>,
    pub(crate) class_weights: ClassWeights,
    pub(crate) detect_anomalies: bool,
    pub(crate) callbacks: Vec<Arc<dyn Prototype<E>>>,
    #[cfg(feature = "progress")]
    pub(crate) progress: bool,
}

/// Where validation rows come from.
#[derive(Clone, Debug)]
pub(crate) enum Validation<E: Element> {
    None,
    Split { share: f64, stratified: bool },
    Data { x: Tensor<E>, y: Targets<E> },
}

/// By what the losses of the rows of each class are multiplied.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ClassWeights {
    None,
    Given(Vec<f64>),
    Balanced,
}

impl<E: Element> Fit<E> {
    /// One epoch in batches of 32, without validation.
    pub fn new() -> Self {
        Self {
            epochs: 1,
            batch_size: 32,
            shuffle: true,
            validation: Validation::None,
            class_weights: ClassWeights::None,
            detect_anomalies: false,
            callbacks: Vec::new(),
            #[cfg(feature = "progress")]
            progress: true,
        }
    }

    /// How many times training goes over all rows, at least once.
    pub fn epochs(self, epochs: usize) -> Self {
        Self { epochs, ..self }
    }

    /// How many rows make one step, at least 1. The last batch of an epoch has what is left. More than there are rows
    /// means all of them: full-batch gradient descent.
    pub fn batch_size(self, batch_size: usize) -> Self {
        Self { batch_size, ..self }
    }

    /// Whether every epoch takes the rows in a new random order, as it does by default, or in the order given. With the
    /// order given, a validation split holds the last rows out.
    pub fn shuffle(self, shuffle: bool) -> Self {
        Self { shuffle, ..self }
    }

    /// Sets a share of the rows aside for validation, above 0 and below 1, rounded up to whole rows. They are drawn at
    /// random by the model's seed, unlike in Keras; the same model takes the same rows in every fit. With
    /// [`shuffle(false)`](Fit::shuffle) they are the last rows, as in Keras.
    pub fn validation_split(self, share: f64) -> Self {
        Self { validation: Validation::Split { share, stratified: false }, ..self }
    }

    /// As [`Fit::validation_split`], with every class having the same share among the validation rows as among all
    /// rows. Goes with a task that has one class a row, and with shuffled rows.
    pub fn stratified_validation_split(self, share: f64) -> Self {
        Self { validation: Validation::Split { share, stratified: true }, ..self }
    }

    /// Validates on these rows, which may have weights of their own.
    pub fn validation_data(self, x: &Tensor<E>, y: impl Into<Targets<E>>) -> Self {
        Self { validation: Validation::Data { x: x.clone(), y: y.into() }, ..self }
    }

    /// Multiplies the loss of every row that is trained on by the weight of its class, as Keras does: a weight for each
    /// class, of no and of yes where the answer is one of these. Metrics and validation do not look at them.
    pub fn class_weights(self, weights: impl Into<Vec<f64>>) -> Self {
        Self { class_weights: ClassWeights::Given(weights.into()), ..self }
    }

    /// [`Fit::class_weights`] of n / (k · nᵢ), so that every class counts the same in all: nᵢ of the n rows are of class
    /// i, and k classes have rows. Counted over the rows that are trained on alone. The rule is scikit-learn's.
    pub fn balanced_class_weights(self) -> Self {
        Self { class_weights: ClassWeights::Balanced, ..self }
    }

    /// Whether every number of every step is looked at, forward and backward, so that a fit that diverges names the layer
    /// and the operation that first made NaN or infinity of finite numbers, in whichever step that was. Where it is the
    /// validation loss that is no number and all steps were sound, the validation rows are looked through for it. It costs
    /// a pass over all numbers; off by default.
    pub fn detect_anomalies(self, on: bool) -> Self {
        Self { detect_anomalies: on, ..self }
    }

    /// Adds something that looks at every step and epoch. Each fit begins with a clone of it; the callbacks are told in
    /// the order in which they were added.
    ///
    /// # Panics
    /// If the callback's name is empty.
    #[track_caller]
    pub fn callback(mut self, callback: impl Callback<E> + Clone + Sync + 'static) -> Self {
        assert!(
            callback.name() != CLOSURE,
            "callback: the name of {callback:?} is empty; give it a name: files refer to it"
        );
        self.callbacks.push(Arc::new(callback));
        self
    }

    /// Calls `told` after every epoch: a callback without a state of its own.
    pub fn on_epoch(
        mut self,
        told: impl Fn(&mut RunContext<'_, E>) -> Result<(), TrainError> + Send + Sync + 'static,
    ) -> Self {
        self.callbacks.push(Arc::new(OnEpoch(Arc::new(told))));
        self
    }

    /// Whether a fit that takes longer than a second shows its progress on standard error, as it does by default if
    /// that is a terminal.
    #[cfg(feature = "progress")]
    pub fn progress(self, progress: bool) -> Self {
        Self { progress, ..self }
    }

    pub(crate) fn check(&self) -> Result<(), TrainError> {
        for (setting, value) in [("epochs", self.epochs), ("batch_size", self.batch_size)] {
            if value == 0 {
                return Err(TrainError::Setting { setting, value: 0.0, expected: "at least 1" });
            }
        }
        if let Validation::Split { share, stratified } = self.validation {
            if !(share > 0.0 && share < 1.0) {
                let setting = split_setting(stratified);
                return Err(TrainError::Setting { setting, value: share, expected: "above 0 and below 1" });
            }
            if stratified && !self.shuffle {
                return Err(TrainError::StratifiedInOrder);
            }
        }
        Ok(())
    }
}

impl<E: Element> Default for Fit<E> {
    fn default() -> Self {
        Self::new()
    }
}

/// The setting of a fit that holds a share of the rows out.
pub(crate) fn split_setting(stratified: bool) -> &'static str {
    if stratified { "stratified_validation_split" } else { "validation_split" }
}

type Told<E> = dyn Fn(&mut RunContext<'_, E>) -> Result<(), TrainError> + Send + Sync;

/// A function as a callback.
#[derive(Clone)]
struct OnEpoch<E: Element>(Arc<Told<E>>);

impl<E: Element> Callback<E> for OnEpoch<E> {
    fn name(&self) -> &str {
        CLOSURE
    }

    fn on_epoch_end(&mut self, context: &mut RunContext<'_, E>) -> Result<(), TrainError> {
        (self.0)(context)
    }
}

impl<E: Element> fmt::Debug for OnEpoch<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a closure")
    }
}
