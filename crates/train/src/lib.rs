//! Compile, fit, evaluate, predict: training a network on a table.
//!
//! ```
//! use mlp_data::{iris, one_hot, train_test_split};
//! use mlp_nn::{Activation, Dense, Loss, Sequential};
//! use mlp_optim::Adam;
//! use mlp_train::{Fit, Metric, Model};
//!
//! let iris = iris();
//! let targets = one_hot(&iris.labels, 3)?;
//! let (x_train, x_test, y_train, y_test) = train_test_split(&iris.features, &targets, 0.2, 42)?;
//!
//! let network = Sequential::new(4)
//!     .add(Dense::new(10).activation(Activation::Relu))
//!     .add(Dense::new(3).activation(Activation::Softmax));
//! let mut model =
//!     Model::compile(network, Adam::new(0.01), Loss::CategoricalCrossEntropy, 42)?.with_metrics([Metric::Accuracy]);
//! let history = model.fit(&x_train, &y_train, &Fit::new().epochs(100).batch_size(32).validation_split(0.2))?;
//! println!("validation loss {:?}", history.last().validation.as_ref().map(|v| v.loss));
//! assert!(model.evaluate(&x_test, &y_test)?.metric(Metric::Accuracy) > Some(0.9));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Threads and bits
//!
//! Large networks train on all threads of rayon's pool (set `RAYON_NUM_THREADS`, or call `fit` inside
//! `ThreadPool::install`). How a batch is cut into parts depends on the batch and the network alone, and the parts are
//! added up in one fixed order: one seed gives the same bits on any number of threads.

mod engine;
mod error;
mod evaluate;
mod fit;
mod history;
mod loss;
mod metric;
mod model;
#[cfg(feature = "progress")]
mod progress;
mod table;
mod targets;

pub use error::TrainError;
pub use fit::Fit;
pub use history::{Epoch, Evaluation, History};
pub use metric::Metric;
pub use model::Model;
pub use targets::Targets;
