//! What can be wrong with what training is given.

use std::error::Error;
use std::fmt;

use mlp_autograd::Anomaly;
use mlp_data::DataError;
use mlp_io::IoError;
use mlp_metrics::Metric;
use mlp_nn::{Activation, Loss, NnError, Task};
use mlp_optim::{OptimError, SlotError};
use mlp_registry::OpenError;
use mlp_tensor::TensorError;

use crate::History;

/// Why a model cannot be built, trained, evaluated, saved or loaded. It prints its message with `{:?}` as well, so that a
/// `main` that returns it tells people what to do.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The network's description or its input.
    #[error(transparent)]
    Nn(#[from] NnError),
    /// The optimizer's settings.
    #[error(transparent)]
    Optim(#[from] OptimError),
    /// The numbers in a table, or how it is split.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Numbers that do not make a tensor.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// The model file.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The optimizer's state does not fit the weights.
    #[error(transparent)]
    State(#[from] SlotError),
    /// A part of a user's of which a file gives only the name.
    #[error(transparent)]
    Missing(#[from] OpenError),
    /// A table without rows.
    #[error("there are no rows to {purpose}")]
    NoRows {
        /// What the rows were for.
        purpose: &'static str,
    },
    /// Targets of another shape than the network and the loss need.
    #[error(
        "the targets have shape {found:?}, but must have {expected:?} for these rows, this network and {loss}; {}",
        for_targets(expected, found)
    )]
    TargetShape {
        /// The loss.
        loss: Loss,
        /// The shape that they must have.
        expected: Vec<usize>,
        /// The shape of the targets.
        found: Vec<usize>,
    },
    /// A class number that there is not.
    #[error(
        "the target of row {row} is class {class}, but there are only the classes 0 to {}; count classes from 0, and give \
         the network an output for each, or one for two",
        classes - 1
    )]
    ClassOutOfRange {
        /// The row, counted from 0.
        row: usize,
        /// The class.
        class: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A row of targets that are not the probabilities of classes.
    #[error("the targets of row {row} are {values:?}; {loss} needs one-hot rows, or probabilities that sum to 1")]
    NotProbabilities {
        /// The row, counted from 0.
        row: usize,
        /// Its first values.
        values: Vec<f64>,
        /// The loss.
        loss: Loss,
    },
    /// A target that the loss has no meaning for.
    #[error("the target of row {row}, column {column} is {value}; {loss} needs {expected}")]
    TargetValue {
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
        /// The target.
        value: f64,
        /// The loss.
        loss: Loss,
        /// The values that it may have.
        expected: &'static str,
    },
    /// A network with a number of outputs that the loss cannot take.
    #[error("{loss} does not fit a network of {outputs} outputs: {advice}")]
    LossAndOutputs {
        /// The loss.
        loss: Loss,
        /// The number of outputs.
        outputs: usize,
        /// What to change.
        advice: &'static str,
    },
    /// Class numbers as targets of a task in which a row does not have exactly one class.
    #[error("class numbers cannot be targets of {loss} where the task is {task}; {}", for_class_numbers(*task))]
    ClassesAsTargets {
        /// The task.
        task: Task,
        /// The loss.
        loss: Loss,
    },
    /// Class numbers in a tensor.
    #[error(
        "the targets have shape {found:?} and look like class numbers; give class numbers as a list of usize (a \
         Vec<usize>, say), or one-hot rows of shape {expected:?}"
    )]
    ClassesAsTensor {
        /// The shape of one-hot rows.
        expected: Vec<usize>,
        /// The shape of the targets.
        found: Vec<usize>,
    },
    /// A question about the classes of rows that do not have one each.
    #[error("{setting} needs rows that have one class each, but the task is {task}; {alternative}")]
    NoClasses {
        /// The setting that needs classes.
        setting: &'static str,
        /// The task.
        task: Task,
        /// What to do.
        alternative: &'static str,
    },
    /// A loss that does not fit the network's last activation.
    #[error("{loss} does not fit a network that ends in {activation}: {advice}")]
    LossAndActivation {
        /// The loss.
        loss: Loss,
        /// The last activation.
        activation: Activation,
        /// What to change.
        advice: &'static str,
    },
    /// A loss of logits, or of rates, for a network whose last layers hand on the values of an activation before them.
    #[error(
        "{loss} is computed from what is in front of the {activation}, but the layers behind it hand its values on; move the \
         {activation} to the end of the network, as its last layer, or leave it out"
    )]
    BuriedActivation {
        /// The loss.
        loss: Loss,
        /// The activation.
        activation: Activation,
    },
    /// A loss for classes, of a network whose output rows are not one number for each class.
    #[error("{loss} needs one output for each class, but the output rows have shape {output:?}; add Flatten")]
    LossAndShape {
        /// The loss.
        loss: Loss,
        /// The shape of an output row.
        output: Vec<usize>,
    },
    /// A task about classes, for a loss whose targets are not one for each output.
    #[error(
        "{loss} does not fit the task {task}: classes need one target for each output, and this loss has another number of \
         them"
    )]
    TaskAndLoss {
        /// The task.
        task: Task,
        /// The loss.
        loss: Loss,
    },
    /// A metric that says nothing about the task.
    #[error("{metric} cannot be measured where the task is {task}: {reason}")]
    Metric {
        /// The metric.
        metric: Metric,
        /// The task.
        task: Task,
        /// Why not, and what to do.
        reason: &'static str,
    },
    /// A model without a loss.
    #[error("the model has no loss; name one before it is built, such as .loss(Loss::MeanSquaredError)")]
    NoLoss,
    /// A scale of targets that the loss has no use for.
    #[error("targets cannot be standardized for {loss}; leave the target scaler out")]
    TargetScale {
        /// The loss.
        loss: Loss,
    },
    /// A setting outside of its range.
    #[error("{setting} is {value}, but must be {expected}")]
    Setting {
        /// The name of the setting.
        setting: &'static str,
        /// Its value.
        value: f64,
        /// The values that it may have.
        expected: &'static str,
    },
    /// A validation split that leaves nothing to train on.
    #[error(
        "a {setting} of {share} takes all {rows} rows, rounded up to whole rows, and leaves none to train on; \
         choose a smaller share, or give more rows"
    )]
    ValidationSplit {
        /// The setting that was given.
        setting: &'static str,
        /// The share.
        share: f64,
        /// The number of rows.
        rows: usize,
    },
    /// A stratified validation split with fewer rows on one side than there are classes.
    #[error(
        "a stratified_validation_split of {share} gives {rows} {part} rows, but needs one of each of {classes} classes \
         there; choose another share, or give more rows"
    )]
    StratifiedSplit {
        /// The share.
        share: f64,
        /// The side that is too small: `training` or `validation`.
        part: &'static str,
        /// The number of its rows.
        rows: usize,
        /// The number of classes.
        classes: usize,
    },
    /// Validation data that cannot be used.
    #[error("in the validation data: {0}")]
    Validation(Box<TrainError>),
    /// A stratified split of rows whose order is to be kept.
    #[error(
        "a stratified validation split draws rows at random, which shuffle(false) forbids; use validation_split, which \
         then holds the last rows out, or validation_data"
    )]
    StratifiedInOrder,
    /// Feature names of another number than there are features.
    #[error("the network takes {expected} features, but feature_names has {found}; name each feature, or none")]
    FeatureNames {
        /// The number of features.
        expected: usize,
        /// The number of names.
        found: usize,
    },
    /// A feature name that says nothing, or that of two features.
    #[error("the feature name of column {column} (counted from 0) {reason}; give each feature its own name, or none")]
    FeatureName {
        /// The column.
        column: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Sample weights of another shape than one for each row.
    #[error("the sample weights have shape {found:?}, but must have [{rows}], one for each row")]
    WeightsShape {
        /// The number of rows.
        rows: usize,
        /// The shape of the weights.
        found: Vec<usize>,
    },
    /// A sample weight that is negative, infinite or NaN.
    #[error("the sample weight of row {row} is {value}, but must be finite and 0 or more")]
    WeightValue {
        /// The row, counted from 0.
        row: usize,
        /// The weight.
        value: f64,
    },
    /// Sample weights by which no row counts.
    #[error(
        "the sample weights of these rows are all 0, so that no row counts; give at least one of them a weight above 0"
    )]
    NoWeight,
    /// A number that was NaN or infinite before training.
    #[error("{what} is {value} before training; set finite weights, or load a model from before they were lost")]
    NotFinite {
        /// What it is of: the name of a weight or a running statistic, or the optimizer's slot of a weight.
        what: String,
        /// NaN, infinity or minus infinity.
        value: f64,
    },
    /// A feature that is too large once it is standardized.
    #[error(
        "the feature in row {row}, column {column} (counted from 0) is {value}, which is beyond the largest {number} once \
         it is standardized; check the value, or fit the scaler to rows like it"
    )]
    ScaledFeature {
        /// The row.
        row: usize,
        /// The column.
        column: usize,
        /// The value.
        value: f64,
        /// The number type.
        number: &'static str,
    },
    /// A scaler in front of layers that look categories up.
    #[error(
        "the scaler would change the columns that an embedding reads as categories; scale the columns of numbers before \
         they are put beside the categories, and leave the scaler out"
    )]
    ScaledCategories,
    /// A preprocessing fitted to another number of features than the network takes.
    #[error("the scaler was fitted to {scaler} features, but the network takes {network}")]
    ScalerWidth {
        /// The scaler's.
        scaler: usize,
        /// The network's.
        network: usize,
    },
    /// A number that became NaN or infinite in training.
    #[error(transparent)]
    Diverged(#[from] Box<Diverged>),
    /// A file with a network alone.
    #[error("the file holds a network without a loss and an optimizer; read it with SavedModel::load")]
    NoTraining,
    /// A model that was not saved in a run.
    #[error(
        "the model is not in the middle of a run: it was saved outside of one or after its end, or its weights were changed \
         since; save a run that is to go on by Run::save before it is stopped, or begin one with Model::fit"
    )]
    NoRun,
    /// A run that cannot go on.
    #[error("the run cannot be resumed: {reason}")]
    Resume {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A callback of a run that the registry does not know.
    #[error(
        "the run cannot be resumed: its callback \"{name}\" is not registered; register it, by \
         Registry::new().register::<Box<dyn Callback<{number}>>>(\"{name}\", ..), and load the model with that registry"
    )]
    UnknownCallback {
        /// Its name.
        name: String,
        /// The number type of the model.
        number: &'static str,
    },
    /// What a callback ended the run with.
    #[error(transparent)]
    Callback(Box<dyn Error + Send + Sync>),
}

