//! Dense tensors for neural networks on a CPU.
//!
//! A [`Tensor`] is a block of numbers in row-major order with a shape that is known at run time. It is cheap to
//! clone (the numbers are shared until one of the copies is written to), it speaks [`ndarray`] (version 0.17, exported as
//! `mlp_tensor::ndarray`) without copying, and it computes by NumPy's rules:
//!
//! ```
//! use mlp_tensor::tensor;
//!
//! let x = tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
//! let row = tensor![10.0, 20.0, 30.0];
//!
//! let y = (&x + &row).matmul_nt(&x); // [2, 3] x [3, 2]
//! assert_eq!(y.shape(), [2, 2]);
//! assert_eq!(x.sum_axis(0), tensor![5.0, 7.0, 9.0]);
//! assert_eq!(x.argmax(1), [2, 2]);
//! assert_eq!(x[[1, 2]], 6.0);
//! ```
//!
//! # From NumPy
//!
//! | NumPy | here |
//! |---|---|
//! | `np.array([[1., 2.], [3., 4.]], dtype=np.float32)` | `tensor![[1.0, 2.0], [3.0, 4.0]]` |
//! | `np.array([[1., 2.], [3., 4.]])` | `tensor![f64; [1.0, 2.0], [3.0, 4.0]]` |
//! | `np.array(rows)`, `np.asarray(array)` | `Tensor::from(rows)`, `Tensor::from_rows(&rows)?`, `Tensor::from(array)` |
//! | `np.zeros((2, 3))`, `np.full((2, 3), v)`, `np.eye(n)` | `Tensor::zeros([2, 3])`, `Tensor::full([2, 3], v)`, `Tensor::eye(n)` |
//! | `np.fromfunction(f, (2, 3))`, `np.fromiter(values, float)` | `Tensor::from_fn([2, 3], \|i\| f(i[0], i[1]))`, `values.collect::<Tensor>()` |
//! | `np.arange(0, 1, 0.25)`, `np.linspace(0, 1, 5)` | `Tensor::arange(0.0, 1.0, 0.25)`, `Tensor::linspace(0.0, 1.0, 5)` |
//! | `a.shape`, `a.ndim`, `a.size`, `a.tolist()` | `a.shape()`, `a.ndim()`, `a.len()`, `a.to_vec()` |
//! | `a[1, 2]`, `a[1, 2] = v` | `a[[1, 2]]`, `a[[1, 2]] = v` |
//! | `a[[3, 1, 4]]`, `a[2:5]`, `a[:, 2:]` | `a.select_rows(&[3, 1, 4])`, `a.slice(0, 2..5)`, `a.slice(1, 2..)` |
//! | `a.reshape(2, -1)`, `a.ravel()`, `np.expand_dims(a, 0)`, `np.squeeze(a, 0)` | `a.reshape([2, -1])`, `a.flatten()`, `a.unsqueeze(0)`, `a.squeeze(0)` |
//! | `a.T`, `a.transpose(1, 0, 2)` | `a.t()`, `a.permute(&[1, 0, 2])` |
//! | `a + b`, `2 * a`, `a += b` | `&a + &b`, `2.0 * &a`, `a += &b` |
//! | `a @ b`, `a.T @ b`, `a @ b.T` | `a.matmul(&b)`, `a.matmul_tn(&b)`, `a.matmul_nt(&b)` |
//! | `a.sum()`, `a.sum(axis=0)`, `a.sum(axis=0, keepdims=True)` | `a.sum()`, `a.sum_axis(0)`, `a.sum_axes(&[0], true)` |
//! | `a.std()`, `a.std(axis=0, ddof=1)`, `a.var(axis=0)` | `a.std()`, `a.std_axis(0, 1)`, `a.var_axis(0, 0)` |
//! | `a.max()`, `a.max(axis=1)`, `a.argmax(axis=1)`, `a.argmin(axis=1)` | `a.max()`, `a.max_axis(1)`, `a.argmax(1)`, `a.argmin(1)` |
//! | `a > b`, `a <= 0`, `(a > 0) & (a < 1)`, `np.where(a > 0, a, b)` | `a.gt(&b)`, `a.le(0.0)`, `a.gt(0.0) * a.lt(1.0)`, `Tensor::where_(&a.gt(0.0), &a, &b)` |
//! | `np.isnan(a)`, `np.count_nonzero(a)`, `np.isfinite(a).all()` | `a.is_nan()`, `a.count_nonzero()`, `a.all_finite()` |
//! | `np.sort(a, axis=0)`, `np.argsort(a, axis=0)`, `np.unique(a)` | `a.sort(0)`, `a.argsort(0)`, `a.unique()` |
//! | `np.allclose(a, b)`, `np.array_equal(a, b)` | `a.allclose(&b, 1e-5, 1e-8)`, `a == b` |
//! | `np.concatenate([a, b], axis=0)`, `np.stack([a, b])` | `Tensor::concatenate(&[&a, &b], 0)`, `Tensor::stack(&[&a, &b], 0)` |
//! | `np.split(a, 3)`, `np.split(a, [2, 5], axis=1)` | `a.split(3, 0)`, `a.split([2, 5], 1)` |
//! | `np.repeat(a, 2, axis=0)`, `np.tile(a, (2, 1))` | `a.repeat(2, 0)`, `a.tile(2, 0)` |
//! | `np.exp(a)`, `np.log(a)`, `np.clip(a, lo, hi)`, `np.maximum(a, 0)`, `np.round(a)` | `a.exp()`, `a.ln()`, `a.clamp(lo, hi)`, `a.maximum(0.0)`, `a.round()` |
//! | `scipy.special.softmax(a, axis=1)`, `scipy.special.log_softmax(a, axis=1)` | `a.softmax(1)`, `a.log_softmax(1)` |
//! | `torch.topk(a, 5, dim=1)` | `a.top_k(5, 1)` |
//! | `np.random.default_rng(7).normal(size=(2, 3))` | `Tensor::randn([2, 3], &mut Rng::new(7))` |
//! | `a.astype(np.float64)`, `a.copy()`, `a.flat` | `a.cast::<f64>()`, `a.clone()`, `a.as_slice()` |
//! | `np.linalg.norm(a)` | `a.flatten().norm_axes(2.0, &[0], false)` |
//!
//! # From and to ndarray
//!
//! Arrays and views of every dimension type become tensors by `Tensor::from`; a tensor becomes an `ArrayD` by `from`, an
//! `Array2` and its like by `try_from`, which is an error where the number of axes differs, and `&tensor` becomes a view
//! in the same ways. Owned arrays in row-major order change hands without copying.
//!
//! With the feature `serde` tensors are written and read as `{ shape, data }`.
//!
//! # Errors
//!
//! A wrong shape handed to an operation is a mistake in the program: the operation panics and names itself and every
//! shape. What comes from outside, such as rows read from a file, has constructors that return [`TensorError`].

mod arithmetic;
mod broadcast;
mod compare;
mod convert;
mod create;
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
pub mod softmax;
mod sort;
mod split;
mod statistics;
mod subscript;
mod tensor;

pub use compare::Operand;
pub use element::Element;
pub use elementwise::all_finite;
pub use error::TensorError;
pub use linalg::{Compact, CompactPanels, Panels, Right, gemm, gemm_tn, linear};
pub use memory::Pool;
pub use ndarray;
pub use random::Rng;
pub use reduce_axis::argmax;
pub use shape::{Length, broadcast_shape, broadcasts_to};
pub use split::Cuts;
pub use tensor::Tensor;
