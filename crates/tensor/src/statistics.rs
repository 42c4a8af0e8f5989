//! Variances, norms and logarithms of sums of exponentials along axes.

use crate::fold::larger;
use crate::{Element, Tensor};

impl<E: Element> Tensor<E> {
    /// Σ (v - mean)² / (n - `ddof`) over the n values along `axes`, kept or not as in [`Tensor::sum_axes`].
    ///
    /// With `ddof` (NumPy's "delta degrees of freedom", PyTorch's correction) of 0 this is the mean square distance from
    /// the mean, with 1 the estimate for what the values were drawn from. The mean is taken first, so that a large mean costs
    /// no more than its own rounding, as in NumPy.
    ///
    /// With no more values than `ddof` the sum is divided by 0, as in NumPy: infinity, or NaN where the values are all
    /// the same, as one value by itself is. NaN over no values.
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn var_axes(&self, axes: &[usize], ddof: usize, keep_dims: bool) -> Self {
        self.check_axes("var_axes", axes);
        let count = E::from_f64(self.count_along(axes) as f64);
        let mean = self.sum_axes(axes, true) / count;
        let squares = self.zip_map(&mean, "var_axes", |v, mean| (v - mean) * (v - mean));
        let divisor = (count - E::from_f64(ddof as f64)).max(E::zero());
        squares.sum_axes(axes, keep_dims) / divisor
    }

    /// The standard deviation, the square root of [`Tensor::var_axes`].
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn std_axes(&self, axes: &[usize], ddof: usize, keep_dims: bool) -> Self {
        self.check_axes("std_axes", axes);
        let mut std = self.var_axes(axes, ddof, keep_dims);
        std.map_in_place(E::sqrt);
        std
    }

