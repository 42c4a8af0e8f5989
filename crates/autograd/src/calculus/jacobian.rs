//! All first derivatives of a function.

use mlp_tensor::{Element, Tensor};

use super::{rows, variables};
use crate::{Tape, Var};

/// The derivatives of every value of `function`'s output with respect to every value of its inputs, at `inputs`: for
/// each input a tensor of the output's shape followed by the input's, so that for vectors it is the matrix ∂yᵢ / ∂xⱼ.
///
/// Takes one forward pass, and one backward pass for every value of the output.
///
/// ```
/// use mlp_autograd::jacobian;
/// use mlp_tensor::Tensor;
///
/// // (x₀ x₁, x₀ + x₁)
/// let j = jacobian(
///     |_, x| {
///         let (a, b) = (x[0].slice(0, 0..1), x[0].slice(0, 1..2));
///         mlp_autograd::Var::concatenate(&[a * b, a + b], 0)
///     },
///     &[Tensor::from([2.0, 3.0])],
/// );
/// assert_eq!(j, [Tensor::from([[3.0, 2.0], [1.0, 1.0]])]);
/// ```
#[track_caller]
pub fn jacobian<E, F>(function: F, inputs: &[Tensor<E>]) -> Vec<Tensor<E>>
where
    E: Element,
    F: for<'t> Fn(&'t Tape<E>, &[Var<'t, E>]) -> Var<'t, E>,
{
    let tape = Tape::new();
    let variables = variables(&tape, inputs);
    rows(function(&tape, &variables), &variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a product A · B the derivative of (AB)ᵢⱼ by Aₖₗ is δᵢₖ Bₗⱼ.
    #[test]
    fn of_a_product_of_matrices() {
        let a = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
        let b = Tensor::from([[5.0, 6.0, 7.0], [8.0, 9.0, 10.0]]);
        let by = jacobian(|_, x| x[0].matmul(x[1]), &[a.clone(), b.clone()]);
        assert_eq!((by[0].shape(), by[1].shape()), (&[2, 3, 2, 2][..], &[2, 3, 2, 3][..]));
        for (i, j) in [(0, 0), (1, 2), (0, 1)] {
            for (k, l) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let expected = if i == k { b[[l, j]] } else { 0.0 };
                assert_eq!(by[0][[i, j, k, l]], expected);
                let expected = if j == k { a[[i, l]] } else { 0.0 };
                assert_eq!(by[1][[i, j, l, k]], expected);
            }
        }
    }

    #[test]
    fn of_nothing_is_nothing_and_of_constants_zero() {
        assert_eq!(jacobian(|_, x| x[0] * 2.0, &[Tensor::<f64>::zeros([0])])[0].shape(), [0, 0]);
        let constant = jacobian(|tape, _| tape.constant(Tensor::ones([2])), &[Tensor::from([1.0, 2.0, 3.0])]);
        assert_eq!(constant, [Tensor::zeros([2, 3])]);
    }
}
