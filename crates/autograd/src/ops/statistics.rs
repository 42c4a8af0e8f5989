//! Variances, norms and logarithms of sums of exponentials along axes.

use mlp_tensor::{Element, Tensor};

use super::reduce::{check_axes, shares};
use crate::{Op, OpContext, Var};

/// Σ (x - mean)² / d: dx = 2 (x - mean) / d. (What comes through the mean adds up to 0.)
#[derive(Debug)]
struct VarAxes<E> {
    axes: Vec<usize>,
    kept: Vec<usize>,
    divisor: E,
}

impl<E: Element> Op<E> for VarAxes<E> {
    fn name(&self) -> &'static str {
        "var_axes"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let x = ctx.input(0);
        let centered = x - x.mean_axes(&self.axes, true);
        vec![Some(centered * (grad.reshape(&self.kept) * (E::from_f64(2.0) / self.divisor)))]
    }
}

/// y = ln Σ eˣ: dx = eˣ / Σ eˣ, from x - max x. (e^(x - y) is the same, but y is rounded where it is large.)
#[derive(Debug)]
struct LogSumExp {
    axes: Vec<usize>,
    kept: Vec<usize>,
}

impl<E: Element> Op<E> for LogSumExp {
    fn name(&self) -> &'static str {
        "logsumexp_axes"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let x = ctx.input(0);
        let x_value = x.value();
        if x_value.is_empty() {
            return vec![None];
        }
        let mut largest = x_value.max_axes(&self.axes, true);
        largest.map_in_place(|v| if v.is_infinite() { E::zero() } else { v });
        let exponentials = (x - ctx.tape().constant(largest)).exp();
        let sum = or_one(exponentials.sum_axes(&self.axes, true));
        vec![Some(exponentials * (grad.reshape(&self.kept) / sum))]
    }
}

/// y = (Σ |x|ᵖ)^(1/p): dx = sign(x) (|x| / y)ᵖ⁻¹, and 0 where y = 0.
#[derive(Debug)]
struct NormAxes<E> {
    p: E,
    axes: Vec<usize>,
    kept: Vec<usize>,
}

impl<E: Element> Op<E> for NormAxes<E> {
    fn name(&self) -> &'static str {
        "norm_axes"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let tape = ctx.tape();
        let (x, y, grad) = (ctx.input(0), ctx.output().reshape(&self.kept), grad.reshape(&self.kept));
        // Where x is 0 nothing passes, also of an infinite gradient.
        let only = |part: Tensor<E>| (grad * tape.constant(part.clone())).masked(&part);
        let sign = x.value().sign();
        let to_x = if self.p == E::one() {
            only(sign)
        } else if self.p == E::from_f64(2.0) {
            x * (grad / or_one(y)).masked(&not_zero(&y.value()))
        } else if self.p.is_infinite() {
            only(sign * shares(&x.value().abs(), &y.value(), &self.axes))
        } else {
            only(sign) * (or_one(x.abs()) / or_one(y)).powf(self.p - E::one())
        };
        vec![Some(to_x)]
    }
}

/// A mask of the values that are not 0.
pub(super) fn not_zero<E: Element>(values: &Tensor<E>) -> Tensor<E> {
    values.map(|v| if v == E::zero() { v } else { E::one() })
}

