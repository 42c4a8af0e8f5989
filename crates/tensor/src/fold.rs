//! Many values joined to one, as for sums and extremes, quickly and with few errors of rounding.

use std::collections::BTreeMap;

use crate::Element;
use crate::memory::{Buffer, blank, room};
use crate::simd::vectorize;

/// `[outer, length, inner]` folded to `[outer, inner]`, in an order that depends on these three alone.
pub(crate) fn fold<E: Element>(
    source: &[E],
    [outer, length, inner]: [usize; 3],
    start: E,
    join: impl Fn(E, E) -> E + Copy,
) -> Vec<E> {
    let mut data = room(outer * inner);
    if length * inner == 0 {
        data.resize(outer * inner, start);
    } else if inner == 1 {
        let lanes = source.chunks_exact(length);
        if length <= BLOCK {
            data.resize(outer, start);
            let totals = &mut data[..];
            vectorize(
                #[inline(always)]
                || {
                    for (total, lane) in totals.iter_mut().zip(lanes) {
                        *total = fold_lane(lane, start, join);
                    }
                },
            );
        } else {
            data.extend(lanes.map(|lane| fold_all(lane, start, join)));
        }
    } else {
        data.resize(outer * inner, start);
        let totals = data.chunks_exact_mut(inner).zip(source.chunks_exact(length * inner));
        if length <= BLOCK_ROWS {
            vectorize(
                #[inline(always)]
                || {
                    for (total, rows) in totals {
                        for row in rows.chunks_exact(inner) {
                            join_row(total, row, join);
                        }
                    }
                },
            );
        } else {
            // Room in eights, so that work on a few more rows takes the same memory.
            let most_waiting = length.div_ceil(BLOCK_ROWS).ilog2() as usize + 1;
            let mut waiting = Buffer::new(blank(inner * most_waiting.next_multiple_of(8)));
            vectorize(
                #[inline(always)]
                || {
                    for (total, rows) in totals {
                        fold_blocks(total, rows, &mut waiting, join);
                    }
                },
            );
        }
    }
    data
}

/// So many rows are joined one after the other, as batches for training are; of more, blocks of so many are joined
/// first and then pairs of blocks, pairs of pairs and so on: errors of rounding grow with the longest chain.
const BLOCK_ROWS: usize = 128;

/// Joins `rows`, each as long as `total`, in blocks. `total` holds what joining starts from, and `waiting` has room for the
/// totals of blocks that wait for their neighbor: one for each binary digit of the count of blocks.
#[inline(always)]
fn fold_blocks<E: Element>(total: &mut [E], rows: &[E], waiting: &mut [E], join: impl Fn(E, E) -> E + Copy) {
    let inner = total.len();
    let mut count = 0;
    for (index, block) in rows.chunks(BLOCK_ROWS * inner).enumerate() {
        let sum = &mut waiting[count * inner..(count + 1) * inner];
        sum.copy_from_slice(total);
        for row in block.chunks_exact(inner) {
            join_row(sum, row, join);
        }
        count += 1;
        for _ in 0..(index + 1).trailing_zeros() {
            join_last_two(waiting, &mut count, inner, join);
        }
    }
    while count > 1 {
        join_last_two(waiting, &mut count, inner, join);
    }
    total.copy_from_slice(&waiting[..inner]);
}

#[inline(always)]
fn join_row<E: Element>(to: &mut [E], row: &[E], join: impl Fn(E, E) -> E) {
    to.iter_mut().zip(row).for_each(|(to, &v)| *to = join(*to, v));
}

/// Joins the last of `count` totals to the one before it.
#[inline(always)]
fn join_last_two<E: Element>(waiting: &mut [E], count: &mut usize, inner: usize, join: impl Fn(E, E) -> E) {
    *count -= 1;
    let (before, last) = waiting.split_at_mut(*count * inner);
    join_row(&mut before[(*count - 1) * inner..], &last[..inner], join);
}

