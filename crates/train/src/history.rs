//! What a fit reports.

use std::fmt;

use crate::Metric;

/// The loss and the metrics of one pass over some rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The mean loss per row, with the penalties on the weights added.
    pub loss: f64,
    /// The penalties on the weights that `loss` includes.
    pub penalty: f64,
    /// The metrics that the model was compiled with.
    pub metrics: Vec<(Metric, f64)>,
}

impl Evaluation {
    /// The value of a metric; `None` if the model was not compiled with it.
    pub fn metric(&self, metric: Metric) -> Option<f64> {
        self.metrics.iter().find(|(m, _)| *m == metric).map(|(_, value)| *value)
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
pub struct Epoch {
    /// On the training rows, batch by batch, each before the step that it caused (as Keras reports it).
    pub training: Evaluation,
    /// On the validation rows, after the epoch; `None` without validation.
    pub validation: Option<Evaluation>,
}

/// Every epoch of a fit, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The epochs; a fit that returns has at least one.
    pub epochs: Vec<Epoch>,
}

impl History {
    /// The last epoch.
    ///
    /// # Panics
    /// If there is none, which no fit returns.
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

    /// A metric on the training rows, for every epoch; empty if the model was not compiled with it.
    pub fn metric(&self, metric: Metric) -> Vec<f64> {
        self.epochs.iter().filter_map(|epoch| epoch.training.metric(metric)).collect()
    }

    /// A metric on the validation rows, for every epoch; empty without it or without validation.
    pub fn validation_metric(&self, metric: Metric) -> Vec<f64> {
        self.epochs.iter().filter_map(|epoch| epoch.validation.as_ref()?.metric(metric)).collect()
    }
}
