//! Gradient descent.

use std::fmt;

use mlp_tensor::Element;
use mlp_tensor::simd::vectorize;
use serde::{Deserialize, Serialize};

use crate::OptimError;
use crate::error::Check;
use crate::rule::{Rule, wrong_slots};

/// Stochastic gradient descent. Plain: w ← w - lr · g.
///
/// With momentum μ: u ← μ · u + g, then w ← w - lr · u; with Nesterov's variant w ← w - lr · (g + μ · u). These are
/// PyTorch's formulas; u starts at 0. Sources: Polyak 1964; Sutskever et al. 2013.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sgd {
    /// The step size lr, above 0.
    pub learning_rate: f64,
    /// μ, from 0 (plain gradient descent; the default) up to, but not including, 1.
    pub momentum: f64,
    /// Whether to look ahead along the momentum; false by default.
    pub nesterov: bool,
}

impl Sgd {
    /// Plain gradient descent with the given step size.
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate, momentum: 0.0, nesterov: false }
    }

    /// Adds momentum.
    #[must_use]
    pub fn momentum(self, momentum: f64) -> Self {
        Self { momentum, ..self }
    }

    /// Chooses Nesterov's variant of momentum, or not.
    #[must_use]
    pub fn nesterov(self, nesterov: bool) -> Self {
        Self { nesterov, ..self }
    }

    fn plain<E: Element>(&self, weights: &mut [E], gradient: &[E]) {
        let lr = E::from_f64(self.learning_rate);
        let pairs = weights.iter_mut().zip(gradient);
        vectorize(
            #[inline(always)]
            || pairs.for_each(|(w, &g)| *w -= lr * g),
        );
    }

    fn with_momentum<E: Element>(&self, weights: &mut [E], gradient: &[E], velocity: &mut [E]) {
        let (lr, mu) = (E::from_f64(self.learning_rate), E::from_f64(self.momentum));
        let all = weights.iter_mut().zip(gradient).zip(velocity);
        let nesterov = self.nesterov;
        vectorize(
            #[inline(always)]
            || {
                all.for_each(|((w, &g), u)| {
                    *u = mu * *u + g;
                    let direction = if nesterov { g + mu * *u } else { *u };
                    *w -= lr * direction;
                });
            },
        );
    }
}

impl Rule for Sgd {
    fn name(&self) -> &str {
        "SGD"
    }

    fn slots(&self) -> &[&str] {
        if self.momentum == 0.0 { &[] } else { &["velocity"] }
    }

    fn check<E: Element>(&self) -> Result<(), OptimError> {
        let check = Check::new::<E>("SGD");
        check.positive("learning rate", self.learning_rate)?;
        check.fraction("momentum", self.momentum)?;
        let allowed = |momentum| !self.nesterov || momentum > 0.0;
        check.that(allowed, "momentum", self.momentum, "above 0 with Nesterov's variant")
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn learning_rate_mut(&mut self) -> &mut f64 {
        &mut self.learning_rate
    }

    #[track_caller]
    fn update<E: Element>(&self, _: u64, weights: &mut [E], gradient: &[E], slots: &mut [&mut [E]]) {
        match slots {
            [] if self.momentum == 0.0 => self.plain(weights, gradient),
            [velocity] if self.momentum != 0.0 => self.with_momentum(weights, gradient, velocity),
            slots => wrong_slots("SGD", self.slots(), slots.len()),
        }
    }

    fn settings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { learning_rate, momentum, nesterov } = self;
        let variant = if *nesterov { "Nesterov " } else { "" };
        write!(f, "learning rate {learning_rate}, {variant}momentum {momentum}")
    }
}
