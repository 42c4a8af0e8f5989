//! A network with everything that training it takes.

mod builder;
mod file;
mod predict;

use std::collections::BTreeMap;

use mlp_data::StandardScaler;
use mlp_io::SavedRun;
use mlp_metrics::Metric;
use mlp_nn::{Buffer, Loss, Network, Output, Parameter, Sequential, Summary};
use mlp_optim::{Optimizer, OptimizerState};
use mlp_registry::Registry;
use mlp_tensor::{Element, Tensor};

use crate::callback::set_learning_rate;
use crate::run::{Resume, Snapshot, diverged, not_finite};
use crate::{Diverged, Evaluation, Fit, History, Objective, Rows, Run, Seeds, Step, Targets, TrainError};

pub use builder::{ModelBuilder, Start};

/// A network with a loss, an optimizer and their state: what is fitted, evaluated, saved and asked for predictions.
///
/// A clone is a model of its own: training one does not change the other.
#[derive(Debug)]
pub struct Model<E: Element = f32> {
    pub(crate) network: Network<E>,
    pub(crate) objective: Objective,
    pub(crate) optimizer: Optimizer,
    pub(crate) state: OptimizerState<E>,
    pub(crate) scaler: Option<StandardScaler>,
    pub(crate) feature_names: Vec<String>,
    pub(crate) seeds: Seeds,
    /// Epochs trained so far, in all fits.
    pub(crate) epochs: u64,
    pub(crate) step: Step<E>,
    /// What [`Model::train_on_batch`] goes back to; kept for its memory.
    undo: Option<Box<Snapshot<E>>>,
    /// The run that the model was saved in the middle of, as long as the model is where that run left it.
    pub(crate) pending: Option<Box<SavedRun<E>>>,
    /// What the model was opened with, for the callbacks of that run.
    pub(crate) registry: Registry,
}

impl<E: Element> Clone for Model<E> {
    fn clone(&self) -> Self {
        Self {
            network: self.network.clone(),
            objective: self.objective.clone(),
            optimizer: self.optimizer.clone(),
            state: self.state.clone(),
            scaler: self.scaler.clone(),
            feature_names: self.feature_names.clone(),
            seeds: self.seeds,
            epochs: self.epochs,
            // Memory, which every model has of its own.
            step: Step::new(&self.network),
            undo: None,
            pending: self.pending.clone(),
            registry: self.registry.clone(),
        }
    }
}

impl Model<f32> {
    /// Begins a model of a description, or of a network that has its weights already. For `f64` see [`ModelBuilder`].
    pub fn builder(start: impl Into<Start<f32>>) -> ModelBuilder<f32> {
        ModelBuilder::new(start)
    }
}

impl<E: Element> Model<E> {
    /// Trains on the rows of `x` `[n, features]` and their targets `y`, and reports every epoch.
    ///
    /// A fit after a fit goes on where the last one ended, optimizer included.
    ///
    /// # Errors
    /// If features or targets have another shape than the network needs, hold NaN or infinity, or there are none; if a
    /// setting lies outside of its range; if a validation split leaves one side empty. Then nothing has been trained.
    ///
    /// If the loss, a weight, a running statistic, what the optimizer remembers or the validation loss becomes NaN or
    /// infinite. Then everything is as it was at the end of
    /// the last good epoch, or before the fit if there was none; the error has the history of the good epochs. What a
    /// callback returns.
    pub fn fit(&mut self, x: &Tensor<E>, y: impl Into<Targets<E>>, fit: &Fit<E>) -> Result<History, TrainError> {
        let mut run = self.run(x, y, fit)?;
        while run.next_epoch()?.is_some() {}
        Ok(run.into_history())
    }

