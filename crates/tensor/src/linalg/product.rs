//! Rows times a matrix: the product of a forward pass, and of the gradient that goes back to the input.

use std::ops::Range;

use ndarray::ArrayView2;
use pulp::{Simd, WithSimd};

use super::kernel::{DEPTH, InTiles, add_columns, add_rows, in_tiles, load, store, zeros};
use super::panels::{Lines, PANEL, Panels, Right, lay_out};
use super::row;
use super::{FEW_ROWS, Start};
use crate::Element;
use crate::memory::{Buffer, blank};
use crate::simd::{dispatch, fuses};

/// The number of values of the left operand that are gone through with all panels before the next ones are: they stay in
/// the second cache.
const CHUNK: usize = 1 << 16;
/// The number of values of the right operand that are laid out at once, for the same reason.
const LAID_OUT: usize = 1 << 15;
/// So many rows of panels are laid out on the stack.
const ON_STACK: usize = 32;

/// A left operand of which the rows or the columns lie in one piece.
#[derive(Clone, Copy, Debug)]
pub enum Left<'a, E> {
    /// The values from the first row on, and how far apart rows are.
    Rows(&'a [E], usize),
    /// The values from the first column on, and how far apart columns are.
    Columns(&'a [E], usize),
}

/// `out = start + left · right` for these terms of the sums, and for `out` of whole rows one after the other.
pub(super) fn multiply<E: Element>(
    left: Left<'_, E>,
    right: Right<'_, E>,
    terms: Range<usize>,
    start: Start<'_, E>,
    out: &mut [E],
) {
    match (right, left) {
        (Right::Panels(panels), Left::Rows(values, stride)) if out.len() <= FEW_ROWS * panels.columns() => {
            for (index, out) in out.chunks_exact_mut(panels.columns()).enumerate() {
                let row = &values[index * stride..][terms.clone()];
                row::multiply_panels(row, panels, terms.clone(), start, out);
            }
        }
        (Right::Panels(panels), _) => multiply_panels(left, panels, terms, start, out),
        (Right::View(view), Left::Rows(row, _))
            if out.len() == view.ncols() && view.is_standard_layout() && fuses() =>
        {
            let right = view.to_slice().unwrap_or_default();
            row::multiply_rows(&row[terms.clone()], &right[terms.start * out.len()..terms.end * out.len()], start, out);
        }
        (Right::View(view), _) => multiply_view(left, view, terms, start, out),
    }
}

/// Some rows after the others, and for these one panel after the other.
fn multiply_panels<E: Element>(
    left: Left<'_, E>,
    right: &Panels<E>,
    terms: Range<usize>,
    start: Start<'_, E>,
    out: &mut [E],
) {
    let columns = right.columns();
    let chunk = (CHUNK / terms.len()).max(1).next_multiple_of(12);
    for (index, out) in out.chunks_mut(chunk * columns).enumerate() {
        for column in (0..columns).step_by(PANEL) {
            for block in terms.clone().step_by(DEPTH) {
                let block = block..terms.end.min(block + DEPTH);
                let start = if block.start == terms.start { start } else { Start::Out };
                let laid_out = &right.panel(column / PANEL)[block.clone()];
                let pass = Pass { left, row: index * chunk, terms: block, laid_out, column, columns };
                pass.run(false, Some(start), out, None);
            }
        }
    }
}

/// Some terms after the others, which are laid out for all columns: that reads the matrix in the order in which it lies.
fn multiply_view<E: Element>(
    left: Left<'_, E>,
    right: ArrayView2<'_, E>,
    terms: Range<usize>,
    start: Start<'_, E>,
    out: &mut [E],
) {
    let columns = right.ncols();
    let panels = columns.div_ceil(PANEL);
    let at_once = (LAID_OUT / (panels * PANEL)).clamp(16, DEPTH) / 16 * 16;
    let (mut small, mut large);
    let lines = if terms.len() * panels <= ON_STACK {
        small = [[E::zero(); PANEL]; ON_STACK];
        &mut small[..]
    } else {
        large = Lines::new(at_once.min(terms.len()) * panels);
        large.as_mut()
    };
    let mut sums: Option<Buffer<E>> = None;
    for block in terms.clone().step_by(DEPTH) {
        let block = block..terms.end.min(block + DEPTH);
        let start = if block.start == terms.start { start } else { Start::Out };
        for first in block.clone().step_by(at_once) {
            let piece = first..block.end.min(first + at_once);
            let laid_out = &mut lines[..piece.len() * panels];
            lay_out(right, piece.clone(), laid_out);
            let (resume, last) = (first > block.start, piece.end == block.end);
            // Sums that are not yet complete lie in the output, unless that holds what they are added to.
            let apart = matches!(start, Start::Out) && (resume || !last);
            let sums =
                if apart { Some(&mut sums.get_or_insert_with(|| Buffer::new(blank(out.len())))[..]) } else { None };
            let pass = Pass { left, row: 0, terms: piece, laid_out, column: 0, columns };
            pass.run(resume, last.then_some(start), out, sums);
        }
    }
}

/// All rows of an output times some terms' rows of some panels.
struct Pass<'a, E> {
    left: Left<'a, E>,
    /// The first row of the left operand.
    row: usize,
    terms: Range<usize>,
    /// The terms' rows of the panels, one panel after the other.
    laid_out: &'a [[E; PANEL]],
    /// The first column of the first panel.
    column: usize,
    /// The number of columns of the output.
    columns: usize,
}

