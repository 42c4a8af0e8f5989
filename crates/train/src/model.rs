//! A network with everything that training it takes.

use std::path::Path;

use mlp_data::{StandardScaler, TrainTestSplit};
use mlp_io::{SavedModel, Training};
use mlp_nn::{Loss, Network, Predictor, Registry, Sequential};
use mlp_optim::{Optimizer, OptimizerState};
use mlp_tensor::{Element, Rng, Tensor};

use crate::engine::{Engine, Objective, Totals};
use crate::evaluate::{evaluate, report};
use crate::fit::Validation;
use crate::loss::check_loss;
use crate::table::Table;
use crate::{Epoch, Evaluation, Fit, History, Metric, Targets, TrainError};

/// A network with a loss, an optimizer and their state: what is fitted, evaluated, saved and asked for predictions.
#[derive(Debug)]
pub struct Model<E: Element = f32> {
    network: Network<E>,
    objective: Objective,
    optimizer: Optimizer,
    state: OptimizerState<E>,
    scaler: Option<StandardScaler>,
    feature_names: Vec<String>,
    class_names: Vec<String>,
    seed: u64,
    /// Epochs trained so far, in all fits.
    epochs: u64,
    engine: Engine<E>,
}

/// What the seed is used for: each use draws from a stream of its own.
const SHUFFLE: u64 = 1;
const SPLIT: u64 = 2;
const DROPOUT: u64 = 3;

impl<E: Element> Model<E> {
    /// A model of `architecture` with first weights drawn from `seed`, on which everything random in its fits depends
    /// as well.
    ///
    /// # Errors
    /// If a setting of the architecture or the optimizer lies outside of its range, or the loss does not fit the
    /// network's last activation.
    pub fn compile(
        architecture: Sequential,
        optimizer: impl Into<Optimizer>,
        loss: Loss,
        seed: u64,
    ) -> Result<Self, TrainError> {
        Self::from_network(architecture.init(seed)?, optimizer, loss, seed)
    }

    /// A model of a network that has its weights already.
    ///
    /// # Errors
    /// As [`Model::compile`].
    pub fn from_network(
        network: Network<E>,
        optimizer: impl Into<Optimizer>,
        loss: Loss,
        seed: u64,
    ) -> Result<Self, TrainError> {
        let optimizer = optimizer.into();
        optimizer.check()?;
        check_loss(loss, &network)?;
        let state = OptimizerState::new(&optimizer, network.parameters());
        Ok(Self {
            engine: Engine::new(&network),
            network,
            objective: Objective { loss, metrics: Vec::new() },
            optimizer,
            state,
            scaler: None,
            feature_names: Vec::new(),
            class_names: Vec::new(),
            seed,
            epochs: 0,
        })
    }

    /// Measures `metrics` beside the loss, in fits and evaluations.
    #[must_use]
    pub fn with_metrics(mut self, metrics: impl Into<Vec<Metric>>) -> Self {
        self.objective.metrics = metrics.into();
        self
    }

    /// Standardises features by `scaler` before they reach the network, in fits, evaluations and predictions alike.
    /// The scaler is saved with the model. Fit it to training rows alone: one that has seen validation or test rows
    /// makes their results look better than they are.
    #[must_use]
    pub fn with_scaler(mut self, scaler: StandardScaler) -> Self {
        self.scaler = Some(scaler);
        self
    }

