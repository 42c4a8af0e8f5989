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
        let share = shares(&ctx.input(0).value(), &ctx.output().value().reshape(&self.kept), &self.axes);
        vec![Some(grad.reshape(&self.kept) * ctx.tape().constant(share))]
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
        let share = shares(&ctx.input(0).value(), &ctx.output().value().reshape(&self.kept), &self.axes);
        vec![Some(grad.reshape(&self.kept) * ctx.tape().constant(share))]
    }
}

/// The part of each value of `x` in the extreme value over `axes`: 0, or one divided by how many are equally extreme.
pub(super) fn shares<E: Element>(x: &Tensor<E>, extreme: &Tensor<E>, axes: &[usize]) -> Tensor<E> {
    let hits = x.zip_map(extreme, "shares", |v, m| if v == m { E::one() } else { E::zero() });
    &hits / &hits.sum_axes(axes, true)
}

impl<E: Element> Var<'_, E> {
    /// The sum of all values, of shape `[]`.
    pub fn sum(self) -> Self {
        self.sum_axes(&self.all_axes(), false)
    }

    /// The mean of all values, of shape `[]`.
    pub fn mean(self) -> Self {
        self.mean_axes(&self.all_axes(), false)
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
        let sum = self.sum_axes(axes, keep_dims);
        let shape = self.shape();
        let count: usize = axes.iter().map(|&axis| shape[axis]).product();
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

    fn all_axes(self) -> Vec<usize> {
        (0..self.shape().len()).collect()
    }

    /// The shape with `axes` at length 1.
    pub(super) fn kept(self, axes: &[usize]) -> Vec<usize> {
        self.shape().iter().enumerate().map(|(axis, &length)| if axes.contains(&axis) { 1 } else { length }).collect()
    }
}
