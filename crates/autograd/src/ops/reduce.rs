//! Sums, means and extremes along axes.

use mlp_tensor::{Element, Tensor};

use crate::{Op, OpContext, Var};

/// The sum over some axes: the gradient is that of the sum, repeated along them.
#[derive(Debug)]
struct SumAxes {
    /// The output's shape with the summed axes kept at length 1.
    kept: Vec<usize>,
}

impl<E: Element> Op<E> for SumAxes {
    fn name(&self) -> &'static str {
        "sum_axes"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad.reshape(&self.kept).broadcast_to(ctx.input(0).shape()))]
    }
}

/// The largest value over some axes: the gradient goes to it, in equal parts where several are equally large.
#[derive(Debug)]
struct MaxAxes {
    axes: Vec<usize>,
    kept: Vec<usize>,
}

impl<E: Element> Op<E> for MaxAxes {
    fn name(&self) -> &'static str {
        "max_axes"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(to_extreme(ctx, grad, &self.axes, &self.kept))]
    }
}

/// The smallest value over some axes, with the gradient shared as that of the largest.
#[derive(Debug)]
struct MinAxes {
    axes: Vec<usize>,
    kept: Vec<usize>,
}

impl<E: Element> Op<E> for MinAxes {
    fn name(&self) -> &'static str {
        "min_axes"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(to_extreme(ctx, grad, &self.axes, &self.kept))]
    }
}

/// The gradient of what was reduced to an extreme value: all to that value and exactly 0 elsewhere.
fn to_extreme<'t, E: Element>(ctx: &OpContext<'t, E>, grad: Var<'t, E>, axes: &[usize], kept: &[usize]) -> Var<'t, E> {
    let share = shares(&ctx.input(0).value(), &ctx.output().value().reshape(kept), axes);
    (grad.reshape(kept) * ctx.tape().constant(share.clone())).masked(&share)
}

/// The part of each value of `x` in the extreme value over `axes`: 0, or one divided by how many are equally extreme.
pub(super) fn shares<E: Element>(x: &Tensor<E>, extreme: &Tensor<E>, axes: &[usize]) -> Tensor<E> {
    let hits = x.zip_map(extreme, "shares", |v, m| if v == m { E::one() } else { E::zero() });
    &hits / &hits.sum_axes(axes, true)
}

impl<E: Element> Var<'_, E> {
    /// The sum of all values, of shape `[]`.
    pub fn sum(self) -> Self {
        let x = self.value();
        self.tape().push(Tensor::scalar(x.sum()), SumAxes { kept: vec![1; x.ndim()] }, &[self])
    }

    /// The mean of all values, of shape `[]`.
    pub fn mean(self) -> Self {
        self.sum() / E::from_f64(self.len() as f64)
    }

    /// The largest value, of shape `[]`. The gradient goes to it, in equal parts where several are equally large.
    ///
    /// # Panics
    /// If there are no values.
    #[track_caller]
    pub fn max(self) -> Self {
        let (axes, kept) = ((0..self.ndim()).collect(), vec![1; self.ndim()]);
        let max = Tensor::scalar(self.value().max());
        self.tape().push(max, MaxAxes { axes, kept }, &[self])
    }

    /// The smallest value, of shape `[]`. The gradient goes to it, in equal parts where several are equally small.
    ///
    /// # Panics
    /// If there are no values.
    #[track_caller]
    pub fn min(self) -> Self {
        let (axes, kept) = ((0..self.ndim()).collect(), vec![1; self.ndim()]);
        let min = Tensor::scalar(self.value().min());
        self.tape().push(min, MinAxes { axes, kept }, &[self])
    }

    /// Sums over `axis`, which disappears.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn sum_axis(self, axis: usize) -> Self {
        let sum = self.value().sum_axis(axis);
        self.tape().push(sum, SumAxes { kept: self.kept(&[axis]) }, &[self])
    }

    /// Means over `axis`, which disappears.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn mean_axis(self, axis: usize) -> Self {
        check_axes("mean_axis", &self.shape(), &[axis]);
        self.mean_axes(&[axis], false)
    }

    /// The largest values over `axis`, which disappears. The gradient goes to them, in equal parts where several are equally
    /// large.
    ///
    /// # Panics
    /// If there is no such axis or it has length 0.
    #[track_caller]
    pub fn max_axis(self, axis: usize) -> Self {
        let max = self.value().max_axis(axis);
        self.tape().push(max, MaxAxes { axes: vec![axis], kept: self.kept(&[axis]) }, &[self])
    }

    /// The smallest values over `axis`, which disappears. The gradient goes to them, in equal parts where several are
    /// equally small.
    ///
    /// # Panics
    /// If there is no such axis or it has length 0.
    #[track_caller]
    pub fn min_axis(self, axis: usize) -> Self {
        let min = self.value().min_axis(axis);
        self.tape().push(min, MinAxes { axes: vec![axis], kept: self.kept(&[axis]) }, &[self])
    }

    /// Sums over `axes`, which stay as axes of length 1 with `keep_dims` and disappear without.
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn sum_axes(self, axes: &[usize], keep_dims: bool) -> Self {
        let sum = self.value().sum_axes(axes, keep_dims);
        self.tape().push(sum, SumAxes { kept: self.kept(axes) }, &[self])
    }

    /// Means over `axes`, kept or not as in [`Var::sum_axes`].
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn mean_axes(self, axes: &[usize], keep_dims: bool) -> Self {
        let shape = self.shape();
        check_axes("mean_axes", &shape, axes);
        let count: usize = axes.iter().map(|&axis| shape[axis]).product();
        let sum = self.sum_axes(axes, keep_dims);
        sum / E::from_f64(count as f64)
    }

    /// The largest values over `axes`, kept or not as in [`Var::sum_axes`].
    ///
    /// # Panics
    /// If there is no such axis, one is named twice or one has length 0.
    #[track_caller]
    pub fn max_axes(self, axes: &[usize], keep_dims: bool) -> Self {
        let max = self.value().max_axes(axes, keep_dims);
        self.tape().push(max, MaxAxes { axes: axes.to_vec(), kept: self.kept(axes) }, &[self])
    }

    /// The smallest values over `axes`, kept or not as in [`Var::sum_axes`].
    ///
    /// # Panics
    /// If there is no such axis, one is named twice or one has length 0.
    #[track_caller]
    pub fn min_axes(self, axes: &[usize], keep_dims: bool) -> Self {
        let min = self.value().min_axes(axes, keep_dims);
        self.tape().push(min, MinAxes { axes: axes.to_vec(), kept: self.kept(axes) }, &[self])
    }

    /// The sum over the axes along which `shape` was broadcast to this value's shape.
    pub(crate) fn sum_to(self, shape: &[usize]) -> Self {
        let own = self.shape();
        let extra = own.len() - shape.len();
        let stretched = |&axis: &usize| axis < extra || shape[axis - extra] != own[axis];
        let axes: Vec<usize> = (0..own.len()).filter(stretched).collect();
        self.sum_axes(&axes, true).reshape(shape)
    }

    /// The shape with `axes` at length 1.
    pub(super) fn kept(self, axes: &[usize]) -> Vec<usize> {
        let mut shape = self.shape();
        axes.iter().for_each(|&axis| shape[axis] = 1);
        shape
    }
}

