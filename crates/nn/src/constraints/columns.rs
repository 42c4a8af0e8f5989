//! Columns of a weight, scaled by what their norms say.

use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, Tensor};

/// So many columns are looked at together: their norms lie on the stack.
const TOGETHER: usize = 64;

/// Gives every column with the norm n the norm `wanted(n)`. Norms are summed in double precision.
pub(super) fn scale_columns<E: Element>(weight: &mut Tensor<E>, wanted: impl Fn(f64) -> f64) {
    let columns = weight.row_len();
    if weight.is_empty() {
        return;
    }
    for first in (0..columns).step_by(TOGETHER) {
        let strip = first..columns.min(first + TOGETHER);
        let mut squares = [0.0_f64; TOGETHER];
        for row in weight.as_slice().chunks(columns) {
            let pairs = squares.iter_mut().zip(&row[strip.clone()]);
            vectorize(
                #[inline(always)]
                || {
                    pairs.for_each(|(square, w)| {
                        let w = w.as_f64();
                        *square += w * w;
                    });
                },
            );
        }
        let factors = squares.map(|square| {
            let norm = square.sqrt();
            E::from_f64(if norm > 0.0 { wanted(norm) / norm } else { 1.0 })
        });
        if factors.iter().any(|&factor| factor != E::one()) {
            for row in weight.as_mut_slice().chunks_mut(columns) {
                row[strip.clone()].iter_mut().zip(&factors).for_each(|(w, &factor)| *w *= factor);
            }
        }
    }
}
