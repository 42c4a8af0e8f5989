//! Functions of every value by itself.

use mlp_tensor::{Element, Tensor};

use crate::{Op, OpContext, Var};

/// eˣ, its own derivative.
#[derive(Debug)]
struct Exp;

impl<E: Element> Op<E> for Exp {
    fn name(&self) -> &'static str {
        "exp"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad * ctx.output())]
    }
}

/// ln x, with derivative 1 / x.
#[derive(Debug)]
struct Ln;

impl<E: Element> Op<E> for Ln {
    fn name(&self) -> &'static str {
        "ln"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad / ctx.input(0))]
    }
}

/// eˣ - 1, with derivative eˣ (not y + 1, which is 0 where eˣ is small).
#[derive(Debug)]
struct ExpM1;

impl<E: Element> Op<E> for ExpM1 {
    fn name(&self) -> &'static str {
        "exp_m1"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad * ctx.input(0).exp())]
    }
}

/// ln(1 + x), with derivative 1 / (1 + x).
#[derive(Debug)]
struct Ln1p;

impl<E: Element> Op<E> for Ln1p {
    fn name(&self) -> &'static str {
        "ln_1p"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad / (ctx.input(0) + E::one()))]
    }
}

/// √x, with derivative 1 / 2√x.
#[derive(Debug)]
struct Sqrt;

impl<E: Element> Op<E> for Sqrt {
    fn name(&self) -> &'static str {
        "sqrt"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad / ctx.output() * E::from_f64(0.5))]
    }
}

/// sin x, with derivative cos x.
#[derive(Debug)]
struct Sin;

impl<E: Element> Op<E> for Sin {
    fn name(&self) -> &'static str {
        "sin"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad * ctx.input(0).cos())]
    }
}

/// cos x, with derivative -sin x.
#[derive(Debug)]
struct Cos;

impl<E: Element> Op<E> for Cos {
    fn name(&self) -> &'static str {
        "cos"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(-(grad * ctx.input(0).sin()))]
    }
}

/// erf x, with derivative 2 / √π · e^(-x²).
#[derive(Debug)]
struct Erf;

impl<E: Element> Op<E> for Erf {
    fn name(&self) -> &'static str {
        "erf"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let slope = (-ctx.input(0).square()).exp() * E::from_f64(std::f64::consts::FRAC_2_SQRT_PI);
        vec![Some(grad * slope)]
    }
}

/// |x|, with derivative -1, 0 or 1 by the sign of x.
#[derive(Debug)]
struct Abs;

impl<E: Element> Op<E> for Abs {
    fn name(&self) -> &'static str {
        "abs"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad * ctx.tape().constant(ctx.input(0).value().sign()))]
    }
}

impl<E: Element> Var<'_, E> {
    /// eˣ. Derivative: eˣ.
    pub fn exp(self) -> Self {
        self.tape().push(self.value().exp(), Exp, &[self])
    }

    /// The natural logarithm. Derivative: 1 / x.
    pub fn ln(self) -> Self {
        self.tape().push(self.value().ln(), Ln, &[self])
    }

    /// eˣ - 1, accurate near 0 as well. Derivative: eˣ.
    pub fn exp_m1(self) -> Self {
        self.tape().push(self.value().exp_m1(), ExpM1, &[self])
    }

    /// ln(1 + x), accurate near 0 as well. Derivative: 1 / (1 + x).
    pub fn ln_1p(self) -> Self {
        self.tape().push(self.value().ln_1p(), Ln1p, &[self])
    }

    /// The square root. Derivative: 1 / 2√x, infinite at 0.
    pub fn sqrt(self) -> Self {
        self.tape().push(self.value().sqrt(), Sqrt, &[self])
    }

    /// sin x, x in radians. Derivative: cos x.
    pub fn sin(self) -> Self {
        self.tape().push(self.value().sin(), Sin, &[self])
    }

    /// cos x, x in radians. Derivative: -sin x.
    pub fn cos(self) -> Self {
        self.tape().push(self.value().cos(), Cos, &[self])
    }

    /// The error function. Derivative: 2 / √π · e^(-x²).
    pub fn erf(self) -> Self {
        self.tape().push(self.value().erf(), Erf, &[self])
    }

    /// 1 / x. Derivative: -1 / x².
    pub fn recip(self) -> Self {
        self.tape().constant(Tensor::scalar(E::one())) / self
    }

    /// |x|. Derivative: the sign of x, 0 at 0.
    pub fn abs(self) -> Self {
        self.tape().push(self.value().abs(), Abs, &[self])
    }
}
