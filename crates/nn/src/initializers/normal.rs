//! Weights of one normal distribution.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::Kind;
use crate::setting::{NumberType, Problem};

/// Normal.
pub(super) struct Normal {
    pub(super) mean: f64,
    pub(super) std: f64,
}

impl Kind for Normal {
    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.finite("mean", self.mean)?;
        number.not_negative("std", self.std)
    }

    fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        Tensor::normal(shape, self.mean, self.std, rng)
    }
}
