//! Dense tensors for neural networks on a CPU.
//!
//! A [`Tensor`] is a block of numbers in row-major order with a shape that is known at run time. It is cheap to
//! clone (the numbers are shared until one of the copies is written to), it speaks [`ndarray`] without copying, and
//! it computes by NumPy's rules:
//!
//! ```
//! use mlp_tensor::Tensor;
//!
//! let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
//! let row = Tensor::from([10.0, 20.0, 30.0]);
//!
//! let y = (&x + &row).matmul_nt(&x); // [2, 3] x [3, 2]
//! assert_eq!(y.shape(), [2, 2]);
//! assert_eq!(x.sum_axes(&[0], false), Tensor::from([5.0, 7.0, 9.0]));
//! assert_eq!(x.argmax(1), [2, 2]);
//! ```
//!
//! # From NumPy
//!
//! | NumPy | here |
//! |---|---|
//! | `np.array([[1., 2.], [3., 4.]])` | `Tensor::from([[1.0, 2.0], [3.0, 4.0]])` |
//! | `np.zeros((2, 3))`, `np.full((2, 3), v)`, `np.eye(n)` | `Tensor::zeros([2, 3])`, `Tensor::full([2, 3], v)`, `Tensor::eye(n)` |
//! | `a.reshape(2, -1)` | `a.reshape([2, n])` |
//! | `a.T`, `a.transpose(1, 0, 2)` | `a.t()`, `a.permute(&[1, 0, 2])` |
//! | `a @ b`, `a.T @ b`, `a @ b.T` | `a.matmul(&b)`, `a.matmul_tn(&b)`, `a.matmul_nt(&b)` |
//! | `a.sum()`, `a.sum(axis=0)`, `a.sum(axis=0, keepdims=True)` | `a.sum()`, `a.sum_axes(&[0], false)`, `a.sum_axes(&[0], true)` |
//! | `a.argmax(axis=1)` | `a.argmax(1)` |
//! | `a[[3, 1, 4]]`, `a[2:5]`, `a[:, 2:5]` | `a.gather_rows(&[3, 1, 4])`, `a.slice(0, 2..5)`, `a.slice(1, 2..5)` |
//! | `np.concatenate([a, b], axis=0)` | `Tensor::concatenate(&[&a, &b], 0)` |
//! | `np.exp(a)`, `np.clip(a, lo, hi)` | `a.exp()`, `a.clamp(lo, hi)` |
//! | `np.random.default_rng(7).normal(size=(2, 3))` | `Tensor::normal([2, 3], 0.0, 1.0, &mut Rng::new(7))` |
//!
//! # Errors
//!
//! A wrong shape handed to an operation is a mistake in the program: the operation panics and names itself and every
//! shape. What comes from outside, such as rows read from a file, has constructors that return [`TensorError`].

mod arithmetic;
mod broadcast;
mod compare;
mod convert;
mod display;
mod element;
mod elementwise;
mod error;
mod fold;
mod indexing;
mod linalg;
mod macros;
pub mod math;
mod memory;
mod random;
mod reduce;
mod reduce_axis;
mod select;
#[cfg(feature = "serde")]
mod serde;
mod shape;
pub mod simd;
mod sort;
mod statistics;
mod subscript;
mod tensor;

pub use compare::Operand;
pub use element::{Element, Visit};
pub use elementwise::all_finite;
pub use error::TensorError;
pub use linalg::gemm;
pub use memory::Pool;
pub use ndarray;
pub use random::Rng;
pub use reduce_axis::argmax;
pub use shape::broadcast_shape;
pub use tensor::Tensor;
