//! A run in a file, and the way back.

use std::fmt;
use std::sync::Arc;

use mlp_io::{RunProgress, SavedCallback, SavedClassWeights, SavedModel, SavedRun, SavedTotals, SavedValidation};
use mlp_registry::shown;
use mlp_tensor::{Element, Tensor};

use super::Run;
use crate::callback::{CLOSURE, Prototype};
use crate::fit::{ClassWeights, Validation};
use crate::{
    Callback, CallbackState, Epoch, Evaluation, Fit, History, Model, Objective, RunContext, Targets, Totals, TrainError,
};

/// What a run that is resumed needs beside the file: what a file cannot hold.
#[derive(Clone)]
#[must_use]
pub struct Resume<E: Element = f32> {
    validation: Option<(Tensor<E>, Targets<E>)>,
    closures: Vec<Arc<dyn Prototype<E>>>,
    without_closures: bool,
    #[cfg(feature = "progress")]
    progress: bool,
}

impl<E: Element> Resume<E> {
    /// Nothing beside the file.
    pub fn new() -> Self {
        Self {
            validation: None,
            closures: Vec::new(),
            without_closures: false,
            #[cfg(feature = "progress")]
            progress: true,
        }
    }

    /// The rows that the run is validated on, if they are rows of their own.
    pub fn validation_data(self, x: &Tensor<E>, y: impl Into<Targets<E>>) -> Self {
        Self { validation: Some((x.clone(), y.into())), ..self }
    }

    /// The closure of [`Fit::on_epoch`]; of several, in the order in which they were added.
    pub fn on_epoch(
        mut self,
        told: impl Fn(&mut RunContext<'_, E>) -> Result<(), TrainError> + Send + Sync + 'static,
    ) -> Self {
        self.closures.extend(Fit::new().on_epoch(told).callbacks);
        self
    }

    /// Goes on without the closures that the run had.
    pub fn without_closures(self) -> Self {
        Self { without_closures: true, ..self }
    }

    /// Whether the progress is shown, as in [`Fit::progress`].
    #[cfg(feature = "progress")]
    pub fn progress(self, progress: bool) -> Self {
        Self { progress, ..self }
    }
}

impl<E: Element> Default for Resume<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Element> fmt::Debug for Resume<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resume").field("closures", &self.closures.len()).finish_non_exhaustive()
    }
}

impl<E: Element> Run<'_, E> {
    /// The model with the run, as a file holds them; without it once the run is over.
    pub fn to_saved(&self) -> SavedModel<E> {
        let mut saved = self.model.to_saved();
        if let Some(training) = saved.training.as_mut().filter(|_| !self.ended) {
            training.run = Some(self.to_saved_run());
        }
        saved
    }

    fn to_saved_run(&self) -> SavedRun<E> {
        let fit = &self.fit;
        let (epochs, batch_size, rows) = (fit.epochs as u64, fit.batch_size as u64, self.rows.len() as u64);
        let mut progress = RunProgress::new(epochs, batch_size, rows);
        progress.shuffle = fit.shuffle;
        progress.weighted = self.rows.are_weighted();
        progress.detect_anomalies = fit.detect_anomalies;
        progress.validation = match &fit.validation {
            Validation::None => SavedValidation::None,
            Validation::Split { share, stratified } => {
                SavedValidation::Split { share: *share, stratified: *stratified }
            }
            Validation::Data { x, y } => SavedValidation::Data { rows: x.rows() as u64, weighted: y.weights.is_some() },
        };
        progress.class_weights = match &fit.class_weights {
            ClassWeights::None => SavedClassWeights::None,
            ClassWeights::Given(weights) => SavedClassWeights::Given(weights.clone()),
            ClassWeights::Balanced => SavedClassWeights::Balanced,
        };
        progress.in_epoch = !self.order.is_empty();
        progress.position = self.position as u64;
        let Totals { rows, loss, penalty, metrics } = &self.totals;
        progress.totals = SavedTotals::new(*rows as u64, *loss, *penalty, metrics.clone());
        progress.last_loss = self.last_loss;
        progress.stopped = self.stop;
        progress.epochs_over = self.history.epochs.len() as u64;
        progress.history = self.history.epochs.iter().flat_map(numbers).collect();
        let callback = |callback: &dyn Callback<E>| {
            let CallbackState { values, tensors } = callback.state();
            SavedCallback::new(callback.name(), callback.settings(), values, tensors)
        };
        SavedRun::new(progress, self.callbacks.iter().map(|own| callback(own.as_ref())).collect())
    }
}

