//! What one metric is.

use mlp_tensor::Element;

use crate::Batch;

/// One metric; the type that implements it has a file of its own.
pub(crate) trait Kind {
    /// The name in files and tables.
    fn name(&self) -> &str;

    /// Whether it says something of classes alone.
    fn needs_labels(&self) -> bool {
        false
    }

    /// Whether predictions and targets must have one shape.
    fn needs_one_shape(&self) -> bool {
        false
    }

    /// Takes rows in.
    fn add<E: Element>(&self, batch: &Batch<'_, E>, state: &mut Vec<f64>);

    /// Takes in what another state took in: the sums of both, unless said otherwise.
    fn merge(&self, other: &[f64], state: &mut Vec<f64>) {
        sum(other, state);
    }

    /// The metric: a weighted mean, unless said otherwise.
    fn finish(&self, state: &[f64]) -> f64 {
        mean(state)
    }
}

/// Adds number by number.
pub(crate) fn sum(other: &[f64], state: &mut Vec<f64>) {
    state.resize(state.len().max(other.len()), 0.0);
    state.iter_mut().zip(other).for_each(|(sum, value)| *sum += value);
}

/// A sum divided by the sum of the weights; NaN of no rows.
pub(crate) fn mean(state: &[f64]) -> f64 {
    match *state {
        [sum, weights] => sum / weights,
        _ => f64::NAN,
    }
}
