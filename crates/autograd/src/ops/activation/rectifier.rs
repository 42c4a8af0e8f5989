//! ReLU and its relatives with a straight line on either side of 0.

use mlp_tensor::{Element, Tensor};

use super::{number, straight};
use crate::{Gradient, Op, OpContext, Var};

/// x above 0 and a · x up to it, for a tensor a: dx = dy or a dy, da = 0 or x dy.
#[derive(Debug)]
struct Prelu;

impl<E: Element> Op<E> for Prelu {
    fn name(&self) -> &'static str {
        "prelu"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (x, slope) = (ctx.input(0), ctx.input(1));
        let below = x.value().map(|v| if v > E::zero() { E::zero() } else { E::one() });
        let one = || ctx.tape().constant(Tensor::scalar(E::one()));
        let to_x = ctx.needs_input_grad(0).then(|| grad * Var::where_(&below, slope, one()));
        vec![to_x, ctx.needs_input_grad(1).then(|| grad * x.masked(&below))]
    }
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, grad: Tensor<E>, to_inputs: &mut Vec<Option<Gradient<E>>>) {
        let (x, slope) = (ctx.input(0).value(), ctx.input(1).value());
        let times = |g: &Tensor<E>, factor: &Tensor<E>| g.zip_map(factor, "prelu", |g, f| g * f);
        let slopes = x.zip_map(&slope, "prelu", |x, a| if x > E::zero() { E::one() } else { a });
        let to_x = ctx.needs_input_grad(0).then(|| Gradient::Value(times(&grad, &slopes)));
        let negative = || x.map(|v| if v > E::zero() { E::zero() } else { v });
        let to_slope = ctx.needs_input_grad(1).then(|| Gradient::Value(times(&grad, &negative())));
        to_inputs.extend([to_x, to_slope]);
    }
}

impl<'t, E: Element> Var<'t, E> {
    /// max(x, 0). Derivative: 0 up to 0, 1 above.
    pub fn relu(self) -> Self {
        straight(
            "relu",
            self,
            self.value().relu(),
            #[inline(always)]
            |x| if x > E::zero() { E::one() } else { E::zero() },
        )
    }

    /// min(max(x, 0), 6). Derivative: 1 between 0 and 6, 0 elsewhere.
    ///
    /// Source: Krizhevsky, 2010.
    pub fn relu6(self) -> Self {
        self.between("relu6", E::zero(), number(6.0))
    }

    /// x above 0, `negative_slope` · x up to it. Derivative: 1 above 0, `negative_slope` up to it.
    ///
    /// Source: Maas, Hannun and Ng, 2013.
    pub fn leaky_relu(self, negative_slope: E) -> Self {
        straight(
            "leaky_relu",
            self,
            self.value().map(
                #[inline(always)]
                move |x| if x > E::zero() { x } else { negative_slope * x },
            ),
            #[inline(always)]
            move |x| if x > E::zero() { E::one() } else { negative_slope },
        )
    }

    /// x above 0, a · x up to it, with slopes a that are learned: `[1]`, `[features]`, or any shape that broadcasts to
    /// that of x. Derivatives: 1 or a with respect to x, 0 or x with respect to a.
    ///
    /// Source: He, Zhang, Ren and Sun, 2015.
    ///
    /// # Panics
    /// If the slopes do not broadcast to the shape of x.
    #[track_caller]
    pub fn prelu(self, slope: Var<'t, E>) -> Self {
        let (x, a) = (self.value(), slope.value());
        assert!(
            mlp_tensor::broadcasts_to(a.shape(), x.shape()),
            "prelu: slopes {:?} do not broadcast to the input {:?}",
            a.shape(),
            x.shape()
        );
        let y = x.zip_map(&a, "prelu", |x, a| if x > E::zero() { x } else { a * x });
        self.tape().push(y, Prelu, &[self, slope])
    }
}
