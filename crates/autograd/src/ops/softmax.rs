//! Softmax and its logarithm, over an axis.

use mlp_tensor::{Element, Tensor};

use crate::{Op, Site, Var};

/// y = eˣ / Σ eˣ: dx = y (dy - Σ dy y).
#[derive(Debug)]
struct Softmax {
    axis: usize,
}

impl<E: Element> Op<E> for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let y = site.output();
        let weighed = grad * y;
        vec![Some(weighed - y * weighed.sum_axes(&[self.axis], true))]
    }
}

/// y = x - ln Σ eˣ: dx = dy - eʸ Σ dy.
#[derive(Debug)]
struct LogSoftmax {
    axis: usize,
}

impl<E: Element> Op<E> for LogSoftmax {
    fn name(&self) -> &'static str {
        "log_softmax"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let y = site.output();
        vec![Some(grad - y.exp() * grad.sum_axes(&[self.axis], true))]
    }
}

impl<E: Element> Var<'_, E> {
    /// eˣ / Σ eˣ over the last axis, computed from x - max x, so that no x overflows.
    ///
    /// # Panics
    /// If there is no axis.
    #[track_caller]
    pub fn softmax(self) -> Self {
        let axis = last_axis("softmax", self);
        self.softmax_along(axis)
    }

    /// eˣ / Σ eˣ over `axis`, computed from x - max x, so that no x overflows.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn softmax_along(self, axis: usize) -> Self {
        let y = along("softmax", self, axis, |row| {
            let sum = exp_of_row(row);
            row.iter_mut().for_each(|v| *v /= sum);
        });
        self.tape().push(y, Softmax { axis }, &[self])
    }

    /// x - ln Σ eˣ over the last axis: the logarithm of the softmax, finite even where that rounds to 0.
    ///
    /// # Panics
    /// If there is no axis.
    #[track_caller]
    pub fn log_softmax(self) -> Self {
        let axis = last_axis("log_softmax", self);
        self.log_softmax_along(axis)
    }

    /// x - ln Σ eˣ over `axis`: the logarithm of the softmax, finite even where that rounds to 0.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn log_softmax_along(self, axis: usize) -> Self {
        let y = along("log_softmax", self, axis, |row| {
            let max = largest(row);
            let sum: E = row.iter().map(|&v| (v - max).exp()).sum();
            let ln_sum = sum.ln();
            row.iter_mut().for_each(|v| *v = (*v - max) - ln_sum);
        });
        self.tape().push(y, LogSoftmax { axis }, &[self])
    }
}

/// Replaces x by e^(x - max x) and returns the sum of the row.
pub(super) fn exp_of_row<E: Element>(row: &mut [E]) -> E {
    let max = largest(row);
    row.iter_mut().for_each(|v| *v = (*v - max).exp());
    row.iter().copied().sum()
}

pub(super) fn largest<E: Element>(row: &[E]) -> E {
    row.iter().copied().fold(E::neg_infinity(), |a, b| if b > a || b.is_nan() { b } else { a })
}

#[track_caller]
fn last_axis<E: Element>(op: &str, x: Var<'_, E>) -> usize {
    let rank = x.shape().len();
    assert!(rank > 0, "{op}: a single number has no axis to work over");
    rank - 1
}

/// `f` applied to every lane along `axis`.
#[track_caller]
fn along<E: Element>(op: &str, x: Var<'_, E>, axis: usize, f: impl Fn(&mut [E])) -> Tensor<E> {
    let mut y = x.value();
    let rank = y.rank();
    assert!(axis < rank, "{op}: no axis {axis} in a tensor of shape {:?}", y.shape());
    if y.is_empty() {
        return y;
    }
    // Another axis changes places with the last one, and back.
    let mut order: Vec<usize> = (0..rank).collect();
    order.swap(axis, rank - 1);
    let moved = axis != rank - 1;
    if moved {
        y = y.permute(&order);
    }
    let width = y.shape()[rank - 1];
    y.as_mut_slice().chunks_exact_mut(width).for_each(f);
    if moved { y.permute(&order) } else { y }
}
