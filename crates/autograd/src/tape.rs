//! The tape and the variables on it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use mlp_tensor::{Element, Tensor};

use crate::observer::Observer;
use crate::{Gradient, Op};

/// The record of a computation, in the order in which it was done.
///
/// A tape belongs to one thread at a time; computations on several threads have a tape each. A tape is never spent: its
/// variables can be walked back from as often as one likes, and [`Tape::clear`] cannot be called while there are any.
pub struct Tape<E: Element = f32> {
    record: RefCell<Record<E>>,
    recording: Cell<bool>,
    /// Whether it was made to record; `recording` is off for a while also on such a tape.
    records: bool,
    /// Tells this tape and what is on it from every other: gradients keep a copy.
    identity: Arc<Identity<E>>,
    /// Memory for the gradients of one operation's inputs.
    pub(crate) to_inputs: Cell<Vec<Option<Gradient<E>>>>,
    pub(crate) observer: Observer,
    /// The number of scopes that the computation is in.
    pub(crate) scopes: Cell<usize>,
}

/// What is on a tape.
pub(crate) struct Record<E: Element> {
    nodes: Vec<Node<E>>,
    /// The inputs of all nodes, one after the other: a node's are those from its `first_input` to the next node's.
    inputs: Vec<usize>,
    /// The memory of operations that were taken off the tape, by their places: the next computation is often like the last.
    spent: Vec<Option<Arc<dyn Held<E>>>>,
}

/// One value on a tape.
pub(crate) struct Node<E: Element> {
    pub(crate) value: Tensor<E>,
    /// Whether a gradient flows here; if not, `held` is `None`.
    pub(crate) requires_grad: bool,
    /// `None` for what was put on the tape from outside.
    pub(crate) held: Option<Arc<dyn Held<E>>>,
    first_input: usize,
}

impl<E: Element> Node<E> {
    /// The operation that computed the value, if it was recorded.
    pub(crate) fn op(&self) -> Option<&dyn Op<E>> {
        self.held.as_ref().map(|held| held.op())
    }
}

/// An operation, in memory that is used again.
pub(crate) trait Held<E: Element>: Any + Send + Sync {
    fn op(&self) -> &dyn Op<E>;

    /// Drops the operation.
    fn empty(&mut self);
}

/// Empty once the operation was taken off the tape.
struct Hold<O>(Option<O>);

impl<E: Element, O: Op<E>> Held<E> for Hold<O> {
    fn op(&self) -> &dyn Op<E> {
        self.0.as_ref().unwrap_or_else(|| unreachable!("what is on the tape is not empty"))
    }

    fn empty(&mut self) {
        self.0 = None;
    }
}

/// What tells a tape from others, with the memory that walks back along it leave for the next.
#[derive(Debug)]
pub(crate) struct Identity<E: Element> {
    gradients: Mutex<Vec<Option<Gradient<E>>>>,
}

impl<E: Element> Identity<E> {
    fn new() -> Arc<Self> {
        Arc::new(Self { gradients: Mutex::default() })
    }

