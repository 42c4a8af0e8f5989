//! The initializer of He et al. with the truncated normal distribution.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::Kind;
use super::scaled::{fans, normal};

/// Truncated normal, variance 2 / fan-in.
pub(super) struct HeNormal;

impl Kind for HeNormal {
    fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        let (fan_in, _) = fans(shape);
        normal(shape, 2.0 / fan_in, rng)
    }
}
