//! One type for all metrics: a closed set, so that it can be saved with a model, and those that users bring.

use std::fmt;

use mlp_registry::{OpenError, Registry};
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use crate::kind::Kind;
use crate::{Batch, custom};

/// Makes the closed set of metrics from a list of files with the metric in each: the enum, and the one match.
macro_rules! metrics {
    ($($(#[$doc:meta])* $file:ident::$kind:ident,)+) => {
        /// A measure of how good predictions are, for people to read.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Metric {
            $($(#[$doc])* $kind,)+
            /// A metric of your own: see [`CustomMetric`](crate::CustomMetric).
            Custom(custom::Custom),
        }

        /// `work` with `kind` standing for `metric`, whichever it is.
        macro_rules! with_metric {
            ($metric:expr, $name:ident => $work:expr) => {
                match $metric {
                    $(Metric::$kind => {
                        let $name = &crate::$file::$kind;
                        $work
                    })+
                    Metric::Custom($name) => $work,
                }
            };
        }
    };
}

metrics! {
    /// The share of rows whose class is predicted. Of several labels a row, the share of labels that are right, as in
    /// Keras' `BinaryAccuracy` (scikit-learn counts rows all of whose labels are right).
    accuracy::Accuracy,
    /// The mean of |p - t| over all values.
    mean_absolute_error::MeanAbsoluteError,
    /// The mean of (p - t)² over all values: the loss of that name without penalties on the weights.
    mean_squared_error::MeanSquaredError,
}

impl Metric {
    /// The name in files and tables.
    pub fn name(&self) -> &str {
        with_metric!(self, kind => Kind::name(kind))
    }

    /// Whether it says something of classes alone.
    pub fn needs_labels(&self) -> bool {
        with_metric!(self, kind => Kind::needs_labels(kind))
    }

    /// Whether predictions and targets must have one shape.
    pub fn needs_one_shape(&self) -> bool {
        with_metric!(self, kind => Kind::needs_one_shape(kind))
    }

    /// Takes rows in. A state without numbers is one before the first row.
    ///
    /// # Panics
    /// If the rows lack classes that the metric needs, have another shape than their targets where it needs one, or this
    /// is a user's metric that a file only named.
    #[track_caller]
    pub fn add<E: Element>(&self, batch: &Batch<'_, E>, state: &mut Vec<f64>) {
        with_metric!(self, kind => Kind::add(kind, batch, state));
    }

    /// Takes in what another state took in.
    ///
    /// # Panics
    /// If this is a user's metric that a file only named.
    #[track_caller]
    pub fn merge(&self, other: &[f64], state: &mut Vec<f64>) {
        with_metric!(self, kind => Kind::merge(kind, other, state));
    }

    /// The metric of all rows that were taken in; NaN of none.
    ///
    /// # Panics
    /// If this is a user's metric that a file only named.
    #[track_caller]
    pub fn finish(&self, state: &[f64]) -> f64 {
        with_metric!(self, kind => Kind::finish(kind, state))
    }

    /// The same metric, made by `registry` if it is a user's that a file only named. A name that is not registered is
    /// left: [`Metric::check`] refuses it.
    ///
    /// # Errors
    /// If the constructor refuses the settings.
    pub fn open(mut self, registry: &Registry) -> Result<Self, OpenError> {
        mlp_registry::open(&mut self, Self::custom, "Metric", registry)?;
        Ok(self)
    }

    /// Checks that the metric is there.
    ///
    /// # Errors
    /// If it is a user's that a file only named.
    pub fn check(&self) -> Result<(), OpenError> {
        self.custom().map_or(Ok(()), |custom| custom.get("Metric").map(drop))
    }

    fn custom(&self) -> Option<&custom::Custom> {
        match self {
            Self::Custom(custom) => Some(custom),
            _ => None,
        }
    }
}

impl AsRef<str> for Metric {
    /// The name.
    fn as_ref(&self) -> &str {
        self.name()
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.custom() {
            Some(custom) => write!(f, "{custom}"),
            None => f.write_str(self.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use mlp_tensor::Tensor;

    use super::*;
    use crate::Labels;

    /// scikit-learn 1.8: `accuracy_score([0, 1, 1, 2], [0, 2, 1, 2], sample_weight=[1, 2, 3, 0])` is 4 / 6.
    #[test]
    fn accuracy_is_weighed_as_in_scikit_learn() {
        let x = Tensor::<f32>::zeros([4, 3]);
        let labels = Labels::new([0, 2, 1, 2], [0, 1, 1, 2]);
        let mut state = Vec::new();
        Metric::Accuracy.add(&Batch::new(&x, &x).with_labels(&labels).with_weights(&[1.0, 2.0, 3.0, 0.0]), &mut state);
        assert_eq!(Metric::Accuracy.finish(&state), 4.0 / 6.0);
    }

    /// Keras 3: `BinaryAccuracy` of [[1, 0], [1, 1]] and of what means [[1, 1], [1, 1]] is 0.75.
    #[test]
    fn accuracy_of_several_labels_counts_labels() {
        let x = Tensor::<f32>::zeros([2, 2]);
        let labels = Labels::new([1, 1, 1, 1], [1, 0, 1, 1]);
        let mut state = Vec::new();
        Metric::Accuracy.add(&Batch::new(&x, &x).with_labels(&labels), &mut state);
        assert_eq!(Metric::Accuracy.finish(&state), 0.75);
    }

    /// By hand: rows of (1, 3) and (0, 2) off, of weight 1 and 3.
    #[test]
    fn mean_errors_are_those_of_rows_by_weight() {
        let (p, t) = (Tensor::from([[1.0, 2.0], [5.0, 6.0]]), Tensor::from([[2.0, 5.0], [5.0, 4.0]]));
        let of = |metric: Metric, weights: &[f64]| {
            let mut state = Vec::new();
            metric.add::<f64>(&Batch::new(&p, &t).with_weights(weights), &mut state);
            metric.finish(&state)
        };
        assert_eq!(of(Metric::MeanAbsoluteError, &[1.0, 1.0]), 1.5);
        assert_eq!(of(Metric::MeanAbsoluteError, &[1.0, 3.0]), (2.0 + 3.0) / 4.0);
        assert_eq!(of(Metric::MeanSquaredError, &[1.0, 3.0]), (5.0 + 6.0) / 4.0);
        assert!(of(Metric::MeanSquaredError, &[0.0, 0.0]).is_nan());
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let (p, t) = (Tensor::from([[1.0_f32], [2.0], [4.0]]), Tensor::from([[1.0_f32], [1.0], [1.0]]));
        for metric in [Metric::MeanAbsoluteError, Metric::MeanSquaredError] {
            let (mut whole, mut joined) = (Vec::new(), Vec::new());
            metric.add(&Batch::new(&p, &t), &mut whole);
            for row in 0..3 {
                let mut part = Vec::new();
                metric.add(&Batch::new(&p.slice(0, row..row + 1), &t.slice(0, row..row + 1)), &mut part);
                metric.merge(&part, &mut joined);
            }
            assert_eq!(joined, whole);
        }
    }

    #[test]
    fn names_come_back() {
        for metric in [Metric::Accuracy, Metric::MeanAbsoluteError, Metric::MeanSquaredError] {
            let text = serde_json::to_string(&metric).unwrap();
            assert_eq!(text, format!("\"{}\"", metric.name()));
            assert_eq!(serde_json::from_str::<Metric>(&text).unwrap(), metric);
        }
    }
}
