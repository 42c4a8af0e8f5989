//! Metrics: how good predictions are, for people to read.
//!
//! A metric is an accumulator. It looks at some rows at a time ([`Metric::add`]) and keeps what it needs of them in a list
//! of numbers; the lists of several parts are joined ([`Metric::merge`]), and the metric is read off at the end
//! ([`Metric::finish`]). So it is exact over batches of any size, and a run that is stopped within an epoch goes on with it
//! to the same bits.
//!
//! ```
//! use mlp_metrics::{Batch, Labels, Metric};
//! use mlp_tensor::Tensor;
//!
//! let predictions = Tensor::from([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]]);
//! let targets = Tensor::from([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]);
//! let labels = Labels::new([0, 1, 0], [0, 0, 0]);
//!
//! let mut state = Vec::new();
//! Metric::Accuracy.add(&Batch::new(&predictions, &targets).with_labels(&labels), &mut state);
//! assert_eq!(Metric::Accuracy.finish(&state), 2.0 / 3.0);
//! ```
//!
//! Metrics get predictions and labels: probabilities where the loss is one of probabilities, whether or not the network
//! ends in an activation, and scores with a hinge loss; so the threshold that labels come from is 0.5 or 0. With weights of
//! rows they divide by the sum of the weights, as in scikit-learn (a loss divides by the number of rows, as in Keras).

mod accuracy;
mod batch;
mod custom;
mod kind;
mod mean_absolute_error;
mod mean_squared_error;
mod metric;

pub use batch::{Batch, Labels};
pub use custom::CustomMetric;
pub use metric::Metric;
