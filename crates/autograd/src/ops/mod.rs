//! The operations, each with its derivative beside it.

mod activation;
mod arithmetic;
mod detach;
mod elementwise;
mod indexing;
mod linear;
mod matmul;
mod normalize;
mod power;
mod reduce;
mod select;
mod shape;
mod softmax;
mod standardize;
mod statistics;
