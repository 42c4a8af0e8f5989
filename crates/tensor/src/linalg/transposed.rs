//! The sum of products of a transposed matrix and another: the gradient of a weight, over the parts of a batch.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::Start;
use super::kernel::{DEPTH, InTiles, add_columns, in_tiles, load, store, zeros};
use super::panels::{PANEL, Panels};
use crate::memory::{Buffer, blank};
use crate::simd::dispatch;
use crate::{Element, Tensor};

/// The most parts that are gone through before the sums are stored.
const TOGETHER: usize = 16;

/// `out = start + Σ leftᵀ · right` over these parts and these rows of all of them, counted through, and of the result for
/// as many rows from `first` on as `out` has.
pub(super) fn multiply<E: Element>(
    parts: &[(&Tensor<E>, &Panels<E>)],
    terms: Range<usize>,
    first: usize,
    start: Start<'_, E>,
    out: &mut [E],
) {
    dispatch(Transposed { parts, terms, first, start, out });
}

struct Transposed<'a, E: Element> {
    parts: &'a [(&'a Tensor<E>, &'a Panels<E>)],
    terms: Range<usize>,
    first: usize,
    start: Start<'a, E>,
    out: &'a mut [E],
}

impl<E: Element> WithSimd for Transposed<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        in_tiles::<S, E, Self>(simd, self);
    }
}

impl<E: Element> InTiles for Transposed<'_, E> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const V: usize>(self, simd: S) {
        let Self { parts, terms, first, start, out } = self;
        let columns = parts[0].1.columns();
        for (index, out) in out.chunks_mut(R * columns).enumerate() {
            for block in terms.clone().step_by(DEPTH) {
                let start = if block == terms.start { start } else { Start::Out };
                let block = Block { parts, terms: block..terms.end.min(block + DEPTH), column: first + index * R };
                block.run::<S, R, V>(simd, start, out);
            }
        }
    }
}

/// A block of terms, for the rows of the result from `column` of the left matrices on.
struct Block<'a, E: Element> {
    parts: &'a [(&'a Tensor<E>, &'a Panels<E>)],
    terms: Range<usize>,
    column: usize,
}

impl<E: Element> Block<'_, E> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const V: usize>(&self, simd: S, start: Start<'_, E>, out: &mut [E]) {
        let columns = self.parts[0].1.columns();
        let mut own: [Option<Part<'_, E>>; TOGETHER] = [const { None }; TOGETHER];
        let (mut before, mut count) = (0, 0);
        // Of more parts than go together, the sums so far, which are not yet added to the rest.
        let mut sums: Option<Buffer<E>> = None;
        for (left, right) in self.parts {
            let (from, to) = (self.terms.start.max(before), self.terms.end.min(before + right.rows()));
            if from < to {
                if count == TOGETHER {
                    let resume = sums.is_some();
                    let sums = sums.get_or_insert_with(|| Buffer::new(blank(out.len())));
                    Tiles { parts: &own, column: self.column, resume, start: Start::Zero }
                        .run::<S, R, V>(simd, columns, sums);
                    (own, count) = ([const { None }; TOGETHER], 0);
                }
                let (rows, stride) = (from - before..to - before, left.row_len());
                let values = &left.as_slice()[rows.start * stride..rows.end * stride];
                own[count] = Some(Part { values, stride, right, rows });
                count += 1;
            }
            before += right.rows();
        }
        let tiles = Tiles { parts: &own, column: self.column, resume: sums.is_some(), start };
        match sums {
            None => tiles.run::<S, R, V>(simd, columns, out),
            Some(mut sums) => {
                Tiles { start: Start::Zero, ..tiles }.run::<S, R, V>(simd, columns, &mut sums);
                let sums = sums.iter();
                match start {
                    Start::Out => out.iter_mut().zip(sums).for_each(|(o, &s)| *o += s),
                    _ => out.iter_mut().zip(sums).for_each(|(o, &s)| *o = s),
                }
            }
        }
    }
}

/// The terms of one part: whole rows of the left matrix, and which rows of the right one.
struct Part<'a, E: Element> {
    values: &'a [E],
    stride: usize,
    right: &'a Panels<E>,
    rows: Range<usize>,
}

/// Tiles side by side.
struct Tiles<'a, E: Element> {
    parts: &'a [Option<Part<'a, E>>],
    /// The first column of the left matrix, which is the first row of the output.
    column: usize,
    /// Whether the sums go on with what is in the output, or begin at zero.
    resume: bool,
    /// What they are added to.
    start: Start<'a, E>,
}

impl<E: Element> Tiles<'_, E> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const V: usize>(mut self, simd: S, columns: usize, out: &mut [E]) {
        let mut out = out;
        while !out.is_empty() {
            let rows = match out.len() / columns {
                rows if rows >= R => R,
                rows if rows >= 4 => 4,
                rows if rows >= 2 => 2,
                _ => 1,
            };
            let (tile, rest) = out.split_at_mut(rows * columns);
            match rows {
                4 => tiles::<S, E, 4, V>(simd, &self, tile),
                2 => tiles::<S, E, 2, V>(simd, &self, tile),
                1 => tiles::<S, E, 1, V>(simd, &self, tile),
                _ => tiles::<S, E, R, V>(simd, &self, tile),
            }
            self.column += rows;
            out = rest;
        }
    }
}

/// A function of its own for each kind of tile: in a function of all of them the compiler runs out of registers.
#[inline(never)]
fn tiles<S: Simd, E: Element, const R: usize, const V: usize>(simd: S, tiles: &Tiles<'_, E>, out: &mut [E]) {
    simd.vectorize(Run::<'_, '_, E, R, V>(tiles, out));
}

struct Run<'a, 'b, E: Element, const R: usize, const V: usize>(&'a Tiles<'b, E>, &'a mut [E]);

impl<E: Element, const R: usize, const V: usize> WithSimd for Run<'_, '_, E, R, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self(&Tiles { parts, column: x, resume, start }, out) = self;
        let columns = out.len() / R;
        let lanes = E::lanes::<S>();
        for column in (0..columns).step_by(V * lanes) {
            let place = [0, column, columns];
            let mut sums = if resume { load::<S, E, R, V>(simd, out, place) } else { zeros::<S, E, R, V>(simd) };
            for part in parts {
                let Some(Part { values, stride, right, rows }) = part else { break };
                let panel = &right.panel(column / PANEL)[rows.clone()];
                sums = add_columns::<S, E, R, V>(simd, sums, values, [*stride, x], panel, column % PANEL / lanes);
            }
            store::<S, E, R, V>(simd, sums, start, out, place);
        }
    }
}
