//! The first operation that made a number out of finite ones that is not finite.

use std::cell::{Cell, RefCell};
use std::fmt;

use mlp_tensor::{Element, Tensor};

use crate::{Tape, Var};

/// Which way the computation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// From inputs to outputs.
    Forward,
    /// From the gradient of an output to those of the inputs.
    Backward,
}

/// Where the first NaN or infinity came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Anomaly {
    /// The name of the operation; `variable` or `constant` for a NaN that was put on the tape from outside.
    pub op: &'static str,
    /// The names of the scopes around the operation, joined by ` > `; empty outside of all scopes.
    pub scope: String,
    /// Whether the operation itself made it, or its derivative.
    pub pass: Pass,
    /// The shape of what it stands in: of the result, or of the gradient of an input.
    pub shape: Vec<usize>,
    /// Its index there, in row-major order.
    pub index: usize,
    /// What it is: NaN, or an infinity.
    pub value: f64,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { op, scope, pass, shape, index, value } = self;
        match (*op, pass) {
            ("variable" | "constant", _) => write!(f, "a {op} put on the tape")?,
            (_, Pass::Forward) => write!(f, "{op}")?,
            (_, Pass::Backward) => write!(f, "the derivative of {op}")?,
        }
        if !scope.is_empty() {
            write!(f, " in {scope}")?;
        }
        match (*op, pass) {
            ("variable" | "constant", _) => write!(f, " holds {value}, at index {index} of shape {shape:?}"),
            (_, Pass::Forward) => {
                write!(f, " gave {value} for finite inputs, at index {index} of its result of shape {shape:?}")
            }
            (_, Pass::Backward) => {
                write!(f, " gave {value} for finite inputs, at index {index} of a gradient of shape {shape:?}")
            }
        }
    }
}

impl<E: Element> Tape<E> {
    /// Turns anomaly mode on: the tape looks at every result and every gradient, and keeps the first operation that gave
    /// NaN or an infinity for finite inputs, for [`Tape::anomaly`]. It costs a pass over all numbers.
    ///
    /// ```
    /// use mlp_autograd::Tape;
    /// use mlp_tensor::Tensor;
    ///
    /// let tape = Tape::<f32>::new().detect_anomalies();
    /// let x = tape.variable(Tensor::from([4.0, 0.0]));
    /// let loss = tape.scope("layers.0 (Root)", || x.sqrt()).sum();
    /// assert!(tape.anomaly().is_none());
    /// loss.backward();
    /// assert_eq!(
    ///     tape.anomaly().unwrap().to_string(),
    ///     "the derivative of sqrt in layers.0 (Root) gave inf for finite inputs, at index 1 of a gradient of shape [2]"
    /// );
    /// ```
    pub fn detect_anomalies(self) -> Self {
        self.watch.on.set(true);
        self
    }

    /// In anomaly mode, where the first NaN or infinity came from, if there was one since the tape was made.
    pub fn anomaly(&self) -> Option<Anomaly> {
        self.watch.state.borrow().first.clone()
    }

    /// A value that comes from outside may well be infinite (a mask), but hardly NaN on purpose.
    pub(crate) fn watch_value(&self, op: &'static str, value: &Tensor<E>) {
        if self.watch.is_on() {
            self.watch.look(op, None, Pass::Forward, value, |v| !v.is_nan());
        }
    }

    pub(crate) fn watch_operation(&self, op: &'static str, value: &Tensor<E>, inputs: &[Var<'_, E>]) {
        if inputs.iter().all(|input| input.value().all_finite()) {
            self.watch.look(op, None, Pass::Forward, value, E::is_finite);
        }
    }

    /// `before` is the gradient of the output at `place`, `after` those of its inputs.
    pub(crate) fn watch_backward(
        &self,
        op: &'static str,
        place: usize,
        before: &Tensor<E>,
        after: impl Iterator<Item = Option<Tensor<E>>>,
    ) {
        let record = self.record();
        let inputs = record.inputs(place).iter().map(|&input| &record.node(input).value);
        if before.all_finite() && inputs.chain([&record.node(place).value]).all(Tensor::all_finite) {
            for gradient in after.flatten() {
                self.watch.look(op, Some(place), Pass::Backward, &gradient, E::is_finite);
            }
        }
    }
}

/// What a tape keeps for anomaly mode.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    on: Cell<bool>,
    /// The number of scopes that the computation is in.
    pub(crate) depth: Cell<usize>,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    first: Option<Anomaly>,
    /// The names of the scopes that the computation is in.
    names: Vec<String>,
    /// From which place of the tape on the scopes had which names.
    paths: Vec<(usize, String)>,
}

/// Anomaly mode switched off for the length of a walk, which looks at gradients by itself.
pub(crate) struct Pause<'w> {
    watch: &'w Watch,
    was_on: bool,
}

impl Pause<'_> {
    pub(crate) fn was_on(&self) -> bool {
        self.was_on
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.watch.on.set(self.was_on);
    }
}

