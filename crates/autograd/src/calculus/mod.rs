//! Derivatives of whole functions.
//!
//! A function is a closure from a tape and the variables on it to its output, as for
//! [`gradcheck`](crate::gradcheck::gradcheck). Its inputs are given as tensors; the tape is made, used and dropped
//! inside.

mod accumulate;
mod checkpoint;
mod hessian;
mod jacobian;
mod per_sample;
mod products;

pub use accumulate::Accumulator;
pub use checkpoint::checkpoint;
pub use hessian::{hessian, hvp};
pub use jacobian::jacobian;
pub use per_sample::per_sample;
pub use products::{jvp, vjp};

use mlp_tensor::{Element, Tensor};

use crate::{Tape, Var};

/// The inputs as variables.
fn variables<'t, E: Element>(tape: &'t Tape<E>, inputs: &[Tensor<E>]) -> Vec<Var<'t, E>> {
    inputs.iter().map(|input| tape.variable(input.clone())).collect()
}

/// The derivatives of every value of `output` with respect to every value of each of `variables`: of each, the shape
/// of the output followed by that of the variable. One walk for every value of the output.
fn rows<E: Element>(output: Var<'_, E>, variables: &[Var<'_, E>]) -> Vec<Tensor<E>> {
    let shape = output.shape();
    let count: usize = shape.iter().product();
    let mut rows: Vec<Vec<E>> = vec![Vec::new(); variables.len()];
    for index in 0..count {
        let mut one = Tensor::zeros(&shape);
        one.as_mut_slice()[index] = E::one();
        let gradients = output.tape().gradient_from(&[output], &[one], variables);
        rows.iter_mut().zip(gradients).for_each(|(rows, gradient)| rows.extend_from_slice(gradient.as_slice()));
    }
    let whole =
        |(data, variable): (Vec<E>, &Var<'_, E>)| Tensor::from_vec(data, [shape.clone(), variable.shape()].concat());
    rows.into_iter().zip(variables).map(whole).collect()
}

#[track_caller]
fn check_shapes<E: Element>(what: &str, name: &str, inputs: &[Tensor<E>], vectors: &[Tensor<E>]) {
    assert!(!inputs.is_empty(), "{what}: there are no inputs");
    let shapes = |tensors: &[Tensor<E>]| tensors.iter().map(|t| t.shape().to_vec()).collect::<Vec<_>>();
    let (inputs, vectors) = (shapes(inputs), shapes(vectors));
    assert!(
        inputs == vectors,
        "{what}: inputs of shapes {inputs:?} and {name} of shapes {vectors:?} must have the same"
    );
}