/// The values with 1, a constant, for those that are 0: to divide by.
pub(super) fn or_one<E: Element>(values: Var<'_, E>) -> Var<'_, E> {
    Var::where_(&not_zero(&values.value()), values, values.tape().constant(Tensor::scalar(E::one())))
}

impl<E: Element> Var<'_, E> {
    /// Σ (x - mean)² / (n - `ddof`) over the n values along `axes`, kept or not as in [`Var::sum_axes`]: with a `ddof`
    /// ("delta degrees of freedom") of 0 the mean square distance from the mean, with 1 the estimate for what the values were
    /// drawn from. Derivative: 2 (x - mean) / (n - `ddof`).
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn var_axes(self, axes: &[usize], ddof: usize, keep_dims: bool) -> Self {
        let variance = self.value().var_axes(axes, ddof, keep_dims);
        self.variance(variance, axes, ddof)
    }

    /// [`Var::var_axes`] over `axis`, which disappears.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn var_axis(self, axis: usize, ddof: usize) -> Self {
        let variance = self.value().var_axis(axis, ddof);
        self.variance(variance, &[axis], ddof)
    }

    /// The variance of all values, with a `ddof` of 0, of shape `[]`.
    pub fn var(self) -> Self {
        self.flatten().var_axis(0, 0)
    }

    /// Puts the variance of this value on the tape.
    fn variance(self, variance: Tensor<E>, axes: &[usize], ddof: usize) -> Self {
        let kept = self.kept(axes);
        let count = self.len() / kept.iter().product::<usize>().max(1);
        let divisor = E::from_f64(count.saturating_sub(ddof) as f64);
        self.tape().push(variance, VarAxes { axes: axes.to_vec(), kept, divisor }, &[self])
    }

    /// The standard deviation, the square root of [`Var::var_axes`]. Derivative: (x - mean) / ((n - `ddof`) y), and 0 where
    /// the deviation y is 0.
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn std_axes(self, axes: &[usize], ddof: usize, keep_dims: bool) -> Self {
        check_axes("std_axes", &self.shape(), axes);
        self.var_axes(axes, ddof, keep_dims).deviation()
    }

    /// [`Var::std_axes`] over `axis`, which disappears.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn std_axis(self, axis: usize, ddof: usize) -> Self {
        check_axes("std_axis", &self.shape(), &[axis]);
        self.var_axis(axis, ddof).deviation()
    }

    /// The standard deviation of all values, with a `ddof` of 0, of shape `[]`.
    pub fn std(self) -> Self {
        self.var().deviation()
    }

    /// The square root with derivative 0 at 0, where that of the root is infinite.
    fn deviation(self) -> Self {
        or_one(self).sqrt().masked(&not_zero(&self.value()))
    }

    /// ln Σ eˣ over `axes`, kept or not as in [`Var::sum_axes`], without overflow for any x. Derivative: the softmax
    /// over those axes.
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn logsumexp_axes(self, axes: &[usize], keep_dims: bool) -> Self {
        let y = self.value().logsumexp_axes(axes, keep_dims);
        self.tape().push(y, LogSumExp { axes: axes.to_vec(), kept: self.kept(axes) }, &[self])
    }

    /// (Σ |x|ᵖ)^(1/p) over `axes`, kept or not as in [`Var::sum_axes`]: for p = 1 the sum of the absolute values, for
    /// p = 2 the length, for infinite p the largest absolute value. Derivative: sign(x) (|x| / y)ᵖ⁻¹, and 0 where x or
    /// y is 0.
    ///
    /// # Panics
    /// If there is no such axis, one is named twice, or p is not above 0.
    #[track_caller]
    pub fn norm_axes(self, p: E, axes: &[usize], keep_dims: bool) -> Self {
        let y = self.value().norm_axes(p, axes, keep_dims);
        self.tape().push(y, NormAxes { p, axes: axes.to_vec(), kept: self.kept(axes) }, &[self])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tape;

    #[test]
    fn norms_have_gradient_zero_at_zero() {
        let tape = Tape::<f64>::new();
        for p in [0.5, 1.0, 1.5, 2.0, 3.0, f64::INFINITY] {
            let x = tape.variable(Tensor::from([[0.0, 0.0], [0.0, 4.0]]));
            let gradient = x.norm_axes(p, &[1], false).sum().backward().wrt(x);
            let difference = gradient - Tensor::from([[0.0, 0.0], [0.0, 1.0]]);
            assert!(difference.abs().max() < 1e-14, "p = {p}: {difference}");
        }
    }

    #[test]
    fn infinite_gradients_of_norms_stop_at_zeros() {
        let tape = Tape::<f64>::new();
        for p in [1.0, 1.5, 2.0, f64::INFINITY] {
            let x = tape.variable(Tensor::from([[0.0, 0.0], [0.0, 4.0]]));
            // The derivative of the root is infinite at 0, and 1/4 at 4.
            let gradient = x.norm_axes(p, &[1], false).sqrt().sum().backward().wrt(x);
            assert!(gradient.allclose(&Tensor::from([[0.0, 0.0], [0.0, 0.25]]), 1e-15, 0.0), "p = {p}: {gradient}");
        }
    }

    /// Of 1, 5 the deviation is 2, and its derivative (x - 3) / (2 · 2); of 1, 5 | 3, 7 it is √5, and (x - 4) / (4 √5).
    #[test]
    fn deviations_have_gradient_zero_where_they_are_zero() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::from([[2.0, 2.0], [1.0, 5.0]]));
        for y in [x.std_axis(1, 0), x.std_axes(&[1], 0, true)] {
            assert_eq!(y.value().flatten(), Tensor::from([0.0, 2.0]));
            assert_eq!(y.sum().backward().wrt(x), Tensor::from([[0.0, 0.0], [-0.5, 0.5]]));
        }
        let x = tape.variable(Tensor::from([[1.0, 5.0], [3.0, 7.0]]));
        assert_eq!((x.var().item(), x.std().item(), x.var().shape()), (5.0, 5f64.sqrt(), vec![]));
        let gradient = x.std().backward().wrt(x) * 4.0 * 5f64.sqrt();
        assert!((gradient - Tensor::from([[-3.0, 1.0], [-1.0, 3.0]])).abs().max() < 1e-14);
        assert!(tape.constant(Tensor::zeros([0])).std().item().is_nan());
    }

    #[test]
    fn logsumexp_of_nothing_but_minus_infinity_has_gradient_zero() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::from([[f64::NEG_INFINITY; 2], [0.0, 0.0]]));
        let gradient = x.logsumexp_axes(&[1], false).sum().backward().wrt(x);
        assert_eq!(gradient, Tensor::from([[0.0, 0.0], [0.5, 0.5]]));
    }
}
