//! The kernel of all products: a few rows times one panel, with the sums in registers.
//!
//! Every value of a product is a sum of terms in blocks of [`DEPTH`]: within a block one term after the other is multiplied
//! and added in one rounding, and the blocks' sums are added to what the value starts from, in their order (sums of more than
//! 16 blocks are cut in halves before). No value depends on how many others are computed with it, so a row has the same bits
//! by itself and among others, in any layout of the operands, and with vectors of any width. Where the processor has no
//! instruction that multiplies and adds in one rounding there are two, and other bits.

use pulp::Simd;

use super::Start;
use super::panels::PANEL;
use crate::Element;
use crate::simd::Vectors;

/// The number of terms that are added up before they are added to the rest: a panel of so many rows stays in the first
/// cache.
pub(super) const DEPTH: usize = 256;

/// The sums of `R` rows in the `V` vectors of a panel.
pub(super) type Sums<S, E, const R: usize, const V: usize> = [[<E as Vectors>::Vector<S>; V]; R];

/// A product that goes through its output in tiles.
pub(super) trait InTiles {
    /// In tiles of `R` rows and `V` vectors.
    fn run<S: Simd, const R: usize, const V: usize>(self, simd: S);
}

/// Runs `product` in tiles of as many rows, and vectors of a panel, as have room for their sums in registers.
#[inline(always)]
pub(super) fn in_tiles<S: Simd, E: Element, T: InTiles>(simd: S, product: T) {
    match (E::lanes::<S>(), S::REGISTER_COUNT) {
        (16, _) => product.run::<S, 12, 1>(simd),
        (8, 32) => product.run::<S, 12, 2>(simd),
        (2 | 4, 32) => product.run::<S, 6, 4>(simd),
        _ => product.run::<S, 6, 2>(simd),
    }
}

/// No sums yet.
#[inline(always)]
pub(super) fn zeros<S: Simd, E: Element, const R: usize, const V: usize>(simd: S) -> Sums<S, E, R, V> {
    [[E::splat(simd, E::zero()); V]; R]
}

/// Adds rows times the vectors of the panel from `part` on. `values` holds the first row, `stride` apart from the next ones.
#[inline(always)]
pub(super) fn add_rows<S: Simd, E: Element, const R: usize, const V: usize>(
    simd: S,
    mut sums: Sums<S, E, R, V>,
    values: &[E],
    stride: usize,
    panel: &[[E; PANEL]],
    part: usize,
) -> Sums<S, E, R, V> {
    let terms = panel.len();
    let mut rows: [&[E]; R] = [&[]; R];
    for r in 0..R {
        rows[r] = &values[r * stride..][..terms];
    }
    for p in 0..terms {
        let weights: [E::Vector<S>; V] = vectors::<S, E, V>(&panel[p], part);
        for r in 0..R {
            let x = E::splat(simd, rows[r][p]);
            for v in 0..V {
                sums[r][v] = E::multiply_add(simd, x, weights[v], sums[r][v]);
            }
        }
    }
    sums
}

/// Adds columns times the panel. `values` holds whole rows of `stride` values, one for each term, in which the columns begin
/// at `column`.
#[inline(always)]
pub(super) fn add_columns<S: Simd, E: Element, const R: usize, const V: usize>(
    simd: S,
    mut sums: Sums<S, E, R, V>,
    values: &[E],
    [stride, column]: [usize; 2],
    panel: &[[E; PANEL]],
    part: usize,
) -> Sums<S, E, R, V> {
    let mut at = column;
    for weights in panel {
        let values = &values[at..at + R];
        at += stride;
        let weights: [E::Vector<S>; V] = vectors::<S, E, V>(weights, part);
        for r in 0..R {
            let x = E::splat(simd, values[r]);
            for v in 0..V {
                sums[r][v] = E::multiply_add(simd, x, weights[v], sums[r][v]);
            }
        }
    }
    sums
}

/// The vectors of one part of a row of a panel.
#[inline(always)]
pub(super) fn vectors<S: Simd, E: Element, const V: usize>(row: &[E; PANEL], part: usize) -> [E::Vector<S>; V] {
    let vectors = E::vectors::<S>(row);
    std::array::from_fn(
        #[inline(always)]
        |v| vectors[part + v],
    )
}

/// The sums that [`store`] stored.
#[inline(always)]
pub(super) fn load<S: Simd, E: Element, const R: usize, const V: usize>(
    simd: S,
    out: &[E],
    [row, column, columns]: [usize; 3],
) -> Sums<S, E, R, V> {
    let mut sums = zeros::<S, E, R, V>(simd);
    let (width, out) = (V * E::lanes::<S>(), &out[row * columns + column..]);
    if columns - column < width {
        let mut values = [[E::zero(); PANEL]; R];
        load_edge(&mut values, out, [column, columns]);
        for r in 0..R {
            sums[r].copy_from_slice(&E::vectors::<S>(&values[r])[..V]);
        }
        return sums;
    }
    for r in 0..R {
        sums[r].copy_from_slice(E::vectors::<S>(&out[r * columns..][..width]));
    }
    sums
}

/// The same where the output ends within the tile.
#[inline(never)]
fn load_edge<E: Element>(sums: &mut [[E; PANEL]], out: &[E], [column, columns]: [usize; 2]) {
    for (sums, out) in sums.iter_mut().zip(out.chunks(columns)) {
        sums[..columns - column].copy_from_slice(&out[..columns - column]);
    }
}

/// Adds the sums to what the output starts from, at `place`, row and column of an output with rows of `columns` values.
#[inline(always)]
pub(super) fn store<S: Simd, E: Element, const R: usize, const V: usize>(
    simd: S,
    sums: Sums<S, E, R, V>,
    start: Start<'_, E>,
    out: &mut [E],
    [row, column, columns]: [usize; 3],
) {
    let step = V * E::lanes::<S>();
    let out = &mut out[row * columns + column..];
    if columns - column < step {
        let mut values = [[E::zero(); PANEL]; R];
        for r in 0..R {
            E::vectors_mut::<S>(&mut values[r])[..V].copy_from_slice(&sums[r]);
        }
        return store_edge(&values, start, out, [column, columns]);
    }
    match start {
        Start::Zero => {
            for r in 0..R {
                E::vectors_mut::<S>(&mut out[r * columns..][..step]).copy_from_slice(&sums[r]);
            }
        }
        Start::Out => {
            for r in 0..R {
                let out = E::vectors_mut::<S>(&mut out[r * columns..][..step]);
                for v in 0..V {
                    out[v] = E::plus(simd, out[v], sums[r][v]);
                }
            }
        }
        Start::Row(row) => {
            let row = E::vectors::<S>(&row[column..][..step]);
            for r in 0..R {
                let out = E::vectors_mut::<S>(&mut out[r * columns..][..step]);
                for v in 0..V {
                    out[v] = E::plus(simd, row[v], sums[r][v]);
                }
            }
        }
    }
}

/// The same where the output ends within the tile.
#[inline(never)]
fn store_edge<E: Element>(sums: &[[E; PANEL]], start: Start<'_, E>, out: &mut [E], [column, columns]: [usize; 2]) {
    for (sums, out) in sums.iter().zip(out.chunks_mut(columns)) {
        let out = &mut out[..columns - column];
        match start {
            Start::Zero => out.copy_from_slice(&sums[..out.len()]),
            Start::Out => out.iter_mut().zip(sums).for_each(|(o, &s)| *o += s),
            Start::Row(row) => out.iter_mut().zip(&row[column..]).zip(sums).for_each(|((o, &r), &s)| *o = r + s),
        }
    }
}
