//! Weights that are all the same.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::Kind;
use crate::setting::{NumberType, Problem};

/// All `value`.
pub(super) struct Constant {
    pub(super) value: f64,
}

impl Kind for Constant {
    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.finite("value", self.value)
    }

    fn draw<E: Element>(&self, shape: &[usize], _: &mut Rng) -> Tensor<E> {
        Tensor::full(shape, E::from_f64(self.value))
    }
}
