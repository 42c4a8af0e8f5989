//! The walk back along the tape.

use std::rc::Rc;
use std::sync::Arc;

use mlp_tensor::{Element, Tensor, broadcasts_to};

use crate::tape::Node;
use crate::{Gradient, Op, OpContext, Tape, Var, observer};

/// What flows back along the tape: numbers, or variables, so that the walk itself is on the tape and can be
/// differentiated.
pub(crate) trait Flow<'t, E: Element>: Clone {
    /// Adds the gradients of an operation's inputs, given that of its output, to an empty list.
    fn step(ctx: &OpContext<'t, E>, op: &dyn Op<E>, gradient: Self, to_inputs: &mut Vec<Option<Self>>);

    /// Two empty lists, with the memory of those of an earlier walk if it was kept.
    fn lists(_: &Tape<E>) -> [Vec<Option<Self>>; 2] {
        [const { Vec::new() }; 2]
    }

    /// Keeps the memory of a list of [`Flow::step`].
    fn keep(_: &Tape<E>, _: Vec<Option<Self>>) {}

    fn has_shape(&self, shape: &[usize]) -> bool;

    /// Whether a value of `shape` can be repeated to its shape.
    fn is_broadcast_of(&self, shape: &[usize]) -> bool;

    fn own_shape(&self) -> Vec<usize>;

    /// Sums away what broadcasting repeated of a value of `shape`.
    fn sum_to(self, shape: &[usize]) -> Self;

    fn add(self, other: Self) -> Self;

    /// The numbers, to look for those that are not finite.
    fn numbers(&self) -> Tensor<E>;
}

impl<'t, E: Element> Flow<'t, E> for Gradient<E> {
    fn step(ctx: &OpContext<'t, E>, op: &dyn Op<E>, gradient: Self, to_inputs: &mut Vec<Option<Self>>) {
        ctx.tape().scratch(|| op.backward_kernel(ctx, gradient.into_value(), to_inputs));
    }

    fn lists(tape: &Tape<E>) -> [Vec<Option<Self>>; 2] {
        [tape.identity().spare(), tape.to_inputs.take()]
    }

    fn keep(tape: &Tape<E>, to_inputs: Vec<Option<Self>>) {
        tape.to_inputs.set(to_inputs);
    }

    fn has_shape(&self, shape: &[usize]) -> bool {
        self.has_shape(shape)
    }

    fn is_broadcast_of(&self, shape: &[usize]) -> bool {
        match self {
            Self::Value(value) => broadcasts_to(shape, value.shape()),
            gradient => broadcasts_to(shape, &gradient.shape()),
        }
    }

    fn own_shape(&self) -> Vec<usize> {
        self.shape()
    }

    fn sum_to(self, shape: &[usize]) -> Self {
        Self::Value(self.into_value().sum_to(shape))
    }

    fn add(self, other: Self) -> Self {
        self.add(other)
    }

    fn numbers(&self) -> Tensor<E> {
        self.clone().into_value()
    }
}

impl<'t, E: Element> Flow<'t, E> for Var<'t, E> {
    fn step(ctx: &OpContext<'t, E>, op: &dyn Op<E>, gradient: Self, to_inputs: &mut Vec<Option<Self>>) {
        *to_inputs = op.backward(ctx, gradient);
        let returned: Vec<_> = to_inputs.iter().copied().flatten().collect();
        ctx.tape().check_same_tape(op.name(), "returned gradient", &returned);
    }

    fn has_shape(&self, shape: &[usize]) -> bool {
        self.tape().record().node(self.id()).value.shape() == shape
    }

    fn is_broadcast_of(&self, shape: &[usize]) -> bool {
        broadcasts_to(shape, self.tape().record().node(self.id()).value.shape())
    }

    fn own_shape(&self) -> Vec<usize> {
        (*self).shape()
    }

    fn sum_to(self, shape: &[usize]) -> Self {
        self.sum_to(shape)
    }

    fn add(self, other: Self) -> Self {
        self + other
    }

    fn numbers(&self) -> Tensor<E> {
        self.value()
    }
}

/// Which places of the tape lead to the variables that a walk asks for.
#[derive(Debug)]
pub(crate) struct Reach {
    low: usize,
    marks: Vec<Mark>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mark {
    /// Leads to none of them.
    No,
    /// Was computed from one of them.
    Through,
    /// Is one of them.
    Wanted,
}

impl Reach {
    /// Of the places up to `high`, those that were computed from `wanted`.
    fn new<E: Element>(tape: &Tape<E>, wanted: &[usize], high: usize) -> Self {
        let record = tape.record();
        let low = wanted.iter().copied().min().unwrap_or(high);
        let mut reach = Self { low, marks: vec![Mark::No; (high + 1).saturating_sub(low)] };
        for &place in wanted {
            // What was computed after all outputs has no part in them.
            if let Some(mark) = reach.marks.get_mut(place - low) {
                *mark = Mark::Wanted;
            }
        }
        for place in low..=high {
            if !reach.wants(place) && record.inputs(place).iter().any(|&input| reach.asks_for(input)) {
                reach.marks[place - low] = Mark::Through;
            }
        }
        reach
    }

