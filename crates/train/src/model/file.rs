//! A model in a file.

use std::path::Path;

use mlp_io::{SavedModel, Training};
use mlp_nn::{Limits, LossOptions};
use mlp_optim::OptimizerState;
use mlp_registry::Registry;
use mlp_tensor::Element;

use crate::{Model, Objective, Seeds, Step, TrainError};

impl Model<f32> {
    /// Reads a model of `f32` that [`Model::save`] wrote. Nothing in the file is trusted. For `f64`, and for parts of
    /// your own, see [`Model::load_with`].
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, was written by a newer version, or holds numbers of another type.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, TrainError> {
        Self::load_with(path, &Registry::new())
    }
}

impl<E: Element> Model<E> {
    /// Writes the model to one file: architecture, weights, what the output means, optimizer and its state, scaler and
    /// names; and the run, if the model was loaded in the middle of one and is still there. The file is complete or
    /// not there: an existing file is replaced only once the new one is safely on the disk.
    ///
    /// # Errors
    /// If the file cannot be written; an existing one is then as it was. If the optimizer is a user's that a file only
    /// named.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), TrainError> {
        self.save_with(path, &Limits::default())
    }

    /// Writes a model that goes beyond the default limits of loading. Whoever loads it must raise them as well: by
    /// [`SavedModel::load_with`] and [`LoadOptions::limits`](mlp_io::LoadOptions::limits), and [`Model::from_saved`].
    ///
    /// # Errors
    /// As [`Model::save`].
    pub fn save_with(&self, path: impl AsRef<Path>, limits: &Limits) -> Result<(), TrainError> {
        Ok(self.to_saved().save_with(path, limits)?)
    }

    /// Reads a model with parts of your own (layers, losses, metrics and the like) that `registry` makes.
    ///
    /// A layer or an activation that is missing from the registry is an error. What predictions do without (the loss, a
    /// metric, the optimizer, regularizers, initializers, constraints) may be missing: the model predicts, and evaluation
    /// and training return an error that names it.
    ///
    /// # Errors
    /// As [`Model::load`], and if a constructor refuses the settings in the file.
    pub fn load_with(path: impl AsRef<Path>, registry: &Registry) -> Result<Self, TrainError> {
        Self::from_saved(SavedModel::load_with(path, registry)?, registry)
    }

    /// The model as a file holds it.
    pub fn to_saved(&self) -> SavedModel<E> {
        let (optimizer, state) = (self.optimizer.clone(), self.state.clone());
        let mut training = Training::new(optimizer, state, self.loss().clone(), self.seeds.seed());
        training.label_smoothing = self.objective.options().label_smoothing;
        training.metrics = self.metrics().to_vec();
        training.epochs = self.epochs;
        training.run = self.pending.as_deref().cloned();
        let mut saved = SavedModel::new(self.network.clone(), self.output().clone());
        saved.training = Some(training);
        saved.scaler.clone_from(&self.scaler);
        saved.feature_names.clone_from(&self.feature_names);
        saved
    }

    /// The model that a file held. `registry` makes the callbacks of the run that it was saved in, if it was in one.
    ///
    /// # Errors
    /// If it has no loss and no optimizer, or its parts do not fit together.
    pub fn from_saved(saved: SavedModel<E>, registry: &Registry) -> Result<Self, TrainError> {
        let SavedModel { network, output, training, scaler, feature_names, .. } = saved;
        let Some(training) = training else { return Err(TrainError::NoTraining) };
        let Training { optimizer, state, loss, label_smoothing, metrics, seed, epochs, run, .. } = training;
        let slots = state.slots().to_vec();
        let state = OptimizerState::from_parts(&optimizer, network.parameters(), state.steps(), slots)?;
        let options = LossOptions::new().label_smoothing(label_smoothing);
        let objective = Objective::opened(loss, options, output, metrics, &network)?;
        let model = Self {
            step: Step::new(&network),
            network,
            objective,
            optimizer,
            state,
            scaler,
            feature_names,
            seeds: Seeds::new(seed),
            epochs,
            undo: None,
            pending: run.map(Box::new),
            registry: registry.clone(),
        };
        model.check_features()?;
        Ok(model)
    }
}
