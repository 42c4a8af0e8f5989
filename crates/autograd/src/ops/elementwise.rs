//! Functions of every value by itself.

use mlp_tensor::Element;

use crate::{Op, Site, Var};

/// eˣ, its own derivative.
#[derive(Debug)]
struct Exp;

impl<E: Element> Op<E> for Exp {
    fn name(&self) -> &'static str {
        "exp"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad * site.output())]
    }
}

/// ln x, with derivative 1 / x.
#[derive(Debug)]
struct Ln;

impl<E: Element> Op<E> for Ln {
    fn name(&self) -> &'static str {
        "ln"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad / site.input(0))]
    }
}

/// √x, with derivative 1 / 2√x.
#[derive(Debug)]
struct Sqrt;

impl<E: Element> Op<E> for Sqrt {
    fn name(&self) -> &'static str {
        "sqrt"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad / site.output() * E::from_f64(0.5))]
    }
}

/// xᵖ for a number p, with derivative p xᵖ⁻¹.
#[derive(Debug)]
struct Powf<E>(E);

impl<E: Element> Op<E> for Powf<E> {
    fn name(&self) -> &'static str {
        "powf"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad * site.input(0).powf(self.0 - E::one()) * self.0)]
    }
}

/// |x|, with derivative -1, 0 or 1 by the sign of x.
#[derive(Debug)]
struct Abs;

impl<E: Element> Op<E> for Abs {
    fn name(&self) -> &'static str {
        "abs"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad * site.tape.constant(site.input(0).value().sign()))]
    }
}

/// x between two bounds, with derivative 1 between them (both included) and 0 outside.
#[derive(Debug)]
struct Clamp<E> {
    low: E,
    high: E,
}

impl<E: Element> Op<E> for Clamp<E> {
    fn name(&self) -> &'static str {
        "clamp"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let inside = |v| if v >= self.low && v <= self.high { E::one() } else { E::zero() };
        vec![Some(grad * site.tape.constant(site.input(0).value().map(inside)))]
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

    /// The square root. Derivative: 1 / 2√x, infinite at 0.
    pub fn sqrt(self) -> Self {
        self.tape().push(self.value().sqrt(), Sqrt, &[self])
    }

    /// x². Derivative: 2x.
    pub fn square(self) -> Self {
        self * self
    }

    /// xᵖ for a number p. Derivative: p xᵖ⁻¹.
    pub fn powf(self, p: E) -> Self {
        self.tape().push(self.value().powf(p), Powf(p), &[self])
    }

    /// |x|. Derivative: the sign of x, 0 at 0.
    pub fn abs(self) -> Self {
        self.tape().push(self.value().abs(), Abs, &[self])
    }

    /// x, but not below `low` and not above `high`. Derivative: 1 from `low` to `high`, 0 outside.
    ///
    /// # Panics
    /// If `low` is above `high`.
    #[track_caller]
    pub fn clamp(self, low: E, high: E) -> Self {
        self.tape().push(self.value().clamp(low, high), Clamp { low, high }, &[self])
    }
}
