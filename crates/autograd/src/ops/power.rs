//! Powers, with a fixed exponent and with one that is itself a variable.

use mlp_tensor::{Element, Tensor};

use crate::{Op, OpContext, Var};

/// xᵖ for a number p, with derivative p xᵖ⁻¹.
#[derive(Debug)]
struct Powf<E>(E);

impl<E: Element> Op<E> for Powf<E> {
    fn name(&self) -> &'static str {
        "powf"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let p = self.0;
        if p == E::zero() {
            // The constant 1, also at 0, where 0 · 0⁻¹ would not be a number.
            return vec![None];
        }
        vec![Some(grad * ctx.input(0).powf(p - E::one()) * p)]
    }
}

/// aᵇ: d/da = b aᵇ⁻¹, d/db = aᵇ ln a. Where b = 0 the former is 0, and where a = 0 and b ≥ 0 the latter.
#[derive(Debug)]
struct Pow;

impl<E: Element> Op<E> for Pow {
    fn name(&self) -> &'static str {
        "pow"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (a, b) = (ctx.input(0), ctx.input(1));
        let one = || ctx.tape().constant(Tensor::scalar(E::one()));
        let to_a = || {
            // 0 · 0⁻¹ is not a number. With the exponent 1 in the place of 0, a power of 0 does no harm.
            let moves = a.value().zip_map(&b.value(), "pow", |a, b| {
                if b == E::zero() && !a.recip().is_finite() { E::zero() } else { E::one() }
            });
            (grad * b * a.pow(Var::where_(&moves, b, one()) - E::one())).masked(&moves)
        };
        let to_b = || {
            let has_logarithm = a
                .value()
                .zip_map(&b.value(), "pow", |a, b| if a == E::zero() && b >= E::zero() { E::zero() } else { E::one() });
            (grad * ctx.output() * Var::where_(&has_logarithm, a, one()).ln()).masked(&has_logarithm)
        };
        vec![ctx.needs_input_grad(0).then(to_a), ctx.needs_input_grad(1).then(to_b)]
    }
}

impl<E: Element> Var<'_, E> {
    /// x². Derivative: 2x.
    pub fn square(self) -> Self {
        self * self
    }

    /// xⁿ for an integer n. Derivative: n xⁿ⁻¹, and 0 for n = 0.
    pub fn powi(self, n: i32) -> Self {
        self.powf(E::from_f64(n.into()))
    }

    /// xᵖ for a number p. Derivative: p xᵖ⁻¹, and 0 for p = 0.
    pub fn powf(self, p: E) -> Self {
        self.tape().push(self.value().powf(p), Powf(p), &[self])
    }

    /// aᵇ for each pair of values, with broadcasting. Derivatives: b aᵇ⁻¹ (0 where b = 0), and aᵇ ln a (0 where a = 0
    /// and b ≥ 0).
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn pow(self, exponent: Self) -> Self {
        self.tape().push(self.value().pow(&exponent.value()), Pow, &[self, exponent])
    }
}

#[cfg(test)]
mod tests {
    use crate::{Tape, hessian};
    use mlp_tensor::Tensor;

    /// d²(aᵇ) / da db = aᵇ⁻¹ (1 + b ln a), which is 1/3 at (3, 0).
    #[test]
    fn the_mixed_derivative_at_the_exponent_zero() {
        let [a, b] = [Tensor::from([3.0]), Tensor::from([0.0])];
        let second = hessian(|_, x| x[0].pow(x[1]).sum(), &[a, b]).concat();
        let expected = [0.0, 1.0 / 3.0, 1.0 / 3.0, 3f64.ln() * 3f64.ln()];
        for (found, expected) in second.iter().zip(expected) {
            assert!((found.item() - expected).abs() < 1e-15, "{second:?}");
        }
    }

    /// As PyTorch has them.
    #[test]
    fn powers_of_zero_and_to_the_zero_have_finite_gradients() {
        let tape = Tape::<f64>::new();
        let a = tape.variable(Tensor::from([0.0, 0.0, 0.0, 3.0]));
        let b = tape.variable(Tensor::from([0.0, 1.0, 2.0, 0.0]));
        let gradients = a.pow(b).sum().backward();
        assert_eq!(gradients.wrt(a), Tensor::from([0.0, 1.0, 0.0, 0.0]));
        assert_eq!(gradients.wrt(b), Tensor::from([0.0, 0.0, 0.0, 3f64.ln()]));
        let x = tape.variable(Tensor::scalar(0.0));
        assert_eq!(x.powf(0.0).backward().wrt(x), Tensor::scalar(0.0));
    }
}
