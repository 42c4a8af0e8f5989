//! Products of a function's Jacobian with a vector, from either side.

use mlp_tensor::{Element, Tensor};

use super::{check_shapes, variables};
use crate::{Tape, Var};

/// The value of `function` at `inputs`, and `upstream` (of the value's shape) times its Jacobian: one result for each
/// input, of its shape. One forward and one backward pass.
///
/// # Panics
/// If `upstream` has another shape than the value.
#[track_caller]
pub fn vjp<E, F>(function: F, inputs: &[Tensor<E>], upstream: &Tensor<E>) -> (Tensor<E>, Vec<Tensor<E>>)
where
    E: Element,
    F: for<'t> Fn(&'t Tape<E>, &[Var<'t, E>]) -> Var<'t, E>,
{
    let tape = Tape::new();
    let variables = variables(&tape, inputs);
    let output = function(&tape, &variables);
    let shape = output.shape();
    assert!(
        upstream.shape() == shape,
        "vjp: the function's value has shape {shape:?}, the upstream gradient {:?}",
        upstream.shape()
    );
    (output.value(), tape.gradient_from(&[output], std::slice::from_ref(upstream), &variables))
}

/// The value of `function` at `inputs`, and its Jacobian times `tangents`, of which there is one for each input and of
/// its shape: the derivative of the value in that direction, of the value's shape.
///
/// Taken by walking back twice: uᵀJ is linear in u, and its derivative with respect to u, times the tangents, is J times them.
///
/// ```
/// use mlp_autograd::jvp;
/// use mlp_tensor::Tensor;
///
/// let (value, slope) = jvp(|_, x| x[0] * x[0], &[Tensor::from([3.0, 5.0])], &[Tensor::from([1.0, 0.1])]);
/// assert_eq!(value, Tensor::from([9.0, 25.0]));
/// assert_eq!(slope, Tensor::from([6.0, 1.0]));
/// ```
///
/// # Panics
/// If there are no inputs, or the tangents have other shapes than they.
#[track_caller]
pub fn jvp<E, F>(function: F, inputs: &[Tensor<E>], tangents: &[Tensor<E>]) -> (Tensor<E>, Tensor<E>)
where
    E: Element,
    F: for<'t> Fn(&'t Tape<E>, &[Var<'t, E>]) -> Var<'t, E>,
{
    check_shapes("jvp", "tangents", inputs, tangents);
    let tape = Tape::new();
    let variables = variables(&tape, inputs);
    let output = function(&tape, &variables);
    let upstream = tape.variable(Tensor::ones(output.shape()));
    let gradients = tape.gradient_recorded_from(&[output], &[upstream], &variables);
    let mut slope = tape.gradient_from(&gradients, tangents, [upstream]);
    (output.value(), slope.swap_remove(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jacobian;
    use mlp_tensor::Rng;

    #[test]
    fn both_are_products_with_the_jacobian() {
        fn f<'t>(_: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
            x[0].matmul(x[1]).tanh().softmax(1)
        }
        let rng = &mut Rng::new(2);
        let inputs = [Tensor::normal([2, 3], 0.0, 1.0, rng), Tensor::normal([3, 4], 0.0, 1.0, rng)];
        let tangents = [Tensor::normal([2, 3], 0.0, 1.0, rng), Tensor::normal([3, 4], 0.0, 1.0, rng)];
        let upstream = Tensor::normal([2, 4], 0.0, 1.0, rng);
        let whole = jacobian(f, &inputs);
        let (value, slope) = jvp(f, &inputs, &tangents);
        let (same_value, pulled) = vjp(f, &inputs, &upstream);
        assert_eq!(value, same_value);
        let mut sum = Tensor::zeros([8, 1]);
        for ((block, tangent), pulled) in whole.iter().zip(&tangents).zip(pulled) {
            let block = block.reshape([8, tangent.len()]);
            sum += &block.matmul(&tangent.reshape([tangent.len(), 1]));
            let expected = upstream.reshape([1, 8]).matmul(&block).reshape(pulled.shape());
            assert!((expected - pulled).abs().max() < 1e-12);
        }
        assert!((sum.reshape([2, 4]) - slope).abs().max() < 1e-12);
    }

    #[test]
    #[should_panic(expected = "jvp: there are no inputs")]
    fn a_direction_needs_inputs() {
        jvp(|tape, _| tape.constant(Tensor::<f64>::zeros([2])), &[], &[]);
    }

    #[test]
    #[should_panic(expected = "vjp: the function's value has shape [2], the upstream gradient [3]")]
    fn an_upstream_gradient_of_another_shape_is_refused() {
        vjp(|_, x| x[0].exp(), &[Tensor::<f64>::zeros([2])], &Tensor::zeros([3]));
    }
}