impl<E: Element> Pass<'_, E> {
    /// The sums begin at zero, or where an earlier pass left them (`resume`). They are left for the next, or where they are
    /// complete, added to `start`; in the meantime they lie in `sums`, or where there are none, in `out`.
    fn run(&self, resume: bool, start: Option<Start<'_, E>>, out: &mut [E], sums: Option<&mut [E]>) {
        dispatch(Run { pass: self, resume, start, out, sums });
    }
}

struct Run<'a, E: Element> {
    pass: &'a Pass<'a, E>,
    resume: bool,
    start: Option<Start<'a, E>>,
    out: &'a mut [E],
    sums: Option<&'a mut [E]>,
}

impl<E: Element> WithSimd for Run<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        in_tiles::<S, E, Self>(simd, self);
    }
}

impl<E: Element> InTiles for Run<'_, E> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const V: usize>(mut self, simd: S) {
        let Pass { ref terms, laid_out, column, columns, .. } = *self.pass;
        let rows = self.out.len() / columns;
        for (index, panel) in laid_out.chunks_exact(terms.len()).enumerate() {
            let column = column + index * PANEL;
            let width = PANEL.min(columns - column);
            for part in (0..width.div_ceil(E::lanes::<S>())).step_by(V) {
                let place = [column + part * E::lanes::<S>(), part];
                let row = self.tiles::<S, R, V>(simd, panel, place, 0..rows);
                let row = self.tiles::<S, 4, V>(simd, panel, place, row..rows);
                let row = self.tiles::<S, 2, V>(simd, panel, place, row..rows);
                self.tiles::<S, 1, V>(simd, panel, place, row..rows);
            }
        }
    }
}

impl<E: Element> Run<'_, E> {
    /// As many tiles of `R` rows as there are in `rows`; returns the row after them.
    #[inline(always)]
    fn tiles<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        panel: &[[E; PANEL]],
        place: [usize; 2],
        rows: Range<usize>,
    ) -> usize {
        let end = rows.end - rows.len() % R;
        if rows.start < end {
            tiles::<S, E, R, V>(simd, self, panel, place, rows.start..end);
        }
        end
    }
}

/// Tiles below one another. A function of its own for each kind of them: in a function of all the compiler runs out of
/// registers.
#[inline(never)]
fn tiles<S: Simd, E: Element, const R: usize, const V: usize>(
    simd: S,
    run: &mut Run<'_, E>,
    panel: &[[E; PANEL]],
    place: [usize; 2],
    rows: Range<usize>,
) {
    simd.vectorize(Tiles::<'_, '_, E, R, V> { run, panel, place, rows });
}

struct Tiles<'a, 'b, E: Element, const R: usize, const V: usize> {
    run: &'a mut Run<'b, E>,
    panel: &'a [[E; PANEL]],
    /// The first column of the output, and which vector of the panel that is.
    place: [usize; 2],
    rows: Range<usize>,
}

impl<E: Element, const R: usize, const V: usize> WithSimd for Tiles<'_, '_, E, R, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { run, panel, place: [column, part], rows } = self;
        let Pass { left, row: before, ref terms, columns, .. } = *run.pass;
        for row in rows.step_by(R) {
            let place = [row, column, columns];
            let mut sums = zeros::<S, E, R, V>(simd);
            if run.resume {
                sums = load::<S, E, R, V>(simd, run.sums.as_deref().unwrap_or(run.out), place);
            }
            let row = before + row;
            sums = match left {
                Left::Rows(values, stride) => {
                    add_rows::<S, E, R, V>(simd, sums, &values[row * stride + terms.start..], stride, panel, part)
                }
                Left::Columns(values, stride) => {
                    add_columns::<S, E, R, V>(simd, sums, &values[terms.start * stride..], [stride, row], panel, part)
                }
            };
            match run.start {
                Some(start) => store::<S, E, R, V>(simd, sums, start, run.out, place),
                None => {
                    let out = run.sums.as_deref_mut().unwrap_or(run.out);
                    store::<S, E, R, V>(simd, sums, Start::Zero, out, place);
                }
            }
        }
    }
}
