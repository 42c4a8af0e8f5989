//! The initializer of Glorot and Bengio with the truncated normal distribution.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::Kind;
use super::scaled::{fans, normal};

/// Truncated normal, variance 2 / (fan-in + fan-out).
pub(super) struct GlorotNormal;

impl Kind for GlorotNormal {
    fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        let (fan_in, fan_out) = fans(shape);
        normal(shape, 2.0 / (fan_in + fan_out), rng)
    }
}
