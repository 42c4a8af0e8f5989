//! The walk back along the tape.

use std::rc::Rc;
use std::sync::Arc;

use mlp_tensor::{Element, Tensor};

use crate::op::Values;
use crate::{Gradient, Op, Site, Tape, Var};

/// What flows back along the tape: numbers, or variables, so that the walk itself is on the tape and can be
/// differentiated.
pub(crate) trait Flow<'t, E: Element>: Clone {
    /// The gradients of an operation's inputs, given that of its output.
    fn step(site: &Site<'t, E>, op: &dyn Op<E>, gradient: Self) -> Vec<Option<Self>>;

    /// Sums away what broadcasting repeated of the value at `place`.
    fn sum_to(self, tape: &'t Tape<E>, place: usize) -> Self;

    fn add(self, other: Self) -> Self;

    /// The numbers, to look for those that are not finite.
    fn numbers(&self) -> Tensor<E>;
}

impl<'t, E: Element> Flow<'t, E> for Gradient<E> {
    fn step(site: &Site<'t, E>, op: &dyn Op<E>, gradient: Self) -> Vec<Option<Self>> {
        let record = site.tape.record();
        let values = Values { record: &record, output: site.output, reach: site.reach.as_deref() };
        let result = op.backward_kernel(&values, gradient.into_value());
        drop(record);
        result.unwrap_or_else(|gradient| {
            site.tape.scratch(|| {
                let result = op.backward(site, site.tape.constant(gradient));
                result.into_iter().map(|gradient| gradient.map(|var| Gradient::Value(var.value()))).collect()
            })
        })
    }

    fn sum_to(self, tape: &'t Tape<E>, place: usize) -> Self {
        self.sum_to(tape.record().node(place).value.shape())
    }

    fn add(self, other: Self) -> Self {
        self.add(other)
    }

    fn numbers(&self) -> Tensor<E> {
        self.clone().into_value()
    }
}

impl<'t, E: Element> Flow<'t, E> for Var<'t, E> {
    fn step(site: &Site<'t, E>, op: &dyn Op<E>, gradient: Self) -> Vec<Option<Self>> {
        op.backward(site, gradient)
    }

    fn sum_to(self, tape: &'t Tape<E>, place: usize) -> Self {
        let shape = tape.handle(place).shape();
        if self.shape() == shape { self } else { self.sum_to(&shape) }
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
        let mut reach = Self { low, marks: Vec::with_capacity((high + 1).saturating_sub(low)) };
        for place in low..=high {
            let mark = if wanted.contains(&place) {
                Mark::Wanted
            } else if record.inputs(place).iter().any(|&input| reach.asks_for(input)) {
                Mark::Through
            } else {
                Mark::No
            };
            reach.marks.push(mark);
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
pub(crate) fn walk<'t, E: Element, G: Flow<'t, E>>(
    tape: &'t Tape<E>,
    starts: Vec<(usize, G)>,
    wanted: Option<&[usize]>,
) -> Found<G> {
    let high = starts.iter().map(|&(place, _)| place).max().unwrap_or(0);
    let reach = wanted.map(|wanted| Rc::new(Reach::new(tape, wanted, high)));
    let low = reach.as_ref().map_or(0, |reach| reach.low);
    let asked_for = |place: usize| {
        tape.record().node(place).needs_gradient && reach.as_ref().is_none_or(|reach| reach.asks_for(place))
    };

    let mut found: Found<G> = Found { low, slots: Vec::new() };
    found.slots.resize_with((high + 1).saturating_sub(low), || None);
    for (place, gradient) in starts {
        if asked_for(place) {
            let slot = &mut found.slots[place - low];
            *slot = Some(match slot.take() {
                None => gradient,
                Some(sum) => sum.add(gradient),
            });
        }
    }

    let pause = tape.watch.pause();
    for place in (low..=high).rev() {
        // What has no operation is a leaf: its gradient stays.
        let Some(op) = tape.record().node(place).op.as_ref().map(Arc::clone) else { continue };
        let slot = &mut found.slots[place - low];
        let gradient = if let Some(reach) = &reach {
            if !tape.record().inputs(place).iter().any(|&input| reach.asks_for(input)) {
                continue;
            }
            if reach.wants(place) { slot.clone() } else { slot.take() }
        } else {
            slot.take()
        };
        let Some(gradient) = gradient else { continue };
        let before = pause.was_on().then(|| gradient.clone());
        let site = Site { tape, output: place, reach: reach.clone() };
        let result = if pause.was_on() {
            tape.watch.in_scope_of(tape.len(), place, || G::step(&site, &*op, gradient))
        } else {
            G::step(&site, &*op, gradient)
        };
        debug_assert_eq!(
            result.len(),
            tape.record().inputs(place).len(),
            "{}: one gradient (or None) for every input",
            op.name()
        );
        if let Some(before) = before {
            let after = result.iter().map(|gradient| gradient.as_ref().map(G::numbers));
            tape.watch_backward(op.name(), place, &before.numbers(), after);
        }
        for (index, gradient) in result.into_iter().enumerate() {
            let input = tape.record().inputs(place)[index];
            let Some(gradient) = gradient.filter(|_| asked_for(input)) else { continue };
            let gradient = gradient.sum_to(tape, input);
            let sum = match found.slots[input - low].take() {
                None => gradient,
                Some(sum) => sum.add(gradient),
            };
            found.slots[input - low] = Some(sum);
        }
    }
    found
}
