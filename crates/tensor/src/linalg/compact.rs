//! Products with a matrix whose values are kept in 16 or 8 bits.
//!
//! One row is multiplied by the values as they are read; for many rows they are decoded once, and multiplied as all others
//! are. Either way an output is added up in the order of all products, so a row has the same bits by itself and among others.

use std::ops::Range;

use ndarray::ArrayView2;

use super::kernel::DEPTH;
use super::panels::{PANEL, Panels, Right, line_start};
use super::product::Left;
use super::{LONG, Start, linear_rows, multiply_left, sum_up};
use crate::simd::{fuses, vectorize};
use crate::{Element, Tensor, TensorError};

/// From this many rows on, the matrix is decoded before it is multiplied.
const MANY: usize = 16;
/// A row goes through so many panels at once: enough sums to hide the latency of an addition.
const PANELS: usize = 4;

/// How the values of [`CompactPanels`] are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compact {
    /// The upper 16 bits of an `f32` (bfloat16): a sign, 8 bits of exponent, 8 significant bits of which 7 are kept. A value is
    /// rounded to the nearest, of two that are equally near to the even one: a relative error of at most 2⁻⁸, in the range
    /// of `f32`.
    Bfloat16,
    /// Whole numbers q from -127 to 127 and one scale s for each column: a value is q · s, where s is the largest size of the
    /// column's values over 127 (at least the smallest normal number), and q the value over s, rounded to the nearest, of two
    /// that are equally near to the even one: an error of at most s / 2.
    Int8,
}

/// A matrix `[rows, columns]` as the right operand of [`linear`](Self::linear), with values in 16 or 8 bits: in panels of 16
/// columns as [`Panels`], which of a wide matrix take two and four times as much memory in `f32`.
///
/// ```
/// use mlp_tensor::{Compact, CompactPanels, tensor};
///
/// let weight = tensor![[127.0, 0.5], [-63.6, -1.0]];
/// let compact = CompactPanels::new(weight.view2(), Compact::Int8)?;
/// assert_eq!(compact.to_tensor().slice(1, 0..1), tensor![[127.0], [-64.0]]);
///
/// let mut out = [0.0; 2];
/// compact.linear(&[1.0, 2.0], &[0.0, 10.0], &mut out);
/// assert_eq!(out[0], 127.0 - 2.0 * 64.0);
/// # Ok::<(), mlp_tensor::TensorError>(())
/// ```
#[derive(Clone)]
pub struct CompactPanels<E: Element = f32> {
    values: Values<E>,
    rows: usize,
    columns: usize,
}

#[derive(Clone)]
enum Values<E> {
    /// Two panels in one, the first in the lower halves of the words: one array for each row. A lone last panel has zeros
    /// beside it.
    Bfloat16(Aligned<u32>),
    /// Four panels after the other four, and of each four the rows: in a row one panel after the other, so that a row of four is
    /// a cache line. Of the last there may be fewer.
    Int8 {
        values: Aligned<i8>,
        /// Of every column.
        scales: Vec<E>,
    },
}

impl<E: Element> CompactPanels<E> {
    /// `matrix`, rounded and laid out.
    ///
    /// # Errors
    /// [`TensorError::NotCompact`], if a value is not finite, or is rounded to a number beyond the largest one.
    pub fn new(matrix: ArrayView2<'_, E>, format: Compact) -> Result<Self, TensorError> {
        let (rows, columns) = matrix.dim();
        let refused =
            |row, column, value: E| TensorError::NotCompact { index: [row, column], value: value.as_f64(), format };
        let values = match format {
            Compact::Bfloat16 => {
                let mut words = Aligned::new(rows * columns.div_ceil(2 * PANEL) * PANEL);
                let lines = words.as_mut();
                for ((row, column), &value) in matrix.indexed_iter() {
                    let bits = bfloat16(value.as_f64()).ok_or_else(|| refused(row, column, value))?;
                    let (panel, place) = (column / PANEL, column % PANEL);
                    lines[(panel / 2 * rows + row) * PANEL + place] |= u32::from(bits) << (panel % 2 * 16);
                }
                Values::Bfloat16(words)
            }
            Compact::Int8 => {
                if let Some(((row, column), &value)) = matrix.indexed_iter().find(|(_, value)| !value.is_finite()) {
                    return Err(refused(row, column, value));
                }
                let scales: Vec<E> = matrix.columns().into_iter().map(|column| scale(column.iter().copied())).collect();
                let panels = columns.div_ceil(PANEL);
                let mut values = Aligned::new(rows * panels * PANEL);
                let fours = values.as_mut().chunks_mut((rows * PANELS * PANEL).max(1));
                for (first, lines) in (0..panels).step_by(PANELS).zip(fours) {
                    let width = PANELS.min(panels - first) * PANEL;
                    for (row, line) in matrix.rows().into_iter().zip(lines.chunks_exact_mut(width)) {
                        let row = row.into_iter().zip(&scales).skip(first * PANEL);
                        for ((&value, &scale), q) in row.zip(line) {
                            *q = (value / scale).round_to_even().to_i8().unwrap_or_default();
                        }
                    }
                }
                Values::Int8 { values, scales }
            }
        };
        Ok(Self { values, rows, columns })
    }

