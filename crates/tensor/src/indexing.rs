//! Values picked by their index, values put back where they were picked, and running sums.

use ndarray::{Dimension, IxDyn};

use crate::fold::add_at_places;
use crate::memory::room;
use crate::{Element, Tensor};

impl<E: Element> Tensor<E> {
    /// The rows (indices of the first axis) that `rows` names, in that order; a row may be named more than once.
    ///
    /// # Panics
    /// If there is no such row.
    #[track_caller]
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        let (count, width) = (self.rows(), self.row_len());
        let mut data = room(rows.len() * width);
        for &row in rows {
            assert!(row < count, "select_rows: no row {row} in a tensor of shape {:?}", self.shape());
            data.extend_from_slice(&self.as_slice()[row * width..(row + 1) * width]);
        }
        let mut shape = IxDyn::zeros(self.ndim().max(1));
        shape.slice_mut()[..self.ndim()].copy_from_slice(self.shape());
        shape[0] = rows.len();
        Self::from_parts(data, shape)
    }

    /// `count` rows of zeros, with row i of this tensor added to the row that `rows[i]` names: what
    /// [`Tensor::select_rows`] takes apart, added up again.
    ///
    /// The rows of one place are added in the order in which they stand, up to 128 of them one after the other; more
    /// are added in blocks of so many, and the blocks' sums in pairs, so that errors of rounding do not grow with the
    /// count: a million rows of 0.1 add up to 100,000.
    ///
    /// # Panics
    /// If `rows` does not name one row below `count` for every row of this tensor.
    #[track_caller]
    pub fn scatter_add_rows(&self, rows: &[usize], count: usize) -> Self {
        assert!(
            self.ndim() > 0 && rows.len() == self.rows() && rows.iter().all(|&row| row < count),
            "scatter_add_rows: the {} indices do not name one of {count} rows for each row of shape {:?}",
            rows.len(),
            self.shape()
        );
        let (mut shape, width) = (self.shape().to_vec(), self.row_len());
        shape[0] = count;
        let mut sum = Self::zeros(shape);
        add_at_places(sum.as_mut_slice(), self.as_slice(), width, rows);
        sum
    }

    /// One value from every lane along `axis`, at the places that `indices` names; the axis disappears.
    /// `t.pick_along(1, &t.argmax(1))` are the largest values of the rows.
    ///
    /// # Panics
    /// If there is no such axis, or `indices` does not name one place for each lane (in row-major order of the other
    /// axes).
    #[track_caller]
    pub fn pick_along(&self, axis: usize, indices: &[usize]) -> Self {
        self.check_axis("pick_along", axis);
        let [outer, length, inner] = self.around(axis);
        let fits = indices.len() == outer * inner && indices.iter().all(|&index| index < length);
        assert!(fits, "pick_along: {}", misfit(indices, axis, self.shape()));
        let mut data = room(indices.len());
        let place = |(lane, &index): (usize, &usize)| (lane / inner * length + index) * inner + lane % inner;
        data.extend(indices.iter().enumerate().map(place).map(|place| self.as_slice()[place]));
        let mut shape = self.shape().to_vec();
        shape.remove(axis);
        Self::from_parts(data, IxDyn(&shape))
    }

    /// Zeros with a new axis of `length` at `axis`, and the values of this tensor at the places along it that
    /// `indices` names: what [`Tensor::pick_along`] takes, put back.
    ///
    /// # Panics
    /// If `axis` is beyond the end, or `indices` does not name one place below `length` for each value.
    #[track_caller]
    pub fn scatter_along(&self, axis: usize, length: usize, indices: &[usize]) -> Self {
        assert!(axis <= self.ndim(), "scatter_along: no place {axis} for an axis in shape {:?}", self.shape());
        let mut shape = self.shape().to_vec();
        shape.insert(axis, length);
        let fits = indices.len() == self.len() && indices.iter().all(|&index| index < length);
        assert!(fits, "scatter_along: {}", misfit(indices, axis, &shape));
        let mut out = Self::zeros(shape);
        let [_, _, inner] = out.around(axis);
        let data = out.as_mut_slice();
        for (lane, (&index, &value)) in indices.iter().zip(self.as_slice()).enumerate() {
            data[(lane / inner * length + index) * inner + lane % inner] = value;
        }
        out
    }

    /// Running sums along `axis`: each value is the sum of those up to it.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cumsum(&self, axis: usize) -> Self {
        self.check_axis("cumsum", axis);
        self.running_sum(axis, false)
    }

    /// Running sums along `axis` from its end: each value is the sum of those from it on.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cumsum_from_end(&self, axis: usize) -> Self {
        self.check_axis("cumsum_from_end", axis);
        self.running_sum(axis, true)
    }

    fn running_sum(&self, axis: usize, from_end: bool) -> Self {
        let [_, length, inner] = self.around(axis);
        let mut sum = self.clone();
        if sum.is_empty() {
            return sum;
        }
        for block in sum.as_mut_slice().chunks_exact_mut(length * inner) {
            for place in 1..length {
                // Everything before `split` stands one place before everything from it on.
                let split = if from_end { length - place } else { place } * inner;
                let (before, after) = block.split_at_mut(split);
                let (last, first) = (before[split - inner..].iter_mut(), after[..inner].iter_mut());
                if from_end {
                    last.zip(first).for_each(|(to, from)| *to += *from);
                } else {
                    last.zip(first).for_each(|(from, to)| *to += *from);
                }
            }
        }
        sum
    }

    /// The number of values before, along and after `axis`.
    pub(crate) fn around(&self, axis: usize) -> [usize; 3] {
        let shape = self.shape();
        [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()]
    }
}

fn misfit(indices: &[usize], axis: usize, shape: &[usize]) -> String {
    format!("the {} indices do not name one place along axis {axis} for each lane of shape {shape:?}", indices.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_gathered_in_the_order_given_and_added_where_they_came_from() {
        let t = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        let gathered = t.select_rows(&[2, 0, 2]);
        assert_eq!(gathered, Tensor::from([[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]]));
        assert_eq!(gathered.scatter_add_rows(&[2, 0, 2], 3), Tensor::from([[1.0, 2.0], [0.0, 0.0], [10.0, 12.0]]));
        assert_eq!(t.select_rows(&[]).shape(), [0, 2]);
    }

    #[test]
    fn values_are_taken_along_an_axis_and_put_back() {
        let t = Tensor::from([[[1.0_f32, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]);
        let taken = t.pick_along(1, &[0, 1, 1, 0]);
        assert_eq!(taken, Tensor::from([[1.0, 4.0], [7.0, 6.0]]));
        let back = taken.scatter_along(1, 2, &[0, 1, 1, 0]);
        assert_eq!(back, Tensor::from([[[1.0, 0.0], [0.0, 4.0]], [[0.0, 6.0], [7.0, 0.0]]]));
        assert_eq!(t.pick_along(2, &t.argmax(2)), t.max_axes(&[2], false));
    }

    #[test]
    fn sums_run_from_either_end() {
        let t = Tensor::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(t.cumsum(1), Tensor::from([[1.0, 3.0, 6.0], [4.0, 9.0, 15.0]]));
        assert_eq!(t.cumsum_from_end(1), Tensor::from([[6.0, 5.0, 3.0], [15.0, 11.0, 6.0]]));
        assert_eq!(t.cumsum(0), Tensor::from([[1.0, 2.0, 3.0], [5.0, 7.0, 9.0]]));
        assert_eq!(Tensor::<f32>::zeros([0, 2]).cumsum(0).shape(), [0, 2]);
    }
}