impl<'m, E: Element> Run<'m, E> {
    pub(crate) fn resumed(
        model: &'m mut Model<E>,
        x: &Tensor<E>,
        y: Targets<E>,
        resume: &Resume<E>,
    ) -> Result<Self, TrainError> {
        let Some(saved) = model.pending.clone() else { return Err(TrainError::NoRun) };
        let SavedRun { progress, callbacks, .. } = *saved;
        let refuse = |reason: String| Err(TrainError::Resume { reason });
        if progress.rows != x.rows() as u64 {
            return refuse(format!(
                "it had {} rows, but {} were given; give it the same rows",
                progress.rows,
                x.rows()
            ));
        }
        check_weighted("rows", progress.weighted, &y)?;
        let fit = fit(&progress, resume)?;
        let callbacks = open(model, callbacks, resume)?;
        let history = history(&progress, &model.objective)?;
        let metrics = model.objective.metrics().len();
        let mut run = Self::begin(model, x, y, &fit)?;
        run.callbacks = callbacks;
        run.history = history;
        run.snapshot_epochs = run.history.epochs.len();
        run.last_loss = progress.last_loss;
        run.started = progress.in_epoch || progress.epochs_over > 0;
        run.stop = progress.stopped;
        #[cfg(feature = "progress")]
        run.progress.skip(run.history.epochs.len());
        if progress.in_epoch {
            run.begin_epoch();
            let position = usize::try_from(progress.position).unwrap_or(usize::MAX);
            let sound = position < run.order.len()
                && position.is_multiple_of(run.fit.batch_size)
                && progress.totals.rows == progress.position
                && (position == 0 || progress.totals.metrics.len() == metrics);
            if !sound {
                return refuse(format!(
                    "it was after row {position} of {}, which is not the end of a batch of {}",
                    run.order.len(),
                    run.fit.batch_size
                ));
            }
            run.position = position;
            let SavedTotals { loss, penalty, metrics, .. } = progress.totals;
            run.totals = Totals { rows: position, loss, penalty, metrics };
        }
        Ok(run)
    }
}

/// The settings that the run had.
fn fit<E: Element>(progress: &RunProgress, resume: &Resume<E>) -> Result<Fit<E>, TrainError> {
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let fit = Fit::new().epochs(whole(progress.epochs)).batch_size(whole(progress.batch_size));
    let fit = fit.shuffle(progress.shuffle).detect_anomalies(progress.detect_anomalies);
    #[cfg(feature = "progress")]
    let fit = fit.progress(resume.progress);
    let refuse = |reason: String| Err(TrainError::Resume { reason });
    let fit = match (&progress.class_weights, fit) {
        (SavedClassWeights::None, fit) => fit,
        (SavedClassWeights::Given(weights), fit) => fit.class_weights(weights.clone()),
        (SavedClassWeights::Balanced, fit) => fit.balanced_class_weights(),
        (other, _) => return refuse(format!("its class weights are of a kind that is not known here: {other:?}")),
    };
    match (progress.validation, &resume.validation) {
        (SavedValidation::None, None) => Ok(fit),
        (SavedValidation::Split { share, stratified: false }, None) => Ok(fit.validation_split(share)),
        (SavedValidation::Split { share, stratified: true }, None) => Ok(fit.stratified_validation_split(share)),
        (SavedValidation::Data { rows, weighted }, Some((x, y))) if x.rows() as u64 == rows => {
            check_weighted("validation rows", weighted, y)?;
            Ok(fit.validation_data(x, y.clone()))
        }
        (SavedValidation::Data { rows, .. }, Some((x, _))) => {
            refuse(format!("it was validated on {rows} rows, but {} were given", x.rows()))
        }
        (SavedValidation::Data { rows, .. }, None) => {
            refuse(format!("it was validated on {rows} rows of their own; give them by Resume::validation_data"))
        }
        (_, Some(_)) => refuse("it had no validation rows of its own, but some were given; leave them out".to_owned()),
        (other, None) => refuse(format!("its validation rows are of a kind that is not known here: {other:?}")),
    }
}

