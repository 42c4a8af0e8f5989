//! A model as it is saved, and the way to a file and back.

use std::path::Path;

use mlp_data::StandardScaler;
use mlp_metrics::Metric;
use mlp_nn::{Activation, Limits, Loss, Network, Output, OutputFunction, Task};
use mlp_optim::{Optimizer, OptimizerState};
use mlp_tensor::Element;

use crate::body::{Body, check_label_smoothing};
use crate::skim::skim;
use crate::{FormatError, IoError, LoadOptions, SavedRun, file, prefix};

/// A model as it is saved: all that is needed to predict and to go on training.
///
/// ```
/// use mlp_io::SavedModel;
/// use mlp_nn::{Activation, Dense, Sequential};
/// use mlp_tensor::Tensor;
///
/// let network = Sequential::new(2).add(Dense::new(3).activation(Activation::Softmax)).init(42)?;
/// let mut model = SavedModel::from(network);
/// model.feature_names = ["width", "height"].map(String::from).to_vec();
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("colors.mlp");
/// model.save(&path)?;
///
/// let loaded: SavedModel = SavedModel::load(&path)?;
/// let x = Tensor::from([[0.5, -1.0]]);
/// assert_eq!(loaded.network.predict(&x)?, model.network.predict(&x)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SavedModel<E: Element = f32> {
    /// The network with its weights.
    pub network: Network<E>,
    /// What the network's output means.
    pub output: Output,
    /// What is needed to go on training; `None` for a network that was never set up for training.
    pub training: Option<Training<E>>,
    /// What features are standardized by before they reach the network, if they are.
    pub scaler: Option<StandardScaler>,
    /// The names of the input features: one each, or none at all.
    pub feature_names: Vec<String>,
}

/// What is needed to go on training a network where it stopped.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Training<E: Element = f32> {
    /// The optimizer and its settings.
    pub optimizer: Optimizer,
    /// What the optimizer remembers between steps.
    pub state: OptimizerState<E>,
    /// The loss.
    pub loss: Loss,
    /// The share of certainty that is taken from targets, from 0 to 1.
    pub label_smoothing: f64,
    /// What is measured beside the loss.
    pub metrics: Vec<Metric>,
    /// The seed of all that is random in training.
    pub seed: u64,
    /// The number of epochs trained so far.
    pub epochs: u64,
    /// The run that the model is in the middle of, if it is in one.
    pub run: Option<SavedRun<E>>,
}

impl<E: Element> Training<E> {
    /// What is needed to go on training with these parts: no label smoothing, no metrics, no epochs so far and no run that
    /// the model is in the middle of.
    pub fn new(optimizer: Optimizer, state: OptimizerState<E>, loss: Loss, seed: u64) -> Self {
        Self { optimizer, state, loss, label_smoothing: 0.0, metrics: Vec::new(), seed, epochs: 0, run: None }
    }
}

impl<E: Element> SavedModel<E> {
    /// A network whose output means `output`, to predict with: without training, a scaler or names of features.
    pub fn new(network: Network<E>, output: Output) -> Self {
        Self { network, output, training: None, scaler: None, feature_names: Vec::new() }
    }

