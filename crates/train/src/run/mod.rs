//! Training as a value: pulled epoch by epoch or step by step.

mod checkpoint;
mod snapshot;

use std::path::Path;

use mlp_autograd::Anomaly;
use mlp_data::{DataError, TrainTestSplit};
use mlp_io::SavedRun;
use mlp_nn::LossOptions;
use mlp_tensor::{Element, Tensor};

use crate::callback::set_learning_rate;
use crate::evaluate::{evaluate, find_anomaly};
use crate::fit::{ClassWeights, Validation, split_setting};
use crate::step::has_threads;
use crate::{
    Callback, Diverged, Epoch, Evaluation, Fit, History, Model, Objective, Rows, RunContext, Step, Targets, Totals,
    TrainError,
};

pub use checkpoint::Resume;
pub(crate) use snapshot::{Snapshot, diverged, not_finite};

/// A fit in progress: [`Model::run`] begins it, and whoever holds it says when it goes on.
///
/// ```
/// use mlp_nn::{Dense, Loss, Sequential};
/// use mlp_optim::Sgd;
/// use mlp_tensor::Tensor;
/// use mlp_train::{Fit, Model};
///
/// let network = Sequential::new(1).add(Dense::new(1));
/// let mut model = Model::builder(network).optimizer(Sgd::new(0.1)).loss(Loss::MeanSquaredError).build()?;
/// let (x, y) = (Tensor::from([[0.0], [1.0], [2.0]]), Tensor::from([1.0, 3.0, 5.0]));
///
/// let mut run = model.run(&x, &y, &Fit::new().epochs(1000))?;
/// while let Some(epoch) = run.next_epoch()? {
///     if epoch.training.loss < 1e-6 {
///         run.stop();
///     }
/// }
/// assert!(run.history().epochs.len() < 1000);
/// # Ok::<(), mlp_train::TrainError>(())
/// ```
///
/// A run that is dropped leaves the model as the steps so far have made it.
#[derive(Debug)]
pub struct Run<'m, E: Element = f32> {
    model: &'m mut Model<E>,
    fit: Fit<E>,
    /// The model's objective with the class weights of this run.
    objective: Objective,
    rows: Rows<E>,
    /// The numbers of the rows that are trained on, in the order given.
    training: Vec<usize>,
    held_out: Option<(Rows<E>, Vec<usize>)>,
    callbacks: Vec<Box<dyn Callback<E>>>,
    /// What the run goes back to when it diverges.
    snapshot: Snapshot<E>,
    /// The number of epochs that were over at that moment.
    snapshot_epochs: usize,
    /// The run that the model was saved in, as long as the snapshot is the model of then.
    pending: Option<Box<SavedRun<E>>>,
    history: History,
    /// The rows in the order of the epoch at hand; empty before its first step.
    order: Vec<usize>,
    /// How many of them were trained on.
    position: usize,
    totals: Totals,
    last_loss: f64,
    /// In anomaly mode, the first anomaly of the run: what it comes to may show only in a later step.
    anomaly: Option<Anomaly>,
    /// Whether the callbacks were told of the start.
    started: bool,
    stop: bool,
    ended: bool,
    #[cfg(feature = "progress")]
    progress: crate::progress::Progress,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StepReport {
    /// The number of the epoch that it is in, counted from 1 in this run.
    pub epoch: usize,
    /// The number of rows of its batch.
    pub rows: usize,
    /// The mean loss of the batch before the step, penalties included.
    pub loss: f64,
    /// The epoch, if this was its last step.
    pub end_of_epoch: Option<Epoch>,
}