    /// The number of rows of the matrix.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns of the matrix.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How the values are kept.
    pub fn format(&self) -> Compact {
        match self.values {
            Values::Bfloat16(_) => Compact::Bfloat16,
            Values::Int8 { .. } => Compact::Int8,
        }
    }

    /// The rounded matrix, row by row.
    pub fn to_tensor(&self) -> Tensor<E> {
        let mut decoded = self.decode().to_tensor();
        if let Values::Int8 { scales, .. } = &self.values {
            for row in decoded.as_mut_slice().chunks_exact_mut(self.columns.max(1)) {
                row.iter_mut().zip(scales).for_each(|(q, &scale)| *q *= scale);
            }
        }
        decoded
    }

    /// X · W + b into `out`, for the rows of X one after the other. Values of 16 bits give the bits that
    /// [`linear`](crate::linear) gives with [`to_tensor`](Self::to_tensor); of values of 8 bits, it is (X · q) · s + b, so that
    /// the scales are multiplied once for every output.
    ///
    /// # Panics
    /// If `out` is not made of rows of W's columns, or X and b do not fit; the message names them.
    #[track_caller]
    pub fn linear(&self, x: &[E], bias: &[E], out: &mut [E]) {
        let &Self { rows: inputs, columns: outputs, .. } = self;
        let rows = linear_rows([inputs, outputs], x, bias, out);
        if out.is_empty() {
            return;
        }
        let start = match &self.values {
            Values::Bfloat16(_) => Start::Row(bias),
            Values::Int8 { .. } => Start::Zero,
        };
        if rows >= MANY || inputs == 0 || !fuses() {
            multiply_left(Left::Rows(x, inputs), Right::Panels(&self.decode()), start, out);
        } else {
            for (x, out) in x.chunks_exact(inputs).zip(out.chunks_exact_mut(outputs)) {
                sum_up(0..inputs, start, out, &|terms, start, out| self.multiply_row(x, terms, start, out));
            }
        }
        if let Values::Int8 { scales, .. } = &self.values {
            for out in out.chunks_exact_mut(outputs) {
                vectorize(
                    #[inline(always)]
                    move || {
                        for ((out, &scale), &bias) in out.iter_mut().zip(scales).zip(bias) {
                            *out = *out * scale + bias;
                        }
                    },
                );
            }
        }
    }

    /// The values, without scales.
    fn decode(&self) -> Panels<E> {
        Panels::from_fn(self.rows, self.columns, |panel, rows| match &self.values {
            Values::Bfloat16(words) => {
                let words = words.chunks::<PANEL>(panel / 2 * self.rows, self.rows);
                let upper = panel % 2 == 1;
                vectorize(
                    #[inline(always)]
                    move || {
                        for (row, words) in rows.iter_mut().zip(words) {
                            for c in 0..PANEL {
                                row[c] = if upper { upper_half(words[c]) } else { lower_half(words[c]) };
                            }
                        }
                    },
                );
            }
            Values::Int8 { values, .. } => {
                let (first, width) = self.four(panel);
                let lines = values.chunks::<PANEL>(first * self.rows, width * self.rows);
                let lines = lines[panel - first..].iter().step_by(width);
                vectorize(
                    #[inline(always)]
                    move || {
                        for (row, line) in rows.iter_mut().zip(lines) {
                            for c in 0..PANEL {
                                row[c] = whole(line[c]);
                            }
                        }
                    },
                );
            }
        })
    }

    /// The first of the four panels among which this one is, and their number.
    fn four(&self, panel: usize) -> (usize, usize) {
        let first = panel / PANELS * PANELS;
        (first, PANELS.min(self.columns.div_ceil(PANEL) - first))
    }

