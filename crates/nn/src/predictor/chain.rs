//! Frozen layers one after the other.

use std::fmt;
use std::sync::Arc;

use mlp_tensor::{Compact, Element};

use super::InPlace;
use crate::NnError;

/// One step of a frozen network, from rows to rows.
pub(crate) trait Step<E: Element>: fmt::Debug + Send + Sync {
    /// The number of values of an output row.
    fn width(&self) -> usize;

    /// The number of values that it needs room for, for every row, beside its input and its output.
    fn room(&self) -> usize {
        0
    }

    /// Writes the output for so many `rows` of `x` to `out`. The values in `room` may be anything. What it writes for a
    /// row must not depend on the other rows, bit for bit.
    fn run(&self, rows: usize, x: &[E], out: &mut [E], room: &mut [E]);

    /// Makes a function that writes over a row of so many values, the last axis of the output, part of the step; `false` if
    /// the step cannot.
    fn activate(&mut self, _: InPlace<E>, _last: usize) -> bool {
        false
    }

    /// The same step with weights in fewer bits; `None` if it has no weights that can be kept so.
    ///
    /// # Errors
    /// If a weight has no such form.
    fn compact(&self, _: Compact) -> Result<Option<Arc<dyn Step<E>>>, NnError> {
        Ok(None)
    }
}

/// Steps one after the other. Between two of them lies one activation, so that two are there at a time, however many
/// steps there are.
#[derive(Clone, Debug)]
pub(crate) struct Chain<E: Element> {
    steps: Vec<Arc<dyn Step<E>>>,
    /// The number of values of an input row.
    input: usize,
    /// The number of values of the longest row that a step of even number leaves between two steps, and of odd number.
    between: [usize; 2],
}

impl<E: Element> Chain<E> {
    /// A chain without steps, which hands on rows of so many values.
    pub(crate) fn new(input: usize) -> Self {
        Self { steps: Vec::new(), input, between: [0; 2] }
    }

    pub(crate) fn push(&mut self, step: impl Step<E> + 'static) {
        self.push_shared(Arc::new(step));
    }

    pub(crate) fn push_shared(&mut self, step: Arc<dyn Step<E>>) {
        if let Some(last) = self.steps.last() {
            let longest = &mut self.between[(self.steps.len() - 1) % 2];
            *longest = last.width().max(*longest);
        }
        self.steps.push(step);
    }

    /// As [`Step::activate`], of the last step; `false` if there is none.
    pub(crate) fn activate(&mut self, activation: InPlace<E>, last: usize) -> bool {
        self.steps.last_mut().and_then(Arc::get_mut).is_some_and(|step| step.activate(activation, last))
    }

    /// The number of values of an output row.
    pub(crate) fn width(&self) -> usize {
        self.steps.last().map_or(self.input, |step| step.width())
    }

    /// As [`Step::room`].
    pub(crate) fn room(&self) -> usize {
        self.between.iter().sum::<usize>() + self.steps.iter().map(|step| step.room()).max().unwrap_or(0)
    }

    /// As [`Step::compact`].
    pub(crate) fn compact(&self, format: Compact) -> Result<Self, NnError> {
        let compact = |step: &Arc<dyn Step<E>>| Ok(step.compact(format)?.unwrap_or_else(|| Arc::clone(step)));
        Ok(Self { steps: self.steps.iter().map(compact).collect::<Result<_, NnError>>()?, ..*self })
    }

    /// As [`Step::run`].
    pub(crate) fn run(&self, rows: usize, x: &[E], out: &mut [E], room: &mut [E]) {
        let [even, odd] = self.between;
        let (even, rest) = room.split_at_mut(rows * even);
        let (odd, room) = rest.split_at_mut(rows * odd);
        match &self.steps[..] {
            [] => out.copy_from_slice(x),
            [only] => only.run(rows, x, out, room),
            [first, between @ .., last] => {
                let (mut from, mut to, mut width) = (even, odd, first.width());
                first.run(rows, x, &mut from[..rows * width], room);
                for step in between {
                    step.run(rows, &from[..rows * width], &mut to[..rows * step.width()], room);
                    (from, to, width) = (to, from, step.width());
                }
                last.run(rows, &from[..rows * width], out, room);
            }
        }
    }
}