/// Adds every row of `source` to the row of `totals` that its entry of `places` names. `totals` holds zeros, and its rows
/// are `inner` values long. The rows of one place are added as [`fold`] adds as many rows
/// of two values or more; rows of one value too are added one after the other, in blocks.
pub(crate) fn add_at_places<E: Element>(totals: &mut [E], source: &[E], inner: usize, places: &[usize]) {
    if inner == 0 {
        return;
    }
    let rows = places.iter().zip(source.chunks_exact(inner)).map(|(&place, row)| (place, place * inner, row));
    if at_most_one_block(places) {
        return vectorize(
            #[inline(always)]
            || rows.for_each(|(_, at, row)| join_row(&mut totals[at..at + inner], row, plus)),
        );
    }
    // How many rows of its block a place has so far, and the totals of its blocks before.
    let mut added = vec![0_u8; totals.len() / inner];
    let mut waiting = BTreeMap::<usize, Waiting<E>>::new();
    vectorize(
        #[inline(always)]
        || {
            for (place, at, row) in rows {
                let total = &mut totals[at..at + inner];
                if usize::from(added[place]) == BLOCK_ROWS {
                    waiting.entry(place).or_default().push(total);
                    total.fill(E::zero());
                    added[place] = 0;
                }
                added[place] += 1;
                join_row(total, row, plus);
            }
        },
    );
    for (place, mut waiting) in waiting {
        waiting.finish(&mut totals[place * inner..(place + 1) * inner]);
    }
}

/// Whether it is certain, after a quick look, that no place is named more than [`BLOCK_ROWS`] times.
fn at_most_one_block(places: &[usize]) -> bool {
    const GROUPS: usize = 256;
    if places.len() <= BLOCK_ROWS || places.len() >= GROUPS * BLOCK_ROWS {
        return places.len() <= BLOCK_ROWS;
    }
    // Places are counted in groups, in bytes that stay at their largest.
    let (mut named, mut most) = ([0_u8; GROUPS], 0);
    for &place in places {
        let count = &mut named[place % GROUPS];
        *count = count.saturating_add(1);
        most = most.max(*count);
    }
    usize::from(most) <= BLOCK_ROWS
}

/// The totals of the blocks of one place that wait for their neighbor, as in [`fold_blocks`].
#[derive(Default)]
struct Waiting<E> {
    totals: Vec<E>,
    /// How many there are.
    count: usize,
    /// How many blocks there were.
    blocks: usize,
}

impl<E: Element> Waiting<E> {
    /// The total of the next block.
    fn push(&mut self, total: &[E]) {
        self.totals.truncate(self.count * total.len());
        self.totals.extend_from_slice(total);
        self.count += 1;
        self.blocks += 1;
        for _ in 0..self.blocks.trailing_zeros() {
            join_last_two(&mut self.totals, &mut self.count, total.len(), plus);
        }
    }

    /// Joins all blocks; `total` is that of the last one, and that of all in the end.
    fn finish(&mut self, total: &mut [E]) {
        self.push(total);
        while self.count > 1 {
            join_last_two(&mut self.totals, &mut self.count, total.len(), plus);
        }
        total.copy_from_slice(&self.totals[..total.len()]);
    }
}

/// Joins any number of values, in an order that depends on their count alone.
pub(crate) fn fold_all<E: Element>(values: &[E], start: E, join: impl Fn(E, E) -> E + Copy) -> E {
    vectorize(
        #[inline(always)]
        || {
            // As in `fold_blocks`.
            let mut waiting = [start; usize::BITS as usize];
            let mut count = 0;
            for (index, block) in values.chunks(BLOCK).enumerate() {
                let mut total = fold_lane(block, start, join);
                for _ in 0..(index + 1).trailing_zeros() {
                    count -= 1;
                    total = join(waiting[count], total);
                }
                waiting[count] = total;
                count += 1;
            }
            waiting[..count].iter().rev().copied().reduce(|total, earlier| join(earlier, total)).unwrap_or(start)
        },
    )
}