    /// `out = start + x · W` for these terms of one row, without scales.
    fn multiply_row(&self, x: &[E], terms: Range<usize>, start: Start<'_, E>, out: &mut [E]) {
        debug_assert!(terms.len() <= LONG);
        vectorize(
            #[inline(always)]
            move || {
                for first in (0..self.columns.div_ceil(PANEL)).step_by(PANELS) {
                    let (_, width) = self.four(first);
                    let mut start = start;
                    for block in terms.clone().step_by(DEPTH) {
                        let block = block..terms.end.min(block + DEPTH);
                        let x = &x[block.clone()];
                        let mut sums = [[E::zero(); PANEL]; PANELS];
                        match &self.values {
                            Values::Bfloat16(words) => {
                                let pair = |pair: usize| {
                                    words.chunks::<PANEL>((first / 2 + pair) * self.rows + block.start, x.len())
                                };
                                // There is room in registers for the sums of two panels of f64.
                                if width > 2 && E::BYTES < 8 {
                                    sums = add_halves(x, pair(0), pair(1));
                                } else {
                                    [sums[0], sums[1]] = add_halves_of_one(x, pair(0));
                                    if width > 2 {
                                        [sums[2], sums[3]] = add_halves_of_one(x, pair(1));
                                    }
                                }
                            }
                            Values::Int8 { values, .. } => {
                                let lines =
                                    values.chunks::<PANEL>(first * self.rows + width * block.start, width * x.len());
                                match width {
                                    4 if E::BYTES < 8 => sums = add_whole::<E, 4, 4>(x, lines, 0),
                                    4 => {
                                        [sums[0], sums[1]] = add_whole::<E, 4, 2>(x, lines, 0);
                                        [sums[2], sums[3]] = add_whole::<E, 4, 2>(x, lines, 2);
                                    }
                                    3 => [sums[0], sums[1], sums[2]] = add_whole::<E, 3, 3>(x, lines, 0),
                                    2 => [sums[0], sums[1]] = add_whole::<E, 2, 2>(x, lines, 0),
                                    _ => [sums[0]] = add_whole::<E, 1, 1>(x, lines, 0),
                                }
                            }
                        }
                        let place = first * PANEL;
                        let end = self.columns.min(place + PANELS * PANEL);
                        let (out, sums) = (&mut out[place..end], sums.as_flattened().iter());
                        match start {
                            Start::Zero => out.iter_mut().zip(sums).for_each(|(o, &s)| *o = s),
                            Start::Out => out.iter_mut().zip(sums).for_each(|(o, &s)| *o += s),
                            Start::Row(row) => {
                                let row = row[place..end].iter();
                                out.iter_mut().zip(row).zip(sums).for_each(|((o, &r), &s)| *o = r + s);
                            }
                        }
                        start = Start::Out;
                    }
                }
            },
        );
    }
}

impl<E: Element> std::fmt::Debug for CompactPanels<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} panels of [{}, {}]", self.format(), self.rows, self.columns)
    }
}

impl std::fmt::Display for Compact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bfloat16 => "bfloat16",
            Self::Int8 => "int8",
        })
    }
}

/// The sums of four panels, which lie in two.
#[inline(always)]
fn add_halves<E: Element>(x: &[E], first: &[[u32; PANEL]], second: &[[u32; PANEL]]) -> [[E; PANEL]; 4] {
    let [mut a, mut b, mut c, mut d] = [[E::zero(); PANEL]; 4];
    for ((&x, first), second) in x.iter().zip(first).zip(second) {
        for j in 0..PANEL {
            a[j] = x.mul_add(lower_half(first[j]), a[j]);
            b[j] = x.mul_add(upper_half(first[j]), b[j]);
        }
        for j in 0..PANEL {
            c[j] = x.mul_add(lower_half(second[j]), c[j]);
            d[j] = x.mul_add(upper_half(second[j]), d[j]);
        }
    }
    [a, b, c, d]
}

/// The sums of two panels, which lie in one.
#[inline(always)]
fn add_halves_of_one<E: Element>(x: &[E], words: &[[u32; PANEL]]) -> [[E; PANEL]; 2] {
    let [mut a, mut b] = [[E::zero(); PANEL]; 2];
    for (&x, words) in x.iter().zip(words) {
        for j in 0..PANEL {
            a[j] = x.mul_add(lower_half(words[j]), a[j]);
            b[j] = x.mul_add(upper_half(words[j]), b[j]);
        }
    }
    [a, b]
}

