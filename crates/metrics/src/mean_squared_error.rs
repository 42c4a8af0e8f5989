//! Mean squared error.

use mlp_tensor::Element;

use crate::Batch;
use crate::kind::Kind;

/// The weighted mean over rows of the mean of (p - t)² over a row's values.
pub(crate) struct MeanSquaredError;

impl Kind for MeanSquaredError {
    fn name(&self) -> &str {
        "mean_squared_error"
    }

    fn needs_one_shape(&self) -> bool {
        true
    }

    #[track_caller]
    fn add<E: Element>(&self, batch: &Batch<'_, E>, state: &mut Vec<f64>) {
        batch.add_mean_error(self.name(), state, |d| d * d);
    }
}
