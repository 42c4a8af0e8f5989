//! RMSprop.

use std::fmt;

use mlp_tensor::Element;
use mlp_tensor::simd::vectorize;
use serde::{Deserialize, Serialize};

use crate::OptimError;
use crate::error::Check;
use crate::rule::{Rule, wrong_slots};

/// RMSprop: each gradient divided by its recent size.
///
/// v ← α · v + (1 - α) · g², then w ← w - lr · g / (√v + ε). v starts at 0. These are PyTorch's formula and its defaults
/// of α and ε; the default step size is 0.001, as in Keras, where PyTorch has 0.01. Source: Tieleman and Hinton 2012.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RmsProp {
    /// The step size lr, above 0.
    pub learning_rate: f64,
    /// α, the share of v that stays: 0.99 by default.
    pub alpha: f64,
    /// ε, which keeps the quotient finite: 1e-8 by default.
    pub epsilon: f64,
}

impl RmsProp {
    /// RMSprop with the given step size and the usual α = 0.99, ε = 1e-8.
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate, alpha: 0.99, epsilon: 1e-8 }
    }

    /// Sets α.
    #[must_use]
    pub fn alpha(self, alpha: f64) -> Self {
        Self { alpha, ..self }
    }

    /// Sets ε.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }
}

impl Rule for RmsProp {
    fn name(&self) -> &str {
        "RMSprop"
    }

    fn slots(&self) -> &[&str] {
        &["v"]
    }

    fn check<E: Element>(&self) -> Result<(), OptimError> {
        let check = Check::new::<E>("RMSprop");
        check.positive("learning rate", self.learning_rate)?;
        check.fraction("alpha", self.alpha)?;
        check.positive("epsilon", self.epsilon)
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn learning_rate_mut(&mut self) -> &mut f64 {
        &mut self.learning_rate
    }

    #[track_caller]
    fn update<E: Element>(&self, _: u64, weights: &mut [E], gradient: &[E], slots: &mut [&mut [E]]) {
        let [v] = slots else { wrong_slots("RMSprop", self.slots(), slots.len()) };
        let (lr, epsilon) = (E::from_f64(self.learning_rate), E::from_f64(self.epsilon));
        let (alpha, rest) = (E::from_f64(self.alpha), E::from_f64(1.0 - self.alpha));
        let all = weights.iter_mut().zip(gradient).zip(v.iter_mut());
        vectorize(
            #[inline(always)]
            || {
                all.for_each(|((w, &g), v)| {
                    *v = alpha * *v + rest * (g * g);
                    *w -= lr * (g / (v.sqrt() + epsilon));
                });
            },
        );
    }

    fn settings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { learning_rate, alpha, epsilon } = self;
        write!(f, "learning rate {learning_rate}, alpha {alpha}, epsilon {epsilon:e}")
    }
}

impl Default for RmsProp {
    /// RMSprop with a step size of 0.001.
    fn default() -> Self {
        Self::new(0.001)
    }
}
