//! Softmax and its logarithm, over the last axis.

use mlp_tensor::{Element, Tensor};

use crate::{Op, Site, Var};

/// y = eˣ / Σ eˣ: dx = y (dy - Σ dy y).
#[derive(Debug)]
struct Softmax;

impl<E: Element> Op<E> for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let y = site.output();
        let weighed = grad * y;
        let last = y.shape().len() - 1;
        vec![Some(weighed - y * weighed.sum_axes(&[last], true))]
    }
}

/// y = x - ln Σ eˣ: dx = dy - eʸ Σ dy.
#[derive(Debug)]
struct LogSoftmax;

impl<E: Element> Op<E> for LogSoftmax {
    fn name(&self) -> &'static str {
        "log_softmax"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let y = site.output();
        let last = y.shape().len() - 1;
        vec![Some(grad - y.exp() * grad.sum_axes(&[last], true))]
    }
}

impl<E: Element> Var<'_, E> {
    /// eˣ / Σ eˣ over the last axis, computed from x - max x, so that no x overflows.
    ///
    /// # Panics
    /// If there is no axis.
    #[track_caller]
    pub fn softmax(self) -> Self {
        let mut y = self.value();
        for_each_row("softmax", &mut y, |row| {
            let sum = exp_of_row(row);
            row.iter_mut().for_each(|v| *v /= sum);
        });
        self.tape().push(y, Softmax, &[self])
    }

    /// x - ln Σ eˣ over the last axis: the logarithm of the softmax, finite even where that rounds to 0.
    ///
    /// # Panics
    /// If there is no axis.
    #[track_caller]
    pub fn log_softmax(self) -> Self {
        let mut y = self.value();
        for_each_row("log_softmax", &mut y, |row| {
            let max = largest(row);
            let sum: E = row.iter().map(|&v| (v - max).exp()).sum();
            row.iter_mut().for_each(|v| *v = (*v - max) - sum.ln());
        });
        self.tape().push(y, LogSoftmax, &[self])
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
fn for_each_row<E: Element>(op: &str, tensor: &mut Tensor<E>, f: impl Fn(&mut [E])) {
    let Some(&width) = tensor.shape().last() else { panic!("{op}: a single number has no axis to work over") };
    if width > 0 {
        tensor.as_mut_slice().chunks_mut(width).for_each(f);
    }
}
