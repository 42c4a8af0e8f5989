//! Time for memory: a part of a computation that is done once more on the way back.

use std::fmt;

use mlp_tensor::Element;

use crate::{Op, OpContext, Tape, Var};

/// A function that is run again in the backward pass.
struct Checkpoint<F> {
    function: F,
    inputs: usize,
}

impl<F> fmt::Debug for Checkpoint<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checkpoint of {} inputs", self.inputs)
    }
}

impl<E, F> Op<E> for Checkpoint<F>
where
    E: Element,
    F: for<'t> Fn(&'t Tape<E>, &[Var<'t, E>]) -> Var<'t, E> + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        "checkpoint"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let tape = ctx.tape();
        let (inputs, output) = tape.with_recording_set(true, || {
            // Each input anew, so that none is computed from another: the walk below must end at them.
            let inputs: Vec<_> = (0..self.inputs).map(|i| ctx.input(i)).map(|x| x.reshape(x.shape())).collect();
            let output = (self.function)(tape, &inputs);
            (inputs, output)
        });
        if !output.requires_grad() {
            // The function cut off its inputs.
            return vec![None; self.inputs];
        }
        let asked_for: Vec<_> = (0..self.inputs).filter(|&i| ctx.needs_input_grad(i)).map(|i| inputs[i]).collect();
        let found = if tape.is_recording() {
            tape.gradient_recorded_from(&[output], &[grad], &asked_for)
        } else {
            let numbers = tape.gradient_from(&[output], &[grad.value()], &asked_for);
            numbers.into_iter().map(|gradient| tape.constant(gradient)).collect()
        };
        let mut found = found.into_iter();
        (0..self.inputs).map(|i| ctx.needs_input_grad(i).then(|| found.next()).flatten()).collect()
    }
}

/// `function` of `inputs`, of which the tape keeps only the result: everything in between is computed once more when
/// the gradients are wanted. A deep network whose blocks are checkpointed needs the memory of one block, and one forward
/// pass more. The gradients are the same but for the order in which those of several uses of one input are added up, and
/// can be differentiated again. The function may take gradients itself.
///
/// Everything that the function depends on must be among `inputs`, parameters too: it cannot hold variables of its own.
/// It must compute the same both times; what is random in it needs a seed that it holds.
///
/// ```
/// use mlp_autograd::{Tape, checkpoint};
/// use mlp_tensor::Tensor;
///
/// let tape = Tape::<f64>::new();
/// let x = tape.variable(Tensor::from([1.0, 2.0]));
/// let y = checkpoint(&tape, &[x], |_, x| x[0].sin().exp().tanh());
/// assert_eq!(tape.len(), 2); // x and y, and nothing between
/// assert!(y.sum().backward().wrt(x).bit_eq(&x.sin().exp().tanh().sum().backward().wrt(x)));
/// ```
///
/// # Panics
/// If an input belongs to another tape.
#[track_caller]
pub fn checkpoint<'t, E, F>(tape: &'t Tape<E>, inputs: &[Var<'t, E>], function: F) -> Var<'t, E>
where
    E: Element,
    F: for<'a> Fn(&'a Tape<E>, &[Var<'a, E>]) -> Var<'a, E> + Send + Sync + 'static,
{
    tape.check_same_tape("checkpoint", "input", inputs);
    let value = tape.truncated(|| function(tape, inputs).value());
    tape.push(value, Checkpoint { function, inputs: inputs.len() }, inputs)
}

#[cfg(test)]
mod tests {
    use mlp_tensor::{Rng, Tensor};

    use super::*;

    fn block<'t>(_: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
        x[0].linear(x[1], x[2]).tanh().softmax(1)
    }

    /// Two blocks, the second of which gets its input as its weight's factor as well.
    fn losses<'t>(tape: &'t Tape<f64>, x: &[Var<'t, f64>], checkpointed: bool) -> Var<'t, f64> {
        let run = |inputs: &[Var<'t, f64>]| {
            if checkpointed { checkpoint(tape, inputs, block) } else { block(tape, inputs) }
        };
        let hidden = run(&[x[0], x[1], x[2]]);
        let weight = x[1] * hidden.mean();
        run(&[hidden, weight, x[2]]).ln().sum()
    }

    #[test]
    fn first_and_second_derivatives_are_those_without_it() {
        let rng = &mut Rng::new(5);
        let inputs = [
            Tensor::normal([6, 4], 0.0, 1.0, rng),
            Tensor::normal([4, 4], 0.0, 1.0, rng),
            Tensor::normal([4], 0.0, 1.0, rng),
        ];
        let run = |checkpointed: bool| {
            let tape = Tape::new();
            let x: Vec<_> = inputs.iter().map(|input| tape.variable(input.clone())).collect();
            let loss = losses(&tape, &x, checkpointed);
            let first = loss.backward();
            let first: Vec<_> = x.iter().map(|&x| first.wrt(x)).collect();
            let recorded = tape.gradient_recorded(loss, &x);
            let norm = (recorded[0].square().sum() + recorded[1].square().sum()).sqrt();
            (loss.value(), first, tape.gradient(norm, &x))
        };
        let (with, without) = (run(true), run(false));
        assert!(with.0.bit_eq(&without.0));
        assert!(with.1.iter().zip(&without.1).all(|(a, b)| a.bit_eq(b)));
        for (a, b) in with.2.iter().zip(&without.2) {
            assert!((a - b).abs().max() < 1e-13 * b.abs().max(), "{a} {b}");
        }
    }

    /// (x²)' = 2x, of which the derivative is 2, and 3x² with 6x.
    #[test]
    fn a_function_may_take_gradients_itself() {
        fn slope<'t>(tape: &'t Tape<f64>, x: &[Var<'t, f64>], power: f64) -> Var<'t, f64> {
            tape.gradient_recorded(x[0].powf(power).sum(), [x[0]])[0]
        }
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::from([1.0, 3.0]));
        let y = checkpoint(&tape, &[x], |t, x| slope(t, x, 2.0));
        assert_eq!((y.value(), tape.len()), (Tensor::from([2.0, 6.0]), 2));
        assert_eq!(y.sum().backward().wrt(x), Tensor::from([2.0, 2.0]));
        let y = checkpoint(&tape, &[x], |t, x| slope(t, x, 3.0));
        let g = tape.gradient_recorded(y.sum(), [x])[0];
        assert_eq!(g.value(), Tensor::from([6.0, 18.0]));
        assert_eq!(tape.gradient(g.sum(), [x]), [Tensor::from([6.0, 6.0])]);
    }

    #[test]
    fn a_function_that_cuts_off_its_input_has_gradient_zero() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::from([1.0, 3.0]));
        let y = checkpoint(&tape, &[x], |_, x| x[0].detach() * 2.0).sum();
        assert_eq!(y.backward().wrt(x), Tensor::zeros([2]));
        assert_eq!(tape.gradient_recorded(y, [x])[0].value(), Tensor::zeros([2]));
    }

    #[test]
    fn the_tape_holds_nothing_but_inputs_and_results_before_and_after() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::ones([3]));
        let mut y = x;
        for _ in 0..10 {
            y = checkpoint(&tape, &[y], |_, y| (0..20).fold(y[0], |y, _| y.sin()));
        }
        let loss = y.sum();
        assert_eq!(tape.len(), 12);
        let gradient = loss.backward().wrt(x);
        assert_eq!(tape.len(), 12);
        let mut expected = 1.0;
        let mut at = 1.0_f64;
        for _ in 0..200 {
            expected *= at.cos();
            at = at.sin();
        }
        assert!((gradient.as_slice()[0] - expected).abs() < 1e-12);
    }
}
