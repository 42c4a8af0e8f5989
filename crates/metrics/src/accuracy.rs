//! Accuracy.

use mlp_tensor::Element;

use crate::Batch;
use crate::kind::Kind;

/// The weighted mean over rows of the share of a row's labels that are right.
pub(crate) struct Accuracy;

impl Kind for Accuracy {
    fn name(&self) -> &str {
        "accuracy"
    }

    fn needs_labels(&self) -> bool {
        true
    }

    #[track_caller]
    fn add<E: Element>(&self, batch: &Batch<'_, E>, state: &mut Vec<f64>) {
        let Some(labels) = batch.labels() else { panic!("accuracy: the rows have no classes") };
        let (predicted, actual) = (labels.predicted(), labels.actual());
        let labels_of_a_row = predicted.len() / batch.rows().max(1);
        batch.add_mean(state, |row| {
            let of_row = row * labels_of_a_row..(row + 1) * labels_of_a_row;
            let right = predicted[of_row.clone()].iter().zip(&actual[of_row]).filter(|(p, t)| p == t).count();
            right as f64 / labels_of_a_row as f64
        });
    }
}