    /// An empty list of gradients.
    pub(crate) fn spare(&self) -> Vec<Option<Gradient<E>>> {
        std::mem::take(&mut self.gradients.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps the memory of such a list.
    pub(crate) fn keep(&self, mut gradients: Vec<Option<Gradient<E>>>) {
        gradients.clear();
        *self.gradients.lock().unwrap_or_else(PoisonError::into_inner) = gradients;
    }
}

impl<E: Element> Record<E> {
    pub(crate) fn node(&self, id: usize) -> &Node<E> {
        &self.nodes[id]
    }

    /// The places of a node's inputs on the tape.
    pub(crate) fn inputs(&self, id: usize) -> &[usize] {
        let end = self.nodes.get(id + 1).map_or(self.inputs.len(), |next| next.first_input);
        &self.inputs[self.nodes[id].first_input..end]
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The operation in memory of the last that was recorded here, if that was of the same kind.
    fn hold(&mut self, op: impl Op<E>) -> Arc<dyn Held<E>> {
        fn room<E: Element, O: Op<E>>(held: &mut Arc<dyn Held<E>>) -> Option<&mut Hold<O>> {
            let held: &mut dyn Any = Arc::get_mut(held)?;
            held.downcast_mut()
        }
        if let Some(mut held) = self.spent.get_mut(self.nodes.len()).and_then(Option::take)
            && let Some(room) = room(&mut held)
        {
            room.0 = Some(op);
            return held;
        }
        Arc::new(Hold(Some(op)))
    }

    fn truncate(&mut self, length: usize) {
        let Some(first) = self.nodes.get(length) else { return };
        self.inputs.truncate(first.first_input);
        if self.spent.len() < self.nodes.len() {
            self.spent.resize_with(self.nodes.len(), || None);
        }
        for (node, spent) in self.nodes.drain(length..).zip(&mut self.spent[length..]) {
            if let Some(mut held) = node.held
                && let Some(op) = Arc::get_mut(&mut held)
            {
                op.empty();
                *spent = Some(held);
            }
        }
    }
}

impl<E: Element> Tape<E> {
    /// An empty tape that records.
    pub fn new() -> Self {
        Self::with_recording(true)
    }

    /// An empty tape that computes the same values but records nothing to differentiate: for inference.
    pub fn no_record() -> Self {
        Self::with_recording(false)
    }

    fn with_recording(recording: bool) -> Self {
        // Room for a small network: a short computation should not spend its time on growing the lists.
        let record = Record { nodes: Vec::with_capacity(32), inputs: Vec::with_capacity(64), spent: Vec::new() };
        Self {
            record: RefCell::new(record),
            recording: Cell::new(recording),
            records: recording,
            identity: Identity::new(),
            to_inputs: Cell::default(),
            observer: Observer::default(),
            scopes: Cell::new(0),
        }
    }

    /// Puts a value on the tape whose gradient is wanted: a parameter, say.
    pub fn variable(&self, value: Tensor<E>) -> Var<'_, E> {
        self.append("variable", value, self.recording.get(), None, &[])
    }

    /// Puts a value on the tape through which no gradient flows: a batch of data, say.
    pub fn constant(&self, value: Tensor<E>) -> Var<'_, E> {
        self.append("constant", value, false, None, &[])
    }

    /// Puts the result of an operation on the tape: `value`, which `op` computed from `inputs`.
    ///
    /// # Panics
    /// If an input belongs to another tape.
    #[track_caller]
    pub fn push(&self, value: Tensor<E>, op: impl Op<E>, inputs: &[Var<'_, E>]) -> Var<'_, E> {
        let name = op.name();
        self.check_same_tape(name, "operand", inputs);
        let recorded = self.recording.get() && {
            let record = self.record();
            inputs.iter().any(|input| record.node(input.id).requires_grad)
        };
        let held = recorded.then(|| self.record.borrow_mut().hold(op));
        self.append(name, value, recorded, held, inputs)
    }

    #[track_caller]
    pub(crate) fn check_same_tape(&self, op: &str, what: &str, inputs: &[Var<'_, E>]) {
        if let Some(other) = inputs.iter().position(|input| !std::ptr::eq(input.tape, self)) {
            let shapes: Vec<_> = inputs.iter().map(|input| input.shape()).collect();
            panic!(
                "{op}: the {what}s belong to different tapes: {what} {other} of shape {:?} is not on the tape of {}",
                shapes[other],
                match inputs.iter().position(|input| std::ptr::eq(input.tape, self)) {
                    Some(own) => format!("{what} {own} of shape {:?}", shapes[own]),
                    None => "the operation".to_owned(),
                }
            );
        }
    }

    /// Takes everything off the tape and keeps its memory, for the next of many computations alike.
    ///
    /// No variable of the tape may still be alive, which the compiler checks. An anomaly that was found
    /// ([`Tape::anomaly`]) is kept.
    pub fn clear(&mut self) {
        self.record.get_mut().truncate(0);
        if self.observer.is_on() {
            self.observer.clear();
        }
        // Gradients that are still around are those of what was on the tape before.
        if Arc::get_mut(&mut self.identity).is_none() {
            self.identity = Identity::new();
        }
    }

    /// Whether this tape was made to record.
    pub(crate) fn records(&self) -> bool {
        self.records
    }

    /// Whether it records at this moment.
    pub(crate) fn is_recording(&self) -> bool {
        self.recording.get()
    }

    pub(crate) fn identity(&self) -> &Arc<Identity<E>> {
        &self.identity
    }

    /// The number of values on the tape.
    pub fn len(&self) -> usize {
        self.record().nodes.len()
    }

    /// Whether nothing is on the tape.
    pub fn is_empty(&self) -> bool {
        self.record().nodes.is_empty()
    }

    /// Everything that is put on the tape passes here. Of an operation that is not recorded, only the value stays.
    fn append(
        &self,
        name: &'static str,
        value: Tensor<E>,
        requires_grad: bool,
        held: Option<Arc<dyn Held<E>>>,
        inputs: &[Var<'_, E>],
    ) -> Var<'_, E> {
        let mut record = self.record.borrow_mut();
        let first_input = record.inputs.len();
        if held.is_some() {
            record.inputs.extend(inputs.iter().map(|input| input.id));
        }
        record.nodes.push(Node { value, requires_grad, held, first_input });
        if self.observer.is_on() {
            self.observer.appended(&record, name, inputs);
        }
        Var { tape: self, id: record.nodes.len() - 1 }
    }

    pub(crate) fn handle(&self, id: usize) -> Var<'_, E> {
        Var { tape: self, id }
    }

    pub(crate) fn record(&self) -> std::cell::Ref<'_, Record<E>> {
        self.record.borrow()
    }

    /// Runs `work` without recording, and then takes what it put on the tape off again.
    pub(crate) fn scratch<R>(&self, work: impl FnOnce() -> R) -> R {
        let _switch = Switch::new(self, false, Some(self.len()));
        work()
    }

    /// Runs `work`, and then takes what it put on the tape off again.
    pub(crate) fn truncated<R>(&self, work: impl FnOnce() -> R) -> R {
        let _switch = Switch::new(self, self.is_recording(), Some(self.len()));
        work()
    }

    /// Runs `work` with recording on or off.
    pub(crate) fn with_recording_set<R>(&self, recording: bool, work: impl FnOnce() -> R) -> R {
        let _switch = Switch::new(self, recording, None);
        work()
    }
}

/// Recording turned on or off for a while. Everything is put back in its place also when the work panics.
struct Switch<'t, E: Element> {
    tape: &'t Tape<E>,
    before: bool,
    /// The length that the tape is cut back to at the end.
    keep: Option<usize>,
}

impl<'t, E: Element> Switch<'t, E> {
    fn new(tape: &'t Tape<E>, recording: bool, keep: Option<usize>) -> Self {
        Self { tape, before: tape.recording.replace(recording), keep }
    }
}

impl<E: Element> Drop for Switch<'_, E> {
    fn drop(&mut self) {
        self.tape.recording.set(self.before);
        if let Some(length) = self.keep {
            self.tape.record.borrow_mut().truncate(length);
            if self.tape.observer.is_on() {
                self.tape.observer.truncate(length);
            }
        }
    }
}

