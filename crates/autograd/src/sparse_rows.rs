//! The gradient of a table of which only some rows were used.

use mlp_tensor::{Element, Tensor};

/// A table that is zero but for some of its rows: the gradient of an embedding, of which a batch uses few rows.
///
/// It takes the memory of those rows, and has the bits of the whole table: where a row was used more than once, the parts
/// are added as [`Tensor::scatter_add_rows`] adds them, without loss however many they are.
#[derive(Clone, Debug)]
pub struct SparseRows<E: Element = f32> {
    shape: Vec<usize>,
    /// In ascending order, each once.
    rows: Vec<usize>,
    /// One row for each of `rows`.
    values: Tensor<E>,
}

impl<E: Element> SparseRows<E> {
    /// A table of `shape` in which row i of `values` is added to the row that `rows[i]` names, and all others are zero.
    ///
    /// ```
    /// use mlp_autograd::SparseRows;
    /// use mlp_tensor::Tensor;
    ///
    /// let table = SparseRows::new(&[5, 2], &[3, 0, 3], &Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    /// assert_eq!(table.rows(), [0, 3]);
    /// assert_eq!(table.values(), &Tensor::from([[3.0, 4.0], [6.0, 8.0]]));
    /// ```
    ///
    /// # Panics
    /// If `values` does not have one row of the table for each of `rows`, or there is no such row.
    #[track_caller]
    pub fn new(shape: &[usize], rows: &[usize], values: &Tensor<E>) -> Self {
        let fits = shape.first().is_some_and(|&count| rows.iter().all(|&row| row < count))
            && values.shape().split_first() == Some((&rows.len(), &shape[1..]));
        assert!(
            fits,
            "SparseRows: values of shape {:?} and the numbers of {} rows do not make a table of shape {shape:?}",
            values.shape(),
            rows.len()
        );
        let mut sorted = rows.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let places: Vec<usize> = rows.iter().map(|&row| sorted.partition_point(|&other| other < row)).collect();
        Self { shape: shape.to_vec(), values: values.scatter_add_rows(&places, sorted.len()), rows: sorted }
    }

    /// The shape of the whole table.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The rows that were used, in ascending order, each once.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// What stands in those rows: one row for each of them.
    pub fn values(&self) -> &Tensor<E> {
        &self.values
    }

    /// Adds the part of the table from index `start` on to `out`. Only the rows that were used are touched.
    pub(crate) fn add_block(&self, start: usize, out: &mut [E]) {
        let width = self.values.row_len();
        if width == 0 {
            return;
        }
        let end = start + out.len();
        let first = self.rows.partition_point(|row| (row + 1) * width <= start);
        let rows = self.rows.iter().zip(self.values.as_slice().chunks_exact(width)).skip(first);
        for (at, values) in rows.map(|(row, values)| (row * width, values)).take_while(|&(at, _)| at < end) {
            // A block may begin or end within a row.
            let (from, to) = (at.max(start), (at + width).min(end));
            out[from - start..to - start].iter_mut().zip(&values[from - at..to - at]).for_each(|(o, &v)| *o += v);
        }
    }

    /// The sum of two tables of one shape.
    pub(crate) fn add(&self, other: &Self) -> Self {
        let rows = [&self.rows[..], &other.rows].concat();
        Self::new(&self.shape, &rows, &Tensor::concatenate(&[&self.values, &other.values], 0))
    }

    pub(crate) fn to_table(&self) -> Tensor<E> {
        let mut table = Tensor::zeros(&self.shape);
        self.add_block(0, table.as_mut_slice());
        table
    }
}

#[cfg(test)]
mod tests {
    use mlp_tensor::Rng;

    use super::*;
    use crate::Gradient;

    /// Numbers of both signs with zeros of both signs among them, in `shape`.
    fn values<E: Element>(shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        Tensor::normal(shape, 0.0, 1.0, rng).map(|v: E| match v.as_f64() {
            v if v > 1.0 => E::zero(),
            v if v < -1.0 => -E::zero(),
            _ => v,
        })
    }

    /// Rows of a table of `count`, with repeats.
    fn draw(count: usize, n: usize, rng: &mut Rng) -> Vec<usize> {
        (0..n).map(|_| rng.below(count)).collect()
    }

    fn bits<E: Element>(values: &[E]) -> Vec<u64> {
        values.iter().map(|v| v.as_f64().to_bits()).collect()
    }

