//! Gradients with respect to all variables.

use std::sync::Arc;

use mlp_tensor::{Element, Tensor};

use crate::tape::Identity;
use crate::walk::walk;
use crate::{Gradient, Var};

/// The gradients of one output with respect to the variables that were put on the tape.
#[derive(Debug)]
pub struct Gradients<E: Element = f32> {
    /// That of the tape, when the gradients were computed.
    tape: Arc<Identity<E>>,
    /// By the variable's place on the tape; `None` for what is no leaf and for what the output does not depend on.
    leaves: Vec<Option<Gradient<E>>>,
}

impl<E: Element> Gradients<E> {
    /// The gradient with respect to `variable`: zeros if the output does not depend on it, or it is a constant.
    ///
    /// # Panics
    /// If the variable belongs to another tape, or to what this tape held after it was cleared; or if it is the recorded result
    /// of an operation: only what was put on the tape with [`Tape::variable`](crate::Tape::variable) has its gradient kept,
    /// and [`Tape::gradient`](crate::Tape::gradient) gives the others.
    #[track_caller]
    pub fn wrt(&self, variable: Var<'_, E>) -> Tensor<E> {
        self.check("wrt", variable);
        match self.leaves.get(variable.id()) {
            Some(Some(gradient)) => gradient.to_value(),
            _ => Tensor::zeros(variable.shape()),
        }
    }

    /// Takes the gradient with respect to `variable` in the form in which the walk left it, for training loops that add
    /// up gradients block by block (all others want [`Gradients::wrt`]); `None` if the output does not depend on it.
    ///
    /// It is gone afterwards: from then on [`Gradients::wrt`] gives zeros for this variable and this method `None`.
    ///
    /// # Panics
    /// As [`Gradients::wrt`].
    #[track_caller]
    pub fn take(&mut self, variable: Var<'_, E>) -> Option<Gradient<E>> {
        self.check("take", variable);
        self.leaves.get_mut(variable.id()).and_then(Option::take)
    }

    /// What [`Gradients::take`] would take.
    #[track_caller]
    pub(crate) fn get(&self, what: &str, variable: Var<'_, E>) -> Option<&Gradient<E>> {
        self.check(what, variable);
        self.leaves.get(variable.id()).and_then(Option::as_ref)
    }

    #[track_caller]
    fn check(&self, what: &str, variable: Var<'_, E>) {
        let tape = variable.tape();
        assert!(
            Arc::ptr_eq(&self.tape, tape.identity()),
            "{what}: the variable of shape {:?} is not on the tape that these gradients come from, or that tape was \
             cleared since",
            variable.shape()
        );
        if let Some(op) = &tape.record().node(variable.id()).op() {
            panic!(
                "{what}: the variable of shape {:?} is the result of {}, and only variables put on the tape keep their \
                 gradient; use tape.gradient(output, [variable])",
                variable.shape(),
                op.name()
            );
        }
    }
}

/// The list goes back to the tape, for the next walk.
impl<E: Element> Drop for Gradients<E> {
    fn drop(&mut self) {
        self.tape.keep(std::mem::take(&mut self.leaves));
    }
}

impl<E: Element> Var<'_, E> {
    /// The gradients of this single number with respect to every variable on the tape.
    ///
    /// # Panics
    /// If this is not a single number: then there is no one gradient, and [`Var::backward_from`] takes the gradient
    /// to start from. If it depends on no variable, or the tape does not record: see [`Var::requires_grad`].
    #[track_caller]
    pub fn backward(self) -> Gradients<E> {
        let shape = self.shape();
        assert!(
            shape.iter().product::<usize>() == 1,
            "backward: the output has shape {shape:?}, not one value; sum it up or use backward_from"
        );
        leaves("backward", self, Tensor::ones(shape))
    }

    /// The gradients of the sum of this value times `upstream`, elementwise.
    ///
    /// # Panics
    /// If `upstream` has another shape than this value, this value depends on no variable, or the tape does not record:
    /// see [`Var::requires_grad`].
    #[track_caller]
    pub fn backward_from(self, upstream: &Tensor<E>) -> Gradients<E> {
        let fits = self.tape().record().node(self.id()).value.shape() == upstream.shape();
        assert!(
            fits,
            "backward_from: the output has shape {:?}, the upstream gradient {:?}",
            self.shape(),
            upstream.shape()
        );
        leaves("backward_from", self, upstream.clone())
    }
}

