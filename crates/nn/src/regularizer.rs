//! Penalties on large weights and large outputs.

use mlp_autograd::Var;
use mlp_tensor::Element;
use mlp_tensor::simd::vectorize;
use serde::{Deserialize, Serialize};

use crate::error::{Problem, not_negative};

/// A penalty on a weight, a bias or a layer's output, added to the loss: l1 · Σ|w| + l2 · Σw², with gradient l1 · sign(w) + 2 · l2 · w (Keras' convention,
/// without the half that some texts put before l2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Regularizer {
    /// The factor of Σ|w|, 0 or more.
    pub l1: f64,
    /// The factor of Σw², 0 or more.
    pub l2: f64,
}

impl Regularizer {
    /// l1 · Σ|w|, which drives weights to 0.
    pub fn l1(l1: f64) -> Self {
        Self { l1, l2: 0.0 }
    }

    /// l2 · Σw², which keeps weights small.
    pub fn l2(l2: f64) -> Self {
        Self { l1: 0.0, l2 }
    }

    /// Both.
    pub fn l1_l2(l1: f64, l2: f64) -> Self {
        Self { l1, l2 }
    }

    /// The penalty of `weights`, summed in double precision.
    pub fn penalty<E: Element>(&self, weights: &[E]) -> f64 {
        let (mut absolute, mut square) = (0.0, 0.0);
        for w in weights {
            let w = w.as_f64();
            absolute += w.abs();
            square += w * w;
        }
        self.l1 * absolute + self.l2 * square
    }

    /// Adds the penalty's gradient at `weights` to `gradient`, value by value.
    pub fn add_gradient<E: Element>(&self, weights: &[E], gradient: &mut [E]) {
        let (l1, two_l2, zero) = (E::from_f64(self.l1), E::from_f64(2.0 * self.l2), E::zero());
        let pairs = gradient.iter_mut().zip(weights);
        vectorize(
            #[inline(always)]
            || {
                pairs.for_each(|(g, &w)| {
                    let sign = if w > zero {
                        l1
                    } else if w < zero {
                        -l1
                    } else {
                        zero
                    };
                    *g += sign + two_l2 * w;
                });
            },
        );
    }

    /// The penalty of a layer's output `y` as a variable: l1 · Σ|y| + l2 · Σy², divided by the number of rows, as in
    /// Keras. One number, 0 where there are no rows.
    ///
    /// # Panics
    /// If `y` is a single number, without an axis of rows.
    #[track_caller]
    pub fn of_output<'t, E: Element>(&self, y: Var<'t, E>) -> Var<'t, E> {
        let shape = y.shape();
        assert!(!shape.is_empty(), "of_output: an output of shape [] has no rows");
        let [l1, l2] = [self.l1, self.l2].map(|factor| E::from_f64(factor / shape[0].max(1) as f64));
        (y.abs() * l1 + y.square() * l2).sum()
    }

    /// The setting that lies outside of its range, if there is one.
    pub(crate) fn problem(&self) -> Option<Problem> {
        not_negative("l1", self.l1).or(not_negative("l2", self.l2))
    }
}
