//! The gradients of every sample of a batch by itself.

use mlp_tensor::{Element, Pool, Tensor};

use crate::{Tape, Var};

/// For each of `samples` samples the gradient of its own loss with respect to `parameters`: one tensor for each
/// parameter, of shape `[samples, ...]` followed by the parameter's. For clipping sample by sample (differential
/// privacy), for their variance, or to find the samples that a network learns most from.
///
/// `function` gets the parameters as variables and the number of a sample, and returns that sample's loss, a single
/// number. The mean over the samples is the gradient of the mean loss.
///
/// ```
/// use mlp_autograd::per_sample;
/// use mlp_tensor::Tensor;
///
/// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
/// let weight = Tensor::from([[0.5], [0.5]]);
/// let gradients = per_sample(
///     |tape, parameters, row| tape.constant(x.slice(0, row..row + 1)).matmul(parameters[0]).sum(),
///     &[weight],
///     x.rows(),
/// );
/// assert_eq!(gradients[0], x.reshape([3, 2, 1]));
/// ```
///
/// # Panics
/// If the function does not return a single number.
#[track_caller]
pub fn per_sample<E, F>(function: F, parameters: &[Tensor<E>], samples: usize) -> Vec<Tensor<E>>
where
    E: Element,
    F: for<'t> Fn(&'t Tape<E>, &[Var<'t, E>], usize) -> Var<'t, E>,
{
    let mut gradients: Vec<Tensor<E>> =
        parameters.iter().map(|parameter| Tensor::zeros([&[samples], parameter.shape()].concat())).collect();
    let (mut tape, mut pool) = (Tape::new(), Pool::default());
    for sample in 0..samples {
        pool.scope(|| {
            // In here, so that the pool gets back what was on it.
            tape.clear();
            let variables = super::variables(&tape, parameters);
            let loss = function(&tape, &variables, sample);
            let shape = loss.shape();
            assert!(
                shape.iter().product::<usize>() == 1,
                "per_sample: the loss of sample {sample} has shape {shape:?}, not one value"
            );
            if !loss.requires_grad() {
                return;
            }
            let mut found = loss.backward();
            for (rows, &variable) in gradients.iter_mut().zip(&variables) {
                let width = rows.row_len();
                if let Some(gradient) = found.take(variable).filter(|_| width > 0) {
                    gradient.write_block(0, false, &mut rows.as_mut_slice()[sample * width..(sample + 1) * width]);
                }
            }
        });
    }
    gradients
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlp_tensor::Rng;

    #[test]
    fn they_are_those_of_batches_of_one_and_their_mean_is_that_of_the_batch() {
        let rng = &mut Rng::new(3);
        let x = Tensor::<f64>::normal([5, 4], 0.0, 1.0, rng);
        let targets = Tensor::eye(3).select_rows(&[0, 2, 1, 1, 0]);
        let parameters = [Tensor::normal([4, 3], 0.0, 1.0, rng), Tensor::normal([3], 0.0, 1.0, rng)];
        fn loss<'t>(tape: &'t Tape<f64>, p: &[Var<'t, f64>], x: Tensor<f64>, t: Tensor<f64>) -> Var<'t, f64> {
            tape.constant(x).linear(p[0], p[1]).tanh().softmax_cross_entropy(tape.constant(t)).mean()
        }
        let rows = |tensor: &Tensor<f64>, row: usize| tensor.slice(0, row..row + 1);
        let each = per_sample(|tape, p, row| loss(tape, p, rows(&x, row), rows(&targets, row)), &parameters, 5);
        let tape = Tape::new();
        let variables = super::super::variables(&tape, &parameters);
        let whole = loss(&tape, &variables, x.clone(), targets.clone()).backward();
        for (each, variable) in each.iter().zip(variables) {
            assert_eq!(each.shape()[0], 5);
            assert!((each.mean_axes(&[0], false) - whole.wrt(variable)).abs().max() < 1e-14);
        }
    }

    #[test]
    fn a_sample_whose_loss_depends_on_no_parameter_has_gradient_zero() {
        let weights = [Tensor::from([1.0, 2.0]), Tensor::from([3.0])];
        let each = per_sample(
            |tape, p, sample| if sample == 0 { tape.constant(Tensor::scalar(7.0)) } else { p[0].sum() },
            &weights,
            2,
        );
        assert_eq!(each, [Tensor::from([[0.0, 0.0], [1.0, 1.0]]), Tensor::from([[0.0], [0.0]])]);
    }

    #[test]
    #[should_panic(expected = "per_sample: the loss of sample 0 has shape [2], not one value")]
    fn a_loss_is_a_single_number() {
        per_sample(|_, p, _| p[0], &[Tensor::<f32>::ones([2])], 1);
    }

    #[test]
    fn no_samples_give_no_gradients() {
        assert_eq!(per_sample(|_, p, _| p[0].sum(), &[Tensor::<f32>::ones([2])], 0)[0].shape(), [0, 2]);
    }
}
