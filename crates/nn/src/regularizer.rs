//! Penalties on large weights.

use mlp_tensor::Element;
use mlp_tensor::simd::vectorize;
use serde::{Deserialize, Serialize};

/// A penalty added to the loss: l1 · Σ|w| + l2 · Σw², with gradient l1 · sign(w) + 2 · l2 · w (Keras' convention,
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
}