    /// The variance along `axis`, which disappears: [`Tensor::var_axes`] of one axis.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn var_axis(&self, axis: usize, ddof: usize) -> Self {
        self.check_axis("var_axis", axis);
        self.var_axes(&[axis], ddof, false)
    }

    /// The standard deviation along `axis`, which disappears: the square root of [`Tensor::var_axis`].
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn std_axis(&self, axis: usize, ddof: usize) -> Self {
        self.check_axis("std_axis", axis);
        self.std_axes(&[axis], ddof, false)
    }

    /// The variance of all values, Σ (v - mean)² / n: `ddof` is 0, as in NumPy. NaN if there are none.
    pub fn var(&self) -> E {
        self.flatten().var_axis(0, 0).item()
    }

    /// The standard deviation of all values, the square root of [`Tensor::var`].
    pub fn std(&self) -> E {
        self.var().sqrt()
    }

    /// ln Σ eᵛ over `axes`, kept or not as in [`Tensor::sum_axes`], from v - max v, so that no v overflows. Minus
    /// infinity over no values.
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn logsumexp_axes(&self, axes: &[usize], keep_dims: bool) -> Self {
        let mut largest = self.fold_axes("logsumexp_axes", axes, true, E::neg_infinity(), larger);
        largest.map_in_place(|v| if v.is_infinite() { E::zero() } else { v });
        let sum = (self - &largest).exp().sum_axes(axes, keep_dims);
        sum.ln() + largest.reshape(sum.shape())
    }

    /// (Σ |v|ᵖ)^(1/p) over `axes`, kept or not as in [`Tensor::sum_axes`]: for p = 1 the sum of the
    /// absolute values, for p = 2 the length, for infinite p the largest absolute value.
    ///
    /// # Panics
    /// If there is no such axis, one is named twice, or p is not above 0.
    #[track_caller]
    pub fn norm_axes(&self, p: E, axes: &[usize], keep_dims: bool) -> Self {
        assert!(p > E::zero(), "norm_axes: p must be above 0, but is {p}");
        self.check_axes("norm_axes", axes);
        let (one, two) = (E::one(), E::from_f64(2.0));
        if p == one {
            self.abs().sum_axes(axes, keep_dims)
        } else if p == two {
            self.square().sum_axes(axes, keep_dims).sqrt()
        } else if p.is_infinite() {
            self.abs().fold_axes("norm_axes", axes, keep_dims, E::zero(), larger)
        } else {
            self.abs().powf(p).sum_axes(axes, keep_dims).powf(one / p)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_mean_takes_nothing_from_the_variance() {
        let t = Tensor::from([1e6_f32, 1e6 + 1.0, 1e6 + 2.0]);
        assert_eq!(t.var_axes(&[0], 1, false).item(), 1.0);
        assert_eq!(t.var_axes(&[0], 0, true), Tensor::from([2.0 / 3.0]));
        // The mean, 2²⁴ + 1, is no f32: 2²⁴ is taken, as NumPy does.
        assert_eq!(Tensor::from([16_777_216.0_f32, 16_777_218.0]).var(), 2.0);
        assert!(Tensor::from([1.0_f32]).var_axes(&[0], 1, false).item().is_nan());
    }

    /// What `np.var(x, axis=1, ddof=..)` gives for these rows (NumPy 2.4, which warns).
    #[test]
    fn a_variance_of_too_few_values_is_a_division_by_zero() {
        let t = Tensor::from([[1.0_f64, 3.0], [2.0, 2.0]]);
        assert_eq!(t.var_axes(&[1], 1, false), Tensor::from([2.0, 0.0]));
        for ddof in [2, 3] {
            let variance = t.var_axes(&[1], ddof, false);
            assert_eq!(variance.as_slice()[0], f64::INFINITY);
            assert!(variance.as_slice()[1].is_nan());
        }
        assert!(t.slice(1, 0..0).var_axes(&[1], 0, false).as_slice().iter().all(|v| v.is_nan()));
    }

    #[test]
    fn deviations_of_all_values_and_along_an_axis() {
        let t = Tensor::from([[1.0_f64, 5.0], [3.0, 7.0]]);
        assert_eq!((t.var(), t.std()), (5.0, 5f64.sqrt()));
        assert_eq!((t.var_axis(0, 0), t.std_axis(0, 0)), (Tensor::from([1.0, 1.0]), Tensor::from([1.0, 1.0])));
        assert_eq!(
            (t.var_axis(1, 1), t.std_axes(&[1], 1, true)),
            (Tensor::from([8.0, 8.0]), Tensor::from([[8f64.sqrt()], [8f64.sqrt()]]))
        );
        assert_eq!(Tensor::scalar(3.0_f32).std(), 0.0);
        assert!(Tensor::<f32>::zeros([0]).var().is_nan() && Tensor::from([1.0_f32, f32::NAN]).std().is_nan());
    }

    #[test]
    fn logsumexp_neither_overflows_nor_underflows() {
        let t = Tensor::from([[1e4_f64, 1e4], [-1e4, -1e4]]);
        let expected = Tensor::from([1e4 + 2f64.ln(), -1e4 + 2f64.ln()]);
        assert_eq!(t.logsumexp_axes(&[1], false), expected);
        let nothing = Tensor::<f64>::full([2, 1], f64::NEG_INFINITY);
        assert_eq!(nothing.logsumexp_axes(&[0, 1], false).item(), f64::NEG_INFINITY);
        assert_eq!(Tensor::<f64>::zeros([0]).logsumexp_axes(&[0], false).item(), f64::NEG_INFINITY);
    }

    #[test]
    fn norms_of_three_and_four() {
        let t = Tensor::from([[3.0_f64, -4.0], [0.0, 0.0]]);
        assert_eq!(t.norm_axes(1.0, &[1], false), Tensor::from([7.0, 0.0]));
        assert_eq!(t.norm_axes(2.0, &[1], false), Tensor::from([5.0, 0.0]));
        assert_eq!(t.norm_axes(f64::INFINITY, &[1], true), Tensor::from([[4.0], [0.0]]));
        assert!((t.norm_axes(3.0, &[0, 1], false).item() - 91f64.cbrt()).abs() < 1e-14);
    }
}