impl Watch {
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.on.get()
    }

    pub(crate) fn pause(&self) -> Pause<'_> {
        Pause { watch: self, was_on: self.on.replace(false) }
    }

    pub(crate) fn enter(&self, place: usize, name: String) {
        let mut state = self.state.borrow_mut();
        state.names.push(name);
        state.mark(place);
    }

    pub(crate) fn leave(&self, place: usize) {
        let mut state = self.state.borrow_mut();
        state.names.pop();
        state.mark(place);
    }

    /// Runs `work`, and counts what it puts on the tape, from `place` on, to the scopes of the value at `of`.
    pub(crate) fn in_scope_of<R>(&self, place: usize, of: usize, work: impl FnOnce() -> R) -> R {
        let path = self.state.borrow().path_at(of).to_owned();
        let names = std::mem::replace(&mut self.state.borrow_mut().names, vec![path]);
        self.state.borrow_mut().mark(place);
        let result = work();
        self.state.borrow_mut().names = names;
        result
    }

    /// Forgets the scopes of the values from `place` on, which are taken off the tape.
    pub(crate) fn truncate(&self, place: usize) {
        let mut state = self.state.borrow_mut();
        if state.paths.last().is_some_and(|&(start, _)| start >= place) {
            state.paths.retain(|&(start, _)| start < place);
            state.mark(place);
        }
    }

    /// Keeps the first of `values` that is not `sound`, unless another one came before. `place` is that of the
    /// operation, `None` for one that is being put on the tape.
    fn look<E: Element>(
        &self,
        op: &'static str,
        place: Option<usize>,
        pass: Pass,
        values: &Tensor<E>,
        sound: impl Fn(E) -> bool,
    ) {
        let mut state = self.state.borrow_mut();
        if state.first.is_some() {
            return;
        }
        let Some(index) = values.as_slice().iter().position(|&v| !sound(v)) else { return };
        let scope = place.map_or_else(|| state.path(), |place| state.path_at(place).to_owned());
        let (shape, value) = (values.shape().to_vec(), values.as_slice()[index].as_f64());
        state.first = Some(Anomaly { op, scope, pass, shape, index, value });
    }
}

impl State {
    fn path(&self) -> String {
        self.names.iter().filter(|name| !name.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" > ")
    }

    fn mark(&mut self, place: usize) {
        let path = self.path();
        self.paths.push((place, path));
    }

    /// The scopes of the value at `place`.
    fn path_at(&self, place: usize) -> &str {
        let before = self.paths.partition_point(|&(start, _)| start <= place);
        before.checked_sub(1).map_or("", |last| &self.paths[last].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{grad, grad_recorded};

    fn tape() -> Tape<f64> {
        Tape::new().detect_anomalies()
    }

    #[test]
    fn the_first_operation_and_its_scopes_are_named() {
        let tape = tape();
        let x = tape.variable(Tensor::from([[1.0, 0.0]]));
        let y = tape.scope("block", || {
            let y = tape.scope("layers.0 (Dense)", || x * 2.0);
            tape.scope("layers.1 (Log)", || y.ln())
        });
        let _ = tape.scope("layers.2 (Dense)", || (y - y).exp());
        let anomaly = tape.anomaly().unwrap();
        let expected =
            "ln in block > layers.1 (Log) gave -inf for finite inputs, at index 1 of its result of shape [1, 2]";
        assert_eq!(anomaly.to_string(), expected);
        assert_eq!((anomaly.op, anomaly.pass, anomaly.value), ("ln", Pass::Forward, f64::NEG_INFINITY));
    }

    #[test]
    fn finite_computations_have_none() {
        let tape = tape();
        let x = tape.variable(Tensor::from([1.0, 2.0]));
        let g = grad_recorded(&[x.exp().sum()], &[x])[0];
        let _ = grad(&[g.sum()], &[x]);
        assert_eq!(tape.anomaly(), None);
    }

    #[test]
    fn derivatives_count_to_the_scope_of_their_operation_in_every_order() {
        let tape = tape();
        let x = tape.variable(Tensor::from([0.0]));
        let y = tape.scope("layers.0 (Power)", || x.powf(1.5));
        let g = grad_recorded(&[y.sum()], &[x])[0];
        assert_eq!((g.value(), tape.anomaly()), (Tensor::from([0.0]), None));
        // The second derivative, 0.75 / √x, is infinite at 0.
        let _ = tape.scope("elsewhere", || grad(&[g.sum()], &[x]));
        let anomaly = tape.anomaly().unwrap();
        let found = (anomaly.op, anomaly.scope.as_str(), anomaly.pass, anomaly.value);
        assert_eq!(found, ("powf", "layers.0 (Power)", Pass::Backward, f64::INFINITY));
    }

    #[test]
    fn nan_from_outside_is_told_apart() {
        let mut tape = tape();
        let x = tape.constant(Tensor::from([f64::INFINITY, f64::NAN]));
        let _ = x.exp();
        assert_eq!(
            tape.anomaly().unwrap().to_string(),
            "a constant put on the tape holds NaN, at index 1 of shape [2]"
        );
        tape.clear();
        assert!(tape.anomaly().is_some());
    }

    #[test]
    fn nothing_is_looked_at_without_the_mode() {
        let tape = Tape::<f64>::new();
        let _ = tape.variable(Tensor::from([-1.0])).ln().backward();
        assert_eq!(tape.anomaly(), None);
    }
}
