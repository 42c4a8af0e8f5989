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
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>, to_inputs: &mut Vec<Option<Gradient<E>>>) {
        let slope = self.slope;
        to_inputs.push(Some(replaced(
            grad,
            &ctx.input(0).value(),
            &ctx.output().value(),
            #[inline(always)]
            move |g, x, y| g * slope(x, y),
        )));
    }
}

impl<S, D> fmt::Debug for Pointwise<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A function made of pieces, some of them flat: there nothing passes, however large the gradient.
struct Pieces<F, S, D> {
    name: &'static str,
    /// Whether the piece at x is flat.
    flat: F,
    /// dy/dx from x.
    slope: S,
    /// The same in operations on variables.
    derivative: D,
}

impl<E, F, S, D> Op<E> for Pieces<F, S, D>
where
    E: Element,
    F: Fn(E) -> bool + Copy + Send + Sync + 'static,
    S: Fn(E) -> E + Copy + Send + Sync + 'static,
    D: for<'t> Fn(Var<'t, E>) -> Var<'t, E> + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (x, flat) = (ctx.input(0), self.flat);
        let passes = x.value().map(move |x| if flat(x) { E::zero() } else { E::one() });
        vec![Some(grad.masked(&passes) * (self.derivative)(x))]
    }
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>, to_inputs: &mut Vec<Option<Gradient<E>>>) {
        let (x, flat, slope) = (ctx.input(0).value(), self.flat, self.slope);
        to_inputs.push(Some(replaced(
            grad,
            &x,
            &x,
            #[inline(always)]
            move |g, x, _| {
                let product = g * slope(x);
                if flat(x) { E::zero() } else { product }
            },
        )));
    }
}

impl<F, S, D> fmt::Debug for Pieces<F, S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The one input's gradient, `product(g, x, y)` for every value of `grad`, written over it where nobody else holds it.
fn replaced<E: Element>(
    mut grad: Tensor<E>,
    x: &Tensor<E>,
    y: &Tensor<E>,
    product: impl Fn(E, E, E) -> E + Copy,
) -> Gradient<E> {
    let pairs = x.as_slice().iter().zip(y.as_slice());
    let triples = grad.as_mut_slice().iter_mut().zip(pairs);
    vectorize(
        #[inline(always)]
        move || {
            for (g, (&x, &y)) in triples {
                *g = product(*g, x, y);
            }
        },
    );
    Gradient::Value(grad)
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

/// The same for a function made of pieces, of which `y` is the value, and which is flat where `flat(x)`.
fn pieces<'t, E: Element>(
    name: &'static str,
    x: Var<'t, E>,
    y: Tensor<E>,
    flat: impl Fn(E) -> bool + Copy + Send + Sync + 'static,
    slope: impl Fn(E) -> E + Copy + Send + Sync + 'static,
    derivative: impl for<'a> Fn(Var<'a, E>) -> Var<'a, E> + Send + Sync + 'static,
) -> Var<'t, E> {
    x.tape().push(y, Pieces { name, flat, slope, derivative }, &[x])
}

/// The same where all pieces are straight, and the slope is a constant.
fn straight<'t, E: Element>(
    name: &'static str,
    x: Var<'t, E>,
    y: Tensor<E>,
    slope: impl Fn(E) -> E + Copy + Send + Sync + 'static,
) -> Var<'t, E> {
    pieces(
        name,
        x,
        y,
        #[inline(always)]
        move |x| slope(x) == E::zero(),
        slope,
        move |x| x.tape().constant(x.value().map(slope)),
    )
}

/// x, or the least finite number in place of minus infinity, so that times 0 it is 0.
#[inline(always)]
fn above_minus_infinity<E: Element>(x: E) -> E {
    if x < E::min_value() { E::min_value() } else { x }
}

/// x between -1000 and 1000, outside of which e^-|x| is 0, so that derivatives at infinity are those at the bound: 0 times
/// infinity is not a number.
fn near<E: Element>(x: Var<'_, E>) -> Var<'_, E> {
    x.clamp(number(-1000.0), number(1000.0))
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

#[cfg(test)]
mod tests {
    use mlp_tensor::Tensor;

    use crate::{Tape, Var, hessian};

    /// The gradient at x of `function`, recorded and not.
    fn gradients(x: f64, function: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>) -> [f64; 2] {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::scalar(x));
        let y = function(x);
        [y.backward().wrt(x).item(), tape.gradient_recorded(y, [x])[0].item()]
    }

    /// As PyTorch: 0 times infinity is NaN where the slope has only rounded to 0, and a NaN stays one.
    #[test]
    fn a_saturated_smooth_function_hides_nothing() {
        // 1 - sigmoid(40) rounds to 0, where the derivative of the logarithm is infinite.
        assert!(gradients(40.0, |x| (-x.sigmoid() + 1.0).ln()).iter().all(|g| g.is_nan()));
        assert!(gradients(40.0, |x| x.tanh() * f64::NAN).iter().all(|g| g.is_nan()));
    }

    #[test]
    fn a_flat_piece_lets_nothing_pass() {
        let functions: [for<'t> fn(Var<'t, f64>) -> Var<'t, f64>; 4] =
            [|x| x.relu(), |x| x.relu6(), |x| x.hard_sigmoid(), |x| x.hard_swish()];
        for function in functions {
            // At 0 the derivative of the root is infinite.
            assert_eq!(gradients(-4.0, |x| function(x).sqrt()), [0.0; 2]);
        }
        assert_eq!(gradients(2.0, |x| x.hard_swish() * 2.0), [2.0 * (2.0 / 3.0 + 0.5); 2]);
        // The slope x/3 + 1/2 is 0 at -1.5 as well, but that piece is bent: the second derivative is 1/3.
        let second = hessian(|_, x| x[0].hard_swish(), &[Tensor::scalar(-1.5)]);
        assert_eq!(second, [[Tensor::scalar(1.0 / 3.0)]]);
    }
}
