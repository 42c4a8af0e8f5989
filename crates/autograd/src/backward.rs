//! Gradients with respect to all variables, and what they are held in.

use std::sync::Arc;

use mlp_tensor::ndarray::{ArrayView2, ArrayViewMut2, Axis, Slice};
use mlp_tensor::{Element, Tensor, gemm};

use crate::Var;
use crate::walk::walk;

/// One gradient, either as numbers or as a product that was not multiplied out.
///
/// The gradient of a weight matrix is a product of two small matrices, the layer's input and the gradient of its
/// output. Who adds such gradients up (those of the parts of a batch) or uses them block by block does it without
/// ever writing out each product: [`Gradient::write_block`].
#[derive(Clone, Debug)]
pub enum Gradient<E: Element = f32> {
    /// The numbers themselves.
    Value(Tensor<E>),
    /// The matrix `leftᵀ · right`, from `[k, m]` and `[k, n]`.
    Product {
        /// `[k, m]`
        left: Tensor<E>,
        /// `[k, n]`
        right: Tensor<E>,
    },
}

impl<E: Element> Gradient<E> {
    /// The numbers, multiplied out.
    pub fn into_value(self) -> Tensor<E> {
        match self {
            Self::Value(value) => value,
            Self::Product { left, right } => left.matmul_tn(&right),
        }
    }

    /// Sets `out` to this gradient's values from index `start` on, or adds them with `accumulate`.
    ///
    /// # Panics
    /// If the block goes past the end, or the gradient is a product and the block is not made of whole rows.
    #[track_caller]
    pub fn write_block(&self, start: usize, accumulate: bool, out: &mut [E]) {
        match self {
            Self::Value(value) => {
                let block = &value.as_slice()[start..start + out.len()];
                if accumulate {
                    out.iter_mut().zip(block).for_each(|(o, &v)| *o += v);
                } else {
                    out.copy_from_slice(block);
                }
            }
            Self::Product { left, right } => {
                let columns = right.row_len();
                assert!(
                    columns > 0 && start.is_multiple_of(columns) && out.len().is_multiple_of(columns),
                    "write_block: a block of {} values from {start} on is not made of rows of {columns}",
                    out.len()
                );
                let (first, rows) = (start / columns, out.len() / columns);
                let part = Slice::from(first..first + rows);
                let left: ArrayView2<'_, E> = left.view2();
                let left = left.slice_axis(Axis(1), part).reversed_axes();
                let beta = if accumulate { E::one() } else { E::zero() };
                match ArrayViewMut2::from_shape((rows, columns), out) {
                    Ok(out) => gemm(left, right.view2(), beta, out),
                    Err(error) => unreachable!("the block has rows x columns values: {error}"),
                }
            }
        }
    }

    /// Sums away what broadcasting repeated.
    pub(crate) fn sum_to(self, shape: &[usize]) -> Self {
        match self {
            Self::Value(value) if value.shape() != shape => Self::Value(value.sum_to(shape)),
            other => other,
        }
    }

    pub(crate) fn add(self, other: Self) -> Self {
        let mut sum = self.into_value();
        sum += &other.into_value();
        Self::Value(sum)
    }
}

/// The gradients of one output with respect to the variables that were put on the tape.
#[derive(Debug)]
pub struct Gradients<E: Element = f32> {
    /// That of the tape, when the gradients were computed.
    tape: Arc<()>,
    /// By the variable's place on the tape; `None` for what is no leaf and for what the output does not depend on.
    leaves: Vec<Option<Gradient<E>>>,
}

impl<E: Element> Gradients<E> {
    /// The gradient with respect to `variable`: zeros if the output does not depend on it, or it is a constant.
    ///
    /// # Panics
    /// If the variable belongs to another tape, or is the result of an operation: only those that were put on the tape
    /// with [`Tape::variable`](crate::Tape::variable) have their gradient kept. [`grad`](crate::grad) gives the others.
    #[track_caller]
    pub fn wrt(&self, variable: Var<'_, E>) -> Tensor<E> {
        self.check("wrt", variable);
        match self.leaves.get(variable.id()) {
            Some(Some(gradient)) => gradient.clone().into_value(),
            _ => Tensor::zeros(variable.shape()),
        }
    }

    /// Takes the gradient with respect to `variable` as the engine left it, for training loops that add up gradients
    /// block by block (all others want [`Gradients::wrt`]); `None` if the output does not depend on
    /// it.
    ///
    /// # Panics
    /// As [`Gradients::wrt`].
    #[track_caller]
    pub fn take(&mut self, variable: Var<'_, E>) -> Option<Gradient<E>> {
        self.check("take", variable);
        self.leaves.get_mut(variable.id()).and_then(Option::take)
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
        if let Some(op) = &tape.record().node(variable.id()).op {
            panic!(
                "{what}: the variable of shape {:?} is the result of {}, and only variables put on the tape keep their \
                 gradient; use grad(&[output], &[variable])",
                variable.shape(),
                op.name()
            );
        }
    }
}

impl<E: Element> Var<'_, E> {
    /// The gradients of this single number with respect to every variable on the tape.
    ///
    /// # Panics
    /// If this is not a single number: then there is no one gradient, and [`Var::backward_from`] takes the gradient
    /// to start from. If the tape does not record.
    #[track_caller]
    pub fn backward(self) -> Gradients<E> {
        let shape = self.shape();
        assert!(
            shape.iter().product::<usize>() == 1,
            "backward: the output has shape {shape:?}, not one value; sum it up or use backward_from"
        );
        leaves("backward", self, Tensor::ones(shape))
    }

    /// The gradients of the sum of this value times `upstream`, number by number.
    ///
    /// # Panics
    /// If `upstream` has another shape than this value, or the tape does not record.
    #[track_caller]
    pub fn backward_from(self, upstream: &Tensor<E>) -> Gradients<E> {
        let shape = self.shape();
        assert!(
            upstream.shape() == shape,
            "backward_from: the output has shape {shape:?}, the upstream gradient {:?}",
            upstream.shape()
        );
        leaves("backward_from", self, upstream.clone())
    }
}

#[track_caller]
fn leaves<E: Element>(what: &str, output: Var<'_, E>, upstream: Tensor<E>) -> Gradients<E> {
    let tape = output.tape();
    assert!(tape.records(), "{what}: the tape was made with no_record, so there is nothing to walk back along");
    let leaves = walk(tape, vec![(output.id(), Gradient::Value(upstream))], None);
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
}