    /// Names the features; the names are saved with the model.
    #[must_use]
    pub fn with_feature_names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.feature_names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Names the classes, in the order of the outputs; the names are saved with the model.
    #[must_use]
    pub fn with_class_names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.class_names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Trains on the rows of `x` `[n, features]` and their targets `y`, and reports every epoch.
    ///
    /// A fit after a fit goes on where the last one ended, optimizer included.
    ///
    /// # Errors
    /// If features or targets have another shape than the network needs, hold NaN or infinity, or there are none; if a
    /// setting lies outside of its range; if a validation split leaves one side empty. Then nothing has been trained.
    /// If the loss becomes NaN or infinite, with the history so far.
    pub fn fit<'a>(
        &mut self,
        x: &Tensor<E>,
        y: impl Into<Targets<'a, E>>,
        fit: &Fit<'_, E>,
    ) -> Result<History, TrainError> {
        fit.check()?;
        self.check()?;
        let table = self.table(x, y.into(), "fit")?;
        let (rows, validation) = match &fit.validation {
            Validation::None => ((0..table.rows()).collect(), None),
            Validation::Split { share, stratified } => {
                let mut split = TrainTestSplit::new(*share).seed(Rng::stream(self.seed, &[SPLIT]).next_u64());
                if *stratified {
                    split = split.stratify(&table.classes());
                }
                let split = split.split(table.rows())?;
                (split.train, Some((None, split.test)))
            }
            Validation::Data { x, y } => {
                let held_out = self.table(x, *y, "validate on")?;
                let rows = (0..held_out.rows()).collect();
                ((0..table.rows()).collect(), Some((Some(held_out), rows)))
            }
        };
        let validation = validation.as_ref().map(|(held_out, rows)| (held_out.as_ref().unwrap_or(&table), &rows[..]));
        if Engine::uses_threads(&self.network, rows.len().min(fit.batch_size)) {
            // On a thread of the pool itself, handing work to the others costs less.
            rayon::scope(|_| self.train(&table, rows, validation, fit))
        } else {
            self.train(&table, rows, validation, fit)
        }
    }

    fn train(
        &mut self,
        table: &Table<'_, E>,
        rows: Vec<usize>,
        validation: Option<(&Table<'_, E>, &[usize])>,
        fit: &Fit<'_, E>,
    ) -> Result<History, TrainError> {
        #[cfg(feature = "progress")]
        let progress = crate::progress::Progress::new(fit.epochs, fit.progress);
        let mut history = History::default();
        for number in 1..=fit.epochs {
            let mut order = rows.clone();
            if fit.shuffle {
                Rng::stream(self.seed, &[SHUFFLE, self.epochs]).shuffle(&mut order);
            }
            let mut totals = Totals::default();
            for batch in order.chunks(fit.batch_size) {
                totals.add(&self.step(table, batch));
            }
            self.epochs += 1;
            let training = report(&totals, &self.objective);
            let validation = validation.map(|(table, rows)| evaluate(&self.network, &self.objective, table, rows));
            let loss = training.loss;
            let epoch = Epoch { training, validation };
            #[cfg(feature = "progress")]
            progress.epoch(&epoch);
            history.epochs.push(epoch);
            if !loss.is_finite() {
                return Err(TrainError::Diverged { epoch: number, loss, history });
            }
        }
        Ok(history)
    }

    /// One step on exactly these rows, as one batch, and their mean loss before it.
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn train_on_batch<'a>(&mut self, x: &Tensor<E>, y: impl Into<Targets<'a, E>>) -> Result<f64, TrainError> {
        self.check()?;
        let table = self.table(x, y.into(), "train on")?;
        let rows: Vec<usize> = (0..table.rows()).collect();
        Ok(report(&self.step(&table, &rows), &self.objective).loss)
    }

    fn step(&mut self, table: &Table<'_, E>, rows: &[usize]) -> Totals {
        let seed = Rng::stream(self.seed, &[DROPOUT]).next_u64();
        let optimizer = (&self.optimizer, &mut self.state);
        self.engine.step(&mut self.network, &self.objective, optimizer, (table, rows), seed)
    }

    /// The loss and the metrics on the rows of `x` and their targets, without dropout and without training.
    ///
    /// # Errors
    /// If features or targets have another shape than the network needs, hold NaN or infinity, or there are none.
    pub fn evaluate<'a>(&self, x: &Tensor<E>, y: impl Into<Targets<'a, E>>) -> Result<Evaluation, TrainError> {
        self.check()?;
        let table = self.table(x, y.into(), "evaluate")?;
        let rows: Vec<usize> = (0..table.rows()).collect();
        Ok(evaluate(&self.network, &self.objective, &table, &rows))
    }

    /// The network's output for the rows of `x`, `[n, k]`. May be called from many threads at once.
    ///
    /// # Errors
    /// If `x` is not a table with the network's number of features, or holds NaN or infinity.
    pub fn predict(&self, x: &Tensor<E>) -> Result<Tensor<E>, TrainError> {
        self.check()?;
        Ok(self.scaled(Predictor::for_rows(&self.network, x.rows())).predict(x)?)
    }

    /// The number of the class with the largest output, for every row of `x`.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict_classes(&self, x: &Tensor<E>) -> Result<Vec<usize>, TrainError> {
        Ok(self.predict(x)?.argmax(1))
    }

    /// The model frozen for predictions, with its scaler: for single rows without allocations, from many threads.
    /// Further training does not change it.
    ///
    /// ```
    /// use mlp_nn::{Dense, Loss, Sequential};
    /// use mlp_train::Model;
    ///
    /// let network = Sequential::new(2).add(Dense::new(1));
    /// let model: Model = Model::compile(network, mlp_optim::Adam::new(0.01), Loss::MeanSquaredError, 1)?;
    /// let predictor = model.predictor()?;
    /// let mut output = [0.0];
    /// predictor.predict_row(&[0.5, -1.0], &mut output)?;
    /// # Ok::<(), mlp_train::TrainError>(())
    /// ```
    ///
    /// # Errors
    /// If the model's parts do not fit together, which is found at the first use.
    pub fn predictor(&self) -> Result<Predictor<E>, TrainError> {
        self.check()?;
        Ok(self.scaled(Predictor::new(&self.network)))
    }

    fn scaled(&self, predictor: Predictor<E>) -> Predictor<E> {
        match &self.scaler {
            Some(scaler) => predictor.standardize(scaler.mean(), scaler.scale()),
            None => predictor,
        }
    }

    /// Writes the model to one file: architecture, weights, optimizer and its state, scaler and names. The file is
    /// complete or not there: an existing file is replaced only once the new one is safely on the disk.
    ///
    /// # Errors
    /// If the file cannot be written; an existing one is then as it was.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), TrainError> {
        self.check()?;
        Ok(self.to_saved().save(path)?)
    }

    /// Reads a model that [`Model::save`] wrote. Nothing in the file is trusted.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, was written by a newer version, or holds numbers of another type.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, TrainError> {
        Self::load_with(path, &Registry::new())
    }

    /// Reads a model whose layers of your own `registry` makes.
    ///
    /// # Errors
    /// As [`Model::load`], and if a constructor refuses the settings in the file.
    pub fn load_with(path: impl AsRef<Path>, registry: &Registry) -> Result<Self, TrainError> {
        Self::from_saved(SavedModel::load_with(path, registry)?)
    }

    /// The model as a file holds it.
    pub fn to_saved(&self) -> SavedModel<E> {
        let training = Training {
            optimizer: self.optimizer.clone(),
            state: self.state.clone(),
            loss: self.objective.loss,
            metrics: self.objective.metrics.iter().map(|metric| metric.name().to_owned()).collect(),
            seed: self.seed,
            epochs: self.epochs,
        };
        SavedModel {
            network: self.network.clone(),
            training: Some(training),
            scaler: self.scaler.clone(),
            feature_names: self.feature_names.clone(),
            class_names: self.class_names.clone(),
        }
    }

    /// The model that a file held.
    ///
    /// # Errors
    /// If it has no loss and no optimizer, or its parts do not fit together.
    pub fn from_saved(saved: SavedModel<E>) -> Result<Self, TrainError> {
        let Some(training) = saved.training else { return Err(TrainError::NotCompiled) };
        let metric = |name: String| {
            let known = Metric::ALL.into_iter().find(|metric| metric.name() == name);
            known.ok_or(TrainError::UnknownMetric { name })
        };
        let metrics = training.metrics.into_iter().map(metric).collect::<Result<Vec<_>, _>>()?;
        let model = Self::from_network(saved.network, training.optimizer, training.loss, training.seed)?;
        let model = Self {
            state: training.state,
            scaler: saved.scaler,
            feature_names: saved.feature_names,
            class_names: saved.class_names,
            epochs: training.epochs,
            ..model.with_metrics(metrics)
        };
        model.check()?;
        Ok(model)
    }

    /// The network.
    pub fn network(&self) -> &Network<E> {
        &self.network
    }

    /// The network, to change its weights.
    pub fn network_mut(&mut self) -> &mut Network<E> {
        &mut self.network
    }

    /// The optimizer.
    pub fn optimizer(&self) -> &Optimizer {
        &self.optimizer
    }

    /// The loss.
    pub fn loss(&self) -> Loss {
        self.objective.loss
    }

    /// What is measured beside the loss.
    pub fn metrics(&self) -> &[Metric] {
        &self.objective.metrics
    }

    /// The scaler that features go through, if there is one.
    pub fn scaler(&self) -> Option<&StandardScaler> {
        self.scaler.as_ref()
    }

    /// The names of the features; empty if none were given.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// The names of the classes, in the order of the outputs; empty if none were given.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// What the setters cannot refuse because they return the model.
    fn check(&self) -> Result<(), TrainError> {
        let loss = self.objective.loss;
        if let Some(&metric) = self.objective.metrics.iter().find(|metric| !metric.fits(loss)) {
            return Err(TrainError::MetricAndLoss { metric, loss });
        }
        let inputs = self.network.architecture().input_features();
        let outputs = self.network.output_shape().iter().product();
        for (what, names, expected) in
            [("feature names", &self.feature_names, inputs), ("class names", &self.class_names, outputs)]
        {
            if !names.is_empty() && names.len() != expected {
                return Err(TrainError::Names { what, expected, found: names.len() });
            }
        }
        match &self.scaler {
            Some(scaler) if scaler.mean().len() != inputs => {
                Err(TrainError::ScalerWidth { scaler: scaler.mean().len(), network: inputs })
            }
            _ => Ok(()),
        }
    }

    fn table<'a>(&self, x: &Tensor<E>, y: Targets<'a, E>, purpose: &'static str) -> Result<Table<'a, E>, TrainError> {
        Table::new(&self.network, self.objective.loss, self.features(x)?, y, purpose)
    }

    /// The features as the network takes them.
    fn features(&self, x: &Tensor<E>) -> Result<Tensor<E>, TrainError> {
        self.network.check_input(x)?;
        match &self.scaler {
            // A scaler has one column for each value of a row, whatever the row's shape.
            Some(scaler) if x.rows() > 0 => {
                Ok(scaler.transform(&x.reshape([x.rows(), x.row_len()]))?.reshape(x.shape()))
            }
            _ => Ok(x.clone()),
        }
    }
}
