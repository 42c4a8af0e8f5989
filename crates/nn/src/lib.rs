//! Layers, activations, initializers, losses, regularizers and constraints for feed-forward networks.
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
//! # Layers
//!
//! | what for | layers |
//! |---|---|
//! | weights | [`Dense`], [`WeightNorm`] |
//! | functions | [`Activation`], [`Prelu`], [`Glu`] |
//! | against overfitting, in training only | [`Dropout`], [`AlphaDropout`], [`GaussianDropout`], [`GaussianNoise`] |
//! | normalization | [`BatchNorm`], [`LayerNorm`], [`RmsNorm`], [`GroupNorm`] |
//! | tables with categories | [`SelectColumns`], [`Embedding`], [`Flatten`] |
//! | layers inside of layers, as a [`Stack`] | [`Residual`], [`Concat`] |
//! | your own | [`CustomLayer`] |
//!
//! Weights have names by their place: `layers.0.weight`, `layers.1.branches.0.layers.2.bias`; or by the name that their
//! layer was given, as by `.add_named("hidden", Dense::new(10))`: `hidden.weight`. So do buffers, which are what a layer
//! keeps beside its weights (running statistics). Names are the keys of [`Network::state`], and what
//! [`Network::freeze`] takes patterns of.
//!
//! # A training loop by hand
//!
//! A [`Pass`] holds what one forward pass draws from, and what it leaves behind: penalties on activity, which belong
//! in the loss, and new running statistics. This network has neither; the lines are there for those that do.
//!
//! ```
//! use mlp_autograd::Tape;
//! use mlp_nn::{Dense, Loss, Pass, Sequential};
//! use mlp_tensor::{Rng, Tensor};
//!
//! let x = Tensor::from([[0.0], [1.0], [2.0], [3.0]]);
//! let y = &x * 2.0 + 1.0;
//! let mut network = Sequential::new(1).add(Dense::new(1)).init(7)?;
//! for step in 0..500 {
//!     let tape = Tape::new();
//!     let parameters = network.variables(&tape);
//!     let mut pass = Pass::training(Rng::stream(7, &[step]));
//!     let output = network.forward(&parameters, tape.constant(x.clone()), &mut pass);
//!     let loss = Loss::MeanSquaredError.forward(output, tape.constant(y.clone()));
//!     let gradients = pass.penalty().map_or(loss, |penalty| loss + penalty).backward();
//!     let gradients: Vec<_> = parameters.iter().map(|&p| gradients.wrt(p)).collect();
//!     for (mut parameter, gradient) in network.parameters_mut().zip(&gradients) {
//!         parameter.set_value(parameter.value() - gradient * 0.1);
//!     }
//!     network.apply_updates(&pass.into_updates());
//!     network.constrain();
//! }
//! assert!((network.parameters()[0].value().item() - 2.0_f32).abs() < 1e-3);
//! # Ok::<(), mlp_nn::NnError>(())
//! ```

mod activations;
mod constraints;
mod error;
mod family;
mod initializers;
mod layers;
mod limits;
mod losses;
mod network;
mod output;
mod parameter;
mod pass;
mod plan;
mod predictor;
mod regularizers;
mod sequential;
#[doc(hidden)]
pub mod setting;
mod state;
mod summary;

pub use activations::{Activation, CustomActivation};
pub use constraints::{Constraint, CustomConstraint};
pub use error::{NnError, StateMismatch};
pub use initializers::{CustomInitializer, Initializer};
pub use layers::{
    AlphaDropout, BatchNorm, Concat, CustomLayer, Dense, Dropout, Embedding, Flatten, GaussianDropout, GaussianNoise,
    Glu, GroupNorm, Layer, LayerNorm, Named, Prelu, Residual, RmsNorm, SelectColumns, Stack, WeightNorm,
};
pub use limits::Limits;
pub use losses::{CustomLoss, Loss, LossOptions, TargetKind};
pub use mlp_registry as registry;
pub use network::Network;
pub use output::{Output, OutputFunction, Task};
pub use parameter::{Buffer, Parameter, ParameterMut};
pub use pass::{BufferRef, Pass, Updates, Weights};
pub use plan::{ParameterSpec, Plan};
pub use predictor::Predictor;
pub use regularizers::{CustomRegularizer, Regularizer};
pub use sequential::Sequential;
pub use summary::Summary;
