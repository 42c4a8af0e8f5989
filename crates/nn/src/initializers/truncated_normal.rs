//! Weights of one normal distribution without its tails.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::Kind;
use crate::setting::{NumberType, Problem};

/// Normal, drawn again beyond two standard deviations.
pub(super) struct TruncatedNormal {
    pub(super) mean: f64,
    pub(super) std: f64,
}

impl Kind for TruncatedNormal {
    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.finite("mean", self.mean)?;
        number.not_negative("std", self.std)
    }

    fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        Tensor::truncated_normal(shape, self.mean, self.std, rng)
    }
}