impl<'m, E: Element> Run<'m, E> {
    /// A run at its beginning.
    pub(crate) fn begin(
        model: &'m mut Model<E>,
        x: &Tensor<E>,
        y: Targets<E>,
        fit: &Fit<E>,
    ) -> Result<Self, TrainError> {
        fit.check()?;
        model.check_trainable()?;
        let rows = model.rows("fit", x, y)?;
        let all = || (0..rows.len()).collect::<Vec<_>>();
        let (training, held_out) = match &fit.validation {
            Validation::None => (all(), None),
            Validation::Data { x, y } => {
                let held_out = model.rows("validate on", x, y.clone());
                let held_out = held_out.map_err(|error| TrainError::Validation(Box::new(error)))?;
                let chosen = (0..held_out.len()).collect();
                (all(), Some((held_out, chosen)))
            }
            Validation::Split { share, stratified } => {
                let count = ((share * rows.len() as f64).ceil() as usize).min(rows.len());
                if count == rows.len() {
                    let setting = split_setting(*stratified);
                    return Err(TrainError::ValidationSplit { setting, share: *share, rows: rows.len() });
                }
                if fit.shuffle {
                    let mut split = TrainTestSplit::new(*share).seed(model.seeds.split());
                    if *stratified {
                        let alternative = "use validation_split, which draws rows whatever they are";
                        let classes = rows.classes(&model.objective, "stratified_validation_split", alternative)?;
                        split = split.stratify(&classes);
                    }
                    let (training, held_out) = split.split(rows.len()).map_err(|error| refused(*share, error))?;
                    (training, Some((rows.clone(), held_out)))
                } else {
                    let mut training = all();
                    let last = training.split_off(rows.len() - count);
                    (training, Some((rows.clone(), last)))
                }
            }
        };
        let objective = match &fit.class_weights {
            ClassWeights::None => model.objective.clone(),
            ClassWeights::Given(weights) => weighted(model, weights.clone())?,
            ClassWeights::Balanced => weighted(model, balanced(model, &rows, &training)?)?,
        };
        if let (Some((held_out, chosen)), Validation::Split { .. }) = (&held_out, &fit.validation) {
            rows.check_weights_of(&training)?;
            let checked = held_out.check_weights_of(chosen);
            checked.map_err(|error| TrainError::Validation(Box::new(error)))?;
        }
        let snapshot = Snapshot::new(model);
        model.step.set_detect_anomalies(fit.detect_anomalies);
        Ok(Self {
            objective,
            rows,
            training,
            held_out,
            callbacks: fit.callbacks.iter().map(|callback| callback.start()).collect(),
            snapshot,
            snapshot_epochs: 0,
            pending: None,
            history: History::default(),
            order: Vec::new(),
            position: 0,
            totals: Totals::default(),
            last_loss: f64::NAN,
            anomaly: None,
            started: false,
            stop: false,
            ended: false,
            #[cfg(feature = "progress")]
            progress: crate::progress::Progress::new(fit.epochs, fit.progress),
            fit: fit.clone(),
            model,
        })
    }

    /// Trains one epoch, or what is left of the one at hand; `None` once all epochs are done or the run was stopped.
    ///
    /// # Errors
    /// If the loss, a weight, a running statistic, what the optimizer remembers or the validation loss becomes NaN or
    /// infinite: then weights, running statistics, the
    /// optimizer with its state, counters and history are those of the end of the last good epoch, or of before the run.
    /// A run that was resumed goes back no further than to where it was resumed, which may be in the middle of an epoch.
    ///
    /// What a callback returns. The run is over then: the model stays as the steps so far have left it.
    pub fn next_epoch(&mut self) -> Result<Option<Epoch>, TrainError> {
        if has_threads() && Step::is_cut(&self.model.network, self.training.len().min(self.fit.batch_size)) {
            // On a thread of the pool itself, handing work to the others costs less.
            rayon::scope(|_| self.pull_epoch())
        } else {
            self.pull_epoch()
        }
    }

    fn pull_epoch(&mut self) -> Result<Option<Epoch>, TrainError> {
        while let Some(step) = self.next_step()? {
            if step.end_of_epoch.is_some() {
                return Ok(step.end_of_epoch);
            }
        }
        Ok(None)
    }

