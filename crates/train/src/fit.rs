//! How long, in which portions and against which rows a model is fitted.

use mlp_tensor::{Element, Tensor};

use crate::{Targets, TrainError};

/// The settings of a fit: one epoch in batches of 32, without validation, unless set otherwise.
///
/// ```
/// use mlp_train::Fit;
/// let fit: Fit = Fit::new().epochs(100).batch_size(32).stratified_validation_split(0.2);
/// ```
#[derive(Clone, Debug)]
pub struct Fit<'a, E: Element = f32> {
    pub(crate) epochs: usize,
    pub(crate) batch_size: usize,
    pub(crate) shuffle: bool,
    pub(crate) validation: Validation<'a, E>,
    #[cfg(feature = "progress")]
    pub(crate) progress: bool,
}

/// Where validation rows come from.
#[derive(Clone, Debug)]
pub(crate) enum Validation<'a, E: Element> {
    None,
    Split { share: f64, stratified: bool },
    Data { x: &'a Tensor<E>, y: Targets<'a, E> },
}

impl<'a, E: Element> Fit<'a, E> {
    /// One epoch in batches of 32, without validation.
    pub fn new() -> Self {
        Self {
            epochs: 1,
            batch_size: 32,
            shuffle: true,
            validation: Validation::None,
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

    /// Whether every epoch takes the rows in a new random order, as it does by default, or in the order given.
    pub fn shuffle(self, shuffle: bool) -> Self {
        Self { shuffle, ..self }
    }

    /// Sets a share of the rows aside for validation, above 0 and below 1. They are drawn at random by the model's
    /// seed, unlike in Keras, which takes the last rows; the same model takes the same rows in every fit.
    pub fn validation_split(self, share: f64) -> Self {
        Self { validation: Validation::Split { share, stratified: false }, ..self }
    }

    /// As [`Fit::validation_split`], with every class having the same share among the validation rows as among all
    /// rows. Goes with a cross-entropy loss.
    pub fn stratified_validation_split(self, share: f64) -> Self {
        Self { validation: Validation::Split { share, stratified: true }, ..self }
    }

    /// Validates on these rows.
    pub fn validation_data(self, x: &'a Tensor<E>, y: impl Into<Targets<'a, E>>) -> Self {
        Self { validation: Validation::Data { x, y: y.into() }, ..self }
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
                return Err(TrainError::Setting { setting, value, expected: "at least 1" });
            }
        }
        Ok(())
    }
}

impl<E: Element> Default for Fit<'_, E> {
    fn default() -> Self {
        Self::new()
    }
}
