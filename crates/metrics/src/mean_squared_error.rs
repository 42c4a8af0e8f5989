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
        let (predictions, targets) = (batch.predictions(), batch.targets());
        assert!(
            predictions.shape() == targets.shape(),
            "mean_squared_error: predictions {:?} and targets {:?} must have one shape",
            predictions.shape(),
            targets.shape()
        );
        let error = |(&p, &t): (&E, &E)| {
            let d = p.as_f64() - t.as_f64();
            d * d
        };
        batch.add_mean(state, |row| {
            let (p, t) = (predictions.row(row), targets.row(row));
            p.iter().zip(t).map(error).sum::<f64>() / p.len() as f64
        });
    }
}
