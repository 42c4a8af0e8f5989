//! Weights that pass the input on.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::{Kind, matrix};
use crate::setting::{NumberType, Problem};

/// `gain` on the diagonal and 0 elsewhere.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) gain: f64,
}

impl Kind for Identity {
    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.finite("gain", self.gain)
    }

    fn is_for_matrices(&self) -> bool {
        true
    }

    fn draw<E: Element>(&self, shape: &[usize], _: &mut Rng) -> Tensor<E> {
        let [rows, columns] = matrix(self, shape);
        let (mut weight, gain) = (Tensor::zeros([rows, columns]), E::from_f64(self.gain));
        weight.as_mut_slice().iter_mut().step_by(columns + 1).take(rows.min(columns)).for_each(|w| *w = gain);
        weight
    }
}
