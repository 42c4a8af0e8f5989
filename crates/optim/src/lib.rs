//! Optimizers: how a gradient changes the weights.
//!
//! An optimizer is plain data, its settings. What it remembers between steps is an explicit [`OptimizerState`], so
//! that training can be saved and go on to the same bits.
//!
//! ```
//! use mlp_nn::{Dense, Network, Sequential};
//! use mlp_optim::{Adam, Optimizer, OptimizerState};
//! use mlp_tensor::Tensor;
//!
//! let mut network: Network = Sequential::new(2).add(Dense::new(1)).init(0)?;
//! let optimizer = Optimizer::from(Adam::new(0.01));
//! let mut state = OptimizerState::new(&optimizer, network.parameters());
//!
//! // one step, with gradients that usually come from a tape
//! let gradients = [Tensor::from([[0.5], [-0.5]]), Tensor::from([1.0])];
//! optimizer.step(&mut state, &mut network, &gradients);
//! assert_eq!(state.steps(), 1);
//! # Ok::<(), mlp_nn::NnError>(())
//! ```
//!
//! Plain gradient descent is [`Sgd`] without momentum; full-batch gradient descent is the same with a batch that holds
//! every row.

mod adam;
mod custom;
mod error;
mod optimizer;
mod rms_prop;
mod rule;
mod sgd;
mod state;

pub use adam::Adam;
pub use custom::CustomOptimizer;
pub use error::OptimError;
pub use optimizer::Optimizer;
pub use rms_prop::RmsProp;
pub use sgd::Sgd;
pub use state::{OptimizerState, SlotError, Slots};
