//! Weights of 1.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::Kind;

/// All 1.
pub(super) struct Ones;

impl Kind for Ones {
    fn draw<E: Element>(&self, shape: &[usize], _: &mut Rng) -> Tensor<E> {
        Tensor::ones(shape)
    }
}
