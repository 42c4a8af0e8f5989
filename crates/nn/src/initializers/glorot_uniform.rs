//! The initializer of Glorot and Bengio with the uniform distribution.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::Kind;
use super::scaled::{fans, uniform};

/// Uniform, variance 2 / (fan-in + fan-out).
pub(super) struct GlorotUniform;

impl Kind for GlorotUniform {
    fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        let (fan_in, fan_out) = fans(shape);
        uniform(shape, 2.0 / (fan_in + fan_out), rng)
    }
}
