//! Layers, activations, initialisers, losses and regularisers for feed-forward networks.
//!
//! A [`Sequential`] describes a network: it is plain data that can be printed, compared and saved. [`Sequential::init`]
//! draws its weights from a seed and gives a [`Network`], which computes.
//!
//! ```
//! use mlp_nn::{Activation, Dense, Dropout, Network, Sequential};
//! use mlp_tensor::Tensor;
//!
//! let architecture = Sequential::new(4)
//!     .add(Dense::new(10).activation(Activation::Relu))
//!     .add(Dropout::new(0.2))
//!     .add(Dense::new(3).activation(Activation::Softmax));
//! println!("{}", architecture.summary()?);
//!
//! let network: Network = architecture.init(42)?;
//! let probabilities = network.predict(&Tensor::from([[5.1, 3.5, 1.4, 0.2]]))?;
//! assert_eq!(probabilities.shape(), [1, 3]);
//! # Ok::<(), mlp_nn::NnError>(())
//! ```
//!
//! # A training loop by hand
//!
//! ```
//! use mlp_autograd::Tape;
//! use mlp_nn::{Dense, Loss, Pass, Sequential};
//! use mlp_tensor::{Rng, Tensor};
//!
//! let x = Tensor::from([[0.0], [1.0], [2.0], [3.0]]);
//! let y = &x * 2.0 + 1.0;
//! let mut network = Sequential::new(1).add(Dense::new(1)).init(7)?;
//! for _ in 0..500 {
//!     let tape = Tape::new();
//!     let parameters = network.variables(&tape);
//!     let output = network.forward(&parameters, tape.constant(x.clone()), &mut Pass::inference());
//!     let gradients = Loss::MeanSquaredError.forward(output, tape.constant(y.clone())).backward();
//!     let gradients: Vec<_> = parameters.iter().map(|&p| gradients.wrt(p)).collect();
//!     for (parameter, gradient) in network.parameters_mut().iter_mut().zip(&gradients) {
//!         parameter.value = &parameter.value - gradient * 0.1;
//!     }
//! }
//! assert!((network.parameters()[0].value.item() - 2.0_f32).abs() < 1e-3);
//! # Ok::<(), mlp_nn::NnError>(())
//! ```

mod activation;
mod error;
mod initializer;
mod layers;
mod losses;
mod network;
mod pass;
mod plan;
mod predictor;
mod regularizer;
mod sequential;
mod state;
mod summary;

pub use activation::Activation;
pub use error::{NnError, StateMismatch};
pub use initializer::Initializer;
pub use layers::{Dense, Dropout, Layer};
pub use losses::Loss;
pub use network::{Buffer, Network, Parameter};
pub use pass::{Held, Pass, Updates, Weights};
pub use plan::{ParameterSpec, Plan};
pub use predictor::Predictor;
pub use regularizer::Regularizer;
pub use sequential::Sequential;
pub use summary::Summary;
