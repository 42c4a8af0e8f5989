//! Build, fit, evaluate, predict: training a network on a table.
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
//! let mut model = Model::builder(network)
//!     .optimizer(Adam::new(0.01))
//!     .loss(Loss::CategoricalCrossEntropy)
//!     .metrics([Metric::Accuracy])
//!     .seed(42)
//!     .build()?;
//! let history = model.fit(&x_train, &y_train, &Fit::new().epochs(100).batch_size(32).validation_split(0.2))?;
//! println!("validation loss {:?}", history.last().validation.as_ref().map(|v| v.loss));
//! assert!(model.evaluate(&x_test, &y_test)?.get("accuracy") > Some(0.9));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Threads and bits
//!
//! Large networks train on all threads of rayon's pool (set `RAYON_NUM_THREADS`, or call `fit` inside
//! `ThreadPool::install`). How a batch is cut into parts depends on the batch and the network alone, and the parts are
//! added up in one fixed order: one seed gives the same bits on any number of threads. The parts of a network with
//! [`BatchNorm`](mlp_nn::BatchNorm) wait for one another, so each has a thread of its own; of these only as many are awake at a
//! time as the pool has threads.

mod callback;
mod error;
mod evaluate;
mod fit;
mod history;
mod model;
mod objective;
#[cfg(feature = "progress")]
mod progress;
mod rows;
mod run;
mod seeds;
mod step;
mod targets;

pub use callback::{Callback, CallbackState, RunContext};
pub use error::{Diverged, TrainError};
pub use fit::Fit;
pub use history::{Epoch, Evaluation, History};
pub use mlp_metrics::Metric;
pub use model::{Model, ModelBuilder, Start};
pub use objective::{Objective, Totals};
pub use rows::Rows;
pub use run::{Resume, Run, StepReport};
pub use seeds::Seeds;
pub use step::{Step, StepGradients};
pub use targets::Targets;
