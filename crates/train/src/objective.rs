//! What training makes small, and what is measured beside it.

use mlp_autograd::{Tape, Var};
use mlp_metrics::{Batch, Labels, Metric};
use mlp_nn::{Activation, Loss, LossOptions, Network, Output, OutputFunction, Pass, TargetKind, Task};
use mlp_tensor::{Element, Tensor, argmax};

use crate::evaluate::evaluate;
use crate::{Evaluation, Rows, TrainError};

/// A loss with its options, what the network's output means, and metrics: what a forward pass ends in.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    loss: Loss,
    options: LossOptions,
    output: Output,
    metrics: Vec<Metric>,
    /// The network's last activation.
    activation: Activation,
}

/// Sums over rows, of which means are reported: add up those of all batches, and read them as an
/// [`Evaluation`](crate::Evaluation).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Totals {
    /// The number of rows.
    pub rows: usize,
    /// The sum of the rows' losses, each times its weight, without penalties.
    pub loss: f64,
    /// The penalties on weights and outputs, times the number of rows.
    pub penalty: f64,
    /// What every metric keeps of the rows.
    pub metrics: Vec<Vec<f64>>,
}

/// Some rows on their way through the network.
pub(crate) struct Part<E: Element> {
    pub(crate) x: Tensor<E>,
    pub(crate) y: Tensor<E>,
    /// One for each row, or none at all.
    pub(crate) weights: Tensor<f64>,
}

impl Totals {
    /// The mean loss of the rows, penalties included.
    pub fn mean_loss(&self) -> f64 {
        (self.loss + self.penalty) / self.rows as f64
    }
}

impl Objective {
    /// The loss of `network`, with what the loss says about its output, and no metrics.
    ///
    /// # Errors
    /// If the loss does not fit the network's last activation or its outputs, layers stand behind an activation that it
    /// would have to take off, or a setting lies outside of its range.
    pub fn new<E: Element>(loss: impl Into<Loss>, network: &Network<E>) -> Result<Self, TrainError> {
        let loss = loss.into();
        loss.check::<E>()?;
        let activation = network.architecture().output_activation().clone();
        let row = network.output_shape();
        if loss.is_classification() && row.len() != 1 {
            return Err(TrainError::LossAndShape { loss, output: row.to_vec() });
        }
        let outputs = outputs(network);
        if loss.target_len(outputs).is_none() {
            let advice = "it needs a mean and the logarithm of a variance for each number, so twice as many as targets";
            return Err(TrainError::LossAndOutputs { loss, outputs, advice });
        }
        let buried = network.architecture().buried_activation();
        if let Some(activation) = buried.filter(|_| loss.function() != OutputFunction::Identity) {
            return Err(TrainError::BuriedActivation { loss, activation: activation.clone() });
        }
        // Where the loss takes predictions, the values of an activation that is not the last are what it gets.
        let ending = buried.unwrap_or(&activation);
        if let Err(advice) = loss.check_activation(ending) {
            return Err(TrainError::LossAndActivation { loss, activation: ending.clone(), advice });
        }
        if loss.is_classification() && outputs == 1 {
            let advice = "one output says nothing about several classes; give it one for each class, or use \
                          BinaryCrossEntropy with one output for two";
            return Err(TrainError::LossAndOutputs { loss, outputs, advice });
        }
        let output = Output::of(&loss, &activation, row);
        Ok(Self { loss, options: LossOptions::new(), output, metrics: Vec::new(), activation })
    }

    /// What a file held: metrics and the loss may be a user's that the file only named.
    pub(crate) fn opened<E: Element>(
        loss: Loss,
        options: LossOptions,
        output: Output,
        metrics: Vec<Metric>,
        network: &Network<E>,
    ) -> Result<Self, TrainError> {
        output.check(network.output_shape())?;
        if loss.missing().is_some() || metrics.iter().any(|metric| metric.check().is_err()) {
            let activation = network.architecture().output_activation().clone();
            return Ok(Self { loss, options, output, metrics, activation });
        }
        let objective = Self::new(loss, network)?.with_output(output, network)?;
        objective.with_options(options, network)?.with_metrics(metrics, network)
    }

