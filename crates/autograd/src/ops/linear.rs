//! A matrix product and a bias in one operation: what a dense layer computes.

use mlp_tensor::{Element, Tensor};

use crate::{Gradient, Op, OpContext, Var};

/// Y = X · W + b: dX = dY · Wᵀ, dW = Xᵀ · dY, db = the sum of dY over the rows.
#[derive(Debug)]
struct Linear;

impl<E: Element> Op<E> for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (x, w) = (ctx.input(0), ctx.input(1));
        let to_b = ctx.needs_input_grad(2).then(|| grad.sum_axes(&[0], false));
        vec![
            ctx.needs_input_grad(0).then(|| grad.matmul_nt(w)),
            ctx.needs_input_grad(1).then(|| x.matmul_tn(grad)),
            to_b,
        ]
    }
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>, to_inputs: &mut Vec<Option<Gradient<E>>>) {
        let to_x = ctx.needs_input_grad(0).then(|| Gradient::Value(grad.matmul_nt(&ctx.input(1).value())));
        let to_b = ctx.needs_input_grad(2).then(|| Gradient::Value(grad.sum_axes(&[0], false)));
        let to_w = ctx.needs_input_grad(1).then(|| Gradient::product(ctx.input(0).value(), &grad));
        to_inputs.extend([to_x, to_w, to_b]);
    }
}

impl<E: Element> Var<'_, E> {
    /// X · W + b, from this `[n, i]`, the weight `[i, o]` and the bias `[o]`: `[n, o]`.
    ///
    /// # Panics
    /// If the shapes do not fit; the message names all three.
    #[track_caller]
    pub fn linear(self, weight: Self, bias: Self) -> Self {
        let (x, w, b) = (self.value(), weight.value(), bias.value());
        let fits = matches!((x.shape(), w.shape(), b.shape()), (&[_, i], &[j, o], &[p]) if i == j && o == p);
        assert!(
            fits,
            "linear: input {:?}, weight {:?} and bias {:?} do not fit together",
            x.shape(),
            w.shape(),
            b.shape()
        );
        self.tape().push(x.linear(w.view2(), &b), Linear, &[self, weight, bias])
    }
}
