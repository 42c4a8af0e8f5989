//! Softmax and its logarithm, over the last axis.

use mlp_tensor::{Element, Tensor, math};

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
        let width = last_axis("softmax", self);
        let mut y = below_largest(self.value(), width);
        y.map_in_place(math::exp);
        let sums = sums_of_rows(&y, width);
        divide_rows(&mut y, &sums, width);
        self.tape().push(y, Softmax, &[self])
    }

    /// x - ln Σ eˣ over the last axis: the logarithm of the softmax, finite even where that rounds to 0.
    ///
    /// # Panics
    /// If there is no axis.
    #[track_caller]
    pub fn log_softmax(self) -> Self {
        let width = last_axis("log_softmax", self);
        let mut y = below_largest(self.value(), width);
        let ln_sums = sums_of_rows(&y.exp(), width).ln();
        for (row, &ln_sum) in y.as_mut_slice().chunks_mut(width).zip(ln_sums.as_slice()) {
            row.iter_mut().for_each(|v| *v -= ln_sum);
        }
        self.tape().push(y, LogSoftmax, &[self])
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

pub(super) fn sums_of_rows<E: Element>(x: &Tensor<E>, width: usize) -> Tensor<E> {
    let sums: Vec<E> = x.as_slice().chunks(width).map(|row| row.iter().copied().sum()).collect();
    sums.into()
}

pub(super) fn divide_rows<E: Element>(x: &mut Tensor<E>, by: &Tensor<E>, width: usize) {
    for (row, &by) in x.as_mut_slice().chunks_mut(width).zip(by.as_slice()) {
        row.iter_mut().for_each(|v| *v /= by);
    }
}

/// The length of a row; 1 where rows are empty and there is nothing to do.
#[track_caller]
fn last_axis<E: Element>(op: &str, x: Var<'_, E>) -> usize {
    let shape = x.shape();
    let Some(&width) = shape.last() else { panic!("{op}: a single number has no axis to work over") };
    width.max(1)
}
