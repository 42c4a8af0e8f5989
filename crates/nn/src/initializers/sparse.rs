//! Weights of which most are 0.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::{Kind, matrix};
use crate::setting::{NumberType, Problem};

/// Normal with mean 0, and ⌈`sparsity` · rows⌉ zeros in every column.
#[derive(Debug)]
pub(super) struct Sparse {
    pub(super) sparsity: f64,
    pub(super) std: f64,
}

impl Kind for Sparse {
    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.share("sparsity", self.sparsity)?;
        number.not_negative("std", self.std)
    }

    fn is_for_matrices(&self) -> bool {
        true
    }

    fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        let [rows, columns] = matrix(self, shape);
        let mut weight: Tensor<E> = Tensor::normal([rows, columns], 0.0, self.std, rng);
        let zeros = (self.sparsity * rows as f64).ceil() as usize;
        for column in 0..columns {
            for row in rng.permutation(rows).into_iter().take(zeros) {
                weight.as_mut_slice()[row * columns + column] = E::zero();
            }
        }
        weight
    }
}
