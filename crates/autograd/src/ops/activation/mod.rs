//! The functions between layers, value by value: each is one operation with one pass over the values in either
//! direction.

mod exponential;
mod gated;
mod gelu;
mod hard;
mod rectifier;
mod sigmoid;
mod smooth;

use std::fmt;

use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, Tensor};

use crate::{Gradient, Op, OpContext, Var};

/// A function y of every value x by itself, with its derivative.
struct Pointwise<S, D> {
    name: &'static str,
    /// dy/dx from x and y.
    slope: S,
    /// The same in operations on variables, so that it can be differentiated again.
    derivative: D,
}

impl<E, S, D> Op<E> for Pointwise<S, D>
where
    E: Element,
    S: Fn(E, E) -> E + Copy + Send + Sync + 'static,
    D: for<'t> Fn(Var<'t, E>, Var<'t, E>) -> Var<'t, E> + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad * (self.derivative)(ctx.input(0), ctx.output()))]
    }
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>) -> Vec<Option<Gradient<E>>> {
        times_slope(grad, &ctx.input(0).value(), &ctx.output().value(), self.slope)
    }
}

impl<S, D> fmt::Debug for Pointwise<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A function made of straight pieces. Its slope dy/dx is all there is to differentiate; where that is 0, nothing passes,
/// however large the gradient.
struct Straight<S> {
    name: &'static str,
    slope: S,
}

impl<E: Element, S: Fn(E) -> E + Copy + Send + Sync + 'static> Op<E> for Straight<S> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let slopes = ctx.input(0).value().map(self.slope);
        vec![Some(grad.masked(&slopes) * ctx.tape().constant(slopes))]
    }
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>) -> Vec<Option<Gradient<E>>> {
        let (x, slope) = (ctx.input(0).value(), self.slope);
        times_slope(
            grad,
            &x,
            &x,
            #[inline(always)]
            move |x, _| slope(x),
        )
    }
}

impl<S> fmt::Debug for Straight<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The one input's gradient, `grad` times `slope(x, y)`, written over `grad` where nobody else holds it.
fn times_slope<E: Element>(
    mut grad: Tensor<E>,
    x: &Tensor<E>,
    y: &Tensor<E>,
    slope: impl Fn(E, E) -> E + Copy,
) -> Vec<Option<Gradient<E>>> {
    let pairs = x.as_slice().iter().zip(y.as_slice());
    let triples = grad.as_mut_slice().iter_mut().zip(pairs);
    vectorize(
        #[inline(always)]
        move || {
            for (g, (&x, &y)) in triples {
                let slope = slope(x, y);
                let product = *g * slope;
                *g = if slope == E::zero() { E::zero() } else { product };
            }
        },
    );
    vec![Some(Gradient::Value(grad))]
}

/// Puts `value(x)` on the tape, with the derivative `slope(x, y)`, which is also `derivative(x, y)`.
///
/// All but `derivative` run inside of vectorized loops: mark them `#[inline(always)]`.
fn pointwise<'t, E: Element>(
    name: &'static str,
    x: Var<'t, E>,
    value: impl Fn(E) -> E,
    slope: impl Fn(E, E) -> E + Copy + Send + Sync + 'static,
    derivative: impl for<'a> Fn(Var<'a, E>, Var<'a, E>) -> Var<'a, E> + Send + Sync + 'static,
) -> Var<'t, E> {
    x.tape().push(x.value().map(value), Pointwise { name, slope, derivative }, &[x])
}

/// The same for a function made of straight pieces, of which `y` is the value.
fn straight<'t, E: Element>(
    name: &'static str,
    x: Var<'t, E>,
    y: Tensor<E>,
    slope: impl Fn(E) -> E + Copy + Send + Sync + 'static,
) -> Var<'t, E> {
    x.tape().push(y, Straight { name, slope }, &[x])
}

/// x, or the least finite number in place of minus infinity, so that times 0 it is 0.
#[inline(always)]
fn above_minus_infinity<E: Element>(x: E) -> E {
    if x < E::min_value() { E::min_value() } else { x }
}

/// The nearest finite number; NaN stays NaN.
#[inline(always)]
fn finite<E: Element>(x: E) -> E {
    above_minus_infinity(if x > E::max_value() { E::max_value() } else { x })
}

/// `E::from_f64`, for the numbers in formulas.
#[inline(always)]
fn number<E: Element>(value: f64) -> E {
    E::from_f64(value)
}
