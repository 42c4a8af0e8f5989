//! Weights that keep lengths.

use mlp_tensor::{Element, Rng, Tensor};

use super::kind::{Kind, matrix};
use crate::setting::{NumberType, Problem};

/// Normal vectors, each freed of its part along those before it (Gram and Schmidt) and scaled.
///
/// That is the Q of the QR decomposition whose R has a positive diagonal, and so uniformly distributed (Mezzadri 2007).
/// Each is freed twice, after which nothing is left but rounding (Giraud et al. 2005).
#[derive(Debug)]
pub(super) struct Orthogonal {
    pub(super) gain: f64,
}

impl Kind for Orthogonal {
    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.finite("gain", self.gain)
    }

    fn is_for_matrices(&self) -> bool {
        true
    }

    fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        let [rows, columns] = matrix(self, shape);
        let (count, length) = (rows.min(columns), rows.max(columns));
        let mut vectors: Tensor<f64> = Tensor::normal([count, length], 0.0, 1.0, rng);
        for index in 0..count {
            let (before, rest) = vectors.as_mut_slice().split_at_mut(index * length);
            let vector = &mut rest[..length];
            for _ in 0..2 {
                for other in before.chunks(length) {
                    let along = dot(vector, other);
                    vector.iter_mut().zip(other).for_each(|(v, &o)| *v -= along * o);
                }
            }
            let norm = dot(vector, vector).sqrt();
            vector.iter_mut().for_each(|v| *v /= norm);
        }
        let scaled = (if rows >= columns { vectors.t() } else { vectors }) * self.gain;
        scaled.cast()
    }
}

/// Σ ab, in eight sums that are added up at the end: the same bits on every machine.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum()
}
