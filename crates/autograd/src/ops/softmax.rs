//! Softmax and its logarithm, over an axis.

use mlp_tensor::{Element, Tensor, math};

use crate::{Op, OpContext, Var};

/// y = eˣ / Σ eˣ: dx = y (dy - Σ dy y).
#[derive(Debug)]
struct Softmax {
    axis: usize,
}

impl<E: Element> Op<E> for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let y = ctx.output();
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
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let y = ctx.output();
        vec![Some(grad - y.exp() * grad.sum_axes(&[self.axis], true))]
    }
}

impl<E: Element> Var<'_, E> {
    /// eˣ / Σ eˣ over `axis`, computed from x - max x, so that no x overflows.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn softmax(self, axis: usize) -> Self {
        let y = along("softmax", self, axis, |x, width| {
            let mut y = below_largest(x, width);
            y.map_in_place(math::exp);
            divide_by_sums(&mut y, width);
            y
        });
        self.tape().push(y, Softmax { axis }, &[self])
    }

    /// x - ln Σ eˣ over `axis`: the logarithm of the softmax, finite even where that rounds to 0.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn log_softmax(self, axis: usize) -> Self {
        let y = along("log_softmax", self, axis, |x, width| {
            let mut y = below_largest(x, width);
            let ln_sums = sums_of_rows(&y.exp(), width).ln();
            for (row, &ln_sum) in y.as_mut_slice().chunks_mut(width).zip(ln_sums.as_slice()) {
                row.iter_mut().for_each(|v| *v -= ln_sum);
            }
            y
        });
        self.tape().push(y, LogSoftmax { axis }, &[self])
    }
}

// The rows are short in most networks. Whatever works on every value by itself goes over all rows at once.

/// x - max x in every row.
pub(super) fn below_largest<E: Element>(mut x: Tensor<E>, width: usize) -> Tensor<E> {
    for row in x.as_mut_slice().chunks_mut(width) {
        // A NaN may get lost here, but not below: it makes the sum of the row NaN.
        let largest = row.iter().copied().fold(E::neg_infinity(), |a, b| if a > b { a } else { b });
        row.iter_mut().for_each(|v| *v -= largest);
    }
    x
}

/// x / Σ x in every row; returns the sums.
pub(super) fn divide_by_sums<E: Element>(x: &mut Tensor<E>, width: usize) -> Tensor<E> {
    let sums = sums_of_rows(x, width);
    for (row, &sum) in x.as_mut_slice().chunks_mut(width).zip(sums.as_slice()) {
        row.iter_mut().for_each(|v| *v /= sum);
    }
    sums
}

fn sums_of_rows<E: Element>(x: &Tensor<E>, width: usize) -> Tensor<E> {
    x.reshape([x.len() / width, width]).sum_axes(&[1], false)
}

/// `f` of rows that lie along `axis`, given with their length.
#[track_caller]
fn along<E: Element>(op: &str, x: Var<'_, E>, axis: usize, f: impl Fn(Tensor<E>, usize) -> Tensor<E>) -> Tensor<E> {
    let x = x.value();
    let rank = x.ndim();
    assert!(axis < rank, "{op}: no axis {axis} in a tensor of shape {:?}", x.shape());
    let width = x.shape()[axis];
    if x.is_empty() || axis == rank - 1 {
        return f(x, width.max(1));
    }
    // Another axis changes places with the last one, and back.
    let mut order: Vec<usize> = (0..rank).collect();
    order.swap(axis, rank - 1);
    f(x.permute(&order), width).permute(&order)
}
