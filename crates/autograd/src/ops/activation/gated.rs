//! The gated linear unit.

use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, Tensor, math};

use crate::{Gradient, Op, OpContext, Var};

/// y = a σ(b) of the halves a and b of the last axis: da = σ(b) dy, db = a σ(b) (1 - σ(b)) dy.
#[derive(Debug)]
struct Glu;

impl<E: Element> Op<E> for Glu {
    fn name(&self) -> &'static str {
        "glu"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (a, b) = halves(ctx.input(0));
        let open = b.sigmoid();
        let last = grad.shape().len() - 1;
        vec![Some(Var::concatenate(&[grad * open, grad * a * open * (-b).sigmoid()], last))]
    }
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>, to_inputs: &mut Vec<Option<Gradient<E>>>) {
        let mut to_x = ctx.input(0).value();
        let half = grad.shape().last().copied().unwrap_or(0).max(1);
        let rows = to_x.as_mut_slice().chunks_mut(2 * half).zip(grad.as_slice().chunks(half));
        vectorize(
            #[inline(always)]
            || {
                for (row, grad) in rows {
                    let (a, b) = row.split_at_mut(half);
                    for ((a, b), &g) in a.iter_mut().zip(b).zip(grad) {
                        let open = math::sigmoid(*b);
                        let to_b = g * *a * open * math::sigmoid(-*b);
                        (*a, *b) = (g * open, to_b);
                    }
                }
            },
        );
        to_inputs.push(Some(Gradient::Value(to_x)));
    }
}

/// The first and the second half of the last axis.
fn halves<E: Element>(x: Var<'_, E>) -> (Var<'_, E>, Var<'_, E>) {
    let shape = x.shape();
    let last = shape.len() - 1;
    let half = shape[last] / 2;
    (x.slice(last, 0..half), x.slice(last, half..2 * half))
}

impl<E: Element> Var<'_, E> {
    /// a / (1 + e⁻ᵇ) of the halves a and b of the last axis, which is half as long afterwards.
    ///
    /// Source: Dauphin, Fan, Auli and Grangier, 2017.
    ///
    /// # Panics
    /// If the length of the last axis is not even.
    #[track_caller]
    pub fn glu(self) -> Self {
        let x = self.value();
        let mut shape = x.shape().to_vec();
        let Some(last) = shape.last_mut().filter(|length| length.is_multiple_of(2)) else {
            panic!("glu: the last axis of shape {:?} does not have two halves", x.shape());
        };
        *last /= 2;
        let half = (*last).max(1);
        let mut y = Tensor::zeros(shape);
        let rows = y.as_mut_slice().chunks_mut(half).zip(x.as_slice().chunks(2 * half));
        vectorize(
            #[inline(always)]
            || {
                for (y, row) in rows {
                    let (a, b) = row.split_at(half);
                    for (y, (&a, &b)) in y.iter_mut().zip(a.iter().zip(b)) {
                        *y = a * math::sigmoid(b);
                    }
                }
            },
        );
        self.tape().push(y, Glu, &[self])
    }
}
