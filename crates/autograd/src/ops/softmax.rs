//! Softmax and its logarithm, over an axis, and the cross-entropy of the one and the other.

use mlp_tensor::{Element, Tensor, math, softmax};

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
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>, to_inputs: &mut Vec<Option<Gradient<E>>>) {
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
        to_inputs.extend([ctx.needs_input_grad(0).then(to_x), ctx.needs_input_grad(1).then(to_t)]);
    }
}

impl<E: Element> Var<'_, E> {
    /// eˣ / Σ eˣ over `axis`, computed from x - max x, so that no x overflows.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn softmax(self, axis: usize) -> Self {
        self.tape().push(self.value().softmax(axis), Softmax { axis }, &[self])
    }

    /// x - ln Σ eˣ over `axis`: the logarithm of the softmax, finite even where that rounds to 0.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn log_softmax(self, axis: usize) -> Self {
        self.tape().push(self.value().log_softmax(axis), LogSoftmax { axis }, &[self])
    }

    /// -Σ t · log_softmax(x) for every row, from logits x `[n, k]` and target probabilities t `[n, k]`: `[n]`. Finite
    /// for every finite x, and where t is 0 also for an x of minus infinity. The name is optax's.
    ///
    /// # Panics
    /// If the shapes differ, or are not of rank 2 with at least one column.
    #[track_caller]
    pub fn softmax_cross_entropy(self, targets: Self) -> Self {
        let (mut x, t) = (self.value(), targets.value());
        assert!(
            x.shape() == t.shape() && x.ndim() == 2 && x.row_len() > 0,
            "softmax_cross_entropy: logits {:?} and targets {:?} must have one shape [rows, classes]",
            x.shape(),
            t.shape()
        );
        let width = x.row_len();
        softmax::subtract_largest(x.as_mut_slice(), width);
        let mut probabilities = x.exp();
        let mut losses = Tensor::zeros([x.rows()]);
        let mut sums = losses.as_mut_slice().iter_mut();
        softmax::divide_by_sums(probabilities.as_mut_slice(), width, |sum| {
            if let Some(place) = sums.next() {
                *place = sum;
            }
        });
        losses.map_in_place(math::ln);
        let rows = x.as_slice().chunks(width).zip(t.as_slice().chunks(width));
        for ((x, t), loss) in rows.zip(losses.as_mut_slice()) {
            let ln_sum = *loss;
            // A target of 0 takes no part, even where the logit is minus infinity.
            *loss = x.iter().zip(t).map(|(&x, &t)| if t == E::zero() { t } else { t * (ln_sum - x) }).sum();
        }
        self.tape().push(losses, SoftmaxCrossEntropy { probabilities }, &[self, targets])
    }
}