    /// Whether the gradient of the value at `place` is of use.
    pub(crate) fn asks_for(&self, place: usize) -> bool {
        place >= self.low && self.marks[place - self.low] != Mark::No
    }

    fn wants(&self, place: usize) -> bool {
        place >= self.low && self.marks[place - self.low] == Mark::Wanted
    }
}

/// The gradients that a walk leaves behind, by their place on the tape.
pub(crate) struct Found<G> {
    low: usize,
    slots: Vec<Option<G>>,
}

impl<G: Clone> Found<G> {
    /// Adds to the gradient of the value at `place`.
    fn add<'t, E: Element>(&mut self, place: usize, gradient: G)
    where
        G: Flow<'t, E>,
    {
        let slot = &mut self.slots[place - self.low];
        match slot.take() {
            None => *slot = Some(gradient),
            Some(sum) => *slot = Some(sum.add(gradient)),
        }
    }

    /// The gradient of the value at `place`; `None` if nothing depends on it.
    pub(crate) fn at(&self, place: usize) -> Option<G> {
        place.checked_sub(self.low).and_then(|index| self.slots.get(index)).cloned().flatten()
    }

    pub(crate) fn into_slots(self) -> Vec<Option<G>> {
        self.slots
    }
}

/// Walks back from the places and gradients of `starts`: to the variables at the places `wanted`, and to nothing else,
/// or to all variables that were put on the tape.
///
/// Everything that adds gradients up and undoes broadcasting is here, for both kinds of flow.
///
/// # Panics
/// If an operation returns another number of gradients than it has inputs, or one of a shape that its input does not
/// broadcast to.
#[track_caller]
pub(crate) fn walk<'t, E: Element, G: Flow<'t, E>>(
    tape: &'t Tape<E>,
    starts: impl AsRef<[(usize, G)]> + IntoIterator<Item = (usize, G)>,
    wanted: Option<&[usize]>,
) -> Found<G> {
    let high = starts.as_ref().iter().map(|&(place, _)| place).max().unwrap_or(0);
    let reach = wanted.map(|wanted| Rc::new(Reach::new(tape, wanted, high)));
    let low = reach.as_ref().map_or(0, |reach| reach.low);
    let asked_for = |place: usize| reach.as_ref().is_none_or(|reach| reach.asks_for(place));

    let [slots, mut to_inputs] = G::lists(tape);
    let mut found: Found<G> = Found { low, slots };
    found.slots.resize_with((high + 1).saturating_sub(low), || None);
    for (place, gradient) in starts {
        if asked_for(place) && tape.record().node(place).requires_grad {
            found.add(place, gradient);
        }
    }

    let observer = tape.observer.is_on().then(|| observer::Walk::begin(tape));
    for place in (low..=high).rev() {
        let slot = &mut found.slots[place - low];
        if slot.is_none() {
            continue;
        }
        let (op, inputs) = {
            let record = tape.record();
            // What has no operation is a leaf: its gradient stays.
            let Some(op) = &record.node(place).held else { continue };
            let inputs = record.inputs(place);
            if !inputs.iter().any(|&input| asked_for(input)) {
                continue;
            }
            (Arc::clone(op), inputs.len())
        };
        let stays = reach.as_ref().is_some_and(|reach| reach.wants(place));
        let Some(gradient) = (if stays { slot.clone() } else { slot.take() }) else { continue };
        let ctx = OpContext::new(tape, place, reach.clone());
        let op = op.op();
        let step = |gradient, to_inputs: &mut _| G::step(&ctx, op, gradient, to_inputs);
        match &observer {
            None => step(gradient, &mut to_inputs),
            Some(observer) => observer.observe(op.name(), place, gradient, &mut to_inputs, step),
        }
        if to_inputs.len() != inputs {
            wrong_number(tape, op.name(), place, to_inputs.len());
        }
        for (index, gradient) in to_inputs.drain(..).enumerate() {
            let Some(gradient) = gradient else { continue };
            let record = tape.record();
            let input = record.inputs(place)[index];
            let Node { value, requires_grad, .. } = record.node(input);
            if !(*requires_grad && asked_for(input)) {
                continue;
            }
            let fits = gradient.has_shape(value.shape());
            drop(record);
            let slot = &found.slots[input - low];
            let observer =
                observer.as_ref().filter(|observer| observer.expects_finite([Some(&gradient), slot.as_ref()]));
            found.add(input, if fits { gradient } else { summed(tape, op.name(), index, input, gradient) });
            if let (Some(observer), Some(sum)) = (observer, &found.slots[input - low]) {
                observer.look_at_sum(op.name(), place, sum);
            }
        }
    }
    G::keep(tape, to_inputs);
    found
}

#[cold]
#[track_caller]
fn wrong_number<E: Element>(tape: &Tape<E>, op: &str, place: usize, found: usize) -> ! {
    let record = tape.record();
    let inputs: Vec<_> = record.inputs(place).iter().map(|&input| record.node(input).value.shape()).collect();
    let (gradients, count) = (if found == 1 { "gradient" } else { "gradients" }, inputs.len());
    let inputs_word = if count == 1 { "input" } else { "inputs" };
    panic!(
        "{op}: backward returned {found} {gradients} for {count} {inputs_word} of shapes {inputs:?}; return one for each \
         input, None where there is none"
    )
}

/// `gradient`, of another shape than the operation's input at `place` of the tape, summed over what broadcasting
/// repeated.
#[track_caller]
fn summed<'t, E: Element, G: Flow<'t, E>>(tape: &'t Tape<E>, op: &str, index: usize, place: usize, gradient: G) -> G {
    let value = tape.handle(place).value();
    let input = value.shape();
    assert!(
        gradient.is_broadcast_of(input),
        "{op}: backward returned a gradient of shape {:?} for input {index}, which has shape {input:?}; return one \
         of the input's shape, or of a shape that the input was broadcast to",
        gradient.own_shape()
    );
    gradient.sum_to(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An operation that returns these gradients for its two inputs, whatever they are: zeros of the shapes given.
    #[derive(Debug)]
    struct Careless(&'static [&'static [usize]]);

    impl Op<f64> for Careless {
        fn name(&self) -> &'static str {
            "careless"
        }
        fn backward<'t>(&self, ctx: &OpContext<'t, f64>, _: Var<'t, f64>) -> Vec<Option<Var<'t, f64>>> {
            self.0.iter().map(|shape| Some(ctx.tape().constant(Tensor::zeros(shape)))).collect()
        }
    }