/// Checks that rows have weights if they had some, and only then.
fn check_weighted<E: Element>(rows: &str, weighted: bool, targets: &Targets<E>) -> Result<(), TrainError> {
    let reason = match (weighted, targets.weights.is_some()) {
        (true, false) => format!("its {rows} had weights, but none were given; give them again"),
        (false, true) => format!("its {rows} had no weights, but some were given; leave them out"),
        _ => return Ok(()),
    };
    Err(TrainError::Resume { reason })
}

/// The callbacks that the run had, as they were.
fn open<E: Element>(
    model: &Model<E>,
    saved: Vec<SavedCallback<E>>,
    resume: &Resume<E>,
) -> Result<Vec<Box<dyn Callback<E>>>, TrainError> {
    let closures = saved.iter().filter(|callback| callback.name == CLOSURE).count();
    if !resume.without_closures && closures != resume.closures.len() {
        return Err(TrainError::Resume {
            reason: format!(
                "a file cannot hold closures, so that they must be given again: as callbacks the run had {closures} of them, \
                 and resuming it got {}; give them by Resume::on_epoch, or leave them out by Resume::without_closures",
                resume.closures.len()
            ),
        });
    }
    let mut given = resume.closures.iter();
    let mut callbacks = Vec::with_capacity(saved.len());
    for SavedCallback { name, settings, values, tensors, .. } in saved {
        if name == CLOSURE {
            callbacks.extend(given.next().map(|closure| closure.start()));
            continue;
        }
        let part = shown(&name, 100);
        let made = model.registry.make::<Box<dyn Callback<E>>>(&name, &settings);
        let mut callback = match made {
            Ok(Some(callback)) => callback,
            Ok(None) => return Err(TrainError::UnknownCallback { name: part, number: E::NAME }),
            Err(error) => {
                let reason = format!("its callback \"{part}\" cannot be made: {}", shown(error, 500));
                return Err(TrainError::Resume { reason });
            }
        };
        if (callback.name(), callback.settings()) != (name.as_str(), settings) {
            let reason = format!("the registry made another callback than \"{part}\", or one with other settings");
            return Err(TrainError::Resume { reason });
        }
        callback.restore(CallbackState { values, tensors })?;
        callbacks.push(callback);
    }
    Ok(callbacks)
}

/// What an epoch reported, as [`RunProgress::history`] has it.
fn numbers(epoch: &Epoch) -> impl Iterator<Item = f64> {
    let numbers = |evaluation: &Evaluation| {
        let mut numbers = vec![evaluation.loss, evaluation.penalty];
        numbers.extend(evaluation.metrics.iter().map(|(_, value)| value));
        numbers
    };
    [Some(&epoch.training), epoch.validation.as_ref()].into_iter().flatten().flat_map(numbers)
}

fn history(progress: &RunProgress, objective: &Objective) -> Result<History, TrainError> {
    let metrics = objective.metrics();
    let one = 2 + metrics.len();
    let an_epoch = if matches!(progress.validation, SavedValidation::None) { one } else { 2 * one };
    let (found, over) = (progress.history.len(), progress.epochs_over);
    if over.checked_mul(an_epoch as u64) != Some(found as u64) {
        let reason = format!("{over} epochs are over, of {an_epoch} numbers each, but its history has {found}");
        return Err(TrainError::Resume { reason });
    }
    let evaluation = |numbers: &[f64]| Evaluation {
        loss: numbers[0],
        penalty: numbers[1],
        metrics: metrics.iter().map(|metric| metric.name().to_owned()).zip(numbers[2..].iter().copied()).collect(),
    };
    let epoch = |numbers: &[f64]| {
        let (training, validation) = numbers.split_at(one);
        Epoch { training: evaluation(training), validation: (!validation.is_empty()).then(|| evaluation(validation)) }
    };
    Ok(History { epochs: progress.history.chunks_exact(an_epoch).map(epoch).collect() })
}
