//! Weights of 0.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::Kind;

/// All 0.
pub(super) struct Zeros;

impl Kind for Zeros {
    fn draw<E: Element>(&self, shape: &[usize], _: &mut Rng) -> Tensor<E> {
        Tensor::zeros(shape)
    }
}
