//! Products so small that preparing them for a large kernel would take longer than the product itself.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::Element;
use crate::simd::vectorize;

/// Beyond this many values in b the large kernel is quicker. The rows of a do not count: a row of the product must not
/// depend on how many others there are.
const LARGEST: usize = 320;
/// The columns of b that are worked on at once, and the most rows that it may have.
const WIDTH: usize = 16;
const DEPTH: usize = 32;

/// `out = a · b + beta · out`, or false (and nothing done) where b is too large or has gaps in memory. That depends on b
/// alone: gaps in a and in the output are copied away.
pub(super) fn multiply<E: Element>(
    a: ArrayView2<'_, E>,
    b: ArrayView2<'_, E>,
    beta: E,
    out: &mut ArrayViewMut2<'_, E>,
) -> bool {
    let (depth, columns) = b.dim();
    if depth > DEPTH || b.len() > LARGEST || out.is_empty() {
        return false;
    }
    let Some(b) = Strided::of(b) else { return false };
    let without_gaps: Vec<E>;
    let a = match Strided::of(a) {
        Some(a) => a,
        None => {
            without_gaps = a.iter().copied().collect();
            Strided { values: &without_gaps, row: depth, column: 1 }
        }
    };
    if let Some(out) = out.as_slice_mut() {
        product(&a, &b, [depth, columns], beta, out);
    } else {
        let mut without_gaps: Vec<E> = out.iter().copied().collect();
        product(&a, &b, [depth, columns], beta, &mut without_gaps);
        out.iter_mut().zip(without_gaps).for_each(|(o, v)| *o = v);
    }
    true
}

fn product<E: Element>(a: &Strided<'_, E>, b: &Strided<'_, E>, [depth, columns]: [usize; 2], beta: E, out: &mut [E]) {
    vectorize(
        #[inline(always)]
        || {
            if out.len() == columns && b.column == 1 && beta == E::zero() {
                return single_row(a, b.values, out);
            }
            for first in (0..columns).step_by(WIDTH) {
                match columns - first {
                    1..=4 => panel::<E, 4>(a, b, [first, depth, columns], beta, out),
                    5..=8 => panel::<E, 8>(a, b, [first, depth, columns], beta, out),
                    _ => panel::<E, WIDTH>(a, b, [first, depth, columns], beta, out),
                }
            }
        },
    );
}

/// One row times a row-major b, added up in the order of [`panel`], but without copying b.
#[inline(always)]
fn single_row<E: Element>(a: &Strided<'_, E>, b: &[E], out: &mut [E]) {
    out.fill(E::zero());
    for (p, row) in b.chunks_exact(out.len()).enumerate() {
        let x = a.values[p * a.column];
        out.iter_mut().zip(row).for_each(|(o, &v)| *o += x * v);
    }
}

/// A matrix in row-major or column-major order: its numbers, and how far apart rows and columns are.
struct Strided<'a, E> {
    values: &'a [E],
    row: usize,
    column: usize,
}

impl<'a, E: Element> Strided<'a, E> {
    fn of(view: ArrayView2<'a, E>) -> Option<Self> {
        let (rows, columns) = view.dim();
        if let Some(values) = view.to_slice() {
            return Some(Self { values, row: columns, column: 1 });
        }
        view.reversed_axes().to_slice().map(|values| Self { values, row: 1, column: rows })
    }
}

/// Up to `W` columns of the product, from `first` on. The columns of b are copied side by side once, filled up with
/// zeros, so that every row of the product is the same short run of vector operations.
#[inline(always)]
fn panel<E: Element, const W: usize>(
    a: &Strided<'_, E>,
    b: &Strided<'_, E>,
    [first, depth, columns]: [usize; 3],
    beta: E,
    out: &mut [E],
) {
    let width = W.min(columns - first);
    let mut side_by_side = [[E::zero(); W]; DEPTH];
    let side_by_side = &mut side_by_side[..depth];
    for (p, row) in side_by_side.iter_mut().enumerate() {
        for (j, value) in row[..width].iter_mut().enumerate() {
            *value = b.values[p * b.row + (first + j) * b.column];
        }
    }
    for (i, out) in out.chunks_exact_mut(columns).enumerate() {
        let mut sum = [E::zero(); W];
        for (p, row) in side_by_side.iter().enumerate() {
            let x = a.values[i * a.row + p * a.column];
            sum.iter_mut().zip(row).for_each(|(s, &v)| *s += x * v);
        }
        let out = out[first..first + width].iter_mut().zip(sum);
        if beta == E::zero() {
            out.for_each(|(o, s)| *o = s);
        } else {
            out.for_each(|(o, s)| *o = beta * *o + s);
        }
    }
}
