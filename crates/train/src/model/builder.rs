//! A model in the making.

use std::collections::HashSet;

use mlp_data::StandardScaler;
use mlp_metrics::Metric;
use mlp_nn::{Loss, LossOptions, Network, Sequential, Task};
use mlp_optim::{Adam, Optimizer, OptimizerState};
use mlp_registry::Registry;
use mlp_tensor::Element;

use crate::{Model, Objective, Seeds, Step, TrainError};

/// The parts of a model, which [`ModelBuilder::build`] checks once and puts together: [`Model::builder`] begins one. For
/// a model of `f64`, begin with `ModelBuilder::<f64>::new`.
///
/// ```
/// use mlp_nn::{Activation, Dense, Loss, Sequential};
/// use mlp_optim::Adam;
/// use mlp_train::{Metric, Model};
///
/// let network = Sequential::new(4).add(Dense::new(10).activation(Activation::Relu)).add(Dense::new(1));
/// let model = Model::builder(network)
///     .optimizer(Adam::new(0.01))
///     .loss(Loss::BinaryCrossEntropy)
///     .metrics([Metric::Accuracy])
///     .class_names(["no", "yes"])
///     .threshold(0.3)
///     .seed(42)
///     .build()?;
/// # Ok::<(), mlp_train::TrainError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ModelBuilder<E: Element = f32> {
    start: Start<E>,
    optimizer: Optimizer,
    loss: Option<Loss>,
    label_smoothing: f64,
    metrics: Vec<Metric>,
    task: Option<Task>,
    threshold: Option<f64>,
    scaler: Option<StandardScaler>,
    target_scaler: Option<StandardScaler>,
    feature_names: Vec<String>,
    class_names: Vec<String>,
    seed: u64,
}

/// What a model begins with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Start<E: Element = f32> {
    /// A description: first weights are drawn from the model's seed.
    Architecture(Sequential),
    /// A network that has its weights already.
    Network(Network<E>),
}

impl<E: Element> From<Sequential> for Start<E> {
    fn from(architecture: Sequential) -> Self {
        Self::Architecture(architecture)
    }
}

impl<E: Element> From<Network<E>> for Start<E> {
    fn from(network: Network<E>) -> Self {
        Self::Network(network)
    }
}

impl<E: Element> ModelBuilder<E> {
    /// A model of a description, or of a network that has its weights already.
    pub fn new(start: impl Into<Start<E>>) -> Self {
        Self {
            start: start.into(),
            optimizer: Adam::default().into(),
            loss: None,
            label_smoothing: 0.0,
            metrics: Vec::new(),
            task: None,
            threshold: None,
            scaler: None,
            target_scaler: None,
            feature_names: Vec::new(),
            class_names: Vec::new(),
            seed: 0,
        }
    }

    /// How weights change; [`Adam`] with a step size of 0.001 unless set otherwise.
    pub fn optimizer(self, optimizer: impl Into<Optimizer>) -> Self {
        Self { optimizer: optimizer.into(), ..self }
    }

    /// What training makes small. It also says what the network's output means, see [`Output::of`](mlp_nn::Output::of).
    pub fn loss(self, loss: impl Into<Loss>) -> Self {
        Self { loss: Some(loss.into()), ..self }
    }

    /// Takes a share of certainty from targets, in fits and evaluations: see
    /// [`LossOptions::label_smoothing`](mlp_nn::LossOptions). For losses of classes.
    pub fn label_smoothing(self, share: f64) -> Self {
        Self { label_smoothing: share, ..self }
    }

    /// Measures `metrics` beside the loss, in fits and evaluations.
    pub fn metrics(self, metrics: impl IntoIterator<Item = impl Into<Metric>>) -> Self {
        Self { metrics: metrics.into_iter().map(Into::into).collect(), ..self }
    }

    /// What the network predicts, where it is not what the loss says: classes that are trained with a loss for numbers,
    /// say.
    pub fn task(self, task: Task) -> Self {
        Self { task: Some(task), ..self }
    }

    /// Predicts yes where the prediction is above `threshold`: in place of 0.5 for probabilities, and of 0 for the scores
    /// of a hinge loss. For answers of yes and no.
    pub fn threshold(self, threshold: f64) -> Self {
        Self { threshold: Some(threshold), ..self }
    }

    /// Standardizes features by `scaler` before they reach the network, in fits, evaluations and predictions alike.
    /// The scaler is saved with the model. Fit it to training rows alone: one that has seen validation or test rows
    /// makes their results look better than they are.
    pub fn scaler(self, scaler: StandardScaler) -> Self {
        Self { scaler: Some(scaler), ..self }
    }

    /// Trains on targets that are standardized by `scaler`, one column for each output; predictions and metrics are in
    /// the targets' own units, the loss is not. For numbers.
    pub fn target_scaler(self, scaler: StandardScaler) -> Self {
        Self { target_scaler: Some(scaler), ..self }
    }

    /// Names the features, each by a name of its own; the names are saved with the model.
    pub fn feature_names<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Self { feature_names: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// Names the classes in the order of their numbers: two, no first, where the answer is yes or no. The names are saved
    /// with the model.
    pub fn class_names<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Self { class_names: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// The seed of everything random: first weights, the order of rows, dropout. 0 unless set otherwise.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The model.
    ///
    /// # Errors
    /// If there is no loss, a setting lies outside of its range (in the number type in which it is used), or parts do
    /// not fit together: the loss and the network's last activation or number of outputs, metrics and the task, names
    /// and what they name, scalers and what they scale.
    pub fn build(self) -> Result<Model<E>, TrainError> {
        let network = match self.start {
            Start::Architecture(architecture) => architecture.init(self.seed)?,
            Start::Network(network) => network,
        };
        let Some(loss) = self.loss else { return Err(TrainError::NoLoss) };
        self.optimizer.check::<E>()?;
        let objective = Objective::new(loss, &network)?;
        let mut output = objective.output().clone();
        if let Some(task) = self.task {
            output = output.with_task(task);
        }
        if let Some(threshold) = self.threshold {
            output = output.with_threshold(threshold);
        }
        if let Some(scaler) = &self.target_scaler {
            output = output.with_target_scale(scaler.mean(), scaler.scale());
        }
        let objective = objective
            .with_output(output.with_class_names(self.class_names), &network)?
            .with_options(LossOptions::new().label_smoothing(self.label_smoothing), &network)?
            .with_metrics(self.metrics, &network)?;
        let model = Model {
            step: Step::new(&network),
            state: OptimizerState::new(&self.optimizer, network.parameters()),
            network,
            objective,
            optimizer: self.optimizer,
            scaler: self.scaler,
            feature_names: self.feature_names,
            seeds: Seeds::new(self.seed),
            epochs: 0,
            undo: None,
            pending: None,
            registry: Registry::new(),
        };
        model.check_features()?;
        check_feature_names(&model.feature_names)?;
        Ok(model)
    }
}

/// Every column has a name, and one of its own. (A file from elsewhere may have others.)
fn check_feature_names(names: &[String]) -> Result<(), TrainError> {
    let mut seen = HashSet::new();
    for (column, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(TrainError::FeatureName { column, reason: "is empty" });
        }
        if !seen.insert(name.as_str()) {
            return Err(TrainError::FeatureName { column, reason: "is that of an earlier column" });
        }
    }
    Ok(())
}