/// The values of a lane that are joined side by side, as vectors.
const SIDE_BY_SIDE: usize = 16;
/// So many values are joined by themselves; of more, blocks of so many and then pairs of blocks, as with rows.
pub(crate) const BLOCK: usize = 1024;

/// Joins up to [`BLOCK`] values.
#[inline(always)]
pub(crate) fn fold_lane<E: Element>(lane: &[E], start: E, join: impl Fn(E, E) -> E + Copy) -> E {
    if lane.len() < 2 * SIDE_BY_SIDE {
        return lane.iter().fold(start, |sum, &v| join(sum, v));
    }
    let (groups, rest) = lane.as_chunks::<SIDE_BY_SIDE>();
    let mut sums = [start; SIDE_BY_SIDE];
    for group in groups {
        sums.iter_mut().zip(group).for_each(|(s, &v)| *s = join(*s, v));
    }
    let mut width = SIDE_BY_SIDE / 2;
    while width > 0 {
        for i in 0..width {
            sums[i] = join(sums[i], sums[i + width]);
        }
        width /= 2;
    }
    join(start, rest.iter().fold(sums[0], |sum, &v| join(sum, v)))
}

#[inline(always)]
pub(crate) fn plus<E: Element>(a: E, b: E) -> E {
    a + b
}

#[inline(always)]
pub(crate) fn larger<E: Element>(a: E, b: E) -> E {
    if a > b || a.is_nan() { a } else { b }
}

#[inline(always)]
pub(crate) fn smaller<E: Element>(a: E, b: E) -> E {
    if a < b || a.is_nan() { a } else { b }
}

#[cfg(test)]
mod tests {
    use crate::{Rng, Tensor};

    /// Against the same sums in double precision, for columns alone, a few and more than a vector holds.
    #[test]
    fn sums_of_a_million_rows_lose_nothing() {
        const ROWS: usize = 1_000_000;
        for columns in [1, 3, 17] {
            let tenths = Tensor::full([ROWS, columns], 0.1_f32);
            for mean in tenths.mean_axes(&[0], false).as_slice() {
                assert!((mean - 0.1).abs() < 1e-7, "{mean} in {columns} columns");
            }
            let t = Tensor::<f32>::uniform([ROWS, columns], 0.0, 1.0, &mut Rng::new(4));
            let exact: Vec<f64> = (0..columns)
                .map(|c| t.as_slice().iter().skip(c).step_by(columns).map(|&v| f64::from(v)).sum())
                .collect();
            for shape in [vec![1, columns], vec![columns]] {
                for (sum, exact) in t.sum_to(&shape).as_slice().iter().zip(&exact) {
                    assert!((f64::from(*sum) / exact - 1.0).abs() < 1e-6, "{sum} for {exact}");
                }
            }
            for (sum, exact) in t.sum_axes(&[0], false).as_slice().iter().zip(&exact) {
                assert!((f64::from(*sum) / exact - 1.0).abs() < 1e-6, "{sum} for {exact}");
            }
            // A relative error of 1e-7 in the mean would be a variance of 0.01.
            let constant = Tensor::full([ROWS, columns], 1e6_f32);
            for variance in constant.var_axes(&[0], 0, false).as_slice() {
                assert!(*variance <= 0.1, "{variance} in {columns} columns");
            }
        }
        // Around the ends of blocks every row counts once, between other axes as well.
        for rows in [1, 127, 128, 129, 255, 256, 257, 384, 1000, 1025] {
            let counted: Vec<f64> = (0..2 * rows * 3).map(|i| i as f64).collect();
            let t = Tensor::from_vec(counted, [2, rows, 3]);
            let expected = |outer: usize, c: usize| (0..rows).map(|r| ((outer * rows + r) * 3 + c) as f64).sum::<f64>();
            let expected = Tensor::from_vec((0..6).map(|i| expected(i / 3, i % 3)).collect(), [2, 3]);
            assert_eq!(t.sum_axes(&[1], false), expected, "{rows} rows");
            assert_eq!(t.max_axes(&[1], false), t.slice(1, rows - 1..rows).reshape([2, 3]), "{rows} rows");
            assert_eq!(t.min_axes(&[1], false), t.slice(1, 0..1).reshape([2, 3]), "{rows} rows");
        }
    }

