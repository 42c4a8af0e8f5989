//! Saved models: one file for a network, the state of its training, and what its input goes through first.
//!
//! ```
//! use mlp_data::{StandardScaler, iris};
//! use mlp_io::{SavedModel, Training, inspect};
//! use mlp_metrics::Metric;
//! use mlp_nn::{Activation, Dense, Loss, Output, Sequential};
//! use mlp_optim::{Adam, Optimizer, OptimizerState};
//!
//! let flowers = iris();
//! let network = Sequential::new(4).add(Dense::new(3).activation(Activation::Softmax)).init(42)?;
//! let optimizer = Optimizer::from(Adam::new(0.01));
//! let state = OptimizerState::new(&optimizer, network.parameters());
//! let mut training = Training::new(optimizer, state, Loss::CategoricalCrossEntropy, 42);
//! training.metrics = vec![Metric::Accuracy];
//! let output = Output::of(&Loss::CategoricalCrossEntropy, &Activation::Softmax, &[3]);
//! let mut model: SavedModel = SavedModel::new(network, output.with_class_names(flowers.class_names));
//! model.training = Some(training);
//! model.scaler = Some(StandardScaler::fit(&flowers.features)?);
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("iris.mlp");
//! model.save(&path)?;
//!
//! // What stands in the file, for people:
//! println!("{}", inspect(&path)?);
//!
//! // And for programs:
//! let again: SavedModel = SavedModel::load(&path)?;
//! assert_eq!(again.training, model.training);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A file is one MessagePack value with a version and a checksum; `docs/format.md` in the repository specifies it byte
//! by byte, and how to read it from Python.
//!
//! # What can be relied on
//!
//! - Weights, optimizer state and settings come back bit for bit. The same model always gives the same bytes.
//! - A file is replaced as a whole or not at all. What is written can be read.
//! - A file may come from anyone. It is an error if it is damaged, truncated, of another kind, from a newer version,
//!   or contradicts itself; it never panics. It is opened within [`Limits`](mlp_nn::Limits), in time linear in its size, and
//!   with at most twice its size and a megabyte of memory, the file itself included.

mod body;
mod de;
mod dtype;
mod error;
mod file;
mod inspect;
mod load;
mod model;
mod numbers;
mod prefix;
mod raw;
mod record;
mod run;
mod shown;
mod skim;
mod tensors;

pub use dtype::Dtype;
pub use error::{FormatError, IoError};
pub use inspect::{Inspection, RunInfo, TensorInfo, TrainingInfo, inspect, inspect_with};
pub use load::LoadOptions;
pub use model::{SavedModel, Training};
pub use run::{RunProgress, SavedCallback, SavedClassWeights, SavedRun, SavedTotals, SavedValidation};
