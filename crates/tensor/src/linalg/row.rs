//! One row times a matrix: every weight is read once, so the way to read them is all there is to it.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::Element;
use crate::simd::vectorize;

/// `out = a · b + beta · out` for an `a` of one row, or false (and nothing done) for other shapes and for a `b` that is
/// not row-major.
pub(super) fn multiply<E: Element>(
    a: ArrayView2<'_, E>,
    b: ArrayView2<'_, E>,
    beta: E,
    out: &mut ArrayViewMut2<'_, E>,
) -> bool {
    if a.nrows() != 1 || out.is_empty() {
        return false;
    }
    let (Some(b), Some(out)) = (b.to_slice(), out.as_slice_mut()) else { return false };
    let columns = out.len();
    if beta == E::zero() {
        out.fill(E::zero());
    } else if beta != E::one() {
        out.iter_mut().for_each(|o| *o *= beta);
    }
    vectorize(
        #[inline(always)]
        || {
            // Four rows of b at a time, so that the output is read and written a quarter as often.
            let mut factors = a.iter();
            for rows in b.chunks(4 * columns) {
                let mut next = || factors.next().copied().unwrap_or_else(E::zero);
                if rows.len() == 4 * columns {
                    let x = [next(), next(), next(), next()];
                    let (b0, rest) = rows.split_at(columns);
                    let (b1, rest) = rest.split_at(columns);
                    let (b2, b3) = rest.split_at(columns);
                    for ((((o, &b0), &b1), &b2), &b3) in out.iter_mut().zip(b0).zip(b1).zip(b2).zip(b3) {
                        *o += (x[0] * b0 + x[1] * b1) + (x[2] * b2 + x[3] * b3);
                    }
                } else {
                    for row in rows.chunks_exact(columns) {
                        let x = next();
                        out.iter_mut().zip(row).for_each(|(o, &b)| *o += x * b);
                    }
                }
            }
        },
    );
    true
}
