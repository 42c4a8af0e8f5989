//! The first operation that made a number out of finite ones that is not finite.

use std::fmt;

use mlp_tensor::Element;

use crate::Tape;

/// Which way the computation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From inputs to outputs.
    Forward,
    /// From the gradient of an output to those of the inputs.
    Backward,
}

/// Where the first NaN or infinity came from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Anomaly {
    /// The name of the operation; `variable` or `constant` for a NaN that was put on the tape from outside. Where gradients
    /// overflowed as they were added up, it is the operation whose gradient was added last.
    pub op: &'static str,
    /// The names of the scopes around the operation, joined by ` > `; empty outside of all scopes.
    pub scope: String,
    /// Whether the operation itself made it, or its derivative.
    pub direction: Direction,
    /// The shape of what it stands in: of the result, or of the gradient of an input.
    pub shape: Vec<usize>,
    /// Its index there, in row-major order.
    pub index: usize,
    /// What it is: NaN, or an infinity.
    pub value: f64,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { op, scope, direction, shape, index, value } = self;
        match (*op, direction) {
            ("variable" | "constant", _) => write!(f, "a {op} put on the tape")?,
            (_, Direction::Forward) => write!(f, "{op}")?,
            (_, Direction::Backward) => write!(f, "the derivative of {op}")?,
        }
        if !scope.is_empty() {
            write!(f, " in {scope}")?;
        }
        match (*op, direction) {
            ("variable" | "constant", _) => write!(f, " holds {value}, at index {index} of shape {shape:?}"),
            (_, Direction::Forward) => {
                write!(f, " gave {value} for finite inputs, at index {index} of its result of shape {shape:?}")
            }
            (_, Direction::Backward) => {
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
    #[must_use]
    pub fn detect_anomalies(self) -> Self {
        self.set_detect_anomalies(true);
        self
    }

    /// Turns anomaly mode on or off for what comes, as [`Tape::detect_anomalies`] does for a new tape: on the tape of a
    /// training step, say, that is cleared and used again. Either way an anomaly that was found before is forgotten, and
    /// the next one is looked for. Scopes that the computation is in at this moment are not known.
    ///
    /// ```
    /// use mlp_autograd::Tape;
    /// use mlp_tensor::Tensor;
    ///
    /// let mut tape = Tape::<f32>::new();
    /// tape.set_detect_anomalies(true);
    /// let _ = tape.variable(Tensor::from([-1.0])).ln();
    /// tape.clear();
    /// assert_eq!(tape.anomaly().unwrap().op, "ln"); // kept when the tape is cleared
    /// tape.set_detect_anomalies(true);
    /// assert!(tape.anomaly().is_none());
    /// ```
    pub fn set_detect_anomalies(&self, on: bool) {
        self.observer.set_on(on);
    }

    /// In anomaly mode, where the first NaN or infinity came from, if there was one since the mode was turned on.
    /// [`Tape::clear`] does not forget it, so that it can be asked for after a step.
    pub fn anomaly(&self) -> Option<Anomaly> {
        self.observer.first()
    }
}

#[cfg(test)]
mod tests {
    use mlp_tensor::Tensor;

    use super::*;
    use crate::{Var, checkpoint};

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
        assert_eq!((anomaly.op, anomaly.direction, anomaly.value), ("ln", Direction::Forward, f64::NEG_INFINITY));
    }

    #[test]
    fn finite_computations_have_none() {
        let tape = tape();
        let x = tape.variable(Tensor::from([1.0, 2.0]));
        let g = tape.gradient_recorded(x.exp().sum(), [x])[0];
        let _ = tape.gradient(g.sum(), [x]);
        assert_eq!(tape.anomaly(), None);
    }

    #[test]
    fn derivatives_count_to_the_scope_of_their_operation_in_every_order() {
        let tape = tape();
        let x = tape.variable(Tensor::from([0.0]));
        let y = tape.scope("layers.0 (Power)", || x.powf(1.5));
        let g = tape.gradient_recorded(y.sum(), [x])[0];
        assert_eq!((g.value(), tape.anomaly()), (Tensor::from([0.0]), None));
        // The second derivative, 0.75 / √x, is infinite at 0.
        let _ = tape.scope("elsewhere", || tape.gradient(g.sum(), [x]));
        let anomaly = tape.anomaly().unwrap();
        let found = (anomaly.op, anomaly.scope.as_str(), anomaly.direction, anomaly.value);
        assert_eq!(found, ("powf", "layers.0 (Power)", Direction::Backward, f64::INFINITY));
    }

    #[test]
    fn what_is_recorded_after_a_walk_counts_to_the_scope_around_it() {
        for recorded in [true, false] {
            let tape = tape();
            let x = tape.variable(Tensor::from([0.0]));
            let y = tape.scope("layers.0 (Exp)", || x.exp()).sum();
            if recorded {
                let _ = tape.gradient_recorded(y, [x]);
            } else {
                let _ = y.backward();
            }
            // The derivative of the root is infinite at 0.
            let root = x.sqrt();
            let _ = root.sum().backward();
            let anomaly = tape.anomaly().unwrap();
            assert_eq!((anomaly.op, anomaly.scope.as_str()), ("sqrt", ""), "recorded: {recorded}");
        }
    }

    #[test]
    fn gradients_that_overflow_when_they_are_added_up_are_found() {
        // Each of two gradients is 2e38, and the largest f32 3.4e38.
        type Sum = (fn(Var<'_>) -> Var<'_>, usize, &'static str);
        let sums: [Sum; 2] =
            [(|x| x * 2e38 + x * 2e38, 1, "scale"), (|x| x * x.tape().constant(Tensor::from([2e38, 2e38])), 1, "mul")];
        for recorded in [false, true] {
            for (function, len, op) in sums {
                let tape = Tape::<f32>::new().detect_anomalies();
                let x = tape.variable(Tensor::full([len], 1e-10));
                let y = tape.scope("double", || function(x)).sum();
                if recorded {
                    let _ = tape.gradient_recorded(y, [x]);
                } else {
                    assert_eq!(y.backward().wrt(x), Tensor::full([len], f32::INFINITY));
                }
                let anomaly = tape.anomaly().unwrap();
                let found = (anomaly.op, anomaly.scope.as_str(), anomaly.direction, anomaly.shape);
                assert_eq!(found, (op, "double", Direction::Backward, vec![len]), "recorded: {recorded}");
            }
        }
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
    fn a_tape_is_asked_anew_when_the_mode_is_set_anew() {
        let mut tape = Tape::<f64>::new();
        let step = |tape: &Tape<f64>, x: f64| {
            let x = tape.variable(Tensor::from([x]));
            tape.scope("layers.0 (Log)", || x.ln()).sum().backward();
        };
        step(&tape, -1.0);
        assert_eq!(tape.anomaly(), None);
        tape.set_detect_anomalies(true);
        for x in [1.0, -1.0, 0.0] {
            tape.clear();
            step(&tape, x);
        }
        let anomaly = tape.anomaly().unwrap();
        assert_eq!((anomaly.op, anomaly.scope.as_str()), ("ln", "layers.0 (Log)"));
        assert!(anomaly.value.is_nan(), "the first is kept: {anomaly}");
        tape.set_detect_anomalies(false);
        step(&tape, -1.0);
        assert_eq!(tape.anomaly(), None);
    }

    #[test]
    fn the_mode_can_be_turned_on_within_a_scope() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::from([0.0]));
        tape.scope("outer", || {
            tape.set_detect_anomalies(true);
            let _ = tape.scope("inner", || x.ln());
        });
        assert_eq!(tape.anomaly().unwrap().scope, "inner");
        let before = tape.scope("a", || x.sqrt());
        tape.set_detect_anomalies(true);
        let _ = tape.scope("b", || x + 1.0);
        let _ = before.sum().backward();
        assert_eq!(tape.anomaly().unwrap().scope, "a");
    }

    #[test]
    fn the_first_operation_inside_of_a_checkpoint_is_named() {
        let tape = tape();
        let x = tape.variable(Tensor::from([0.0]));
        let y = tape.scope("block", || checkpoint(&tape, &[x], |tape, x| tape.scope("root", || (x[0] * 2.0).sqrt())));
        assert_eq!(tape.anomaly(), None);
        let _ = y.sum().backward();
        let anomaly = tape.anomaly().unwrap();
        assert_eq!((anomaly.op, anomaly.scope.as_str()), ("sqrt", "block > root"));
    }

    #[test]
    fn a_walk_that_panics_leaves_the_scopes_as_they_were() {
        use std::panic::{AssertUnwindSafe, catch_unwind};
        let tape = tape();
        let x = tape.variable(Tensor::from([0.0]));
        let y =
            tape.scope("block", || checkpoint(&tape, &[x], |tape, x| if tape.len() > 2 { panic!("no") } else { x[0] }));
        let root = x.sqrt();
        assert!(catch_unwind(AssertUnwindSafe(|| y.sum().backward())).is_err());
        let _ = (root + x.sqrt()).sum().backward();
        let _ = (x + 1.0).ln_1p();
        let _ = (x - 1.0).ln();
        let anomaly = tape.anomaly().unwrap();
        assert_eq!((anomaly.op, anomaly.scope.as_str(), anomaly.direction), ("sqrt", "", Direction::Backward));
    }

    #[test]
    fn nothing_is_looked_at_without_the_mode() {
        let tape = Tape::<f64>::new();
        let _ = tape.variable(Tensor::from([-1.0])).ln().backward();
        assert_eq!(tape.anomaly(), None);
    }
}
