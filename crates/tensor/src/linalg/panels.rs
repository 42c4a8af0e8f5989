//! A matrix laid out in the order in which a product reads it.

use std::fmt;
use std::ops::Range;

use ndarray::{ArrayView2, Axis};

use crate::memory::{Buffer, blank};
use crate::{Element, Tensor};

/// The columns of one panel: a cache line of `f32`.
pub(super) const PANEL: usize = 16;

/// A matrix `[rows, columns]` as the right operand of products, laid out in the order in which they read it: panels of 16
/// columns one after the other, and of each the rows.
///
/// A product lays its right operand out by itself; what is multiplied by many times is better laid out once. The bits are the
/// same.
///
/// ```
/// use mlp_tensor::{Panels, Tensor, gemm};
///
/// let (a, b) = (Tensor::from([[1.0_f32, 2.0]]), Tensor::from([[3.0], [4.0]]));
/// let mut out = Tensor::zeros([1, 1]);
/// gemm(a.view2(), &Panels::new(b.view2()), 0.0, out.view2_mut());
/// assert_eq!(out, a.matmul(&b));
/// ```
pub struct Panels<E: Element = f32> {
    rows: Lines<E>,
    height: usize,
    columns: usize,
}

impl<E: Element> Panels<E> {
    /// `matrix`, laid out.
    pub fn new(matrix: ArrayView2<'_, E>) -> Self {
        let (height, columns) = matrix.dim();
        let mut rows = Lines::new(height * columns.div_ceil(PANEL));
        lay_out(matrix, 0..height, rows.as_mut());
        Self { rows, height, columns }
    }

    /// A matrix of this size of which `fill` writes one panel after the other: the panel's number, and the rows of its 16
    /// columns, with old values in them.
    pub fn from_fn(rows: usize, columns: usize, mut fill: impl FnMut(usize, &mut [[E; 16]])) -> Self {
        let mut lines = Lines::new(rows * columns.div_ceil(PANEL));
        let panels = lines.as_mut().chunks_exact_mut(rows.max(1));
        panels.enumerate().for_each(|(panel, rows)| fill(panel, rows));
        Self { rows: lines, height: rows, columns }
    }

    /// The transpose of the matrix of which `values` holds the rows, each of `height` values, one after the other.
    pub(super) fn transposed(values: &[E], height: usize) -> Self {
        let columns = values.len() / height;
        let mut rows = Lines::new(height * columns.div_ceil(PANEL));
        for (columns, out) in values.chunks(PANEL * height).zip(rows.as_mut().chunks_exact_mut(height)) {
            interleave(columns, height, 0..height, out);
        }
        Self { rows, height, columns }
    }

    /// The number of rows of the matrix.
    pub fn rows(&self) -> usize {
        self.height
    }

    /// The number of columns of the matrix.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The rows of one panel. In the last panel, what is beyond the last column is 0.
    #[inline]
    pub(super) fn panel(&self, panel: usize) -> &[[E; PANEL]] {
        &self.rows.as_ref()[panel * self.height..][..self.height]
    }

    /// The matrix, row by row.
    pub fn to_tensor(&self) -> Tensor<E> {
        let mut values = blank(self.height * self.columns);
        for (row, out) in values.chunks_exact_mut(self.columns.max(1)).enumerate() {
            for (panel, out) in out.chunks_mut(PANEL).enumerate() {
                out.copy_from_slice(&self.panel(panel)[row][..out.len()]);
            }
        }
        Tensor::from_vec(values, [self.height, self.columns])
    }
}

impl<E: Element> Clone for Panels<E> {
    fn clone(&self) -> Self {
        let mut rows = Lines::new(self.rows.count);
        rows.as_mut().copy_from_slice(self.rows.as_ref());
        Self { rows, ..*self }
    }
}

impl<E: Element> fmt::Debug for Panels<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Panels of [{}, {}]", self.height, self.columns)
    }
}

/// The right operand of a product: a matrix as it lies in memory, or laid out before.
#[derive(Clone, Copy, Debug)]
pub enum Right<'a, E: Element = f32> {
    /// A view in any layout.
    View(ArrayView2<'a, E>),
    /// A matrix that was laid out.
    Panels(&'a Panels<E>),
}

impl<'a, E: Element> From<ArrayView2<'a, E>> for Right<'a, E> {
    fn from(view: ArrayView2<'a, E>) -> Self {
        Self::View(view)
    }
}

impl<'a, E: Element> From<&'a Panels<E>> for Right<'a, E> {
    fn from(panels: &'a Panels<E>) -> Self {
        Self::Panels(panels)
    }
}

