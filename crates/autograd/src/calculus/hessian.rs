//! Second derivatives of a function with one value: all of them, and their products with a vector.

use mlp_tensor::{Element, Tensor};

use super::{check_shapes, rows, variables};
use crate::{Tape, Var};

/// The second derivatives of `function`, which returns a single number, at `inputs`: at `[i][j]` those with respect to
/// the values of input i and of input j, of the shape of input i followed by that of input j.
///
/// Takes one recorded gradient, and one backward pass for every value of the inputs; a product with one vector is far
/// cheaper with [`hvp`].
///
/// ```
/// use mlp_autograd::hessian;
/// use mlp_tensor::Tensor;
///
/// let cubes = hessian(|_, x| (x[0] * x[0] * x[0]).sum(), &[Tensor::from([1.0, 2.0])]);
/// assert_eq!(cubes, [[Tensor::from([[6.0, 0.0], [0.0, 12.0]])]]);
/// ```
///
/// # Panics
/// If the function does not return a single number.
#[track_caller]
pub fn hessian<E, F>(function: F, inputs: &[Tensor<E>]) -> Vec<Vec<Tensor<E>>>
where
    E: Element,
    F: for<'t> Fn(&'t Tape<E>, &[Var<'t, E>]) -> Var<'t, E>,
{
    let tape = Tape::new();
    let variables = variables(&tape, inputs);
    let gradients = tape.gradient_recorded(function(&tape, &variables), &variables);
    gradients.into_iter().map(|gradient| rows(gradient, &variables)).collect()
}

/// The Hessian of `function`, which returns a single number, at `inputs`, times `vectors`, of which there is one for
/// each input and of its shape: for each input one result of its shape. The Hessian itself is never formed.
///
/// Takes a recorded gradient and one walk back along all of it: about two and a half times the work of a gradient.
///
/// # Panics
/// If there are no inputs, the function does not return a single number, or the vectors have other shapes than the inputs.
#[track_caller]
pub fn hvp<E, F>(function: F, inputs: &[Tensor<E>], vectors: &[Tensor<E>]) -> Vec<Tensor<E>>
where
    E: Element,
    F: for<'t> Fn(&'t Tape<E>, &[Var<'t, E>]) -> Var<'t, E>,
{
    check_shapes("hvp", "vectors", inputs, vectors);
    let tape = Tape::new();
    let variables = variables(&tape, inputs);
    let gradients = tape.gradient_recorded(function(&tape, &variables), &variables);
    tape.gradient_from(&gradients, vectors, &variables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlp_tensor::Rng;

    /// xᵀ A x has the Hessian A + Aᵀ; x · (B y) has B between x and y.
    #[test]
    fn of_quadratic_forms() {
        let (a, b) = (Tensor::from([[1.0, 2.0], [5.0, 7.0]]), Tensor::from([[1.0, -1.0, 3.0], [0.5, 2.0, 4.0]]));
        let (x, y) = (Tensor::from([[0.3], [-0.7]]), Tensor::from([[1.0], [2.0], [3.0]]));
        fn value<'t>(tape: &'t Tape<f64>, x: &[Var<'t, f64>], a: &Tensor<f64>, b: &Tensor<f64>) -> Var<'t, f64> {
            let (a, b) = (tape.constant(a.clone()), tape.constant(b.clone()));
            (x[0].matmul_tn(a.matmul(x[0])) + x[0].matmul_tn(b.matmul(x[1]))).sum()
        }
        let blocks = hessian(|tape, x| value(tape, x, &a, &b), &[x.clone(), y.clone()]);
        assert_eq!(blocks[0][0].reshape([2, 2]), &a + &a.t());
        assert_eq!(blocks[0][1].reshape([2, 3]), b);
        assert_eq!(blocks[1][0].reshape([3, 2]), b.t());
        assert_eq!(blocks[1][1].reshape([3, 3]), Tensor::zeros([3, 3]));
    }

    #[test]
    fn a_product_is_that_of_the_whole_hessian() {
        let rng = &mut Rng::new(1);
        let inputs = [Tensor::<f64>::normal([3, 4], 0.0, 1.0, rng), Tensor::normal([4], 0.0, 1.0, rng)];
        let vectors = [Tensor::normal([3, 4], 0.0, 1.0, rng), Tensor::normal([4], 0.0, 1.0, rng)];
        fn f<'t>(_: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
            ((x[0] * x[1]).tanh().softmax(1) * x[0].exp()).sum()
        }
        let whole = hessian(f, &inputs);
        for (row, product) in whole.iter().zip(hvp(f, &inputs, &vectors)) {
            let mut sum = Tensor::zeros([product.len(), 1]);
            for (block, vector) in row.iter().zip(&vectors) {
                sum += &block.reshape([product.len(), vector.len()]).matmul(&vector.reshape([vector.len(), 1]));
            }
            assert!((sum.reshape(product.shape()) - product).abs().max() < 1e-12);
        }
    }

    #[test]
    #[should_panic(expected = "hvp: inputs of shapes [[2]] and vectors of shapes [[3]] must have the same")]
    fn vectors_of_other_shapes_are_refused() {
        hvp(|_, x| x[0].sum(), &[Tensor::<f64>::zeros([2])], &[Tensor::zeros([3])]);
    }
}
