//! Columns of a weight, scaled by what their norms say.

use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, Tensor};

/// Gives every column with the norm n the norm `wanted(n)`. Norms are summed in double precision.
pub(super) fn scale_columns<E: Element>(weight: &mut Tensor<E>, wanted: impl Fn(f64) -> f64) {
    let columns = weight.row_len();
    if weight.is_empty() {
        return;
    }
    let mut squares = vec![0.0_f64; columns];
    for row in weight.as_slice().chunks(columns) {
        let pairs = squares.iter_mut().zip(row);
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
    let factor = |square: f64| {
        let norm = square.sqrt();
        if norm > 0.0 { wanted(norm) / norm } else { 1.0 }
    };
    let factors: Vec<E> = squares.into_iter().map(|square| E::from_f64(factor(square))).collect();
    if factors.iter().all(|&factor| factor == E::one()) {
        return;
    }
    for row in weight.as_mut_slice().chunks_mut(columns) {
        row.iter_mut().zip(&factors).for_each(|(w, &factor)| *w *= factor);
    }
}