impl<E: Element> Right<'_, E> {
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::View(view) => view.nrows(),
            Self::Panels(panels) => panels.height,
        }
    }

    pub(super) fn columns(&self) -> usize {
        match self {
            Self::View(view) => view.ncols(),
            Self::Panels(panels) => panels.columns,
        }
    }
}

/// Rows of panels, each of which begins a cache line: one that lies in two takes twice as long to read.
pub(super) struct Lines<E: Element> {
    values: Buffer<E>,
    count: usize,
}

impl<E: Element> Lines<E> {
    /// So many rows, with old values.
    pub(super) fn new(count: usize) -> Self {
        Self { values: Buffer::new(blank((count + 1) * PANEL)), count }
    }

    #[inline]
    pub(super) fn as_ref(&self) -> &[[E; PANEL]] {
        &self.values[line_start(&self.values)..].as_chunks().0[..self.count]
    }

    pub(super) fn as_mut(&mut self) -> &mut [[E; PANEL]] {
        let first = line_start(&self.values);
        &mut self.values[first..].as_chunks_mut().0[..self.count]
    }
}

/// The place of the first value that begins a cache line, in a list that goes on for at least a line.
#[inline]
pub(super) fn line_start<T>(values: &[T]) -> usize {
    values.as_ptr().align_offset(64).min(64 / size_of::<T>())
}

/// Lays out some rows of a matrix: `out` has those of one panel after those of the other.
pub(super) fn lay_out<E: Element>(matrix: ArrayView2<'_, E>, rows: Range<usize>, out: &mut [[E; PANEL]]) {
    let (height, width) = matrix.dim();
    if out.is_empty() {
        return;
    }
    if let Some(values) = matrix.to_slice() {
        // Row by row, as it lies in memory.
        for (row, values) in values[rows.start * width..rows.end * width].chunks_exact(width).enumerate() {
            let (whole, rest) = values.as_chunks();
            for (panel, values) in whole.iter().enumerate() {
                out[panel * rows.len() + row] = *values;
            }
            if !rest.is_empty() {
                let last = &mut out[whole.len() * rows.len() + row];
                *last = [E::zero(); PANEL];
                last[..rest.len()].copy_from_slice(rest);
            }
        }
    } else if let Some(values) = matrix.reversed_axes().to_slice() {
        for (columns, out) in values.chunks(PANEL * height).zip(out.chunks_exact_mut(rows.len())) {
            interleave(columns, height, rows.clone(), out);
        }
    } else {
        for (panel, out) in out.chunks_exact_mut(rows.len()).enumerate() {
            for (row, out) in rows.clone().zip(out) {
                let row = matrix.index_axis(Axis(0), row);
                *out = std::array::from_fn(|c| row.get(panel * PANEL + c).copied().unwrap_or_else(E::zero));
            }
        }
    }
}

/// Puts some rows of up to 16 columns, of which `columns` holds one after the other, side by side.
fn interleave<E: Element>(columns: &[E], height: usize, rows: Range<usize>, out: &mut [[E; PANEL]]) {
    if columns.len() == PANEL * height {
        let mut lines: [&[E]; PANEL] = [&[]; PANEL];
        for (line, column) in lines.iter_mut().zip(columns.chunks_exact(height)) {
            *line = &column[rows.clone()][..out.len()];
        }
        for (row, out) in out.iter_mut().enumerate() {
            for c in 0..PANEL {
                out[c] = lines[c][row];
            }
        }
    } else {
        out.fill([E::zero(); PANEL]);
        for (c, column) in columns.chunks_exact(height).enumerate() {
            out.iter_mut().zip(&column[rows.clone()]).for_each(|(out, &value)| out[c] = value);
        }
    }
}

/// Writes the transpose of a matrix with rows of `columns` values to `out`.
pub(super) fn transpose<E: Element>(values: &[E], columns: usize, out: &mut [E]) {
    let rows = out.len() / columns;
    for (first, values) in (0..rows).step_by(PANEL).zip(values.chunks(PANEL * columns)) {
        let width = PANEL.min(rows - first);
        let mut lines: [&[E]; PANEL] = [&[]; PANEL];
        lines.iter_mut().zip(values.chunks_exact(columns)).for_each(|(line, values)| *line = values);
        for (column, out) in out.chunks_exact_mut(rows).enumerate() {
            let out = &mut out[first..first + width];
            if let Some(out) = out.first_chunk_mut::<PANEL>() {
                for line in 0..PANEL {
                    out[line] = lines[line][column];
                }
            } else {
                out.iter_mut().zip(lines).for_each(|(o, line)| *o = line[column]);
            }
        }
    }
}
