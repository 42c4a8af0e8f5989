//! Values brought to mean 0 and variance 1.

use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, Tensor};

use super::reduce::check_axes;
use crate::{Gradient, Op, OpContext, Var};

/// y = (x - mean) / d with d = √(variance + ε), and means over the axes: dx = (dy - mean dy - y · mean(dy · y)) / d.
#[derive(Debug)]
struct StandardizeAxes<E: Element> {
    axes: Vec<usize>,
    epsilon: E,
    deviation: Tensor<E>,
}

impl<E: Element> Op<E> for StandardizeAxes<E> {
    fn name(&self) -> &'static str {
        "standardize_axes"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let (x, y) = (ctx.input(0), ctx.output());
        let deviation = (x.var_axes(&self.axes, 0, true) + self.epsilon).sqrt();
        let across = grad - grad.mean_axes(&self.axes, true) - y * (grad * y).mean_axes(&self.axes, true);
        vec![Some(across / deviation)]
    }
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, mut grad: Tensor<E>) -> Vec<Option<Gradient<E>>> {
        let y = ctx.output().value();
        let mean = grad.mean_axes(&self.axes, true);
        let along = (&grad * &y).mean_axes(&self.axes, true);
        let group = Group::of(y.shape(), &self.axes);
        let statistics = [mean.as_slice(), along.as_slice(), self.deviation.as_slice()];
        group.for_each(
            grad.as_mut_slice(),
            y.as_slice(),
            statistics,
            #[inline(always)]
            |g, y, [mean, along, deviation]| (g - mean - y * along) / deviation,
        );
        vec![Some(Gradient::Value(grad))]
    }
}

/// How the values of a tensor share statistics that were taken along some axes.
enum Group {
    /// Each lane of so many values has one number of each.
    Lanes(usize),
    /// Each row of so many values has the same numbers, side by side.
    Rows(usize),
    /// Any other: the length of every axis, and the place of its next index among the numbers (0 along the axes).
    Any(Vec<[usize; 2]>),
}

impl Group {
    fn of(shape: &[usize], axes: &[usize]) -> Self {
        let last = shape.len().saturating_sub(1);
        if axes == [last] {
            return Self::Lanes(shape[last]);
        }
        if axes.len() == last && axes.iter().copied().eq(0..last) {
            return Self::Rows(shape[last]);
        }
        let mut step = 1;
        let mut steps: Vec<_> = (shape.iter().enumerate().rev())
            .map(|(axis, &length)| {
                let own = if axes.contains(&axis) { 0 } else { step };
                if own != 0 {
                    step *= length;
                }
                [length, own]
            })
            .collect();
        steps.reverse();
        Self::Any(steps)
    }

    /// Writes `function` of each value, the one at the same place in `others`, and their statistics over the value.
    fn for_each<E: Element, const N: usize>(
        &self,
        values: &mut [E],
        others: &[E],
        statistics: [&[E]; N],
        function: impl Fn(E, E, [E; N]) -> E + Copy,
    ) {
        match *self {
            _ if values.is_empty() => {}
            Self::Lanes(length) => vectorize(
                #[inline(always)]
                move || {
                    let lanes = values.chunks_exact_mut(length).zip(others.chunks_exact(length));
                    for (lane, (values, others)) in lanes.enumerate() {
                        let own = statistics.map(|statistic| statistic[lane]);
                        values.iter_mut().zip(others).for_each(|(v, &other)| *v = function(*v, other, own));
                    }
                },
            ),
            Self::Rows(length) => vectorize(
                #[inline(always)]
                move || {
                    let statistics = statistics.map(|statistic| &statistic[..length]);
                    for (values, others) in values.chunks_exact_mut(length).zip(others.chunks_exact(length)) {
                        for column in 0..length {
                            let own = statistics.map(|statistic| statistic[column]);
                            values[column] = function(values[column], others[column], own);
                        }
                    }
                },
            ),
            Self::Any(ref axes) => {
                for (index, (value, &other)) in values.iter_mut().zip(others).enumerate() {
                    let mut rest = index;
                    let place = axes.iter().rev().fold(0, |place, &[length, step]| {
                        let at = rest % length;
                        rest /= length;
                        place + at * step
                    });
                    *value = function(*value, other, statistics.map(|statistic| statistic[place]));
                }
            }
        }
    }
}

