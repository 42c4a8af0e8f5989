//! One row times a matrix: every weight is read once, so the way to read them is all there is to it.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::Element;
use crate::memory::{Buffer, blank};
use crate::simd::vectorize;

/// The large kernel adds up this many products before it adds them to the output, each multiplied and added in one
/// rounding. The same here, so that a row by itself has the bits that it has among others.
const DEPTH: usize = 256;

/// `out = a · b + beta · out` for an `a` of one row, or false (and nothing done) for other shapes, for a `b` that is not
/// row-major, and where the processor does not multiply and add at once.
pub(super) fn multiply<E: Element>(
    a: ArrayView2<'_, E>,
    b: ArrayView2<'_, E>,
    beta: E,
    out: &mut ArrayViewMut2<'_, E>,
) -> bool {
    if a.nrows() != 1 || out.is_empty() || !fuses() {
        return false;
    }
    let (Some(b), Some(out)) = (b.to_slice(), out.as_slice_mut()) else { return false };
    let columns = out.len();
    if beta == E::zero() {
        out.fill(E::zero());
    } else if beta != E::one() {
        out.iter_mut().for_each(|o| *o *= beta);
    }
    let mut sums = Buffer::new(blank(columns));
    let mut factors = a.iter().copied();
    vectorize(
        #[inline(always)]
        move || {
            for block in b.chunks(DEPTH * columns) {
                sums.fill(E::zero());
                add_products(&mut factors, block, &mut sums);
                out.iter_mut().zip(sums.iter()).for_each(|(o, &sum)| *o += sum);
            }
        },
    );
    true
}

/// Adds the rows of `b`, each times its factor, to `sums`: four rows at a time, so that the sums are read and written a
/// quarter as often.
#[inline(always)]
fn add_products<E: Element>(factors: &mut impl Iterator<Item = E>, b: &[E], sums: &mut [E]) {
    let columns = sums.len();
    let mut next = || factors.next().unwrap_or_else(E::zero);
    let mut fours = b.chunks_exact(4 * columns);
    for rows in &mut fours {
        let [x0, x1, x2, x3] = [next(), next(), next(), next()];
        let (b0, rest) = rows.split_at(columns);
        let (b1, rest) = rest.split_at(columns);
        let (b2, b3) = rest.split_at(columns);
        for ((((s, &b0), &b1), &b2), &b3) in sums.iter_mut().zip(b0).zip(b1).zip(b2).zip(b3) {
            *s = x3.mul_add(b3, x2.mul_add(b2, x1.mul_add(b1, x0.mul_add(b0, *s))));
        }
    }
    for row in fours.remainder().chunks_exact(columns) {
        let x = next();
        sums.iter_mut().zip(row).for_each(|(s, &b)| *s = x.mul_add(b, *s));
    }
}

/// Whether the processor multiplies and adds in one instruction, in vectors, as the large kernel then does.
#[cfg(target_arch = "x86_64")]
fn fuses() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn fuses() -> bool {
    cfg!(target_arch = "aarch64")
}