    /// Makes one step; `None` once all epochs are done or the run was stopped.
    ///
    /// # Errors
    /// As [`Run::next_epoch`].
    pub fn next_step(&mut self) -> Result<Option<StepReport>, TrainError> {
        if self.ended {
            return Ok(None);
        }
        if !self.started {
            self.started = true;
            self.tell(Callback::on_start)?;
        }
        if self.stop || self.history.epochs.len() >= self.fit.epochs {
            if !self.order.is_empty() {
                self.check_numbers()?;
            }
            self.tell(Callback::on_end)?;
            self.end();
            return Ok(None);
        }
        if self.order.is_empty() {
            self.begin_epoch();
        }
        let end = self.position.saturating_add(self.fit.batch_size).min(self.order.len());
        let batch = &self.order[self.position..end];
        let model = &mut *self.model;
        let seed = model.seeds.step(model.state.steps().saturating_add(1));
        let totals = model.step.shards(&model.network, &self.objective, &self.rows, batch, seed);
        if self.fit.detect_anomalies && self.anomaly.is_none() {
            self.anomaly = model.step.anomaly().cloned();
        }
        let (rows, loss) = (totals.rows, totals.mean_loss());
        if !loss.is_finite() {
            return Err(self.diverge("the loss".to_owned(), loss, self.position / self.fit.batch_size + 1));
        }
        if self.history.epochs.len() > self.snapshot_epochs {
            // Only now is it known that the last epoch has left a network with a loss: it was a good one.
            self.snapshot.take(model);
            self.snapshot_epochs = self.history.epochs.len();
            self.pending = None;
        } else if self.pending.is_none() {
            self.pending = model.pending.take();
        }
        model.step.apply(&mut model.network, &model.optimizer, &mut model.state);
        self.objective.add(&mut self.totals, &totals);
        (self.position, self.last_loss) = (end, loss);
        let epoch = self.history.epochs.len() + 1;
        self.tell(Callback::on_step_end)?;
        let end_of_epoch = if self.position == self.order.len() { Some(self.end_epoch()?) } else { None };
        Ok(Some(StepReport { epoch, rows, loss, end_of_epoch }))
    }

    fn begin_epoch(&mut self) {
        self.order.clone_from(&self.training);
        if self.fit.shuffle {
            self.model.seeds.shuffle(self.model.epochs, &mut self.order);
        }
        (self.position, self.totals) = (0, Totals::default());
    }

    fn end_epoch(&mut self) -> Result<Epoch, TrainError> {
        self.check_numbers()?;
        let training = Evaluation::of(&self.totals, &self.objective);
        let validation = self
            .held_out
            .as_ref()
            .map(|(rows, chosen)| evaluate(&self.model.network, &self.model.objective, rows, chosen));
        if let Some(loss) = validation.as_ref().map(|v| v.loss).filter(|loss| !loss.is_finite()) {
            if let (true, None, Some((rows, chosen))) = (self.fit.detect_anomalies, &self.anomaly, &self.held_out) {
                self.anomaly = find_anomaly(&self.model.network, &self.model.objective, rows, chosen);
            }
            return Err(self.diverge("the validation loss".to_owned(), loss, self.steps_of_epoch()));
        }
        self.model.epochs = self.model.epochs.saturating_add(1);
        self.order.clear();
        self.position = 0;
        let epoch = Epoch { training, validation };
        #[cfg(feature = "progress")]
        self.progress.epoch(&epoch);
        self.history.epochs.push(epoch.clone());
        self.tell(Callback::on_epoch_end)?;
        Ok(epoch)
    }

    /// The number of steps of the epoch at hand that were made.
    fn steps_of_epoch(&self) -> usize {
        self.position.div_ceil(self.fit.batch_size)
    }

    /// Looks for NaN and infinity in all that the steps so far have changed.
    fn check_numbers(&mut self) -> Result<(), TrainError> {
        match not_finite(self.model) {
            None => Ok(()),
            Some((what, value)) => Err(self.diverge(what, value, self.steps_of_epoch())),
        }
    }

    /// The run is over, and what its steps needed is given back.
    fn end(&mut self) {
        self.ended = true;
        self.model.step.release();
    }