impl<E: Element> Default for Tape<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Element> fmt::Debug for Tape<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.record();
        let names = record.nodes.iter().map(|node| (node.op().map_or("value", |op| op.name()), node.value.shape()));
        f.debug_list().entries(names).finish()
    }
}

/// A value on a tape. A small handle: copy it freely.
pub struct Var<'t, E: Element = f32> {
    tape: &'t Tape<E>,
    id: usize,
}

impl<'t, E: Element> Var<'t, E> {
    /// The tape that the variable belongs to.
    pub fn tape(self) -> &'t Tape<E> {
        self.tape
    }

    /// The value. The numbers are shared, not copied.
    pub fn value(self) -> Tensor<E> {
        self.tape.record().node(self.id).value.clone()
    }

    /// The value of a single number.
    ///
    /// # Panics
    /// If there is not exactly one value.
    #[track_caller]
    pub fn item(self) -> E {
        self.value().item()
    }

    /// The length of every axis.
    pub fn shape(self) -> Vec<usize> {
        self.tape.record().node(self.id).value.shape().to_vec()
    }

    /// The number of axes.
    pub fn ndim(self) -> usize {
        self.tape.record().node(self.id).value.ndim()
    }

    /// The number of values.
    pub fn len(self) -> usize {
        self.tape.record().node(self.id).value.len()
    }

    /// Whether there are no values.
    pub fn is_empty(self) -> bool {
        self.tape.record().node(self.id).value.is_empty()
    }

    /// The length of the first axis: the rows of a table. A single number has one.
    pub fn rows(self) -> usize {
        self.tape.record().node(self.id).value.rows()
    }

    /// Whether a gradient flows to this variable: whether it was put on a recording tape with [`Tape::variable`], or
    /// computed from one that was.
    pub fn requires_grad(self) -> bool {
        self.tape.record().node(self.id).requires_grad
    }

    /// Whether it was put on the tape from outside, and is no result of an operation that was recorded.
    pub(crate) fn is_leaf(self) -> bool {
        self.tape.record().node(self.id).held.is_none()
    }

    pub(crate) fn id(self) -> usize {
        self.id
    }
}

