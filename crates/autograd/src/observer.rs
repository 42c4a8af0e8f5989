//! What looks at a computation in anomaly mode.
//!
//! It is called in three places: where a value is appended to the tape, where a walk takes the gradient of an output to
//! those of the inputs, and where it adds gradients up. With the mode off, each costs one branch.

use std::cell::{Cell, RefCell};

use mlp_tensor::{Element, Tensor};

use crate::anomaly::{Anomaly, Direction};
use crate::tape::Record;
use crate::walk::Flow;
use crate::{Tape, Var};

/// What a tape keeps for anomaly mode.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    on: Cell<bool>,
    /// The number of walks under way. What they put on the tape are gradients, at which the walk looks.
    walks: Cell<usize>,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    first: Option<Anomaly>,
    scopes: Scopes,
}

/// Which scope every value of the tape was computed in.
///
/// A scope is known by its number, counted from 1; 0 is outside of all.
#[derive(Debug, Default)]
struct Scopes {
    /// The name of each scope, behind those of the scopes around it.
    paths: Vec<String>,
    /// The scope that the computation is in.
    current: usize,
    /// The scope of each value, by its place on the tape. Those from before the mode was turned on are outside of all.
    of_values: Vec<usize>,
}

impl Scopes {
    fn path(&self, scope: usize) -> &str {
        scope.checked_sub(1).map_or("", |index| &self.paths[index])
    }

    fn of(&self, place: usize) -> usize {
        self.of_values.get(place).copied().unwrap_or(0)
    }
}

impl State {
    /// Keeps the first of `values` that is not `sound`, which `op` made in the scope of the value at `place`.
    fn look<E: Element>(
        &mut self,
        (op, place, direction): (&'static str, usize, Direction),
        values: &Tensor<E>,
        sound: impl Fn(E) -> bool,
        finite_before: impl FnOnce() -> bool,
    ) {
        // Nearly all are finite, and this is the faster way to see it.
        if self.first.is_some() || values.all_finite() {
            return;
        }
        let Some(index) = values.as_slice().iter().position(|&v| !sound(v)) else { return };
        if finite_before() {
            let scope = self.scopes.path(self.scopes.of(place)).to_owned();
            let (shape, value) = (values.shape().to_vec(), values.as_slice()[index].as_f64());
            self.first = Some(Anomaly { op, scope, direction, shape, index, value });
        }
    }
}

impl Observer {
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.on.get()
    }

    /// Turns the mode on or off, and forgets what was found.
    pub(crate) fn set_on(&self, on: bool) {
        self.on.set(on);
        let mut state = self.state.borrow_mut();
        state.first = None;
        if !on {
            state.scopes.of_values.clear();
        }
    }

    pub(crate) fn first(&self) -> Option<Anomaly> {
        self.state.borrow().first.clone()
    }

    /// Goes into a scope within the one that the computation is in, which is returned for [`Observer::leave`].
    pub(crate) fn enter(&self, name: String) -> usize {
        let scopes = &mut self.state.borrow_mut().scopes;
        let around = scopes.current;
        if !name.is_empty() {
            let path = scopes.path(around);
            let path = if path.is_empty() { name } else { format!("{path} > {name}") };
            scopes.paths.push(path);
            scopes.current = scopes.paths.len();
        }
        around
    }

    pub(crate) fn leave(&self, around: usize) {
        self.state.borrow_mut().scopes.current = around;
    }

    /// Forgets the values from `length` on, which are taken off the tape.
    pub(crate) fn truncate(&self, length: usize) {
        self.state.borrow_mut().scopes.of_values.truncate(length);
    }

    /// Forgets all values and scopes, but not what was found.
    pub(crate) fn clear(&mut self) {
        let scopes = &mut self.state.get_mut().scopes;
        scopes.paths.clear();
        scopes.of_values.clear();
        scopes.current = 0;
    }

    /// Looks at the value that was appended to the tape last: what `op` made of `inputs`.
    ///
    /// A value that comes from outside may well be infinite (a mask), but hardly NaN on purpose.
    #[cold]
    pub(crate) fn appended<E: Element>(&self, record: &Record<E>, op: &'static str, inputs: &[Var<'_, E>]) {
        let mut state = self.state.borrow_mut();
        let (place, current) = (record.len() - 1, state.scopes.current);
        state.scopes.of_values.resize(place, 0);
        state.scopes.of_values.push(current);
        if self.walks.get() > 0 {
            return;
        }
        let from_outside = matches!(op, "variable" | "constant");
        state.look(
            (op, place, Direction::Forward),
            &record.node(place).value,
            |v| if from_outside { !v.is_nan() } else { v.is_finite() },
            || inputs.iter().all(|input| record.node(input.id()).value.all_finite()),
        );
    }
}

/// An observer on its way back with a walk.
pub(crate) struct Walk<'t, E: Element> {
    tape: &'t Tape<E>,
}

impl<'t, E: Element> Walk<'t, E> {
    pub(crate) fn begin(tape: &'t Tape<E>) -> Self {
        tape.observer.walks.set(tape.observer.walks.get() + 1);
        Self { tape }
    }

    /// Runs `step`, which takes the gradient of the output of `op` at `place` to those of its inputs, in the scope of that
    /// output, and looks at what it leaves in `to_inputs`.
    pub(crate) fn observe<G: Flow<'t, E>>(
        &self,
        op: &'static str,
        place: usize,
        gradient: G,
        to_inputs: &mut Vec<Option<G>>,
        step: impl FnOnce(G, &mut Vec<Option<G>>),
    ) {
        let before = gradient.clone();
        {
            let _scope = Scope::of(&self.tape.observer, place);
            step(gradient, to_inputs);
        }
        let mut state = self.tape.observer.state.borrow_mut();
        if state.first.is_some() {
            return;
        }
        let record = self.tape.record();
        let inputs = record.inputs(place).iter().map(|&input| &record.node(input).value);
        let around: Vec<_> = inputs.chain([&record.node(place).value]).collect();
        let finite_before = || around.iter().all(|value| value.all_finite()) && before.numbers().all_finite();
        for gradient in to_inputs.iter().flatten() {
            state.look((op, place, Direction::Backward), &gradient.numbers(), E::is_finite, finite_before);
        }
    }

    /// Whether nothing was found so far, and the sum of these gradients, over broadcasting too, should be finite.
    pub(crate) fn expects_finite<G: Flow<'t, E>>(&self, parts: [Option<&G>; 2]) -> bool {
        self.tape.observer.state.borrow().first.is_none()
            && parts.into_iter().flatten().all(|part| part.numbers().all_finite())
    }

    /// Looks at a sum of finite gradients, of which the last came from `op` at `place`.
    pub(crate) fn look_at_sum<G: Flow<'t, E>>(&self, op: &'static str, place: usize, sum: &G) {
        let mut state = self.tape.observer.state.borrow_mut();
        state.look((op, place, Direction::Backward), &sum.numbers(), E::is_finite, || true);
    }
}

impl<E: Element> Drop for Walk<'_, E> {
    fn drop(&mut self) {
        let walks = &self.tape.observer.walks;
        walks.set(walks.get() - 1);
    }
}

/// The scope of a value gone back into, also left when the work panics.
struct Scope<'o> {
    observer: &'o Observer,
    around: usize,
}

impl<'o> Scope<'o> {
    fn of(observer: &'o Observer, place: usize) -> Self {
        let scopes = &mut observer.state.borrow_mut().scopes;
        let path = scopes.of(place);
        Self { observer, around: std::mem::replace(&mut scopes.current, path) }
    }
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        self.observer.leave(self.around);
    }
}
