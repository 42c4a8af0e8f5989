//! Addition, subtraction, multiplication and division, with broadcasting, of variables and of single numbers.

use std::ops::{Add, Div, Mul, Neg, Sub};

use mlp_tensor::{Element, Tensor};

use crate::{Gradient, Op, OpContext, Var};

/// a + b: both gradients are that of the sum.
#[derive(Debug)]
struct AddOp;

impl<E: Element> Op<E> for AddOp {
    fn name(&self) -> &'static str {
        "add"
    }
    fn backward<'t>(&self, _: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad), Some(grad)]
    }
}

/// a - b.
#[derive(Debug)]
struct SubOp;

impl<E: Element> Op<E> for SubOp {
    fn name(&self) -> &'static str {
        "sub"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad), ctx.needs_input_grad(1).then(|| -grad)]
    }
}

/// a · b, value by value: the gradient of each is that of the product times the other.
#[derive(Debug)]
struct MulOp;

impl<E: Element> Op<E> for MulOp {
    fn name(&self) -> &'static str {
        "mul"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (a, b) = (ctx.input(0), ctx.input(1));
        vec![ctx.needs_input_grad(0).then(|| grad * b), ctx.needs_input_grad(1).then(|| grad * a)]
    }
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>) -> Vec<Option<Gradient<E>>> {
        let times = |i: usize| Gradient::Value(&grad * ctx.input(i).value());
        vec![ctx.needs_input_grad(0).then(|| times(1)), ctx.needs_input_grad(1).then(|| times(0))]
    }
}

/// a / b: d/da = 1 / b, d/db = -(a / b) / b.
#[derive(Debug)]
struct DivOp;

impl<E: Element> Op<E> for DivOp {
    fn name(&self) -> &'static str {
        "div"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let by_b = grad / ctx.input(1);
        vec![Some(by_b), ctx.needs_input_grad(1).then(|| -(by_b * ctx.output()))]
    }
}

/// a + c for a number c.
#[derive(Debug)]
struct AddNumber;

impl<E: Element> Op<E> for AddNumber {
    fn name(&self) -> &'static str {
        "add_number"
    }
    fn backward<'t>(&self, _: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad)]
    }
}

/// c · a for a number c.
#[derive(Debug)]
struct Scale<E>(E);

impl<E: Element> Op<E> for Scale<E> {
    fn name(&self) -> &'static str {
        "scale"
    }
    fn backward<'t>(&self, _: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad * self.0)]
    }
}

impl<'t, E: Element> Add for Var<'t, E> {
    type Output = Var<'t, E>;
    #[track_caller]
    fn add(self, other: Self) -> Self {
        self.tape().push(&self.value() + &other.value(), AddOp, &[self, other])
    }
}

impl<'t, E: Element> Sub for Var<'t, E> {
    type Output = Var<'t, E>;
    #[track_caller]
    fn sub(self, other: Self) -> Self {
        self.tape().push(&self.value() - &other.value(), SubOp, &[self, other])
    }
}

impl<'t, E: Element> Mul for Var<'t, E> {
    type Output = Var<'t, E>;
    #[track_caller]
    fn mul(self, other: Self) -> Self {
        self.tape().push(&self.value() * &other.value(), MulOp, &[self, other])
    }
}

impl<'t, E: Element> Div for Var<'t, E> {
    type Output = Var<'t, E>;
    #[track_caller]
    fn div(self, other: Self) -> Self {
        self.tape().push(&self.value() / &other.value(), DivOp, &[self, other])
    }
}

impl<'t, E: Element> Neg for Var<'t, E> {
    type Output = Var<'t, E>;
    fn neg(self) -> Self {
        self * -E::one()
    }
}

impl<'t, E: Element> Add<E> for Var<'t, E> {
    type Output = Var<'t, E>;
    fn add(self, number: E) -> Self {
        self.tape().push(self.value() + number, AddNumber, &[self])
    }
}

impl<'t, E: Element> Sub<E> for Var<'t, E> {
    type Output = Var<'t, E>;
    fn sub(self, number: E) -> Self {
        self + -number
    }
}

impl<'t, E: Element> Mul<E> for Var<'t, E> {
    type Output = Var<'t, E>;
    fn mul(self, number: E) -> Self {
        self.tape().push(self.value() * number, Scale(number), &[self])
    }
}

impl<'t, E: Element> Div<E> for Var<'t, E> {
    type Output = Var<'t, E>;
    fn div(self, number: E) -> Self {
        self.tape().push(self.value() / number, Scale(number.recip()), &[self])
    }
}