/// The sums of `P` panels from panel `first` on of the `W` of which `lines` holds the first row of each, then the second.
#[inline(always)]
fn add_whole<E: Element, const W: usize, const P: usize>(
    x: &[E],
    lines: &[[i8; PANEL]],
    first: usize,
) -> [[E; PANEL]; P] {
    let mut sums = [[E::zero(); PANEL]; P];
    for (&x, lines) in x.iter().zip(lines.as_chunks::<W>().0) {
        for p in 0..P {
            for j in 0..PANEL {
                sums[p][j] = x.mul_add(whole(lines[first + p][j]), sums[p][j]);
            }
        }
    }
    sums
}

/// The bfloat16 in the lower half.
#[inline(always)]
fn lower_half<E: Element>(word: u32) -> E {
    E::from_f64(f32::from_bits(word << 16).into())
}

/// The bfloat16 in the upper half.
#[inline(always)]
fn upper_half<E: Element>(word: u32) -> E {
    E::from_f64(f32::from_bits(word & 0xffff_0000).into())
}

#[inline(always)]
fn whole<E: Element>(q: i8) -> E {
    E::from_f64(q.into())
}

/// The bits of the nearest bfloat16, of the even one of two that are equally near. `None` if `value` is not a number, or is
/// rounded to infinity.
fn bfloat16(value: f64) -> Option<u16> {
    /// Half a step above the largest one, 2¹²⁷ · (2 - 2⁻⁷).
    const LIMIT: f64 = f64::from_bits(((127 + 1023) << 52) | (0xff << 44));
    let size = value.abs();
    if size.is_nan() || size >= LIMIT {
        return None;
    }
    // Below 2⁻¹²⁶ the steps become no finer.
    let exponent = ((size.to_bits() >> 52) as i32 - 1023).max(-126);
    let steps = (size * 2f64.powi(7 - exponent)).round_ties_even() as u16;
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    // The leading bit of `steps`, and what rounding carries, add to the exponent.
    Some(sign | ((((exponent + 126) as u16) << 7) + steps))
}

/// What one step of these values is, of which there are 127 on both sides of 0.
fn scale<E: Element>(values: impl Iterator<Item = E>) -> E {
    let largest = values.fold(E::zero(), |largest, value| largest.max(value.abs()));
    (largest / E::from_f64(127.0)).max(E::min_positive_value())
}

/// Numbers that begin a cache line: a row that lies in two takes twice as long to read.
#[derive(Debug)]
struct Aligned<T> {
    values: Vec<T>,
    len: usize,
}

impl<T: Copy + Default> Aligned<T> {
    /// So many zeros.
    fn new(len: usize) -> Self {
        Self { values: vec![T::default(); len + 64 / size_of::<T>()], len }
    }

    /// So many arrays of `N`, from array `first` on.
    #[inline(always)]
    fn chunks<const N: usize>(&self, first: usize, count: usize) -> &[[T; N]] {
        &self.values[line_start(&self.values)..][..self.len].as_chunks().0[first..][..count]
    }

    fn as_mut(&mut self) -> &mut [T] {
        let first = line_start(&self.values);
        &mut self.values[first..][..self.len]
    }
}

impl<T: Copy + Default> Clone for Aligned<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.len);
        copy.as_mut().copy_from_slice(&self.values[line_start(&self.values)..][..self.len]);
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use crate::simd::tests::with_each;

    fn check<E: Element>() {
        let rng = &mut Rng::new(4);
        let (weight, x) =
            (Tensor::<E>::normal([300, 75], 0.0, 1.0, rng), Tensor::<E>::normal([20, 300], 0.0, 1.0, rng));
        let bias = Tensor::<E>::normal([75], 0.0, 1.0, rng);
        for format in [Compact::Bfloat16, Compact::Int8] {
            let compact = CompactPanels::new(weight.view2(), format).unwrap();
            for rows in [1, 20] {
                let all = with_each(|| {
                    let mut out = vec![E::zero(); rows * 75];
                    compact.linear(&x.as_slice()[..rows * 300], bias.as_slice(), &mut out);
                    out
                });
                for (arch, out) in &all[1..] {
                    let same = *out == all[0].1 || !fuses() || rows > 1 && arch.contains("Scalar");
                    assert!(same, "{format}, {rows} rows: {arch} and {}", all[0].0);
                }
            }
        }
    }

    /// But where vectors round twice.
    #[test]
    fn vectors_of_every_width_give_the_same_bits() {
        check::<f32>();
        check::<f64>();
    }
}