/// A number that became NaN or infinite in training. The model is as it was before: at the end of the last good epoch, or
/// before the fit or the batch.
#[derive(Clone, PartialEq, thiserror::Error)]
#[error(
    "{what} became {value}{}{}; the model is as it was before: lower the learning rate, or scale features and targets",
    place(*epoch, *step),
    anomaly.as_ref().map_or_else(String::new, |anomaly| format!(", and the first cause was this: {anomaly}"))
)]
#[non_exhaustive]
pub struct Diverged {
    /// What it was: the loss, the validation loss, the name of a weight or a running statistic, or the optimizer's slot
    /// of a weight.
    pub what: String,
    /// NaN, infinity or minus infinity.
    pub value: f64,
    /// The epoch of the fit, counted from 1; `None` for [`Model::train_on_batch`](crate::Model::train_on_batch).
    pub epoch: Option<usize>,
    /// The step of the epoch, counted from 1: at the end of an epoch, its last one. `None` where there is no epoch.
    pub step: Option<usize>,
    /// The operation and the layer that it came from, if the fit was to
    /// [detect anomalies](crate::Fit::detect_anomalies): the first of the run, which may be of an earlier step.
    pub anomaly: Option<Anomaly>,
    /// The epochs before.
    pub history: History,
}

/// What to do about targets of another shape.
fn for_targets(expected: &[usize], found: &[usize]) -> &'static str {
    let lengths = |shape: &[usize]| shape.iter().copied().filter(|&length| length != 1).collect::<Vec<_>>();
    if lengths(expected) == lengths(found) {
        "reshape the targets"
    } else {
        "give targets of that shape, or change the units of the last layer to fit the targets"
    }
}

/// What to do with class numbers where a row does not have exactly one class.
fn for_class_numbers(task: Task) -> &'static str {
    match task {
        Task::Multilabel => {
            "give a tensor with 1 for yes and 0 for no for every output, or one output for two classes, or use \
             CategoricalCrossEntropy with one output for each class"
        }
        _ => {
            "use BinaryCrossEntropy with one output for two classes or CategoricalCrossEntropy with one output for each \
             class, or give a tensor of numbers"
        }
    }
}

fn place(epoch: Option<usize>, step: Option<usize>) -> String {
    match (epoch, step) {
        (Some(epoch), Some(step)) => format!(" in epoch {epoch}, step {step}"),
        _ => String::new(),
    }
}

impl fmt::Debug for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TrainError {
    /// The error of a callback: what ends the run, in the callback's own words.
    pub fn callback(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Callback(error.into())
    }
}
