//! One row times a matrix: every weight is read once, so the way to read them is all there is to it.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::Start;
use super::kernel::{DEPTH, Sums, store, vectors, zeros};
use super::panels::{PANEL, Panels};
use crate::Element;
use crate::simd::{dispatch, vectorize};

/// The most rows of a small matrix.
const SMALL: usize = 64;
/// So many columns of a matrix that lies row by row are multiplied at once: their sums lie on the stack.
const STRIP: usize = 512;

/// `out = start + row · right`, where `row` holds these terms' values of the left operand.
pub(super) fn multiply_panels<E: Element>(
    row: &[E],
    right: &Panels<E>,
    terms: Range<usize>,
    start: Start<'_, E>,
    out: &mut [E],
) {
    dispatch(Row { row, right, terms, start, out });
}

struct Row<'a, E: Element> {
    row: &'a [E],
    right: &'a Panels<E>,
    terms: Range<usize>,
    start: Start<'a, E>,
    out: &'a mut [E],
}

impl<E: Element> WithSimd for Row<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // The vectors of a panel, and as many panels as hide the latency of an addition.
        match E::lanes::<S>() {
            16 => self.run::<S, 1, 8>(simd),
            8 => self.run::<S, 2, 4>(simd),
            4 => self.run::<S, 4, 2>(simd),
            2 => self.run::<S, 8, 1>(simd),
            _ => self.run::<S, 16, 1>(simd),
        }
    }
}

impl<E: Element> Row<'_, E> {
    #[inline(always)]
    fn run<S: Simd, const V: usize, const P: usize>(mut self, simd: S) {
        let panels = self.right.columns().div_ceil(PANEL);
        let mut panel = 0;
        while panels - panel >= P {
            self.panels::<S, V, P>(simd, panel);
            panel += P;
        }
        for panel in panel..panels {
            self.panels::<S, V, 1>(simd, panel);
        }
    }

    /// The output in `P` panels from `first` on.
    #[inline(always)]
    fn panels<S: Simd, const V: usize, const P: usize>(&mut self, simd: S, first: usize) {
        let columns = self.right.columns();
        let mut start = self.start;
        for block in self.terms.clone().step_by(DEPTH) {
            let block = block..self.terms.end.min(block + DEPTH);
            let row = &self.row[block.start - self.terms.start..][..block.len()];
            let mut panels: [&[[E; PANEL]]; P] = [&[]; P];
            for (index, panel) in panels.iter_mut().enumerate() {
                *panel = &self.right.panel(first + index)[block.clone()][..row.len()];
            }
            let mut sums: Sums<S, E, P, V> = zeros::<S, E, P, V>(simd);
            for (term, &x) in row.iter().enumerate() {
                let x = E::splat(simd, x);
                for p in 0..P {
                    let weights: [E::Vector<S>; V] = vectors::<S, E, V>(&panels[p][term], 0);
                    for v in 0..V {
                        sums[p][v] = E::multiply_add(simd, x, weights[v], sums[p][v]);
                    }
                }
            }
            for (index, sums) in sums.into_iter().enumerate() {
                let place = [0, (first + index) * PANEL, columns];
                store::<S, E, 1, V>(simd, [sums], start, self.out, place);
            }
            start = Start::Out;
        }
    }
}

/// Whether a row is multiplied by a matrix before the kernel for large ones has begun.
pub(super) fn is_small<E: Element>(right: &Panels<E>) -> bool {
    (1..=SMALL).contains(&right.rows()) && right.columns() <= PANEL
}

/// `out = start + row · right` for a small matrix.
#[inline]
pub(super) fn multiply_small<E: Element>(row: &[E], right: &Panels<E>, start: &[E], out: &mut [E]) {
    let panel = right.panel(0);
    vectorize(
        #[inline(always)]
        move || {
            let mut sums = [E::zero(); PANEL];
            for (&x, weights) in row.iter().zip(panel) {
                for c in 0..PANEL {
                    sums[c] = x.mul_add(weights[c], sums[c]);
                }
            }
            for ((out, &start), sum) in out.iter_mut().zip(start).zip(sums) {
                *out = start + sum;
            }
        },
    );
}

/// `out = start + row · right` for a matrix of which `right` holds the rows one after the other: they are multiplied as they
/// lie, some columns after the others.
pub(super) fn multiply_rows<E: Element>(row: &[E], right: &[E], start: Start<'_, E>, out: &mut [E]) {
    let columns = out.len();
    match start {
        // What is added to negative zero stays what it is, also a negative zero.
        Start::Zero => out.fill(E::neg_zero()),
        Start::Out => {}
        Start::Row(row) => out.copy_from_slice(row),
    }
    let mut sums = [E::zero(); STRIP];
    for (strip, out) in out.chunks_mut(STRIP).enumerate() {
        let (first, sums) = (strip * STRIP, &mut sums[..out.len()]);
        for (row, right) in row.chunks(DEPTH).zip(right.chunks(DEPTH * columns)) {
            let (out, sums) = (&mut *out, &mut *sums);
            vectorize(
                #[inline(always)]
                move || {
                    sums.fill(E::zero());
                    add_products(row, right, [first, columns], sums);
                    out.iter_mut().zip(sums.iter()).for_each(|(o, &sum)| *o += sum);
                },
            );
        }
    }
}

/// Adds the columns from `first` on of rows of `columns` values, each row times its factor, to `sums`: four rows at a time, so
/// that the sums are read and written a quarter as often.
#[inline(always)]
fn add_products<E: Element>(factors: &[E], right: &[E], [first, columns]: [usize; 2], sums: &mut [E]) {
    let width = sums.len();
    let (fours, rest) = factors.as_chunks::<4>();
    let (right_fours, right_rest) = right.split_at(4 * fours.len() * columns);
    for (&[x0, x1, x2, x3], rows) in fours.iter().zip(right_fours.chunks_exact(4 * columns)) {
        let b0 = &rows[first..][..width];
        let b1 = &rows[columns + first..][..width];
        let b2 = &rows[2 * columns + first..][..width];
        let b3 = &rows[3 * columns + first..][..width];
        for ((((s, &b0), &b1), &b2), &b3) in sums.iter_mut().zip(b0).zip(b1).zip(b2).zip(b3) {
            *s = x3.mul_add(b3, x2.mul_add(b2, x1.mul_add(b1, x0.mul_add(b0, *s))));
        }
    }
    for (&x, row) in rest.iter().zip(right_rest.chunks_exact(columns)) {
        sums.iter_mut().zip(&row[first..][..width]).for_each(|(s, &b)| *s = x.mul_add(b, *s));
    }
}
