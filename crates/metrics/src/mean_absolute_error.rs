//! Mean absolute error.

use mlp_tensor::Element;

use crate::Batch;
use crate::kind::Kind;

/// The weighted mean over rows of the mean of |p - t| over a row's values.
pub(crate) struct MeanAbsoluteError;

impl Kind for MeanAbsoluteError {
    fn name(&self) -> &str {
        "mean_absolute_error"
    }

    fn needs_one_shape(&self) -> bool {
        true
    }

    #[track_caller]
    fn add<E: Element>(&self, batch: &Batch<'_, E>, state: &mut Vec<f64>) {
        batch.add_mean_error(self.name(), state, f64::abs);
    }
}