    fn careless<'t>(tape: &'t Tape<f64>, shapes: &'static [&'static [usize]]) -> (Var<'t, f64>, [Var<'t, f64>; 2]) {
        let inputs = [tape.variable(Tensor::ones([2, 3])), tape.variable(Tensor::ones([3]))];
        (tape.push(Tensor::scalar(1.0), Careless(shapes), &inputs), inputs)
    }

    #[test]
    #[should_panic(expected = "careless: backward returned 1 gradient for 2 inputs of shapes [[2, 3], [3]]")]
    fn too_few_gradients_are_refused() {
        let tape = Tape::new();
        careless(&tape, &[&[2, 3]]).0.backward();
    }

    #[test]
    #[should_panic(expected = "careless: backward returned 3 gradients for 2 inputs of shapes [[2, 3], [3]]")]
    fn too_many_gradients_are_refused() {
        let tape = Tape::new();
        let (y, inputs) = careless(&tape, &[&[2, 3], &[3], &[3]]);
        tape.gradient_recorded(y, inputs);
    }

    #[test]
    #[should_panic(
        expected = "careless: backward returned a gradient of shape [3, 2] for input 0, which has shape [2, 3]"
    )]
    fn a_gradient_of_another_shape_is_refused() {
        let tape = Tape::new();
        careless(&tape, &[&[3, 2], &[3]]).0.backward();
    }

    #[test]
    #[should_panic(expected = "careless: backward returned a gradient of shape [] for input 1, which has shape [3]")]
    fn a_recorded_gradient_of_another_shape_is_refused() {
        let tape = Tape::new();
        let (y, inputs) = careless(&tape, &[&[2, 3], &[]]);
        tape.gradient_recorded(y, inputs);
    }

    /// An operation that computes its gradient on a tape of its own.
    #[derive(Debug)]
    struct Astray;

    impl Op<f64> for Astray {
        fn name(&self) -> &'static str {
            "astray"
        }
        fn backward<'t>(&self, _: &OpContext<'t, f64>, grad: Var<'t, f64>) -> Vec<Option<Var<'t, f64>>> {
            let other: &'static Tape<f64> = Box::leak(Box::default());
            vec![Some(other.constant(grad.value()))]
        }
    }

    #[test]
    #[should_panic(
        expected = "astray: the returned gradients belong to different tapes: returned gradient 0 of shape []"
    )]
    fn a_recorded_gradient_on_another_tape_is_refused() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::scalar(1.0));
        tape.gradient_recorded(tape.push(Tensor::scalar(1.0), Astray, &[x]), [x]);
    }

    #[test]
    fn a_gradient_of_the_shape_that_an_input_was_broadcast_to_is_summed_back() {
        let tape = Tape::new();
        let (y, inputs) = careless(&tape, &[&[4, 2, 3], &[2, 3]]);
        assert_eq!(tape.gradient(y, inputs), [Tensor::zeros([2, 3]), Tensor::zeros([3])]);
    }
}