    /// Blocks of every length at every place, set and added, against those of the table that `Tensor::scatter_add_rows` fills.
    fn blocks_have_the_bits_of_the_table<E: Element>() {
        let rng = &mut Rng::new(1);
        for (shape, n) in [(&[7, 3][..], 5), (&[7, 3], 0), (&[7, 3], 30), (&[4, 2, 2], 3), (&[9], 6), (&[3, 0], 2)] {
            let rows = draw(shape[0], n, rng);
            let parts = values::<E>(&[&[n], &shape[1..]].concat(), rng);
            let table = parts.scatter_add_rows(&rows, shape[0]);
            let sparse = Gradient::Rows(Box::new(SparseRows::new(shape, &rows, &parts)));
            let dense = Gradient::Value(table.clone());
            assert!(sparse.clone().into_value().bit_eq(&table), "{rows:?} of {shape:?}");
            let before = Tensor::<E>::uniform([table.len()], -1.0, 1.0, rng);
            for start in 0..=table.len() {
                for end in start..=table.len() {
                    for accumulate in [false, true] {
                        let mut blocks = [0, 1].map(|_| before.as_slice()[start..end].to_vec());
                        sparse.write_block(start, accumulate, &mut blocks[0]);
                        dense.write_block(start, accumulate, &mut blocks[1]);
                        assert_eq!(bits(&blocks[0]), bits(&blocks[1]), "{rows:?} of {shape:?}, {start}..{end}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_block_has_the_bits_of_the_whole_table() {
        blocks_have_the_bits_of_the_table::<f32>();
        blocks_have_the_bits_of_the_table::<f64>();
    }

    /// Of 30,000 rows, 10,000 go to one place and the others to 500 places, some 40 to each.
    #[test]
    fn a_row_that_is_used_ten_thousand_times_loses_nothing() {
        let rng = &mut Rng::new(3);
        let mut rows: Vec<usize> = (0..30_000).map(|i| if i < 10_000 { 7 } else { 10 + rng.below(500) }).collect();
        rng.shuffle(&mut rows);
        let tenths = Tensor::<f32>::full([rows.len(), 2], 0.1);
        let sparse = SparseRows::new(&[40_000, 2], &rows, &tenths);
        assert!((sparse.values().as_slice()[0] - 1000.0).abs() < 1e-3, "{}", sparse.values().as_slice()[0]);
        let parts = values::<f32>(&[rows.len(), 2], rng);
        let sparse = SparseRows::new(&[40_000, 2], &rows, &parts);
        assert!(sparse.to_table().bit_eq(&parts.scatter_add_rows(&rows, 40_000)));
    }

    #[test]
    fn sums_have_the_bits_of_sums_of_tables() {
        let rng = &mut Rng::new(2);
        let parts: Vec<_> = [6, 2, 9, 0].map(|n| (draw(8, n, rng), values::<f32>(&[n, 3], rng))).into();
        let sparse =
            |(rows, values): &(Vec<usize>, Tensor)| Gradient::Rows(Box::new(SparseRows::new(&[8, 3], rows, values)));
        let dense = |(rows, values): &(Vec<usize>, Tensor)| Gradient::Value(values.scatter_add_rows(rows, 8));
        let other = values::<f32>(&[8, 3], rng);
        let product = || Gradient::product(values(&[4, 8], &mut Rng::new(3)), &other.slice(0, 0..4));
        for (a, b) in parts.iter().zip(&parts[1..]) {
            let sum = sparse(a).add(sparse(b));
            assert!(matches!(&sum, Gradient::Rows(sum) if sum.rows().is_sorted()));
            let expected = dense(a).add(dense(b)).into_value();
            assert!(sum.into_value().bit_eq(&expected));
            let with_table =
                [sparse(a).add(Gradient::Value(other.clone())), Gradient::Value(other.clone()).add(sparse(a))];
            let expected = dense(a).add(Gradient::Value(other.clone())).into_value();
            assert!(with_table.into_iter().all(|sum| sum.into_value().bit_eq(&expected)));
            let expected = dense(a).add(product()).into_value();
            assert!(sparse(a).add(product()).into_value().bit_eq(&expected));
        }
    }

    #[test]
    #[should_panic(
        expected = "SparseRows: values of shape [2, 3] and the numbers of 2 rows do not make a table of shape [4, 2]"
    )]
    fn rows_of_another_length_are_refused() {
        SparseRows::new(&[4, 2], &[0, 1], &Tensor::<f32>::zeros([2, 3]));
    }

    #[test]
    #[should_panic(expected = "do not make a table of shape [4, 2]")]
    fn a_row_beyond_the_end_is_refused() {
        SparseRows::new(&[4, 2], &[0, 4], &Tensor::<f32>::zeros([2, 2]));
    }
}
