//! Vectors scaled to the length 1.

use mlp_tensor::{Element, Tensor};

use super::reduce::check_axes;
use super::statistics::{not_zero, or_one};
use crate::{Op, OpContext, Var};

/// y = x / |x|: dx = (dy - y Σ dy y) / |x|, and 0 where x = 0.
#[derive(Debug)]
struct NormalizeAxes {
    axes: Vec<usize>,
}

impl<E: Element> Op<E> for NormalizeAxes {
    fn name(&self) -> &'static str {
        "normalize_axes"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (x, y) = (ctx.input(0), ctx.output());
        // |x| = x · y, without squares that overflow.
        let length = (x * y).sum_axes(&self.axes, true);
        let across = grad - y * (grad * y).sum_axes(&self.axes, true);
        vec![Some((across / or_one(length)).masked(&not_zero(&length.value())))]
    }
}

impl<E: Element> Var<'_, E> {
    /// x / √Σ x² over `axes`, which keep their lengths: the direction of each vector, and 0 for a vector of zeros. No
    /// square overflows or gets lost. With y the result, the derivative is (dy - y Σ dy y) / √Σ x², and 0 for a vector of
    /// zeros, which has no direction to change. (PyTorch's `normalize` and Keras' `normalize` divide by a small number
    /// there, and have a gradient as large as its inverse.)
    ///
    /// The product of two such vectors is the cosine of the angle between them:
    ///
    /// ```
    /// use mlp_autograd::Tape;
    /// use mlp_tensor::Tensor;
    ///
    /// let tape = Tape::<f64>::new();
    /// let a = tape.variable(Tensor::from([[3.0, 4.0], [0.0, 0.0]]));
    /// let b = tape.constant(Tensor::from([[1.0, 0.0], [1.0, 0.0]]));
    /// let cosine = (a.normalize_axes(&[1]) * b.normalize_axes(&[1])).sum_axes(&[1], false);
    /// assert_eq!(cosine.value(), Tensor::from([0.6, 0.0]));
    /// let gradient = cosine.sum().backward().wrt(a);
    /// assert!((gradient - Tensor::from([[0.128, -0.096], [0.0, 0.0]])).abs().max() < 1e-16);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn normalize_axes(self, axes: &[usize]) -> Self {
        let mut x = self.value();
        check_axes("normalize_axes", x.shape(), axes);
        if !x.is_empty() {
            x = normalized(&x, axes);
        }
        self.tape().push(x, NormalizeAxes { axes: axes.to_vec() }, &[self])
    }
}

fn normalized<E: Element>(x: &Tensor<E>, axes: &[usize]) -> Tensor<E> {
    // Divided by the largest of its values, a vector has the same direction.
    let mut largest = x.abs().max_axes(axes, true);
    largest.map_in_place(|v| if v > E::zero() { v } else { E::one() });
    let x = x / largest;
    let mut length = x.norm_axes(E::from_f64(2.0), axes, true);
    length.map_in_place(|v| if v == E::zero() { E::one() } else { v });
    x / length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tape;

    #[test]
    fn a_vector_of_zeros_stays_zero_and_has_finite_derivatives() {
        let tape = Tape::<f32>::new();
        let x = tape.variable(Tensor::from([[0.0, 0.0], [-0.0, 2.0]]));
        let y = x.normalize_axes(&[1]);
        assert_eq!(y.value(), Tensor::from([[0.0, 0.0], [0.0, 1.0]]));
        let first = tape.gradient_recorded(y.sum(), [x])[0];
        assert_eq!(first.value(), Tensor::from([[0.0, 0.0], [0.5, 0.0]]));
        // With r = |x|, the two slopes add up to 2 / r - (x₀ + x₁)² / r³, and that by x₀ and x₁ is, at (0, 2):
        assert_eq!(tape.gradient(first.sum(), [x]), [Tensor::from([[0.0, 0.0], [-0.5, -0.25]])]);
    }

    #[test]
    #[should_panic(expected = "normalize_axes: axis 1 of shape [2, 3] is named twice")]
    fn an_axis_is_named_once() {
        Tape::<f32>::new().constant(Tensor::zeros([2, 3])).normalize_axes(&[1, 0, 1]);
    }

    #[test]
    fn lengths_whose_squares_overflow_or_vanish_have_a_direction_and_a_slope() {
        let tape = Tape::<f32>::new();
        let x = tape.variable(Tensor::from([[3e30, 4e30], [3e-30, 4e-30]]));
        let y = x.normalize_axes(&[1]);
        assert!((y.value() - Tensor::from([[0.6, 0.8], [0.6, 0.8]])).abs().max() < 1e-7);
        // By x₀ of x₀ / |x|: (1 - 0.36) / |x|.
        let slope = tape.gradient(y.slice(1, 0..1).sum(), [x])[0].slice(1, 0..1);
        let expected = Tensor::from([[0.64 / 5e30], [0.64 / 5e-30]]);
        assert!((slope / expected - 1.0).abs().max() < 1e-5);
    }
}
