//! Cross-entropy straight from logits, softmax included.

use mlp_tensor::{Element, Tensor};

use super::softmax::{below_largest, divide_by_sums};
use crate::{Gradient, Op, OpContext, Var};

/// L = mean over rows of -Σ t · log_softmax(x). With s = Σ t and n rows, dx = (s softmax(x) - t) / n; and
/// dt = -log_softmax(x) / n.
#[derive(Debug)]
struct CrossEntropy<E: Element> {
    /// softmax(x)
    probabilities: Tensor<E>,
}

impl<E: Element> Op<E> for CrossEntropy<E> {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (x, t) = (ctx.input(0), ctx.input(1));
        let scaled = grad / rows(&self.probabilities);
        let to_x = ctx.needs_input_grad(0).then(|| (x.softmax() * t.sum_axes(&[1], true) - t) * scaled);
        let to_t = ctx.needs_input_grad(1).then(|| -x.log_softmax() * scaled);
        vec![to_x, to_t]
    }
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>) -> Vec<Option<Gradient<E>>> {
        let scaled = grad.item() / rows(&self.probabilities);
        let to_x = || {
            let (targets, width) = (ctx.input(1).value(), self.probabilities.row_len());
            let mut to_x = self.probabilities.clone();
            for (row, targets) in to_x.as_mut_slice().chunks_mut(width).zip(targets.as_slice().chunks(width)) {
                let total: E = targets.iter().copied().sum();
                row.iter_mut().zip(targets).for_each(|(p, &t)| *p = (total * *p - t) * scaled);
            }
            Gradient::Value(to_x)
        };
        let to_t = || Gradient::Value((-ctx.input(0).log_softmax() * scaled).value());
        vec![ctx.needs_input_grad(0).then(to_x), ctx.needs_input_grad(1).then(to_t)]
    }
}

impl<E: Element> Var<'_, E> {
    /// The mean over the rows of -Σ t · log_softmax(x), from logits x `[n, k]` and target probabilities t `[n, k]`:
    /// one number. Finite for every finite x; of no rows, NaN.
    ///
    /// # Panics
    /// If the shapes differ, or are not of rank 2 with at least one column.
    #[track_caller]
    pub fn cross_entropy_with_logits(self, targets: Self) -> Self {
        let (x, t) = (self.value(), targets.value());
        assert!(
            x.shape() == t.shape() && x.rank() == 2 && x.row_len() > 0,
            "cross_entropy_with_logits: logits {:?} and targets {:?} must have one shape [rows, classes]",
            x.shape(),
            t.shape()
        );
        let (rows, width) = (x.rows(), x.row_len());
        let below = below_largest(x, width);
        let mut probabilities = below.exp();
        let ln_sums = divide_by_sums(&mut probabilities, width).ln();
        let mut total = 0.0;
        let rows_of = below.as_slice().chunks(width).zip(t.as_slice().chunks(width)).zip(ln_sums.as_slice());
        for ((x, t), &ln_sum) in rows_of {
            // A target of 0 takes no part, even where the logit is minus infinity.
            let part = |(&x, &t): (&E, &E)| if t == E::zero() { t } else { t * (ln_sum - x) };
            let row: E = x.iter().zip(t).map(part).sum();
            total += row.as_f64();
        }
        let loss = Tensor::scalar(E::from_f64(total / rows as f64));
        self.tape().push(loss, CrossEntropy { probabilities }, &[self, targets])
    }
}

fn rows<E: Element>(table: &Tensor<E>) -> E {
    E::from_f64(table.rows() as f64)
}
