//! The initializer of LeCun et al. with the uniform distribution.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::Kind;
use super::scaled::{fans, uniform};

/// Uniform, variance 1 / fan-in.
pub(super) struct LecunUniform;

impl Kind for LecunUniform {
    fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        let (fan_in, _) = fans(shape);
        uniform(shape, 1.0 / fan_in, rng)
    }
}
