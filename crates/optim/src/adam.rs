//! Adam.

use std::fmt;

use mlp_tensor::Element;
use mlp_tensor::simd::vectorize;
use serde::{Deserialize, Serialize};

use crate::OptimError;
use crate::error::Check;
use crate::rule::{Rule, wrong_slots};

/// Adam: steps of about the learning rate, whatever the size of the gradient.
///
/// m ← β₁ · m + (1 - β₁) · g, v ← β₂ · v + (1 - β₂) · g², and at step t
/// w ← w - lr · (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε). m and v start at 0, and t counts the steps of each parameter: one
/// that was frozen at first begins at 1. These are the formulas and the defaults of PyTorch. Source: Kingma and Ba 2015.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Adam {
    /// The step size lr, above 0.
    pub learning_rate: f64,
    /// β₁, the share of m that stays: 0.9 by default.
    pub beta1: f64,
    /// β₂, the share of v that stays: 0.999 by default.
    pub beta2: f64,
    /// ε, which keeps the quotient finite: 1e-8 by default.
    pub epsilon: f64,
}

impl Adam {
    /// Adam with the given step size and the usual β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }

    /// Sets β₁ and β₂.
    #[must_use]
    pub fn betas(self, beta1: f64, beta2: f64) -> Self {
        Self { beta1, beta2, ..self }
    }

    /// Sets ε.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }
}

impl Rule for Adam {
    fn name(&self) -> &str {
        "Adam"
    }

    fn slots(&self) -> &[&str] {
        &["m", "v"]
    }

    fn check<E: Element>(&self) -> Result<(), OptimError> {
        let check = Check::new::<E>("Adam");
        check.positive("learning rate", self.learning_rate)?;
        check.fraction("beta1", self.beta1)?;
        check.fraction("beta2", self.beta2)?;
        check.positive("epsilon", self.epsilon)
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn learning_rate_mut(&mut self) -> &mut f64 {
        &mut self.learning_rate
    }

    #[track_caller]
    fn update<E: Element>(&self, step: u64, weights: &mut [E], gradient: &[E], slots: &mut [&mut [E]]) {
        let [m, v] = slots else { wrong_slots("Adam", self.slots(), slots.len()) };
        let t = i32::try_from(step).unwrap_or(i32::MAX);
        let size = E::from_f64(self.learning_rate / (1.0 - self.beta1.powi(t)));
        let root = E::from_f64((1.0 - self.beta2.powi(t)).sqrt().recip());
        let epsilon = E::from_f64(self.epsilon);
        let (beta1, rest1) = (E::from_f64(self.beta1), E::from_f64(1.0 - self.beta1));
        let (beta2, rest2) = (E::from_f64(self.beta2), E::from_f64(1.0 - self.beta2));
        let all = weights.iter_mut().zip(gradient).zip(m.iter_mut().zip(v.iter_mut()));
        vectorize(
            #[inline(always)]
            || {
                all.for_each(|((w, &g), (m, v))| {
                    *m = beta1 * *m + rest1 * g;
                    *v = beta2 * *v + rest2 * (g * g);
                    *w -= size * (*m / (v.sqrt() * root + epsilon));
                });
            },
        );
    }

    fn settings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { learning_rate, beta1, beta2, epsilon } = self;
        write!(f, "learning rate {learning_rate}, beta1 {beta1}, beta2 {beta2}, epsilon {epsilon:e}")
    }
}

impl Default for Adam {
    /// Adam with a step size of 0.001.
    fn default() -> Self {
        Self::new(0.001)
    }
}