    /// Begins a fit that is pulled epoch by epoch or step by step.
    ///
    /// # Errors
    /// As [`Model::fit`], for what is wrong before the first step.
    pub fn run(&mut self, x: &Tensor<E>, y: impl Into<Targets<E>>, fit: &Fit<E>) -> Result<Run<'_, E>, TrainError> {
        Run::begin(self, x, y.into(), fit)
    }

    /// Goes on with the run in which the model was saved by [`Run::save`], at the step where it was, to the same bits:
    /// with the settings, the history and the callbacks of that run, on the same rows, which a file does not hold. Should
    /// the run diverge before the end of the epoch at hand, it goes back to this moment: a file does not hold the end of
    /// the epoch before.
    ///
    /// A model whose weights were changed in the meantime, by training or by hand, is no longer in that run. Another
    /// learning rate and other frozen weights are allowed: the run goes on with them.
    ///
    /// # Errors
    /// If the model was not saved in a run; if there is another number of rows, or validation data is missing; if rows
    /// had weights and now have none, or the other way round; if a callback is not in the registry that the model was
    /// loaded with, or refuses its state; if the run had closures as callbacks and `resume` does not bring them again.
    pub fn resume(
        &mut self,
        x: &Tensor<E>,
        y: impl Into<Targets<E>>,
        resume: &Resume<E>,
    ) -> Result<Run<'_, E>, TrainError> {
        Run::resumed(self, x, y.into(), resume)
    }

    /// One step on exactly these rows, as one batch, and their mean loss before it.
    ///
    /// # Errors
    /// As [`Model::fit`]; if the loss, a weight, a running statistic or what the optimizer remembers becomes NaN or infinite,
    /// everything is as it was before the call.
    pub fn train_on_batch(&mut self, x: &Tensor<E>, y: impl Into<Targets<E>>) -> Result<f64, TrainError> {
        self.check_trainable()?;
        let rows = self.rows("train on", x, y.into())?;
        let batch: Vec<usize> = (0..rows.len()).collect();
        let seed = self.seeds.step(self.state.steps().saturating_add(1));
        self.step.set_detect_anomalies(false);
        let totals = self.step.shards(&self.network, &self.objective, &rows, &batch, seed);
        let loss = totals.mean_loss();
        let diverged = |model: &Self, what: String, value: f64| {
            let (anomaly, history) = (None, History::default());
            diverged(model, Diverged { what, value, epoch: None, step: None, anomaly, history })
        };
        if !loss.is_finite() {
            return Err(diverged(self, "the loss".to_owned(), loss));
        }
        let undo = self.take_undo();
        self.step.apply(&mut self.network, &self.optimizer, &mut self.state);
        let bad = not_finite(self);
        if bad.is_some() {
            undo.restore(self);
        } else {
            self.pending = None;
        }
        self.undo = Some(undo);
        bad.map_or(Ok(loss), |(what, value)| Err(diverged(self, what, value)))
    }

    /// The state at hand, in the memory of the last one.
    fn take_undo(&mut self) -> Box<Snapshot<E>> {
        match self.undo.take() {
            Some(mut undo) => {
                undo.take(self);
                undo
            }
            None => Box::new(Snapshot::new(self)),
        }
    }

    /// The loss and the metrics on the rows of `x` and their targets, without dropout and without training.
    ///
    /// # Errors
    /// If features or targets have another shape than the network needs, hold NaN or infinity, or there are none.
    pub fn evaluate(&self, x: &Tensor<E>, y: impl Into<Targets<E>>) -> Result<Evaluation, TrainError> {
        self.check_measurable()?;
        let rows = self.rows("evaluate", x, y.into())?;
        Ok(self.objective.evaluate(&self.network, &rows))
    }

    /// Keeps the weights and buffers whose names match `pattern` from being trained: see [`Network::freeze`].
    ///
    /// # Errors
    /// If the pattern matches nothing; the error lists the names that there are.
    pub fn freeze(&mut self, pattern: &str) -> Result<usize, TrainError> {
        Ok(self.network.freeze(pattern)?)
    }

    /// Lets the weights and buffers whose names match `pattern` be trained again.
    ///
    /// # Errors
    /// If the pattern matches nothing.
    pub fn unfreeze(&mut self, pattern: &str) -> Result<usize, TrainError> {
        let count = self.network.unfreeze(pattern)?;
        // What is trained has slots, in a file as well.
        self.state.add_missing_slots(&self.optimizer, self.network.parameters());
        Ok(count)
    }

    /// The names of all weights and buffers, such as `layers.0.weight`.
    pub fn weight_names(&self) -> Vec<&str> {
        let (weights, buffers) = (self.network.parameters().iter(), self.network.buffers().iter());
        weights.map(Parameter::name).chain(buffers.map(Buffer::name)).collect()
    }

    /// The weight or buffer of this name, such as `layers.0.weight`.
    ///
    /// # Errors
    /// If there is none; the error lists the names that there are.
    pub fn weight(&self, name: &str) -> Result<&Tensor<E>, TrainError> {
        Ok(self.network.tensor(name)?)
    }

    /// Replaces the weight or buffer of this name. What the optimizer remembers of it stays.
    ///
    /// # Errors
    /// If there is none, it has another shape, or `value` holds NaN or infinity; the error names the place.
    pub fn set_weight(&mut self, name: &str, value: Tensor<E>) -> Result<(), TrainError> {
        self.network.set_tensor(name, value)?;
        self.pending = None;
        Ok(())
    }

    /// Replaces all weights and buffers; on an error nothing is changed. What the optimizer remembers stays.
    ///
    /// # Errors
    /// If one is missing, one too many, of another shape, or holds NaN or infinity; the error lists them all.
    pub fn load_state(&mut self, state: BTreeMap<String, Tensor<E>>) -> Result<(), TrainError> {
        self.network.load_state(state)?;
        self.pending = None;
        Ok(())
    }

    /// The optimizer's step size.
    pub fn learning_rate(&self) -> f64 {
        self.optimizer.learning_rate()
    }

    /// Sets the optimizer's step size, for the steps to come.
    ///
    /// # Errors
    /// If it is not finite and above 0 in the network's number type.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), TrainError> {
        set_learning_rate::<E>(&mut self.optimizer, learning_rate)
    }

    /// Predicts yes where the prediction is above `threshold` from now on, see [`ModelBuilder::threshold`].
    ///
    /// # Errors
    /// If the task has no threshold, or it is not between 0 and 1 where predictions are probabilities.
    pub fn set_threshold(&mut self, threshold: f64) -> Result<(), TrainError> {
        let output = self.output().clone().with_threshold(threshold);
        self.objective = self.objective.clone().with_output(output, &self.network)?;
        Ok(())
    }

    /// A table of the layers, their output shapes and their parameter counts.
    pub fn summary(&self) -> Summary {
        self.network.summary()
    }

    /// The network.
    pub fn network(&self) -> &Network<E> {
        &self.network
    }

    /// The network's description.
    pub fn architecture(&self) -> &Sequential {
        self.network.architecture()
    }

    /// The optimizer.
    pub fn optimizer(&self) -> &Optimizer {
        &self.optimizer
    }

    /// What the optimizer remembers.
    pub fn optimizer_state(&self) -> &OptimizerState<E> {
        &self.state
    }

    /// The loss, its options and the metrics.
    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// The loss.
    pub fn loss(&self) -> &Loss {
        self.objective.loss()
    }

    /// What is measured beside the loss.
    pub fn metrics(&self) -> &[Metric] {
        self.objective.metrics()
    }

    /// What the network's output means.
    pub fn output(&self) -> &Output {
        self.objective.output()
    }

    /// The scaler that features go through, if there is one.
    pub fn scaler(&self) -> Option<&StandardScaler> {
        self.scaler.as_ref()
    }

    /// The names of the features; empty if none were given.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// The names of the classes, in the order of their numbers; empty if none were given.
    pub fn class_names(&self) -> &[String] {
        self.output().class_names()
    }

    /// The streams of the model's seed.
    pub fn seeds(&self) -> Seeds {
        self.seeds
    }

    /// The number of epochs trained so far, in all fits.
    pub fn epochs(&self) -> u64 {
        self.epochs
    }

    /// Checks what stands at the features.
    fn check_features(&self) -> Result<(), TrainError> {
        let expected = self.network.architecture().input_features();
        let found = self.feature_names.len();
        if found != 0 && found != expected {
            return Err(TrainError::FeatureNames { expected, found });
        }
        match &self.scaler {
            Some(scaler) if scaler.mean().len() != expected => {
                Err(TrainError::ScalerWidth { scaler: scaler.mean().len(), network: expected })
            }
            Some(_) if self.network.reads_categories() => Err(TrainError::ScaledCategories),
            _ => Ok(()),
        }
    }

    /// Checks that nothing which evaluation needs was only named by a file.
    fn check_measurable(&self) -> Result<(), TrainError> {
        self.objective.loss().check::<E>()?;
        self.objective.metrics().iter().try_for_each(Metric::check)?;
        Ok(self.network.check_trainable()?)
    }

    /// Checks that nothing which training needs was only named by a file.
    pub(crate) fn check_trainable(&self) -> Result<(), TrainError> {
        self.check_measurable()?;
        Ok(self.optimizer.check::<E>()?)
    }

    pub(crate) fn rows(&self, purpose: &'static str, x: &Tensor<E>, y: Targets<E>) -> Result<Rows<E>, TrainError> {
        Rows::for_purpose(purpose, x, y, &self.objective, &self.network, self.scaler.as_ref())
    }
}
