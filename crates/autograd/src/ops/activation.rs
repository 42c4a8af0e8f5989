//! ReLU, sigmoid and tanh.

use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, Tensor};

use crate::op::Values;
use crate::{Gradient, Op, Site, Var};

/// max(x, 0), with derivative 0 up to 0 and 1 above.
#[derive(Debug)]
struct Relu;

impl<E: Element> Op<E> for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let open = |y| if y > E::zero() { E::one() } else { E::zero() };
        vec![Some(grad.only_where(&site.output().value().map(open)))]
    }
    fn backward_kernel(&self, values: &Values<'_, E>, grad: Tensor<E>) -> Result<Vec<Option<Gradient<E>>>, Tensor<E>> {
        Ok(through_output(grad, values.output(), |g, y| if y > E::zero() { g } else { E::zero() }))
    }
}

/// 1 / (1 + e⁻ˣ), with derivative y (1 - y).
#[derive(Debug)]
struct Sigmoid;

impl<E: Element> Op<E> for Sigmoid {
    fn name(&self) -> &'static str {
        "sigmoid"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let y = site.output();
        vec![Some(grad * (y - y * y))]
    }
    fn backward_kernel(&self, values: &Values<'_, E>, grad: Tensor<E>) -> Result<Vec<Option<Gradient<E>>>, Tensor<E>> {
        Ok(through_output(grad, values.output(), |g, y| g * (y * (E::one() - y))))
    }
}

/// tanh x, with derivative 1 - y².
#[derive(Debug)]
struct Tanh;

impl<E: Element> Op<E> for Tanh {
    fn name(&self) -> &'static str {
        "tanh"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let y = site.output();
        vec![Some(grad * (-(y * y) + E::one()))]
    }
    fn backward_kernel(&self, values: &Values<'_, E>, grad: Tensor<E>) -> Result<Vec<Option<Gradient<E>>>, Tensor<E>> {
        Ok(through_output(grad, values.output(), |g, y| g * (E::one() - y * y)))
    }
}

/// The one input's gradient, `derivative(g, y)` for every pair, written over `grad` where nobody else holds it.
fn through_output<E: Element>(
    mut grad: Tensor<E>,
    output: &Tensor<E>,
    derivative: impl Fn(E, E) -> E,
) -> Vec<Option<Gradient<E>>> {
    let pairs = grad.as_mut_slice().iter_mut().zip(output.as_slice());
    vectorize(
        #[inline(always)]
        || pairs.for_each(|(g, &y)| *g = derivative(*g, y)),
    );
    vec![Some(Gradient::Value(grad))]
}

impl<E: Element> Var<'_, E> {
    /// max(x, 0). Derivative: 0 up to 0, 1 above.
    pub fn relu(self) -> Self {
        self.tape().push(self.value().relu(), Relu, &[self])
    }

    /// 1 / (1 + e⁻ˣ). Derivative: y (1 - y).
    pub fn sigmoid(self) -> Self {
        self.tape().push(self.value().sigmoid(), Sigmoid, &[self])
    }

    /// tanh x. Derivative: 1 - y².
    pub fn tanh(self) -> Self {
        self.tape().push(self.value().tanh(), Tanh, &[self])
    }
}
