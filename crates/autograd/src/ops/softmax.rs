//! Softmax and its logarithm, over an axis, and the cross-entropy of the one and the other.

use mlp_tensor::{Element, Tensor, math};

use crate::{Gradient, Op, OpContext, Var};

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

/// Lᵢ = -Σ t · log_softmax(x) for every row i. With s = Σ t, dx = (s softmax(x) - t) dLᵢ and dt = -log_softmax(x) dLᵢ.
#[derive(Debug)]
struct SoftmaxCrossEntropy<E: Element> {
    /// softmax(x)
    probabilities: Tensor<E>,
}

impl<E: Element> Op<E> for SoftmaxCrossEntropy<E> {
    fn name(&self) -> &'static str {
        "softmax_cross_entropy"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (x, t) = (ctx.input(0), ctx.input(1));
        let grad = grad.reshape([self.probabilities.rows(), 1]);
        let to_x = ctx.needs_input_grad(0).then(|| (x.softmax(1) * t.sum_axes(&[1], true) - t) * grad);
        let to_t = ctx.needs_input_grad(1).then(|| -x.log_softmax(1) * grad);
        vec![to_x, to_t]
    }
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>) -> Vec<Option<Gradient<E>>> {
        let to_x = || {
            let (targets, width) = (ctx.input(1).value(), self.probabilities.row_len());
            let mut to_x = self.probabilities.clone();
            let rows = to_x.as_mut_slice().chunks_mut(width).zip(targets.as_slice().chunks(width));
            for ((row, targets), &grad) in rows.zip(grad.as_slice()) {
                let total: E = targets.iter().copied().sum();
                row.iter_mut().zip(targets).for_each(|(p, &t)| *p = (total * *p - t) * grad);
            }
            Gradient::Value(to_x)
        };
        let to_t = || {
            let mut to_t = ctx.input(0).log_softmax(1).value();
            let width = self.probabilities.row_len();
            for (row, &grad) in to_t.as_mut_slice().chunks_mut(width).zip(grad.as_slice()) {
                row.iter_mut().for_each(|v| *v = -*v * grad);
            }
            Gradient::Value(to_t)
        };
        vec![ctx.needs_input_grad(0).then(to_x), ctx.needs_input_grad(1).then(to_t)]
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
            let ln_sums = sums_of_rows(&y.exp()).ln();
            for (row, &ln_sum) in y.as_mut_slice().chunks_mut(width).zip(ln_sums.as_slice()) {
                row.iter_mut().for_each(|v| *v -= ln_sum);
            }
            y
        });
        self.tape().push(y, LogSoftmax { axis }, &[self])
    }

    /// -Σ t · log_softmax(x) for every row, from logits x `[n, k]` and target probabilities t `[n, k]`: `[n]`. Finite
    /// for every finite x, and where t is 0 also for an x of minus infinity. The name is optax's.
    ///
    /// # Panics
    /// If the shapes differ, or are not of rank 2 with at least one column.
    #[track_caller]
    pub fn softmax_cross_entropy(self, targets: Self) -> Self {
        let (x, t) = (self.value(), targets.value());
        assert!(
            x.shape() == t.shape() && x.ndim() == 2 && x.row_len() > 0,
            "softmax_cross_entropy: logits {:?} and targets {:?} must have one shape [rows, classes]",
            x.shape(),
            t.shape()
        );
        let width = x.row_len();
        let below = below_largest(x, width);
        let mut probabilities = below.exp();
        let mut losses = divide_by_sums(&mut probabilities, width).ln();
        let rows = below.as_slice().chunks(width).zip(t.as_slice().chunks(width));
        for ((x, t), loss) in rows.zip(losses.as_mut_slice()) {
            let ln_sum = *loss;
            // A target of 0 takes no part, even where the logit is minus infinity.
            *loss = x.iter().zip(t).map(|(&x, &t)| if t == E::zero() { t } else { t * (ln_sum - x) }).sum();
        }
        self.tape().push(losses, SoftmaxCrossEntropy { probabilities }, &[self, targets])
    }
}

// The rows are short in most networks. Whatever works on every value by itself goes over all rows at once.

/// x - max x in every row.
fn below_largest<E: Element>(mut x: Tensor<E>, width: usize) -> Tensor<E> {
    for row in x.as_mut_slice().chunks_mut(width) {
        // A NaN may get lost here, but not below: it makes the sum of the row NaN.
        let largest = row.iter().copied().fold(E::neg_infinity(), |a, b| if a > b { a } else { b });
        row.iter_mut().for_each(|v| *v -= largest);
    }
    x
}

/// x / Σ x in every row; returns the sums.
fn divide_by_sums<E: Element>(x: &mut Tensor<E>, width: usize) -> Tensor<E> {
    let sums = sums_of_rows(x);
    for (row, &sum) in x.as_mut_slice().chunks_mut(width).zip(sums.as_slice()) {
        row.iter_mut().for_each(|v| *v /= sum);
    }
    sums
}

/// Σ x of every row, which lies along the last axis.
fn sums_of_rows<E: Element>(x: &Tensor<E>) -> Tensor<E> {
    x.sum_axes(&[x.ndim() - 1], false)
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