    /// Checks that targets can be standardized.
    fn check_target_scale(&self, one_each: bool) -> Result<(), TrainError> {
        let loss = &self.loss;
        // A Gaussian's variances would be those of standardized numbers, and the cosine knows no scale.
        let knows_scale = !matches!(loss, Loss::GaussianNll | Loss::CosineSimilarity);
        if loss.targets() == TargetKind::Numbers && one_each && knows_scale {
            return Ok(());
        }
        Err(TrainError::TargetScale { loss: loss.clone() })
    }

    /// With another output than the loss says.
    ///
    /// # Errors
    /// If it does not fit the network, the loss or the metrics: where it standardizes targets, the loss must take numbers,
    /// one for each output, and where its task is about classes, one target for each output.
    pub fn with_output<E: Element>(self, output: Output, network: &Network<E>) -> Result<Self, TrainError> {
        let outputs = outputs(network);
        let one_each = self.loss.target_len(outputs) == Some(outputs);
        if output.target_scale().is_some() {
            self.check_target_scale(one_each)?;
        }
        output.check_for(&self.loss, network.output_shape())?;
        if output.task() != Task::Regression && !one_each {
            return Err(TrainError::TaskAndLoss { task: output.task(), loss: self.loss });
        }
        let objective = Self { output, ..self };
        objective.metrics.iter().try_for_each(|metric| objective.check_metric(metric, outputs))?;
        Ok(objective)
    }

    /// With label smoothing and class weights.
    ///
    /// # Errors
    /// If they do not fit the loss or the number of classes.
    pub fn with_options<E: Element>(self, options: LossOptions, network: &Network<E>) -> Result<Self, TrainError> {
        options.check::<E>(&self.loss, outputs(network))?;
        Ok(Self { options, ..self })
    }

    /// Measures `metrics` beside the loss.
    ///
    /// # Errors
    /// If one needs classes where the task has none, or predictions in the shape of the targets where they have another; or
    /// the same one comes twice.
    pub fn with_metrics<E: Element>(
        self,
        metrics: impl IntoIterator<Item = impl Into<Metric>>,
        network: &Network<E>,
    ) -> Result<Self, TrainError> {
        let metrics: Vec<Metric> = metrics.into_iter().map(Into::into).collect();
        metrics.iter().try_for_each(|metric| self.check_metric(metric, outputs(network)))?;
        if let Some(twice) = (1..metrics.len()).find(|&index| metrics[..index].contains(&metrics[index])) {
            let (metric, task, reason) =
                (metrics[twice].clone(), self.output.task(), "it is named twice; name it once");
            return Err(TrainError::Metric { metric, task, reason });
        }
        Ok(Self { metrics, ..self })
    }

    fn check_metric(&self, metric: &Metric, outputs: usize) -> Result<(), TrainError> {
        metric.check()?;
        let (metric, task) = (metric.clone(), self.output.task());
        if metric.needs_labels() && task == Task::Regression {
            let reason = "it measures classes, and this task has none; use an error, such as mean_absolute_error";
            return Err(TrainError::Metric { metric, task, reason });
        }
        if metric.needs_one_shape() && self.loss.target_len(outputs) != Some(outputs) {
            let reason = "it compares predictions with targets value by value, and they have different numbers of values \
                          here";
            return Err(TrainError::Metric { metric, task, reason });
        }
        Ok(())
    }

    /// The loss.
    pub fn loss(&self) -> &Loss {
        &self.loss
    }

    /// Label smoothing and class weights.
    pub fn options(&self) -> &LossOptions {
        &self.options
    }

