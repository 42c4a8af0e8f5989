//! Gradient descent.

use mlp_tensor::Element;
use mlp_tensor::simd::vectorize;
use serde::{Deserialize, Serialize};

use crate::OptimError;
use crate::error::Check;

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
    pub fn momentum(self, momentum: f64) -> Self {
        Self { momentum, ..self }
    }

    /// Chooses Nesterov's variant of momentum, or not.
    pub fn nesterov(self, nesterov: bool) -> Self {
        Self { nesterov, ..self }
    }

    pub(crate) fn slots(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["velocity"] }
    }

    pub(crate) fn check(&self) -> Result<(), OptimError> {
        let check = Check { optimizer: "SGD" };
        check.positive("learning rate", self.learning_rate)?;
        check.fraction("momentum", self.momentum)?;
        check.that(!self.nesterov || self.momentum > 0.0, "momentum", self.momentum, "above 0 with Nesterov's variant")
    }

    pub(crate) fn update_plain<E: Element>(&self, weights: &mut [E], gradient: &[E]) {
        let lr = E::from_f64(self.learning_rate);
        let pairs = weights.iter_mut().zip(gradient);
        vectorize(
            #[inline(always)]
            || pairs.for_each(|(w, &g)| *w -= lr * g),
        );
    }

    pub(crate) fn update_with_momentum<E: Element>(&self, weights: &mut [E], gradient: &[E], velocity: &mut [E]) {
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