/// The check of an operation that is put together from others, which would not name it.
#[track_caller]
pub(super) fn check_axes(op: &str, shape: &[usize], axes: &[usize]) {
    for (index, axis) in axes.iter().enumerate() {
        assert!(*axis < shape.len(), "{op}: no axis {axis} in a tensor of shape {shape:?}");
        assert!(!axes[..index].contains(axis), "{op}: axis {axis} of shape {shape:?} is named twice");
    }
}

#[cfg(test)]
mod tests {
    use crate::{Tape, Var};
    use mlp_tensor::Tensor;

    #[test]
    fn one_axis_is_reduced_and_its_gradient_goes_back() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::from([[1.0, 4.0, 2.0], [3.0, 0.0, 2.0]]));
        let weights = tape.constant(Tensor::from([1.0, 10.0, 100.0]));
        let cases = [
            (x.sum_axis(0), [4.0, 4.0, 4.0], [[1.0, 10.0, 100.0], [1.0, 10.0, 100.0]]),
            (x.mean_axis(0), [2.0, 2.0, 2.0], [[0.5, 5.0, 50.0], [0.5, 5.0, 50.0]]),
            (x.max_axis(0), [3.0, 4.0, 2.0], [[0.0, 10.0, 50.0], [1.0, 0.0, 50.0]]),
            (x.min_axis(0), [1.0, 0.0, 2.0], [[1.0, 0.0, 50.0], [0.0, 10.0, 50.0]]),
        ];
        for (y, expected, gradient) in cases {
            assert_eq!(y.value(), Tensor::from(expected));
            assert_eq!((y * weights).sum().backward().wrt(x), Tensor::from(gradient));
        }
        let variance = x.var_axis(1, 1);
        assert!((variance.value() - Tensor::from([7.0 / 3.0, 7.0 / 3.0])).abs().max() < 1e-15);
        assert_eq!((x.max().item(), x.min().item()), (4.0, 0.0));
        assert_eq!(x.max().backward().wrt(x), Tensor::from([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]));
    }

    #[test]
    fn infinite_gradients_reach_only_the_extreme_value() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::from([0.0, 4.0]));
        // The derivative of the root is infinite at 0.
        let roots = [x.min().sqrt(), x.min_axis(0).sqrt(), (-x).max().abs().sqrt()];
        assert_eq!(roots[0].backward().wrt(x), Tensor::from([f64::INFINITY, 0.0]));
        assert_eq!(tape.gradient_recorded(roots[1], [x])[0].value(), Tensor::from([f64::INFINITY, 0.0]));
        assert_eq!(roots[2].backward().wrt(x).as_slice()[1], 0.0);
    }

    #[test]
    fn a_missing_axis_is_named_by_the_method_that_was_called() {
        use std::panic::{AssertUnwindSafe, catch_unwind};
        type Reduction = (&'static str, for<'t> fn(Var<'t>) -> Var<'t>);
        let reductions: [Reduction; 8] = [
            ("sum_axis", |x| x.sum_axis(2)),
            ("mean_axis", |x| x.mean_axis(2)),
            ("max_axis", |x| x.max_axis(2)),
            ("min_axis", |x| x.min_axis(2)),
            ("var_axis", |x| x.var_axis(2, 0)),
            ("std_axis", |x| x.std_axis(2, 0)),
            ("mean_axes", |x| x.mean_axes(&[2], true)),
            ("std_axes", |x| x.std_axes(&[2], 0, true)),
        ];
        let tape = Tape::<f32>::new();
        let x = tape.variable(Tensor::zeros([1, 3]));
        for (name, reduction) in reductions {
            let payload = catch_unwind(AssertUnwindSafe(|| reduction(x))).unwrap_err();
            let expected = format!("{name}: no axis 2 in a tensor of shape [1, 3]");
            assert_eq!(payload.downcast_ref::<String>(), Some(&expected));
        }
    }
}
