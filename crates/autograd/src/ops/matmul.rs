//! The product of two matrices, either of them transposed if need be.

use mlp_tensor::{Element, Tensor};

use crate::{Gradient, Op, OpContext, Var};

/// C = A · B: dA = dC · Bᵀ, dB = Aᵀ · dC.
#[derive(Debug)]
struct Matmul;

impl<E: Element> Op<E> for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (a, b) = (ctx.input(0), ctx.input(1));
        vec![ctx.needs_input_grad(0).then(|| grad.matmul_nt(b)), ctx.needs_input_grad(1).then(|| a.matmul_tn(grad))]
    }
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>, to_inputs: &mut Vec<Option<Gradient<E>>>) {
        let to_a = ctx.needs_input_grad(0).then(|| Gradient::Value(grad.matmul_nt(&ctx.input(1).value())));
        let to_b = ctx.needs_input_grad(1).then(|| Gradient::product(ctx.input(0).value(), &grad));
        to_inputs.extend([to_a, to_b]);
    }
}

/// C = A · Bᵀ: dA = dC · B, dB = dCᵀ · A.
#[derive(Debug)]
struct MatmulNt;

impl<E: Element> Op<E> for MatmulNt {
    fn name(&self) -> &'static str {
        "matmul_nt"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (a, b) = (ctx.input(0), ctx.input(1));
        vec![ctx.needs_input_grad(0).then(|| grad.matmul(b)), ctx.needs_input_grad(1).then(|| grad.matmul_tn(a))]
    }
}

/// C = Aᵀ · B: dA = B · dCᵀ, dB = A · dC.
#[derive(Debug)]
struct MatmulTn;

impl<E: Element> Op<E> for MatmulTn {
    fn name(&self) -> &'static str {
        "matmul_tn"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (a, b) = (ctx.input(0), ctx.input(1));
        vec![ctx.needs_input_grad(0).then(|| b.matmul_nt(grad)), ctx.needs_input_grad(1).then(|| a.matmul(grad))]
    }
}

impl<E: Element> Var<'_, E> {
    /// The matrix product of `[m, k]` and `[k, n]`: `[m, n]`.
    ///
    /// # Panics
    /// If either is not of rank 2, or the inner lengths differ.
    #[track_caller]
    pub fn matmul(self, other: Self) -> Self {
        self.tape().push(self.value().matmul(&other.value()), Matmul, &[self, other])
    }

    /// The product of this matrix and another transposed, `[m, k]` and `[n, k]`: `[m, n]`.
    ///
    /// # Panics
    /// If either is not of rank 2, or the inner lengths differ.
    #[track_caller]
    pub fn matmul_nt(self, other: Self) -> Self {
        self.tape().push(self.value().matmul_nt(&other.value()), MatmulNt, &[self, other])
    }

    /// The product of this matrix transposed and another, `[k, m]` and `[k, n]`: `[m, n]`.
    ///
    /// # Panics
    /// If either is not of rank 2, or the inner lengths differ.
    #[track_caller]
    pub fn matmul_tn(self, other: Self) -> Self {
        self.tape().push(self.value().matmul_tn(&other.value()), MatmulTn, &[self, other])
    }
}
