//! Metrics that users write.

use std::fmt;
use std::sync::Arc;

use mlp_registry::Settings;
use mlp_tensor::Element;

use crate::kind::{Kind, mean, sum};
use crate::{Batch, Metric};

/// A metric of your own. It goes wherever a [`Metric`] goes.
///
/// What it keeps of the rows is a list of numbers, which is empty before the first row. Two defaults serve every weighted
/// mean over rows: [`Batch::add_mean`] fills such a list, and then nothing else is needed.
///
/// ```
/// use mlp_metrics::{Batch, CustomMetric, Metric};
/// use mlp_tensor::Tensor;
///
/// /// The largest |p - t|.
/// #[derive(Debug)]
/// struct MaxError;
///
/// impl CustomMetric for MaxError {
///     fn name(&self) -> &str {
///         "max_error"
///     }
///     fn add(&self, batch: &Batch<'_, f64>, state: &mut Vec<f64>) {
///         let largest = (batch.predictions() - batch.targets()).abs().max();
///         self.merge(&[largest], state);
///     }
///     fn merge(&self, other: &[f64], state: &mut Vec<f64>) {
///         let largest = state.iter().chain(other).copied().fold(0.0, f64::max);
///         *state = vec![largest];
///     }
///     fn finish(&self, state: &[f64]) -> f64 {
///         state[0]
///     }
/// }
///
/// let metric = Metric::from(MaxError);
/// let mut state = Vec::new();
/// let (p, t) = (Tensor::from([[1.0], [5.0]]), Tensor::from([[2.0], [1.5]]));
/// metric.add::<f32>(&Batch::new(&p, &t), &mut state);
/// assert_eq!(metric.finish(&state), 3.5);
/// ```
pub trait CustomMetric: fmt::Debug + Send + Sync + 'static {
    /// The name in files and tables: no other metric's.
    fn name(&self) -> &str;

    /// The settings, from which a [`Registry`](mlp_registry::Registry) makes the metric again.
    fn settings(&self) -> Settings {
        Settings::new()
    }

    /// Whether it says something of classes alone; no, unless said otherwise.
    fn needs_labels(&self) -> bool {
        false
    }

    /// Takes rows in. `state` is as the rows before left it, and empty at first.
    fn add(&self, batch: &Batch<'_, f64>, state: &mut Vec<f64>);

    /// Takes in what `other`, the state of later rows, has taken in: adds number by number, unless said otherwise.
    fn merge(&self, other: &[f64], state: &mut Vec<f64>) {
        sum(other, state);
    }

    /// The metric of all rows taken in: the first number divided by the second, unless said otherwise.
    fn finish(&self, state: &[f64]) -> f64 {
        mean(state)
    }
}

/// A user's metric among those of the library.
pub(crate) type Custom = mlp_registry::Custom<Arc<dyn CustomMetric>>;

impl<M: CustomMetric> From<M> for Metric {
    fn from(metric: M) -> Self {
        Self::Custom(Custom::new(metric.name().to_owned(), metric.settings(), Arc::new(metric)))
    }
}

impl Kind for Custom {
    fn name(&self) -> &str {
        Self::name(self)
    }

    fn needs_labels(&self) -> bool {
        self.part().is_some_and(|part| part.needs_labels())
    }

    #[track_caller]
    fn add<E: Element>(&self, batch: &Batch<'_, E>, state: &mut Vec<f64>) {
        batch.in_double(|batch| self.expect("Metric").add(batch, state));
    }

    #[track_caller]
    fn merge(&self, other: &[f64], state: &mut Vec<f64>) {
        self.expect("Metric").merge(other, state);
    }

    #[track_caller]
    fn finish(&self, state: &[f64]) -> f64 {
        self.expect("Metric").finish(state)
    }
}
