//! A run that was saved in its middle.

use std::collections::BTreeMap;

use mlp_nn::registry::Settings;
use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use crate::raw::Raw;
use crate::record::ToWrite;
use crate::tensors::Tensors;
use crate::{FormatError, numbers};

/// A fit in its middle: its settings, where it is, and what it has reported so far. What training has made of the weights
/// and the optimizer stands in the rest of the model.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SavedRun<E: Element = f32> {
    /// Settings and position, all but the callbacks.
    pub progress: RunProgress,
    /// The callbacks, in their order.
    pub callbacks: Vec<SavedCallback<E>>,
}

/// Where a fit is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunProgress {
    /// The number of epochs that the run is to have.
    pub epochs: u64,
    /// The number of rows of a batch.
    pub batch_size: u64,
    /// Whether every epoch has an order of its own.
    pub shuffle: bool,
    /// The number of rows that the run was given, validation split included.
    pub rows: u64,
    /// Where validation rows come from.
    pub validation: SavedValidation,
    /// By what the losses of the rows of each class are multiplied.
    pub class_weights: SavedClassWeights,
    /// Whether rows have weights of their own, which a file does not hold.
    pub weighted: bool,
    /// Whether every step is looked at for the first number that is not finite.
    pub detect_anomalies: bool,
    /// Whether the epoch at hand has begun.
    pub in_epoch: bool,
    /// The number of rows of the epoch at hand that were trained on.
    pub position: u64,
    /// The sums over these rows.
    pub totals: SavedTotals,
    /// The loss of the last step.
    pub last_loss: f64,
    /// The number of epochs that are over.
    pub epochs_over: u64,
    /// Whether the run was stopped before it had all of its epochs, by a callback say: it does not go on.
    pub stopped: bool,
    /// What they reported, one epoch behind the other: the mean loss, penalties included, the penalties, and the metrics,
    /// all on the training rows; with validation, the same on the validation rows.
    #[serde(with = "numbers")]
    pub history: Vec<f64>,
}

/// Where validation rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SavedValidation {
    /// There are none.
    None,
    /// A share of the rows.
    Split {
        /// The share.
        share: f64,
        /// Whether classes have the same share among them as among all rows.
        stratified: bool,
    },
    /// Rows of their own, which a file does not hold.
    Data {
        /// Their number.
        rows: u64,
        /// Whether they have weights of their own.
        weighted: bool,
    },
}

/// By what the losses of the rows of each class are multiplied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SavedClassWeights {
    /// By nothing.
    None,
    /// By these numbers.
    Given(Vec<f64>),
    /// So that every class counts the same.
    Balanced,
}

/// Sums over rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedTotals {
    /// The number of rows.
    pub rows: u64,
    /// The sum of their losses.
    pub loss: f64,
    /// The sum of the penalties.
    pub penalty: f64,
    /// What every metric keeps of them.
    #[serde(with = "numbers::lists")]
    pub metrics: Vec<Vec<f64>>,
}

/// A callback: what it is made from, and what it remembers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SavedCallback<E: Element = f32> {
    /// The name that it is registered under; empty for a closure, of which a file holds nothing.
    pub name: String,
    /// Its settings.
    pub settings: Settings,
    /// What it remembers: numbers, truth values, strings and lists.
    pub values: Settings,
    /// What it remembers: tensors.
    pub tensors: BTreeMap<String, Tensor<E>>,
}

impl<E: Element> SavedRun<E> {
    /// A fit in its middle.
    pub fn new(progress: RunProgress, callbacks: Vec<SavedCallback<E>>) -> Self {
        Self { progress, callbacks }
    }
}

impl RunProgress {
    /// The start of a fit of so many epochs over so many rows, in shuffled batches: without validation, class weights or
    /// weights of rows, and without anything trained yet.
    pub fn new(epochs: u64, batch_size: u64, rows: u64) -> Self {
        Self {
            epochs,
            batch_size,
            shuffle: true,
            rows,
            validation: SavedValidation::None,
            class_weights: SavedClassWeights::None,
            weighted: false,
            detect_anomalies: false,
            in_epoch: false,
            position: 0,
            totals: SavedTotals::default(),
            last_loss: 0.0,
            epochs_over: 0,
            stopped: false,
            history: Vec::new(),
        }
    }
}

impl SavedTotals {
    /// The sums over so many rows.
    pub fn new(rows: u64, loss: f64, penalty: f64, metrics: Vec<Vec<f64>>) -> Self {
        Self { rows, loss, penalty, metrics }
    }
}

impl<E: Element> SavedCallback<E> {
    /// A callback of that name, and what it remembers.
    pub fn new(
        name: impl Into<String>,
        settings: Settings,
        values: Settings,
        tensors: BTreeMap<String, Tensor<E>>,
    ) -> Self {
        Self { name: name.into(), settings, values, tensors }
    }
}

/// A run as a file has it; `T` holds the tensors of a callback by name, as in [`Body`](crate::body::Body).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunBody<T> {
    progress: RunProgress,
    callbacks: Vec<CallbackBody<T>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CallbackBody<T> {
    name: String,
    settings: Settings,
    values: Settings,
    tensors: T,
}

impl<E: Element> RunBody<BTreeMap<String, ToWrite<E>>> {
    pub(crate) fn of(run: &SavedRun<E>) -> Result<Self, FormatError> {
        let callback = |callback: &SavedCallback<E>| {
            let tensors = callback.tensors.iter().map(|(name, tensor)| Ok((name.clone(), ToWrite::new(name, tensor)?)));
            Ok(CallbackBody {
                name: callback.name.clone(),
                settings: callback.settings.clone(),
                values: callback.values.clone(),
                tensors: tensors.collect::<Result<_, FormatError>>()?,
            })
        };
        let callbacks = run.callbacks.iter().map(callback).collect::<Result<_, FormatError>>()?;
        Ok(Self { progress: run.progress.clone(), callbacks })
    }
}

impl RunBody<Raw<'_>> {
    /// How many tensors there may be was found out when the file was skimmed.
    pub(crate) fn into_run<E: Element>(self) -> Result<SavedRun<E>, FormatError> {
        let callback = |CallbackBody { name, settings, values, tensors }: CallbackBody<Raw<'_>>| {
            let mut found = Tensors::new(tensors, tensors.entries().map_or(0, |(count, _)| count))?;
            let names: Vec<&str> = found.names().collect();
            let mut tensors = BTreeMap::new();
            for name in names {
                if let Some(tensor) = found.take(name) {
                    tensors.insert(name.to_owned(), tensor?.decode(name)?);
                }
            }
            Ok(SavedCallback { name, settings, values, tensors })
        };
        let callbacks = self.callbacks.into_iter().map(callback).collect::<Result<_, FormatError>>()?;
        Ok(SavedRun { progress: self.progress, callbacks })
    }
}
