//! Weights of one uniform distribution.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::Kind;
use crate::setting::{NumberType, Problem};

/// Uniform from `low` to `high`.
pub(super) struct Uniform {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Kind for Uniform {
    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.bounds(self.low, self.high)?;
        number.check("high - low", self.high - self.low, "finite", |as_used| as_used(self.high - self.low).is_finite())
    }

    fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        Tensor::uniform(shape, self.low, self.high, rng)
    }
}
