//! What stands in a file, for people.

use std::fmt;
use std::path::Path;

use mlp_data::StandardScaler;
use mlp_metrics::Metric;
use mlp_nn::{Buffer, Loss, Output, Parameter, Sequential};
use mlp_optim::Optimizer;
use mlp_tensor::{Element, Tensor};

use crate::body::Body;
use crate::shown::whole;
use crate::{Dtype, FormatError, IoError, LoadOptions, SavedModel, SavedRun, file, prefix};

/// What stands in a file, whatever the type of its numbers. Print it with `{}`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Inspection {
    /// The version of the format.
    pub version: u8,
    /// The type of the weights.
    pub dtype: Dtype,
    /// The network.
    pub architecture: Sequential,
    /// The weights and then the buffers, layer after layer.
    pub tensors: Vec<TensorInfo>,
    /// What the network's output means.
    pub output: Output,
    /// How the network is trained; `None` if it was never set up for training.
    pub training: Option<TrainingInfo>,
    /// What features are standardized by before they reach the network, if they are.
    pub scaler: Option<StandardScaler>,
    /// The names of the input features: one each, or none at all.
    pub feature_names: Vec<String>,
    /// The number of bytes of the file.
    pub file_size: usize,
    /// The CRC-32 of the file's body. It matches: a file where it does not is not listed.
    pub checksum: u32,
}

/// One tensor in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TensorInfo {
    /// The name, such as `layers.0.weight`.
    pub name: String,
    /// The type of the numbers.
    pub dtype: Dtype,
    /// The shape.
    pub shape: Vec<usize>,
    /// Whether it is kept from being trained.
    pub frozen: bool,
}

/// How the network in a file is trained.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TrainingInfo {
    /// The optimizer and its settings.
    pub optimizer: Optimizer,
    /// The number of steps that the optimizer has taken.
    pub steps: u64,
    /// The loss.
    pub loss: Loss,
    /// The share of certainty that is taken from targets.
    pub label_smoothing: f64,
    /// What is measured beside the loss.
    pub metrics: Vec<Metric>,
    /// The seed of all that is random in training.
    pub seed: u64,
    /// The number of epochs trained so far.
    pub epochs: u64,
    /// The run that the file is in the middle of, if it is in one.
    pub run: Option<RunInfo>,
}

/// The run that a file is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunInfo {
    /// The number of epochs that the run is to have.
    pub epochs: u64,
    /// The number of those that are over.
    pub epochs_over: u64,
    /// Whether it was stopped before it had all of them.
    pub stopped: bool,
}

/// Lists what stands in a file, whatever the type of its numbers. A file that is listed can be loaded: everything is
/// checked as in [`SavedModel::load`].
///
/// # Errors
/// As [`SavedModel::load`], except that every type of numbers is right.
pub fn inspect(path: impl AsRef<Path>) -> Result<Inspection, IoError> {
    inspect_with(path, LoadOptions::new())
}

/// Lists what stands in a file with parts of your own, or within other limits.
///
/// # Errors
/// As [`SavedModel::load_with`], except that every type of numbers is right.
pub fn inspect_with<'a>(path: impl AsRef<Path>, options: impl Into<LoadOptions<'a>>) -> Result<Inspection, IoError> {
    let path = path.as_ref();
    Inspection::decode(&file::read(path)?, &options.into()).map_err(IoError::in_file(path))
}