    /// What the network's output means.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// What is measured beside the loss.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// The loss of every row as a variable, the penalty on outputs if there is one, and the sums for the report.
    pub(crate) fn forward<'t, E: Element>(
        &self,
        network: &Network<E>,
        variables: &[Var<'t, E>],
        part: Part<E>,
        tape: &'t Tape<E>,
        pass: &mut Pass<'t, E>,
    ) -> (Var<'t, E>, Option<Var<'t, E>>, Totals) {
        let Part { x, y, weights } = part;
        let count = x.rows();
        let before = network.forward_before_activation(variables, tape.constant(x), pass);
        let targets = tape.constant(y);
        let input = network.in_last_layer(tape, || self.loss.input_from(&self.activation, before));
        let loss = || self.loss.per_row_with(input, targets, &self.options);
        let losses = tape.scope(format_args!("loss ({})", self.loss), loss);
        let metrics = if self.metrics.is_empty() {
            Vec::new()
        } else {
            // A constant: nothing is recorded for what is only looked at.
            let before = tape.constant(before.value());
            let raw = network.in_last_layer(tape, || self.activation.forward(before)).value();
            let mut targets = targets.value();
            if self.output.target_scale().is_some() {
                self.output.to_target_units(targets.as_mut_slice());
            }
            match self.output.predictions(raw) {
                Ok(predictions) => self.measure(&predictions, &targets, weights.as_slice()),
                Err(error) => panic!("the objective is that of another network: {error}"),
            }
        };
        let values = losses.value();
        let loss = if weights.is_empty() {
            values.as_slice().iter().map(|v| v.as_f64()).sum()
        } else {
            values.as_slice().iter().zip(weights.as_slice()).map(|(v, w)| v.as_f64() * w).sum()
        };
        let penalty = pass.penalty();
        let penalties = penalty.map_or(0.0, |mean| mean.value().item().as_f64() * count as f64);
        (losses, penalty, Totals { rows: count, loss, penalty: penalties, metrics })
    }

    fn measure<E: Element>(&self, predictions: &Tensor<E>, targets: &Tensor<E>, weights: &[f64]) -> Vec<Vec<f64>> {
        let labels = self.labels(predictions, targets);
        let mut batch = Batch::new(predictions, targets);
        if let Some(labels) = &labels {
            batch = batch.with_labels(labels);
        }
        if !weights.is_empty() {
            batch = batch.with_weights(weights);
        }
        let state = |metric: &Metric| {
            let mut state = Vec::new();
            metric.add(&batch, &mut state);
            state
        };
        self.metrics.iter().map(state).collect()
    }

    /// The predicted and the true classes, if the task has some.
    fn labels<E: Element>(&self, predictions: &Tensor<E>, targets: &Tensor<E>) -> Option<Labels> {
        let classes = self.classes_of(targets)?;
        Some(Labels::new(self.output.answers(predictions).ok()?, classes))
    }

    /// The classes that targets stand for: one a row, or 0 or 1 for each label. `None` where the task has no classes.
    pub(crate) fn classes_of<E: Element>(&self, targets: &Tensor<E>) -> Option<Vec<usize>> {
        let yes = E::from_f64(self.loss.targets().yes_above());
        match self.output.task() {
            Task::Multiclass => Some((0..targets.rows()).map(|row| argmax(targets.row(row))).collect()),
            Task::Binary | Task::Multilabel => Some(targets.as_slice().iter().map(|&t| usize::from(t > yes)).collect()),
            _ => None,
        }
    }

    /// The loss and the metrics of `network` on all of `rows`, without dropout and without training.
    ///
    /// # Panics
    /// If the network is another than the one that the objective and the rows were made for, or a part of a user's is
    /// missing that a file only named.
    #[track_caller]
    pub fn evaluate<E: Element>(&self, network: &Network<E>, rows: &Rows<E>) -> Evaluation {
        let all: Vec<usize> = (0..rows.len()).collect();
        evaluate(network, self, rows, &all)
    }

    /// Adds the sums of later rows to those of earlier ones.
    ///
    /// # Panics
    /// If a metric is a user's that a file only named.
    #[track_caller]
    pub fn add(&self, totals: &mut Totals, other: &Totals) {
        totals.rows += other.rows;
        totals.loss += other.loss;
        totals.penalty += other.penalty;
        totals.metrics.resize(self.metrics.len(), Vec::new());
        for ((metric, state), other) in self.metrics.iter().zip(&mut totals.metrics).zip(&other.metrics) {
            if state.is_empty() {
                state.clone_from(other);
            } else {
                metric.merge(other, state);
            }
        }
    }
}

/// The length of the last axis of what a network gives.
fn outputs<E: Element>(network: &Network<E>) -> usize {
    network.output_shape().last().copied().unwrap_or(1)
}