#[track_caller]
fn leaves<E: Element>(what: &str, output: Var<'_, E>, upstream: Tensor<E>) -> Gradients<E> {
    let tape = output.tape();
    assert!(tape.records(), "{what}: the tape was made with no_record, so there is nothing to walk back along");
    assert!(
        output.requires_grad(),
        "{what}: the output of shape {:?} depends on no variable, so there is nothing to differentiate with respect \
         to; put that on the tape with Tape::variable, or ask Var::requires_grad before",
        output.shape()
    );
    let leaves = walk(tape, [(output.id(), Gradient::Value(upstream))], None);
    Gradients { tape: Arc::clone(tape.identity()), leaves: leaves.into_slots() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tape;

    #[test]
    fn a_value_used_twice_gets_both_gradients() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::from([3.0_f32]));
        let y = x * x * x;
        assert_eq!(y.backward().wrt(x), Tensor::from([27.0]));
    }

    #[test]
    fn what_the_output_does_not_depend_on_has_gradient_zero() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::from([3.0_f32]));
        let late = x * 2.0;
        let y = tape.variable(Tensor::from([[1.0, 2.0]]));
        assert_eq!(late.backward().wrt(y), Tensor::zeros([1, 2]));
    }

    #[test]
    fn backward_can_be_repeated_and_leaves_the_tape_as_it_was() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::from([0.5_f32, 2.0]));
        let y = (x.exp() / x).sum();
        let length = tape.len();
        let (first, second) = (y.backward().wrt(x), y.backward().wrt(x));
        assert!(first.bit_eq(&second));
        assert_eq!(tape.len(), length);
    }

    #[test]
    fn an_upstream_gradient_weighs_the_outputs() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::from([1.0_f32, 2.0]));
        let gradients = (x * x).backward_from(&Tensor::from([10.0, 100.0]));
        assert_eq!(gradients.wrt(x), Tensor::from([20.0, 400.0]));
    }

    #[test]
    fn a_weight_gradient_stays_a_product_until_it_is_needed() {
        let tape = Tape::new();
        let x = tape.constant(Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]));
        let w = tape.variable(Tensor::from([[1.0], [1.0]]));
        let mut gradients = x.matmul(w).sum().backward();
        let whole = gradients.wrt(w);
        assert_eq!(whole, Tensor::from([[4.0], [6.0]]));
        let gradient = gradients.take(w).unwrap();
        assert!(matches!(gradient, Gradient::Product { .. }));
        let mut block = [100.0];
        gradient.write_block(1, true, &mut block);
        assert_eq!(block, [106.0]);
    }

    #[test]
    fn what_was_taken_is_gone() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::from([1.0_f32, 2.0]));
        let mut gradients = (x * x).sum().backward();
        assert_eq!(gradients.take(x).unwrap().into_value(), Tensor::from([2.0, 4.0]));
        assert_eq!((gradients.wrt(x), gradients.take(x).is_none()), (Tensor::zeros([2]), true));
    }

    #[test]
    #[should_panic(expected = "backward: the output has shape [2], not one value; sum it up or use backward_from")]
    fn many_outputs_need_an_upstream_gradient() {
        let tape = Tape::new();
        let _ = tape.variable(Tensor::from([1.0_f32, 2.0])).backward();
    }

    #[test]
    #[should_panic(expected = "wrt: the variable of shape [1] is not on the tape that these gradients come from")]
    fn gradients_know_their_tape() {
        let (one, other) = (Tape::new(), Tape::new());
        let gradients = one.variable(Tensor::from([1.0_f32])).backward();
        gradients.wrt(other.variable(Tensor::from([1.0])));
    }

    #[test]
    #[should_panic(
        expected = "wrt: the variable of shape [2] is not on the tape that these gradients come from, or that \
                               tape was cleared since"
    )]
    fn gradients_from_before_the_tape_was_cleared_are_not_those_of_what_stands_there_now() {
        let mut tape = Tape::new();
        let gradients = tape.variable(Tensor::from([1.0_f32])).backward();
        tape.clear();
        gradients.wrt(tape.variable(Tensor::from([1.0, 2.0])));
    }

    #[test]
    #[should_panic(
        expected = "wrt: the variable of shape [1] is the result of mul, and only variables put on the tape"
    )]
    fn results_keep_no_gradient() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::from([1.0_f32]));
        let y = x * x;
        y.exp().backward().wrt(y);
    }

    #[test]
    #[should_panic(expected = "backward: the tape was made with no_record")]
    fn a_tape_that_does_not_record_says_so() {
        let tape = Tape::no_record();
        let _ = tape.variable(Tensor::from([1.0_f32])).exp().backward();
    }

    #[test]
    #[should_panic(
        expected = "backward: the output of shape [] depends on no variable, so there is nothing to differentiate with respect to"
    )]
    fn a_constant_has_no_gradients() {
        let tape = Tape::new();
        let _ = tape.constant(Tensor::from([1.0_f32])).exp().sum().backward();
    }

    #[test]
    #[should_panic(expected = "backward_from: the output of shape [1] depends on no variable")]
    fn neither_has_a_constant_with_an_upstream_gradient() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::from([1.0_f32]));
        let _ = x.detach().backward_from(&Tensor::from([1.0]));
    }
}