    /// Saves the model to a file.
    ///
    /// A file that is already there is replaced as a whole, and keeps its permissions; on an error it stays as it was.
    /// Symbolic links are followed, also to where there is no file yet. The same model always gives the same bytes.
    ///
    /// # Errors
    /// [`IoError::File`] if the path has no file name, its folder is missing, the file is read-only or not an ordinary
    /// file, or the system refuses to write; [`IoError::Format`] as [`SavedModel::to_bytes`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), IoError> {
        self.save_with(path, &Limits::default())
    }

    /// Saves a model that goes beyond the default limits of loading. What loads it must raise them as well, by
    /// [`LoadOptions::limits`].
    ///
    /// # Errors
    /// As [`SavedModel::save`].
    pub fn save_with(&self, path: impl AsRef<Path>, limits: &Limits) -> Result<(), IoError> {
        let path = path.as_ref();
        let bytes = self.encode(limits).map_err(IoError::in_file(path))?;
        file::replace(path, &bytes)
    }

    /// Loads a model from a file.
    ///
    /// # Errors
    /// [`IoError::File`] if the file cannot be read; [`IoError::Format`] as [`SavedModel::from_bytes`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, IoError> {
        Self::load_with(path, LoadOptions::new())
    }

    /// Loads a model with parts of your own, or within other limits: a registry goes in the place of `options` as it is.
    ///
    /// # Errors
    /// As [`SavedModel::load`], and if a constructor refuses the settings in the file.
    pub fn load_with<'a>(path: impl AsRef<Path>, options: impl Into<LoadOptions<'a>>) -> Result<Self, IoError> {
        let path = path.as_ref();
        Self::decode(&file::read(path)?, &options.into()).map_err(IoError::in_file(path))
    }

    /// The bytes of the file that [`SavedModel::save`] writes.
    ///
    /// # Errors
    /// [`IoError::Format`] if the parts of the model do not belong together (weights of another shape than the network
    /// describes, another optimizer's state, a scaler or names for another number of columns), a setting of the
    /// optimizer, of the loss or the label smoothing lies outside of its range, the model or the run that it is in goes
    /// beyond the default [`Limits`] of loading ([`FormatError::Limit`]), or a tensor is larger than 4 GiB. What is
    /// written can be read.
    pub fn to_bytes(&self) -> Result<Vec<u8>, IoError> {
        self.to_bytes_with(&Limits::default())
    }

    /// The bytes of the file that [`SavedModel::save_with`] writes.
    ///
    /// # Errors
    /// As [`SavedModel::to_bytes`].
    pub fn to_bytes_with(&self, limits: &Limits) -> Result<Vec<u8>, IoError> {
        self.encode(limits).map_err(IoError::in_memory)
    }

    /// The model in the bytes of a file. They may come from anyone: nothing is believed that was not checked.
    ///
    /// # Errors
    /// [`IoError::Format`] if the bytes are not a model, were written by a newer version, are truncated or damaged,
    /// hold another type of numbers than `E`, or describe a model whose parts do not belong together.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IoError> {
        Self::from_bytes_with(bytes, LoadOptions::new())
    }

    /// The model in the bytes of a file, with parts of your own, or within other limits.
    ///
    /// # Errors
    /// As [`SavedModel::from_bytes`], and if a constructor refuses the settings in the file.
    pub fn from_bytes_with<'a>(bytes: &[u8], options: impl Into<LoadOptions<'a>>) -> Result<Self, IoError> {
        Self::decode(bytes, &options.into()).map_err(IoError::in_memory)
    }

    fn encode(&self, limits: &Limits) -> Result<Vec<u8>, FormatError> {
        let mut bytes = prefix::start();
        Body::of(self, limits)?.encode(&mut bytes)?;
        skim(&bytes[prefix::LEN..], limits).map_err(FormatError::on_writing)?;
        prefix::finish(&mut bytes);
        Ok(bytes)
    }

    fn decode(bytes: &[u8], options: &LoadOptions<'_>) -> Result<Self, FormatError> {
        let (body, _) = prefix::open(bytes)?;
        Body::decode(body, &options.limits)?.into_model(options)
    }

    /// Checks that the parts belong together and keep within `limits`, as they must to be read again.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), FormatError> {
        let Self { network, training, .. } = self;
        network.architecture().check_within(limits)?;
        if let Some(Training { optimizer, state, loss, label_smoothing, .. }) = training {
            check_label_smoothing(*label_smoothing)?;
            optimizer.check::<E>()?;
            if loss.missing().is_none() {
                loss.check::<E>()?;
            }
            OptimizerState::from_parts(optimizer, network.parameters(), state.steps(), state.slots().to_vec())?;
        }
        self.check_names()
    }

    /// Checks what belongs to the columns of the input and of the output.
    pub(crate) fn check_names(&self) -> Result<(), FormatError> {
        let features = self.network.architecture().input_features();
        self.output.check(self.network.output_shape())?;
        if let Some(found) = self.scaler.as_ref().map(|scaler| scaler.mean().len()).filter(|&n| n != features) {
            return Err(FormatError::ScalerWidth { expected: features, found });
        }
        match self.feature_names.len() {
            found if found != 0 && found != features => Err(FormatError::FeatureNames { expected: features, found }),
            _ => Ok(()),
        }
    }
}

impl<E: Element> From<Network<E>> for SavedModel<E> {
    /// A network by itself: to predict with, not to go on training. What its output means is read off its last
    /// activation: softmax gives the probabilities of classes, sigmoid those of yes, all others numbers.
    fn from(network: Network<E>) -> Self {
        let row = network.output_shape();
        let task = match (network.architecture().output_activation(), row) {
            (Activation::Softmax, &[2..=usize::MAX]) => Task::Multiclass,
            (Activation::Sigmoid, &[1]) => Task::Binary,
            (Activation::Sigmoid, &[_]) => Task::Multilabel,
            _ => Task::Regression,
        };
        Self::new(network, Output::new(task, OutputFunction::Identity))
    }
}