impl<E: Element> Var<'_, E> {
    /// (x - mean) / √(variance + ε), with the mean and the variance (divided by the number of values) over `axes`, which keep
    /// their lengths. Also returns the mean and the variance, in which each of `axes` has length 1: numbers, through which
    /// no gradient flows.
    ///
    /// ```
    /// use mlp_autograd::Tape;
    /// use mlp_tensor::Tensor;
    ///
    /// let tape = Tape::<f64>::no_record();
    /// let x = tape.constant(Tensor::from([[1.0, 3.0], [10.0, 10.0]]));
    /// let (y, mean, variance) = x.standardize_axes(&[1], 1e-12);
    /// assert!(y.value().allclose(&Tensor::from([[-1.0, 1.0], [0.0, 0.0]]), 1e-9, 0.0));
    /// assert_eq!((mean, variance), (Tensor::from([[2.0], [10.0]]), Tensor::from([[1.0], [0.0]])));
    /// ```
    ///
    /// # Panics
    /// If there is no such axis or one is named twice.
    #[track_caller]
    pub fn standardize_axes(self, axes: &[usize], epsilon: E) -> (Self, Tensor<E>, Tensor<E>) {
        let x = self.value();
        check_axes("standardize_axes", x.shape(), axes);
        let group = Group::of(x.shape(), axes);
        let mean = x.mean_axes(axes, true);
        let mut y = x.clone();
        group.for_each(
            y.as_mut_slice(),
            x.as_slice(),
            [mean.as_slice()],
            #[inline(always)]
            |_, x, [mean]| x - mean,
        );
        let variance = y.map(|v| v * v).mean_axes(axes, true);
        let deviation = variance.map(|v| (v + epsilon).sqrt());
        group.for_each(
            y.as_mut_slice(),
            x.as_slice(),
            [deviation.as_slice()],
            #[inline(always)]
            |y, _, [deviation]| y / deviation,
        );
        let op = StandardizeAxes { axes: axes.to_vec(), epsilon, deviation };
        (self.tape().push(y, op, &[self]), mean, variance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tape;
    use mlp_tensor::Rng;

    /// Over every choice of axes: the values, the statistics and both ways of differentiating, beside the formula written in
    /// other operations.
    fn check<E: Element>(shape: &[usize], tolerance: f64) {
        let tape = Tape::<E>::new();
        let rng = &mut Rng::new(4);
        let epsilon = E::from_f64(1e-3);
        for choice in 1..1 << shape.len() {
            let axes: Vec<usize> = (0..shape.len()).filter(|axis| choice >> axis & 1 == 1).collect();
            let x = tape.variable(Tensor::normal(shape, 3.0, 2.0, rng));
            let upstream = Tensor::normal(shape, 0.0, 1.0, rng);
            let (y, mean, variance) = x.standardize_axes(&axes, epsilon);
            let centered = x - x.mean_axes(&axes, true);
            let expected = centered / (x.var_axes(&axes, 0, true) + epsilon).sqrt();
            let close = |a: &Tensor<E>, b: &Tensor<E>| a.allclose(b, tolerance, tolerance);
            assert!(close(&y.value(), &expected.value()), "{shape:?} over {axes:?}");
            assert!(mean.bit_eq(&x.value().mean_axes(&axes, true)));
            assert!(close(&variance, &x.value().var_axes(&axes, 0, true)));
            let gradients = |y: Var<'_, E>| {
                let loss = (y * tape.constant(upstream.clone())).sum();
                [tape.gradient(loss, [x])[0].clone(), tape.gradient_recorded(loss, [x])[0].value()]
            };
            for (found, expected) in gradients(y).iter().zip(gradients(expected)) {
                assert!(close(found, &expected), "gradient of {shape:?} over {axes:?}");
            }
        }
    }

    #[test]
    fn it_is_the_formula_over_any_axes() {
        check::<f64>(&[3, 5], 1e-12);
        check::<f64>(&[2, 3, 4, 5], 1e-12);
        check::<f32>(&[130, 17], 1e-4);
        check::<f64>(&[1, 1], 1e-12);
    }

    #[test]
    fn nothing_is_standardized_to_nothing() {
        let tape = Tape::<f32>::new();
        let x = tape.variable(Tensor::zeros([0, 3]));
        for axes in [[0], [1]] {
            let (y, ..) = x.standardize_axes(&axes, 0.1);
            assert_eq!(y.shape(), [0, 3]);
            assert_eq!(y.sum().backward().wrt(x).shape(), [0, 3]);
        }
    }

    #[test]
    #[should_panic(expected = "standardize_axes: axis 1 of shape [2, 3] is named twice")]
    fn an_axis_is_named_once() {
        Tape::<f32>::new().constant(Tensor::zeros([2, 3])).standardize_axes(&[1, 0, 1], 0.1);
    }
}
