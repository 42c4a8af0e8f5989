//! The initializer of LeCun et al. with the truncated normal distribution.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::Kind;
use super::scaled::{fans, normal};

/// Truncated normal, variance 1 / fan-in.
pub(super) struct LecunNormal;

impl Kind for LecunNormal {
    fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        let (fan_in, _) = fans(shape);
        normal(shape, 1.0 / fan_in, rng)
    }
}