// Not derived: a handle is Copy whatever E is.
impl<E: Element> Clone for Var<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E: Element> Copy for Var<'_, E> {}

impl<E: Element> fmt::Debug for Var<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Var#{} {:?}", self.id, self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_recorded_where_no_gradient_is_wanted() {
        let tape = Tape::new();
        let a = tape.constant(Tensor::from([1.0_f32]));
        assert!(!(a * a).requires_grad());
        let b = tape.variable(Tensor::from([2.0]));
        assert!((a * b).requires_grad());
        let off = Tape::no_record();
        let c = off.variable(Tensor::from([2.0_f32]));
        assert!(!(c * c).requires_grad());
        assert_eq!((c * c).value(), (b * b).value());
    }

    #[test]
    fn a_cleared_tape_serves_again() {
        let mut tape = Tape::new();
        let gradient = |tape: &Tape<f32>| {
            let x = tape.variable(Tensor::from([3.0]));
            (x * x + x).backward().wrt(x)
        };
        let first = gradient(&tape);
        tape.clear();
        assert!(tape.is_empty());
        assert_eq!(gradient(&tape), first);
    }

    #[test]
    #[should_panic(
        expected = "add: the operands belong to different tapes: operand 1 of shape [1] is not on the tape of \
                               operand 0 of shape [2]"
    )]
    fn tapes_do_not_mix() {
        let (one, other) = (Tape::new(), Tape::new());
        let _ = one.variable(Tensor::from([1.0_f32, 2.0])) + other.variable(Tensor::from([1.0]));
    }

    #[test]
    fn an_operation_that_panics_leaves_a_tape_that_records() {
        use std::panic::{AssertUnwindSafe, catch_unwind};
        let tape = Tape::<f32>::new();
        let x = tape.variable(Tensor::from([1.0]));
        let length = tape.len();
        assert!(catch_unwind(AssertUnwindSafe(|| tape.scratch(|| (x + 1.0).reshape([7]).value()))).is_err());
        assert_eq!(tape.len(), length);
        assert!((x * x).requires_grad());
    }
}
