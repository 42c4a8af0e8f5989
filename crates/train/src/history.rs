//! What a fit reports.

use std::fmt;

use crate::{Objective, Totals};

/// The loss and the metrics of one pass over some rows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Evaluation {
    /// The mean loss per row, with the penalties added.
    pub loss: f64,
    /// The penalties on weights and outputs that `loss` includes.
    pub penalty: f64,
    /// The names and values of the metrics that the model was built with, in their order.
    pub metrics: Vec<(String, f64)>,
}

impl Evaluation {
    /// The means that `totals` are the sums of; NaN of no rows.
    ///
    /// # Panics
    /// If a metric is a user's that a file only named.
    #[track_caller]
    pub fn of(totals: &Totals, objective: &Objective) -> Self {
        let rows = totals.rows as f64;
        let metrics = objective.metrics().iter().zip(&totals.metrics);
        let penalty = totals.penalty / rows;
        Self {
            loss: totals.loss / rows + penalty,
            penalty,
            metrics: metrics.map(|(metric, state)| (metric.name().to_owned(), metric.finish(state))).collect(),
        }
    }

    /// The value of a metric, by its name or the [`Metric`](mlp_metrics::Metric) itself; `"loss"` is the loss. `None` if
    /// the model was built without it.
    ///
    /// ```
    /// # use mlp_nn::{Dense, Loss, Sequential};
    /// # use mlp_tensor::Tensor;
    /// # use mlp_train::{Metric, Model};
    /// # let model = Model::builder(Sequential::new(1).add(Dense::new(1)))
    /// #     .loss(Loss::MeanSquaredError)
    /// #     .metrics([Metric::MeanAbsoluteError])
    /// #     .build()?;
    /// # let (x, y) = (Tensor::from([[0.0]]), Tensor::from([1.0]));
    /// let evaluation = model.evaluate(&x, &y)?;
    /// assert_eq!(evaluation.get("mean_absolute_error"), evaluation.get(Metric::MeanAbsoluteError));
    /// # Ok::<(), mlp_train::TrainError>(())
    /// ```
    pub fn get(&self, name: impl AsRef<str>) -> Option<f64> {
        let name = name.as_ref();
        let found = self.metrics.iter().find(|(metric, _)| metric == name).map(|(_, value)| *value);
        found.or((name == "loss").then_some(self.loss))
    }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metrics: String = self.metrics.iter().map(|(metric, value)| format!(", {metric} {value:.4}")).collect();
        f.pad(&format!("loss {:.4}{metrics}", self.loss))
    }
}

/// One epoch of a fit.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Epoch {
    /// On the training rows, batch by batch, each before the step that it caused (as Keras reports it).
    pub training: Evaluation,
    /// On the validation rows, after the epoch; `None` without validation.
    pub validation: Option<Evaluation>,
}

/// Every epoch of a fit, in order.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// The epochs; a fit that returns has at least one, unless a callback stopped it earlier.
    pub epochs: Vec<Epoch>,
}

impl History {
    /// The number of epochs.
    pub fn len(&self) -> usize {
        self.epochs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.epochs.is_empty()
    }

    /// The last epoch.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn last(&self) -> &Epoch {
        match self.epochs.last() {
            Some(epoch) => epoch,
            None => panic!("last: a history without epochs"),
        }
    }

    /// The training loss of every epoch.
    pub fn loss(&self) -> Vec<f64> {
        self.epochs.iter().map(|epoch| epoch.training.loss).collect()
    }

    /// The validation loss of every epoch; empty without validation.
    pub fn validation_loss(&self) -> Vec<f64> {
        self.epochs.iter().filter_map(|epoch| epoch.validation.as_ref()).map(|v| v.loss).collect()
    }

    /// A metric on the training rows, for every epoch; empty if the model was built without it.
    pub fn metric(&self, name: impl AsRef<str>) -> Vec<f64> {
        self.epochs.iter().filter_map(|epoch| epoch.training.get(&name)).collect()
    }

    /// A metric on the validation rows, for every epoch; empty without it or without validation.
    pub fn validation_metric(&self, name: impl AsRef<str>) -> Vec<f64> {
        self.epochs.iter().filter_map(|epoch| epoch.validation.as_ref()?.get(&name)).collect()
    }
}