    /// Goes back to the end of the last good epoch, and ends the run. An epoch was not good if the very next loss is NaN or
    /// infinite: from its weights no learning rate leads on.
    fn diverge(&mut self, what: String, value: f64, step: usize) -> TrainError {
        let epoch = self.history.epochs.len() + 1;
        self.history.epochs.truncate(self.snapshot_epochs);
        self.end();
        self.snapshot.restore(self.model);
        // A model that is as it was when it was saved in a run is still in that run.
        if self.pending.is_some() {
            self.model.pending = self.pending.take();
        }
        let (anomaly, history) = (self.anomaly.take(), self.history.clone());
        let (epoch, step) = (Some(epoch), Some(step));
        diverged(self.model, Diverged { what, value, epoch, step, anomaly, history })
    }

    /// Tells every callback. An error of one is the end of the run.
    fn tell(
        &mut self,
        told: impl Fn(&mut (dyn Callback<E> + 'static), &mut RunContext<'_, E>) -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        let epoch = (self.history.epochs.len() + usize::from(!self.order.is_empty())).max(1);
        let result = self.callbacks.iter_mut().try_for_each(|callback| {
            let mut context = RunContext {
                model: self.model,
                history: &self.history,
                epoch,
                epochs: self.fit.epochs,
                loss: self.last_loss,
                stop: &mut self.stop,
            };
            told(callback.as_mut(), &mut context)
        });
        if result.is_err() {
            self.end();
        }
        result
    }

    /// The epochs that are over.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The epochs that are over; consumes the run.
    pub fn into_history(self) -> History {
        self.history
    }

    /// The model as the steps so far have made it.
    pub fn model(&self) -> &Model<E> {
        self.model
    }

    /// The optimizer's step size.
    pub fn learning_rate(&self) -> f64 {
        self.model.optimizer.learning_rate()
    }

    /// Sets the optimizer's step size, for the steps to come.
    ///
    /// # Errors
    /// If it is not finite and above 0 in the network's number type.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), TrainError> {
        set_learning_rate::<E>(&mut self.model.optimizer, learning_rate)
    }

    /// Ends the run for good: the next step is the end. To go on later, leave the loop that pulls the run, and save it by
    /// [`Run::save`] without a stop.
    pub fn stop(&mut self) {
        self.stop = true;
    }

    /// Saves the model with the run, so that [`Model::resume`] goes on with the next step to the same bits. Possible
    /// between any two steps. A run that is over leaves nothing to resume: then it is the model alone that is saved. One that
    /// was stopped and has not ended yet ends as soon as it is resumed.
    ///
    /// # Errors
    /// As [`Model::save`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), TrainError> {
        Ok(self.to_saved().save(path)?)
    }
}

/// What a validation split says of a share that does not do.
fn refused(share: f64, error: DataError) -> TrainError {
    match error {
        DataError::TooFewRows { part, found, classes } => {
            let part = if part == "test" { "validation" } else { part };
            TrainError::StratifiedSplit { share, part, rows: found, classes }
        }
        error => error.into(),
    }
}

/// The model's objective with class weights.
fn weighted<E: Element>(model: &Model<E>, weights: Vec<f64>) -> Result<Objective, TrainError> {
    let smoothing = model.objective.options().label_smoothing;
    let options = LossOptions::new().label_smoothing(smoothing).class_weights(weights);
    model.objective.clone().with_options(options, &model.network)
}

/// n / (k · nᵢ) for every class i.
fn balanced<E: Element>(model: &Model<E>, rows: &Rows<E>, training: &[usize]) -> Result<Vec<f64>, TrainError> {
    let alternative = "use class_weights, or give every row a weight of its own";
    let classes = rows.classes(&model.objective, "balanced_class_weights", alternative)?;
    let mut counts = vec![0_usize; model.objective.output().class_count(model.network.output_shape())];
    training.iter().for_each(|&row| counts[classes[row]] += 1);
    let present = counts.iter().filter(|&&count| count > 0).count();
    let weight = |count: usize| match count {
        // No row has it, so that it does not matter.
        0 => 1.0,
        count => training.len() as f64 / (present as f64 * count as f64),
    };
    Ok(counts.into_iter().map(weight).collect())
}
