//! One of two values: by a mask, or the larger, or the smaller.

use mlp_tensor::{Element, Tensor};

use crate::{Op, OpContext, Var};

/// a where the mask is not 0, else b: each gets the gradient where it was chosen and exactly 0 elsewhere.
#[derive(Debug)]
struct Where<E: Element> {
    mask: Tensor<E>,
}

impl<E: Element> Op<E> for Where<E> {
    fn name(&self) -> &'static str {
        "where_"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let zero = || ctx.tape().constant(Tensor::scalar(E::zero()));
        vec![
            ctx.needs_input_grad(0).then(|| Var::where_(&self.mask, grad, zero())),
            ctx.needs_input_grad(1).then(|| Var::where_(&self.mask, zero(), grad)),
        ]
    }
}

/// The larger of two: the gradient goes to it, half to each where they are equal.
#[derive(Debug)]
struct Maximum;

impl<E: Element> Op<E> for Maximum {
    fn name(&self) -> &'static str {
        "maximum"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        to_winner(ctx, grad, |a, b| a >= b)
    }
}

/// The smaller of two, with the gradient shared as that of the larger.
#[derive(Debug)]
struct Minimum;

impl<E: Element> Op<E> for Minimum {
    fn name(&self) -> &'static str {
        "minimum"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        to_winner(ctx, grad, |a, b| a <= b)
    }
}

/// The gradient of each of two inputs: all of it where it alone wins, half where both do, none where it does not.
fn to_winner<'t, E: Element>(
    ctx: &OpContext<'t, E>,
    grad: Var<'t, E>,
    wins: impl Fn(E, E) -> bool + Copy,
) -> Vec<Option<Var<'t, E>>> {
    let (a, b) = (ctx.input(0).value(), ctx.input(1).value());
    let half = E::from_f64(0.5);
    let to = |own: &Tensor<E>, other: &Tensor<E>| {
        let share = own.zip_map(other, "share", |a, b| match (wins(a, b), wins(b, a)) {
            (true, true) => half,
            (false, true) => E::zero(),
            // Of a pair with a NaN neither wins, and the gradient goes to both.
            _ => E::one(),
        });
        (grad * ctx.tape().constant(share.clone())).masked(&share)
    };
    vec![ctx.needs_input_grad(0).then(|| to(&a, &b)), ctx.needs_input_grad(1).then(|| to(&b, &a))]
}

impl<E: Element> Var<'_, E> {
    /// `a` where `mask` is not 0, and `b` where it is, with all three broadcast against each other: PyTorch's and NumPy's
    /// `where(mask, a, b)`. The gradient of what was not chosen is 0.
    ///
    /// ```
    /// use mlp_autograd::{Tape, Var};
    /// use mlp_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.variable(Tensor::from([-2.0, 3.0]));
    /// let y = Var::where_(&x.value().gt(0.0), x.square(), -x);
    /// assert_eq!(y.value(), Tensor::from([2.0, 9.0]));
    /// assert_eq!(y.sum().backward().wrt(x), Tensor::from([-1.0, 6.0]));
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn where_(mask: &Tensor<E>, a: Self, b: Self) -> Self {
        let chosen = Tensor::where_(mask, a.value(), b.value());
        a.tape().push(chosen, Where { mask: mask.clone() }, &[a, b])
    }

    /// This value where `mask` is not 0, and 0 elsewhere, also where the value is not finite.
    pub(super) fn masked(self, mask: &Tensor<E>) -> Self {
        Self::where_(mask, self, self.tape().constant(Tensor::scalar(E::zero())))
    }

    /// The larger of each pair of values, with broadcasting; NaN if either is. The gradient goes to the larger one, half
    /// to each where they are equal.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(self, other: Self) -> Self {
        self.tape().push(self.value().maximum(other.value()), Maximum, &[self, other])
    }

    /// The smaller of each pair of values, with broadcasting; NaN if either is. The gradient goes to the smaller one,
    /// half to each where they are equal.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn minimum(self, other: Self) -> Self {
        self.tape().push(self.value().minimum(other.value()), Minimum, &[self, other])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tape;

    #[test]
    fn equal_values_share_the_gradient() {
        let tape = Tape::<f64>::new();
        let (a, b) = (tape.variable(Tensor::from([1.0, 2.0, 3.0])), tape.variable(Tensor::from([2.0, 2.0, 2.0])));
        let upper = a.maximum(b).sum().backward();
        assert_eq!((upper.wrt(a), upper.wrt(b)), (Tensor::from([0.0, 0.5, 1.0]), Tensor::from([1.0, 0.5, 0.0])));
        let lower = a.minimum(b).sum().backward();
        assert_eq!((lower.wrt(a), lower.wrt(b)), (Tensor::from([1.0, 0.5, 0.0]), Tensor::from([0.0, 0.5, 1.0])));
    }

    #[test]
    fn what_was_not_chosen_gets_no_gradient_however_large() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::from([-1.0, 4.0]));
        // At 0 the derivative of the root is infinite; the values below are cut off.
        let y = x.clamp(0.0, 9.0).sqrt().sum() + x.relu().sqrt().sum();
        assert_eq!(y.backward().wrt(x), Tensor::from([0.0, 0.5]));
    }
}