    /// A place has the bits of a sum over its rows alone, wherever they stand: 1 to 1025 of them, whose sum is exact in
    /// any order or, of random values, is not.
    #[test]
    fn rows_added_to_places_are_added_as_the_rows_of_a_sum() {
        let rng = &mut Rng::new(5);
        let counts = [1, 127, 128, 129, 0, 255, 256, 257, 384, 640, 1000, 1025];
        let mut places: Vec<usize> =
            counts.iter().enumerate().flat_map(|(place, &count)| std::iter::repeat_n(place, count)).collect();
        rng.shuffle(&mut places);
        let t = Tensor::<f32>::uniform([places.len(), 3], -1.0, 1.0, rng);
        let sums = t.scatter_add_rows(&places, counts.len());
        for (place, &count) in counts.iter().enumerate() {
            let own: Vec<usize> = (0..places.len()).filter(|&row| places[row] == place).collect();
            assert_eq!(own.len(), count);
            let sum = t.select_rows(&own).sum_axes(&[0], true);
            assert!(sums.slice(0, place..place + 1).bit_eq(&sum), "{} rows", own.len());
        }
        let counted = Tensor::from_fn([places.len(), 2], |at| (2 * at[0] + at[1]) as f64);
        let mut expected = Tensor::<f64>::zeros([counts.len(), 2]);
        for (row, &place) in places.iter().enumerate() {
            (0..2).for_each(|column| expected[[place, column]] += (2 * row + column) as f64);
        }
        assert_eq!(counted.scatter_add_rows(&places, counts.len()), expected);
    }

    /// 0.1 as an f32 is 0.100000001490116.
    #[test]
    fn a_million_rows_of_one_place_lose_nothing() {
        const ROWS: usize = 1_000_000;
        for (places, share) in [(vec![2; ROWS], 1), ((0..ROWS).map(|row| 2 * (row % 4)).collect(), 4)] {
            for columns in [1, 3] {
                let sums = Tensor::full([ROWS, columns], 0.1_f32).scatter_add_rows(&places, 7);
                let expected = (ROWS / share) as f32 * 0.1;
                for &sum in sums.row(2) {
                    assert!((sum / expected - 1.0).abs() < 1e-6, "{sum} for {expected}");
                }
                assert!(sums.row(1).iter().all(|&sum| sum == 0.0));
            }
        }
    }

    #[test]
    fn one_lane_of_many_values_loses_nothing() {
        let values = vec![0.1_f32; 50_000_000];
        let mean = Tensor::from(values).mean();
        assert!((mean - 0.1).abs() < 1e-7, "{mean}");
    }

    #[test]
    fn nan_and_infinities_in_long_columns_stay_where_they_are() {
        let mut t = Tensor::<f32>::ones([1000, 3]);
        t.as_mut_slice()[3 * 500] = f32::NAN;
        t.as_mut_slice()[3 * 700 + 1] = f32::INFINITY;
        let (sum, max) = (t.sum_axes(&[0], false), t.max_axes(&[0], false));
        assert!(
            sum.as_slice()[0].is_nan() && max.as_slice()[0].is_nan() && t.min_axes(&[0], false).as_slice()[0].is_nan()
        );
        assert_eq!(
            (&sum.as_slice()[1..], &max.as_slice()[1..]),
            (&[f32::INFINITY, 1000.0][..], &[f32::INFINITY, 1.0][..])
        );
        t.as_mut_slice()[1] = f32::NEG_INFINITY;
        assert!(t.sum_axes(&[0], false).as_slice()[1].is_nan());
    }
}
