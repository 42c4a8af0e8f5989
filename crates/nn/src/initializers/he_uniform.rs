//! The initializer of He et al. with the uniform distribution.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::Kind;
use super::scaled::{fans, uniform};

/// Uniform, variance 2 / fan-in.
pub(super) struct HeUniform;

impl Kind for HeUniform {
    fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        let (fan_in, _) = fans(shape);
        uniform(shape, 2.0 / fan_in, rng)
    }
}
