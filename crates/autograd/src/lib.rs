//! Reverse-mode differentiation.
//!
//! A [`Tape`] writes down every operation on the [`Var`]s that belong to it; [`Var::backward`] walks it once from the
//! end and returns the gradients.
//!
//! ```
//! use mlp_autograd::Tape;
//! use mlp_tensor::Tensor;
//!
//! let tape = Tape::new();
//! let x = tape.variable(Tensor::from([1.0, 2.0, 3.0]));
//! let loss = (x * x + x).sum();
//! let gradients = loss.backward();
//! assert_eq!(gradients.wrt(x), Tensor::from([3.0, 5.0, 7.0])); // 2x + 1
//! ```
//!
//! # How it works
//!
//! An operation appends one node, so the order of the nodes is already an order in which they can be differentiated.
//! An [`Op`] says how a gradient of its output becomes gradients of its inputs, and returns them as values; only the
//! walk back adds them up and sums away what broadcasting repeated. So `x * x` is right by construction, and an
//! operation is one place to read: its forward, what it keeps, and its backward. Backward is itself written in
//! operations on variables, so that gradients can be differentiated again; where speed needs it, a kernel that computes
//! the same numbers stands behind it, and may leave a gradient in a form that takes less room ([`Gradient`]).
//!
//! # What there is
//!
//! | for | see |
//! |---|---|
//! | the gradients of a loss with respect to all variables | [`Var::backward`], [`Accumulator`] |
//! | gradients with respect to chosen variables | [`Tape::gradient`], [`Tape::gradient_from`] |
//! | gradients that can be differentiated again | [`Tape::gradient_recorded`], [`Tape::gradient_recorded_from`] |
//! | derivatives of whole functions | [`jacobian`], [`hessian`], [`hvp`], [`vjp`], [`jvp`], [`per_sample`] |
//! | less memory for more time | [`checkpoint`] |
//! | checks | [`gradcheck()`], [`gradgradcheck`] |
//! | where a NaN comes from | [`Tape::detect_anomalies`], [`Tape::set_detect_anomalies`], [`Tape::scope`] |
//!
//! # A new operation
//!
//! ```
//! use mlp_autograd::{Op, OpContext, Tape, Var, gradcheck};
//! use mlp_tensor::{Element, Tensor};
//!
//! /// ln(1 + eˣ), with the derivative 1 / (1 + e⁻ˣ).
//! #[derive(Debug)]
//! struct Softplus;
//!
//! impl<E: Element> Op<E> for Softplus {
//!     fn name(&self) -> &'static str {
//!         "softplus"
//!     }
//!     fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
//!         vec![Some(grad * ctx.input(0).sigmoid())]
//!     }
//! }
//!
//! fn softplus<E: Element>(x: Var<'_, E>) -> Var<'_, E> {
//!     x.tape().push(x.value().map(|v| v.max(E::zero()) + (-v.abs()).exp().ln_1p()), Softplus, &[x])
//! }
//!
//! gradcheck(|_, x| softplus(x[0]), &[Tensor::from([-2.0, 0.5, 3.0])])?;
//! # Ok::<(), mlp_autograd::GradcheckError>(())
//! ```
//!
//! # Errors
//!
//! Operations panic on shapes that do not fit, and name themselves and every shape. So does the walk back on what an
//! operation returns: another number of gradients than it has inputs, or shapes that do not fit them.

mod anomaly;
mod backward;
mod calculus;
mod gradcheck;
mod gradient;
mod observer;
mod op;
mod ops;
mod peers;
mod scope;
mod sparse_rows;
mod tape;
mod walk;
mod with_respect_to;

pub use anomaly::{Anomaly, Direction};
pub use backward::Gradients;
pub use calculus::{Accumulator, checkpoint, hessian, hvp, jacobian, jvp, per_sample, vjp};
pub use gradcheck::{GradcheckError, Mismatch, gradcheck, gradgradcheck};
pub use gradient::Gradient;
pub use mlp_tensor as tensor;
pub use op::{Op, OpContext};
pub use peers::Peers;
pub use sparse_rows::SparseRows;
pub use tape::{Tape, Var};
