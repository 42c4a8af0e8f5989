//! Cross-entropy straight from logits, softmax included.

use mlp_tensor::{Element, Tensor};

use super::softmax::{below_largest, divide_rows, sums_of_rows};
use crate::op::Values;
use crate::{Gradient, Op, Site, Var};

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
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (x, t) = (site.input(0), site.input(1));
        let grad = grad.reshape([self.probabilities.rows(), 1]);
        let to_x = site.needs(0).then(|| (x.softmax() * t.sum_axes(&[1], true) - t) * grad);
        let to_t = site.needs(1).then(|| -x.log_softmax() * grad);
        vec![to_x, to_t]
    }
    fn backward_kernel(&self, values: &Values<'_, E>, grad: Tensor<E>) -> Result<Vec<Option<Gradient<E>>>, Tensor<E>> {
        if values.needs(1) {
            return Err(grad);
        }
        let (targets, width) = (values.input(1).as_slice(), self.probabilities.row_len());
        let mut to_x = self.probabilities.clone();
        let rows = to_x.as_mut_slice().chunks_mut(width).zip(targets.chunks(width)).zip(grad.as_slice());
        for ((row, targets), &grad) in rows {
            let total: E = targets.iter().copied().sum();
            row.iter_mut().zip(targets).for_each(|(p, &t)| *p = (total * *p - t) * grad);
        }
        Ok(vec![Some(Gradient::Value(to_x)), None])
    }
}

impl<E: Element> Var<'_, E> {
    /// -Σ t · log_softmax(x) for every row, from logits x `[n, k]` and target probabilities t `[n, k]`: `[n]`. Finite
    /// for every finite x, and where t is 0 also for an x of minus infinity. The name is optax's.
    ///
    /// # Panics
    /// If the shapes differ, or are not of rank 2 with at least one column.
    #[track_caller]
    pub fn softmax_cross_entropy(self, targets: Self) -> Self {
        let (x, t) = (self.value(), targets.value());
        assert!(
            x.shape() == t.shape() && x.rank() == 2 && x.row_len() > 0,
            "softmax_cross_entropy: logits {:?} and targets {:?} must have one shape [rows, classes]",
            x.shape(),
            t.shape()
        );
        let width = x.row_len();
        let below = below_largest(x, width);
        let mut probabilities = below.exp();
        let sums = sums_of_rows(&probabilities, width);
        let mut losses = sums.ln();
        let rows = below.as_slice().chunks(width).zip(t.as_slice().chunks(width));
        for ((x, t), loss) in rows.zip(losses.as_mut_slice()) {
            let ln_sum = *loss;
            // A target of 0 takes no part, even where the logit is minus infinity.
            *loss = x.iter().zip(t).map(|(&x, &t)| if t == E::zero() { t } else { t * (ln_sum - x) }).sum();
        }
        divide_rows(&mut probabilities, &sums, width);
        self.tape().push(losses, SoftmaxCrossEntropy { probabilities }, &[self, targets])
    }
}
