//! What an operation is to the tape.

use std::fmt::{self, Debug};
use std::rc::Rc;

use mlp_tensor::{Element, Tensor};

use crate::walk::Reach;
use crate::{Gradient, Tape, Var};

/// How an operation's gradient flows from its output to its inputs.
///
/// The forward pass is an ordinary function that computes a value and hands it to [`Tape::push`] together with the
/// operation. What backward needs besides the inputs and the output is kept in the operation's fields.
pub trait Op<E: Element>: Debug + Send + Sync + 'static {
    /// The operation's name in messages.
    fn name(&self) -> &'static str;

    /// The gradient of every input, given that of the output, in operations on variables.
    ///
    /// There is one for each input, `None` where it has none or where [`OpContext::needs_input_grad`] says that nobody asks
    /// for it. It has the input's shape, or one that the input was broadcast to: the walk sums it back.
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>>;

    /// The same gradients as [`Op::backward`] for a walk that nobody will differentiate: the place for a kernel on plain
    /// tensors (`ctx.input(0).value()`), where that is worth having. Nothing is recorded, and what it puts on the tape is
    /// taken off again.
    ///
    /// It pushes the gradients to the empty list `to_inputs`, of which the memory is used again.
    ///
    /// Without one of its own, an operation runs its `backward`.
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>, to_inputs: &mut Vec<Option<Gradient<E>>>) {
        let gradients = self.backward(ctx, ctx.tape().constant(grad));
        to_inputs.extend(gradients.into_iter().map(|gradient| Some(Gradient::Value(gradient?.value()))));
    }
}

/// Where an operation stands on the tape: its inputs, its output, and what is asked of it. PyTorch's `ctx`.
pub struct OpContext<'t, E: Element> {
    tape: &'t Tape<E>,
    output: usize,
    /// What the walk asks for; every variable, if there is none.
    reach: Option<Rc<Reach>>,
}

impl<'t, E: Element> OpContext<'t, E> {
    /// That of the operation whose output is at `output` on the tape.
    pub(crate) fn new(tape: &'t Tape<E>, output: usize, reach: Option<Rc<Reach>>) -> Self {
        Self { tape, output, reach }
    }

    /// The input at `index`, in the order in which they were given to [`Tape::push`].
    ///
    /// # Panics
    /// If there is no such input.
    #[track_caller]
    pub fn input(&self, index: usize) -> Var<'t, E> {
        let id = self.tape.record().inputs(self.output)[index];
        self.tape.handle(id)
    }

    /// The operation's output.
    pub fn output(&self) -> Var<'t, E> {
        self.tape.handle(self.output)
    }

    /// Whether anyone asks for the gradient of the input at `index`.
    ///
    /// # Panics
    /// If there is no such input.
    #[track_caller]
    pub fn needs_input_grad(&self, index: usize) -> bool {
        let record = self.tape.record();
        let input = record.inputs(self.output)[index];
        record.node(input).requires_grad && self.reach.as_ref().is_none_or(|reach| reach.asks_for(input))
    }

    /// The tape, for constants and for results of operations.
    pub fn tape(&self) -> &'t Tape<E> {
        self.tape
    }
}

impl<E: Element> fmt::Debug for OpContext<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inputs: Vec<_> = self.tape.record().inputs(self.output).iter().map(|&id| self.tape.handle(id)).collect();
        f.debug_struct("OpContext").field("inputs", &inputs).field("output", &self.output()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kernel that computes with variables: x² with the derivative 2x.
    #[derive(Debug)]
    struct Square;

    impl Op<f64> for Square {
        fn name(&self) -> &'static str {
            "square"
        }
        fn backward<'t>(&self, _: &OpContext<'t, f64>, _: Var<'t, f64>) -> Vec<Option<Var<'t, f64>>> {
            vec![None]
        }
        fn backward_kernel(
            &self,
            ctx: &OpContext<'_, f64>,
            grad: Tensor<f64>,
            to_inputs: &mut Vec<Option<Gradient<f64>>>,
        ) {
            assert_eq!(format!("{ctx:?}").matches("Var#").count(), 2);
            let slope = ctx.input(0) * 2.0;
            assert!(!slope.requires_grad());
            to_inputs.push(ctx.needs_input_grad(0).then(|| Gradient::Value(grad * slope.value())));
        }
    }

    #[test]
    fn what_a_kernel_computes_is_not_recorded_and_does_not_stay_on_the_tape() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::from([3.0]));
        let y = tape.push(x.value().square(), Square, &[x]);
        assert_eq!(y.sum().backward().wrt(x), Tensor::from([6.0]));
        assert_eq!(tape.len(), 3);
    }
}
