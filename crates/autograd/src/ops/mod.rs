//! The operations, each with its derivative beside it.

mod activation;
mod arithmetic;
mod cross_entropy;
mod elementwise;
mod linear;
mod matmul;
mod reduce;
mod shape;
mod softmax;
