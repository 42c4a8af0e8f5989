//! Feed-forward neural networks on a CPU: the whole workspace under one name.
//!
//! ```
//! use mlp::prelude::*;
//!
//! fn main() -> Result<(), mlp::Error> {
//!     let iris = iris();
//!     let y = OneHotEncoder::fit(&iris.class_labels())?.transform(&iris.class_labels())?;
//!     let (x_train, x_test, y_train, y_test) = train_test_split(&iris.features, &y, 0.2, 42)?;
//!
//!     let network = Sequential::new(4)
//!         .add(Dense::new(10).activation(Activation::Relu))
//!         .add(Dense::new(3).activation(Activation::Softmax));
//!     let mut model = Model::builder(network)
//!         .optimizer(Adam::new(0.01))
//!         .loss(Loss::CategoricalCrossEntropy)
//!         .metrics([Metric::Accuracy])
//!         .seed(42)
//!         .build()?;
//!     model.fit(&x_train, &y_train, &Fit::new().epochs(100).validation_split(0.2))?;
//!
//!     println!("{}", model.evaluate(&x_test, &y_test)?);
//!     println!("{:.3}", model.predict(&Tensor::from([[5.1, 3.5, 1.4, 0.2]]))?);
//!     Ok(())
//! }
//! ```
//!
//! The crates can be used one by one:
//!
//! | module | crate | what it is |
//! |---|---|---|
//! | [`tensor`] | `mlp-tensor` | dense arrays, broadcasting, products, reductions, seeded randomness |
//! | [`autograd`] | `mlp-autograd` | the tape, operations with their derivatives, gradient checking |
//! | [`registry`] | `mlp-registry` | settings and constructors of parts of your own, for files |
//! | [`nn`] | `mlp-nn` | layers, activations, initializers, losses, regularizers |
//! | [`optim`] | `mlp-optim` | optimizers as steps over explicit state |
//! | [`metrics`] | `mlp-metrics` | metrics, exact over batches |
//! | [`data`] | `mlp-data` | Iris, encoders, scaler, splits and folds |
//! | [`io`] | `mlp-io` | the model file |
//! | [`train`] | `mlp-train` | build, fit, evaluate, predict |

pub use mlp_autograd as autograd;
pub use mlp_data as data;
pub use mlp_io as io;
pub use mlp_metrics as metrics;
pub use mlp_nn as nn;
pub use mlp_optim as optim;
pub use mlp_registry as registry;
pub use mlp_tensor as tensor;
pub use mlp_train as train;

/// The error of everything in the prelude.
pub use mlp_train::TrainError as Error;

pub mod prelude;

/// The program in the README, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The programs in the page on gradients.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/autograd.md")]
struct Gradients;