impl Inspection {
    /// Lists what stands in the bytes of a file.
    ///
    /// # Errors
    /// As [`SavedModel::from_bytes`], except that every type of numbers is right.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IoError> {
        Self::from_bytes_with(bytes, LoadOptions::new())
    }

    /// Lists what stands in the bytes of a file, with parts of your own, or within other limits.
    ///
    /// # Errors
    /// As [`SavedModel::from_bytes_with`], except that every type of numbers is right.
    pub fn from_bytes_with<'a>(bytes: &[u8], options: impl Into<LoadOptions<'a>>) -> Result<Self, IoError> {
        Self::decode(bytes, &options.into()).map_err(IoError::in_memory)
    }

    fn decode(bytes: &[u8], options: &LoadOptions<'_>) -> Result<Self, FormatError> {
        let (body, checksum) = prefix::open(bytes)?;
        let body = Body::decode(body, &options.limits)?;
        match body.dtype {
            Dtype::F32 => Ok(Self::of_model::<f32>(body.into_model(options)?, bytes.len(), checksum)),
            Dtype::F64 => Ok(Self::of_model::<f64>(body.into_model(options)?, bytes.len(), checksum)),
        }
    }

    fn of_model<E: Element>(model: SavedModel<E>, file_size: usize, checksum: u32) -> Self {
        let SavedModel { network, output, training, scaler, feature_names } = model;
        // The optimizer's state goes before the list is made.
        let training = training.map(|training| TrainingInfo {
            steps: training.state.steps(),
            optimizer: training.optimizer,
            loss: training.loss,
            label_smoothing: training.label_smoothing,
            metrics: training.metrics,
            seed: training.seed,
            epochs: training.epochs,
            run: training.run.map(|SavedRun { progress, .. }| RunInfo {
                epochs: progress.epochs,
                epochs_over: progress.epochs_over,
                stopped: progress.stopped,
            }),
        });
        let dtype = Dtype::of::<E>();
        let (architecture, parameters, buffers) = network.into_parts();
        let mut tensors = Vec::with_capacity(parameters.len() + buffers.len());
        let mut list = |(name, value, trainable): (String, Tensor<E>, bool)| {
            tensors.push(TensorInfo { name, dtype, shape: value.shape().to_vec(), frozen: !trainable });
        };
        parameters.into_iter().map(Parameter::into_parts).for_each(&mut list);
        buffers.into_iter().map(Buffer::into_parts).for_each(&mut list);
        Self {
            version: prefix::VERSION,
            dtype,
            architecture,
            output,
            tensors,
            training,
            scaler,
            feature_names,
            file_size,
            checksum,
        }
    }
}

/// Names are lined up where they are not longer than this.
const WIDEST: usize = 60;

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, dtype, file_size, checksum, .. } = self;
        writeln!(f, "model file, format version {version}, {file_size} bytes, checksum {checksum:08x}\n")?;
        match self.architecture.summary() {
            Ok(summary) => writeln!(f, "{summary}\n")?,
            Err(error) => writeln!(f, "{error}\n")?,
        }
        writeln!(f, "weights: {dtype}")?;
        let width = self.tensors.iter().map(|tensor| tensor.name.len()).max().unwrap_or(0).min(WIDEST);
        for TensorInfo { name, shape, frozen, .. } in &self.tensors {
            let name = whole(name);
            writeln!(f, "  {name:width$}  {shape:?}{}", if *frozen { "  frozen" } else { "" })?;
        }
        match &self.training {
            None => writeln!(f, "training: none")?,
            Some(training) => write!(f, "{training}")?,
        }
        match &self.scaler {
            None => writeln!(f, "scaler: none")?,
            Some(scaler) => {
                writeln!(f, "scaler:")?;
                for (feature, (mean, scale)) in scaler.mean().iter().zip(scaler.scale()).enumerate() {
                    writeln!(f, "  feature {feature}: mean {mean:.4}, scale {scale:.4}")?;
                }
            }
        }
        writeln!(f, "features: {}", list(&self.feature_names))?;
        write!(f, "output: {}", self.output)
    }
}

impl fmt::Display for TrainingInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { optimizer, steps, loss, label_smoothing, metrics, seed, epochs, run } = self;
        writeln!(f, "training: {epochs} epochs, {steps} steps, seed {seed}")?;
        writeln!(f, "  optimizer: {optimizer}")?;
        match label_smoothing {
            0.0 => writeln!(f, "  loss: {loss}")?,
            share => writeln!(f, "  loss: {loss}, label smoothing {share}")?,
        }
        let metrics: Vec<String> = metrics.iter().map(ToString::to_string).collect();
        writeln!(f, "  metrics: {}", list(&metrics))?;
        match run {
            Some(RunInfo { epochs, epochs_over, stopped }) => {
                let stopped = if *stopped { "; it was stopped" } else { "" };
                writeln!(f, "  in a run of {epochs} epochs, of which {epochs_over} are over{stopped}")
            }
            None => Ok(()),
        }
    }
}

/// Names as a terminal can show them, wherever they come from.
fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| whole(name)).collect::<Vec<_>>().join(", ")
}
