//! Addition, subtraction, multiplication and division, with broadcasting, of variables and of single numbers.
//!
//! A variable is a handle that is copied freely, so `x * x` is written without borrows; references do as well.

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
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>, to_inputs: &mut Vec<Option<Gradient<E>>>) {
        let both = [ctx.needs_input_grad(0), ctx.needs_input_grad(1)];
        to_inputs.extend(both.map(|needed| needed.then(|| Gradient::Value(grad.clone()))));
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
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>, to_inputs: &mut Vec<Option<Gradient<E>>>) {
        let times = |i: usize| Gradient::Value(&grad * ctx.input(i).value());
        to_inputs.extend([ctx.needs_input_grad(0).then(|| times(1)), ctx.needs_input_grad(1).then(|| times(0))]);
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

impl<'t, E: Element> Neg for &Var<'t, E> {
    type Output = Var<'t, E>;
    fn neg(self) -> Var<'t, E> {
        -*self
    }
}

/// An operator with borrowed variables on either side or both, and with a number after one.
macro_rules! borrowed {
    ($trait:ident, $method:ident) => {
        impl<'t, E: Element> $trait<&Var<'t, E>> for &Var<'t, E> {
            type Output = Var<'t, E>;
            #[track_caller]
            fn $method(self, other: &Var<'t, E>) -> Var<'t, E> {
                (*self).$method(*other)
            }
        }

        impl<'t, E: Element> $trait<Var<'t, E>> for &Var<'t, E> {
            type Output = Var<'t, E>;
            #[track_caller]
            fn $method(self, other: Var<'t, E>) -> Var<'t, E> {
                (*self).$method(other)
            }
        }

        impl<'t, E: Element> $trait<&Var<'t, E>> for Var<'t, E> {
            type Output = Var<'t, E>;
            #[track_caller]
            fn $method(self, other: &Var<'t, E>) -> Var<'t, E> {
                self.$method(*other)
            }
        }

        impl<'t, E: Element> $trait<E> for &Var<'t, E> {
            type Output = Var<'t, E>;
            fn $method(self, number: E) -> Var<'t, E> {
                (*self).$method(number)
            }
        }
    };
}

borrowed!(Add, add);
borrowed!(Sub, sub);
borrowed!(Mul, mul);
borrowed!(Div, div);

/// The operators with a number before a variable. One that is subtracted from or divided is put on the tape.
macro_rules! number_before {
    ($number:ty, $($var:ty),+) => {$(
        impl<'t> Add<$var> for $number {
            type Output = Var<'t, $number>;
            fn add(self, x: $var) -> Var<'t, $number> {
                x + self
            }
        }

        impl<'t> Sub<$var> for $number {
            type Output = Var<'t, $number>;
            fn sub(self, x: $var) -> Var<'t, $number> {
                x.tape().constant(Tensor::scalar(self)) - x
            }
        }

        impl<'t> Mul<$var> for $number {
            type Output = Var<'t, $number>;
            fn mul(self, x: $var) -> Var<'t, $number> {
                x * self
            }
        }

        impl<'t> Div<$var> for $number {
            type Output = Var<'t, $number>;
            fn div(self, x: $var) -> Var<'t, $number> {
                x.tape().constant(Tensor::scalar(self)) / x
            }
        }
    )+};
}

number_before!(f32, Var<'t, f32>, &Var<'t, f32>);
number_before!(f64, Var<'t, f64>, &Var<'t, f64>);

#[cfg(test)]
mod tests {
    use mlp_tensor::Tensor;

    use crate::Tape;

    #[test]
    fn operators_take_variables_and_references_to_them() {
        let tape = Tape::<f32>::new();
        let (a, b) = (&tape.variable(Tensor::from([6.0, 8.0])), &tape.variable(Tensor::from([2.0])));
        for sum in [a + b, *a + b, a + *b] {
            assert_eq!(sum.value(), Tensor::from([8.0, 10.0]));
        }
        for difference in [a - b, *a - b, a - *b] {
            assert_eq!(difference.value(), Tensor::from([4.0, 6.0]));
        }
        for product in [a * b, *a * b, a * *b] {
            assert_eq!(product.value(), Tensor::from([12.0, 16.0]));
        }
        for quotient in [a / b, *a / b, a / *b] {
            assert_eq!(quotient.value(), Tensor::from([3.0, 4.0]));
        }
        let numbers = [a + 1.0, a - 1.0, a * 2.0, a / 2.0, -a].map(|y| y.value().as_slice()[0]);
        assert_eq!(numbers, [7.0, 5.0, 12.0, 3.0, -6.0]);
        assert_eq!((a * a).sum().backward().wrt(*a), Tensor::from([12.0, 16.0]));
    }

    #[test]
    fn numbers_stand_before_variables_too() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::scalar(4.0));
        let cases = [(2.0 + x, 6.0, 1.0), (2.0 - x, -2.0, -1.0), (2.0 * x, 8.0, 2.0), (2.0 / x, 0.5, -0.125)];
        for (y, value, slope) in cases {
            assert_eq!((y.item(), y.backward().wrt(x).item()), (value, slope));
        }
        assert_eq!([2.0 + &x, 2.0 - &x, 2.0 * &x, 2.0 / &x].map(|y| y.item()), [6.0, -2.0, 8.0, 0.5]);
        let single = Tape::<f32>::new();
        assert_eq!((1.0 - 2.0 * single.constant(Tensor::scalar(0.25))).item(), 0.5);
    }
}
