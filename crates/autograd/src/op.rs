//! What an operation is to the tape.

use std::fmt::{self, Debug};
use std::rc::Rc;

use mlp_tensor::{Element, Tensor};

use crate::tape::Record;
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
    /// A gradient may have the shape that the input was broadcast to: the engine sums it back. `None` where there is
    /// none, or where [`Site::needs`] says that nobody asks for it.
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>>;

    /// The same gradients as [`Op::backward`], by a kernel on plain tensors, where that is worth having. `Err` gives
    /// the gradient back and means that there is none.
    ///
    /// # Errors
    /// `Err(grad)` where the operation has no such kernel. This is not a failure.
    fn backward_kernel(&self, _values: &Values<'_, E>, grad: Tensor<E>) -> Result<Vec<Option<Gradient<E>>>, Tensor<E>> {
        Err(grad)
    }
}

/// Where an operation stands on the tape: its inputs and its output, as variables.
#[derive(Debug)]
pub struct Site<'t, E: Element> {
    pub(crate) tape: &'t Tape<E>,
    pub(crate) output: usize,
    /// What the walk asks for; every variable, if there is none.
    pub(crate) reach: Option<Rc<Reach>>,
}

impl<'t, E: Element> Site<'t, E> {
    /// The input at `index`, in the order in which they were given to [`Tape::push`].
    pub fn input(&self, index: usize) -> Var<'t, E> {
        let id = self.tape.record().inputs(self.output)[index];
        self.tape.handle(id)
    }

    /// The operation's output.
    pub fn output(&self) -> Var<'t, E> {
        self.tape.handle(self.output)
    }

    /// Whether anyone asks for the gradient of the input at `index`.
    pub fn needs(&self, index: usize) -> bool {
        let record = self.tape.record();
        let input = record.inputs(self.output)[index];
        record.node(input).needs_gradient && self.reach.as_ref().is_none_or(|reach| reach.asks_for(input))
    }

    /// The tape, for constants and for results of operations.
    pub fn tape(&self) -> &'t Tape<E> {
        self.tape
    }
}

/// What an operation's kernel works from: the values of its inputs and of its output.
pub struct Values<'a, E: Element> {
    pub(crate) record: &'a Record<E>,
    pub(crate) output: usize,
    pub(crate) reach: Option<&'a Reach>,
}

impl<'a, E: Element> Values<'a, E> {
    /// The value of the input at `index`.
    pub fn input(&self, index: usize) -> &'a Tensor<E> {
        &self.record.node(self.record.inputs(self.output)[index]).value
    }

    /// The value of the output.
    pub fn output(&self) -> &'a Tensor<E> {
        &self.record.node(self.output).value
    }

    /// Whether anyone asks for the gradient of the input at `index`.
    pub fn needs(&self, index: usize) -> bool {
        let input = self.record.inputs(self.output)[index];
        self.record.node(input).needs_gradient && self.reach.is_none_or(|reach| reach.asks_for(input))
    }
}

impl<E: Element> fmt::Debug for Values<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inputs = self.record.inputs(self.output).iter().map(|&id| &self.record.node(id).value);
        f.debug_struct("Values").field("inputs", &inputs.collect::<Vec<_>>()).field("output", self.output()).finish()
    }
}
