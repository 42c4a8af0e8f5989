//! What can be wrong with what training is given.

use mlp_data::DataError;
use mlp_io::IoError;
use mlp_nn::{Activation, Loss, NnError};
use mlp_optim::OptimError;
use mlp_tensor::TensorError;

use crate::{History, Metric};

/// Why a model cannot be compiled, trained, evaluated, saved or loaded.
#[derive(Debug, thiserror::Error)]
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
    /// A table without rows.
    #[error("there are no rows to {purpose}")]
    NoRows {
        /// What the rows were for.
        purpose: &'static str,
    },
    /// Targets of another shape than the network's output.
    #[error("the targets have shape {found:?}, but the network's output for these rows has shape {expected:?}")]
    TargetShape {
        /// The shape of the output.
        expected: Vec<usize>,
        /// The shape of the targets.
        found: Vec<usize>,
    },
    /// A class number that the network has no output for.
    #[error("the target of row {row} is class {class}, but the network has {classes} outputs: classes 0 to {}", classes - 1)]
    ClassOutOfRange {
        /// The row, counted from 0.
        row: usize,
        /// The class.
        class: usize,
        /// The number of outputs.
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
    /// Class numbers as targets of a loss for numbers.
    #[error("class numbers as targets go with a cross-entropy loss, not with {loss}")]
    ClassesNeedCrossEntropy {
        /// The loss.
        loss: Loss,
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
    /// A loss for classes, of a network whose output rows are not one number for each class.
    #[error("{loss} needs one output for each class, but the output rows have shape {output:?}; add Flatten")]
    LossAndShape {
        /// The loss.
        loss: Loss,
        /// The shape of an output row.
        output: Vec<usize>,
    },
    /// A metric that says nothing about this kind of loss.
    #[error("{metric} cannot be measured with {loss}: accuracy goes with classes, the mean errors with numbers")]
    MetricAndLoss {
        /// The metric.
        metric: Metric,
        /// The loss.
        loss: Loss,
    },
    /// A setting outside of its range.
    #[error("{setting} is {value}, but must be {expected}")]
    Setting {
        /// The name of the setting.
        setting: &'static str,
        /// Its value.
        value: usize,
        /// The values that it may have.
        expected: &'static str,
    },
    /// Names that are not one per feature or class.
    #[error("{found} {what} were given for {expected} of them")]
    Names {
        /// Feature names or class names.
        what: &'static str,
        /// The number of features or classes.
        expected: usize,
        /// The number of names.
        found: usize,
    },
    /// A preprocessing fitted to another number of features than the network takes.
    #[error("the scaler was fitted to {scaler} features, but the network takes {network}")]
    ScalerWidth {
        /// The scaler's.
        scaler: usize,
        /// The network's.
        network: usize,
    },
    /// A loss that is no number any more.
    #[error("the loss became {loss} in epoch {epoch}: lower the learning rate, or scale the features")]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The loss.
        loss: f64,
        /// The epochs up to and including that one.
        history: History,
    },
    /// A file with a model that cannot be trained or evaluated.
    #[error("the file holds a network without a loss and an optimizer; read it with SavedModel::load")]
    NotCompiled,
    /// A file with a metric that this version does not know.
    #[error("the file names a metric {name:?}, which this version does not know; a newer version may")]
    UnknownMetric {
        /// The name.
        name: String,
    },
}
