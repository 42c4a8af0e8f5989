//! Sums, means, extremes and their places along one axis, which disappears.

use ndarray::Axis;

use crate::{Element, Tensor};

impl<E: Element> Tensor<E> {
    /// Sums along `axis`, which disappears: `t.sum_axis(0)` are the sums of the columns of a table. To keep the axis with
    /// length 1, or to sum along several, use [`Tensor::sum_axes`].
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn sum_axis(&self, axis: usize) -> Self {
        self.check_axis("sum_axis", axis);
        self.sum_axes(&[axis], false)
    }

    /// Means along `axis`, which disappears; NaN where it has length 0.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn mean_axis(&self, axis: usize) -> Self {
        self.check_axis("mean_axis", axis);
        self.mean_axes(&[axis], false)
    }

    /// The largest values along `axis`, which disappears; NaN wherever one is.
    ///
    /// # Panics
    /// If there is no such axis or it has length 0.
    #[track_caller]
    pub fn max_axis(&self, axis: usize) -> Self {
        self.check_axis("max_axis", axis);
        self.check_not_empty("max_axis", &[axis], "largest");
        self.max_axes(&[axis], false)
    }

    /// The smallest values along `axis`, which disappears; NaN wherever one is.
    ///
    /// # Panics
    /// If there is no such axis or it has length 0.
    #[track_caller]
    pub fn min_axis(&self, axis: usize) -> Self {
        self.check_axis("min_axis", axis);
        self.check_not_empty("min_axis", &[axis], "smallest");
        self.min_axes(&[axis], false)
    }

    /// Where the largest value stands along `axis`, for each place on the other axes in row-major order. Of equal
    /// values the first counts, and NaN counts as the largest, as in NumPy.
    ///
    /// # Panics
    /// If there is no such axis or it has length 0.
    #[track_caller]
    pub fn argmax(&self, axis: usize) -> Vec<usize> {
        self.check_axis("argmax", axis);
        self.check_not_empty("argmax", &[axis], "largest");
        self.view().lanes(Axis(axis)).into_iter().map(|lane| first(lane.iter(), |v, best| v > best)).collect()
    }

    /// Where the smallest value stands along `axis`, for each place on the other axes in row-major order. Of equal
    /// values the first counts, and NaN counts as the smallest, as in NumPy.
    ///
    /// # Panics
    /// If there is no such axis or it has length 0.
    #[track_caller]
    pub fn argmin(&self, axis: usize) -> Vec<usize> {
        self.check_axis("argmin", axis);
        self.check_not_empty("argmin", &[axis], "smallest");
        self.view().lanes(Axis(axis)).into_iter().map(|lane| first(lane.iter(), |v, best| v < best)).collect()
    }
}

/// Where the largest value stands: of equal values the first counts, and NaN counts as the largest.
///
/// # Panics
/// If there are no values.
#[track_caller]
pub fn argmax<E: Element>(values: &[E]) -> usize {
    assert!(!values.is_empty(), "argmax: of no values none is the largest");
    first(values.iter(), |v, best| v > best)
}

/// Where the first value stands that no other beats. NaN beats every number.
fn first<'a, E: Element>(values: impl Iterator<Item = &'a E>, beats: impl Fn(E, E) -> bool) -> usize {
    let mut best = (0, E::zero());
    for (i, &v) in values.enumerate() {
        if i == 0 || beats(v, best.1) || (v.is_nan() && !best.1.is_nan()) {
            best = (i, v);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_disappears() {
        let t = Tensor::from([[1.0_f32, 5.0, 3.0], [4.0, 2.0, 6.0]]);
        assert_eq!((t.sum_axis(0), t.sum_axis(1)), (Tensor::from([5.0, 7.0, 9.0]), Tensor::from([9.0, 12.0])));
        assert_eq!((t.mean_axis(0), t.mean_axis(1)), (Tensor::from([2.5, 3.5, 4.5]), Tensor::from([3.0, 4.0])));
        assert_eq!((t.max_axis(0), t.min_axis(1)), (Tensor::from([4.0, 5.0, 6.0]), Tensor::from([1.0, 2.0])));
        assert_eq!((t.argmin(0), t.argmin(1)), (vec![0, 1, 0], vec![0, 1]));
        assert_eq!(t.sum_axis(0).sum_axis(0), Tensor::scalar(21.0));
    }

    #[test]
    fn no_values_and_nan() {
        let nothing = Tensor::<f64>::zeros([0, 2]);
        assert_eq!(nothing.sum_axis(0), Tensor::zeros([2]));
        assert!(nothing.mean_axis(0).as_slice().iter().all(|v| v.is_nan()));
        assert_eq!(nothing.max_axis(1), Tensor::zeros([0]));
        assert!(nothing.argmin(1).is_empty() && nothing.argmax(1).is_empty());
        let t = Tensor::from([[1.0_f32, f32::NAN, f32::NAN], [4.0, 5.0, 5.0]]);
        assert_eq!((t.argmin(1), t.argmax(1)), (vec![1, 0], vec![1, 1]));
        assert!(t.max_axis(1).as_slice()[0].is_nan() && t.min_axis(1).as_slice()[0].is_nan());
        assert_eq!(Tensor::from([f32::NEG_INFINITY, f32::NEG_INFINITY]).argmax(0), [0]);
    }
}
