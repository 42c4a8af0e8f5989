//! Values brought to mean 0 and variance 1.

use std::sync::Arc;

use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, Tensor};

use super::reduce::check_axes;
use crate::{Gradient, Op, OpContext, Peers, Var};

/// y = (x - mean) / d with d = √(variance + ε), and means over the axes: dx = (dy - mean dy - y · mean(dy · y)) / d.
#[derive(Debug)]
struct StandardizeAxes<E: Element> {
    group: Group,
    epsilon: E,
    deviation: Tensor<E>,
    /// The number of values that share a mean, those of others included.
    count: usize,
    peers: Option<Arc<dyn Peers<E>>>,
}

impl<E: Element> Op<E> for StandardizeAxes<E> {
    fn name(&self) -> &'static str {
        "standardize_axes"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        assert!(self.peers.is_none(), "standardize_axes_among: no derivative over the parts of a batch is recorded");
        let (x, y) = (ctx.input(0), ctx.output());
        self.group.with_axes(x.ndim(), |axes| {
            let deviation = (x.var_axes(axes, 0, true) + self.epsilon).sqrt();
            let across = grad - grad.mean_axes(axes, true) - y * (grad * y).mean_axes(axes, true);
            vec![Some(across / deviation)]
        })
    }
    fn backward_kernel(&self, ctx: &OpContext<'_, E>, mut grad: Tensor<E>, to_inputs: &mut Vec<Option<Gradient<E>>>) {
        let y = ctx.output().value();
        let own = self.group.with_axes(y.ndim(), |axes| [grad.sum_axes(axes, true), (&grad * &y).sum_axes(axes, true)]);
        let [mut mean, mut along] = match &self.peers {
            None => own,
            Some(peers) => {
                let mut sums = own.each_ref().map(|own| Tensor::zeros(own.shape()));
                peers.all_gather(self.count, own, &mut |_, parts| {
                    sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
                });
                sums
            }
        };
        let count = E::from_f64(self.count as f64);
        [&mut mean, &mut along].into_iter().for_each(|sum| sum.map_in_place(|v| v / count));
        self.group.for_each(
            &mut grad,
            &y,
            [&mean, &along, &self.deviation],
            #[inline(always)]
            |g, y, [mean, along, deviation]| (g - mean - y * along) / deviation,
        );
        to_inputs.push(Some(Gradient::Value(grad)));
    }
}

/// How the values of a tensor share statistics that were taken along some axes.
#[derive(Debug)]
enum Group {
    /// Each lane of so many values has one number of each.
    Lanes(usize),
    /// Each row of so many values has the same numbers, side by side.
    Rows(usize),
    /// Any other, along these axes.
    Any(Vec<usize>),
}

/// The axes of many a tensor, for those of [`Group::Rows`] and [`Group::Lanes`].
const AXES: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

impl Group {
    fn of(shape: &[usize], axes: &[usize]) -> Self {
        let Some(last) = shape.len().checked_sub(1) else { return Self::Any(Vec::new()) };
        if axes == [last] && last < AXES.len() {
            return Self::Lanes(shape[last]);
        }
        if AXES.get(..last) == Some(axes) {
            return Self::Rows(shape[last]);
        }
        Self::Any(axes.to_vec())
    }

    /// Hands the axes of a tensor with so many to `function`.
    fn with_axes<R>(&self, ndim: usize, function: impl FnOnce(&[usize]) -> R) -> R {
        match self {
            Self::Lanes(_) => function(&AXES[ndim - 1..ndim]),
            Self::Rows(_) => function(&AXES[..ndim - 1]),
            Self::Any(axes) => function(axes),
        }
    }

    /// Writes `function` of each value, the one at the same place in `others`, and their statistics over the value.
    fn for_each<E: Element, const N: usize>(
        &self,
        values: &mut Tensor<E>,
        others: &Tensor<E>,
        statistics: [&Tensor<E>; N],
        function: impl Fn(E, E, [E; N]) -> E + Copy,
    ) {
        let repeated = match self {
            Self::Any(_) => Some(statistics.map(|statistic| statistic.broadcast_to(others.shape()))),
            _ => None,
        };
        let statistics = repeated.as_ref().map_or(statistics, <[_; N]>::each_ref).map(Tensor::as_slice);
        let (values, others) = (values.as_mut_slice(), others.as_slice());
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
            Self::Any(_) => vectorize(
                #[inline(always)]
                move || {
                    for (index, (value, &other)) in values.iter_mut().zip(others).enumerate() {
                        *value = function(*value, other, statistics.map(|statistic| statistic[index]));
                    }
                },
            ),
        }
    }
}

/// The mean and the variance of values along some axes.
struct Statistics<E: Element> {
    mean: Tensor<E>,
    variance: Tensor<E>,
    /// The number of values behind each.
    count: usize,
}

impl<E: Element> Statistics<E> {
    /// Those of the parts of all peers, of which these are one's own, one part after the other: Chan, Golub and LeVeque, 1983.
    fn of_all(self, peers: &dyn Peers<E>) -> Self {
        let shape = self.mean.shape().to_vec();
        let (mut all, mut count) = (None::<[Tensor<E>; 2]>, 0);
        peers.all_gather(self.count, [self.mean, self.variance], &mut |values, [part_mean, part_variance]| {
            let part_squares = part_variance * E::from_f64(values as f64);
            match &mut all {
                _ if values == 0 => {}
                None => all = Some([part_mean.clone(), part_squares]),
                Some([mean, squares]) => {
                    let [before, own] = [count, values].map(|count| count as f64);
                    let distance = part_mean - &*mean;
                    *squares += part_squares + distance.square() * E::from_f64(before * own / (before + own));
                    *mean += distance * E::from_f64(own / (before + own));
                }
            }
            count += values;
        });
        let nothing = || [(); 2].map(|()| Tensor::full(&shape[..], E::nan()));
        let [mean, squares] = all.unwrap_or_else(nothing);
        Self { mean, variance: squares / E::from_f64(count as f64), count }
    }
}

impl<'t, E: Element> Var<'t, E> {
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
        let (y, [mean, variance], _) = self.standardize_axes_among(axes, epsilon, None);
        (y, mean, variance)
    }

    /// [`Var::standardize_axes`] where this is a part of a batch and `peers` have the others, if there are some: the mean and the
    /// variance are those of all parts, and so is the gradient. The third value is the number of values behind each of them.
    ///
    /// # Panics
    /// As [`Var::standardize_axes`]; and if there are peers and a walk that is recorded comes through, since what others hold is
    /// on their tapes.
    #[track_caller]
    pub fn standardize_axes_among(
        self,
        axes: &[usize],
        epsilon: E,
        peers: Option<&Arc<dyn Peers<E>>>,
    ) -> (Self, [Tensor<E>; 2], usize) {
        let x = self.value();
        check_axes("standardize_axes", x.shape(), axes);
        let group = Group::of(x.shape(), axes);
        let own_mean = x.mean_axes(axes, true);
        let mut y = x.clone();
        group.for_each(
            &mut y,
            &x,
            [&own_mean],
            #[inline(always)]
            |_, x, [mean]| x - mean,
        );
        let variance = y.map(|v| v * v).mean_axes(axes, true);
        let count = axes.iter().map(|&axis| x.shape()[axis]).product();
        let mut statistics = Statistics { mean: own_mean.clone(), variance, count };
        if let Some(peers) = peers {
            statistics = statistics.of_all(&**peers);
        }
        let deviation = statistics.variance.map(|v| (v + epsilon).sqrt());
        // What the own mean is away from that of all: 0 without others.
        let distance = &statistics.mean - own_mean;
        group.for_each(
            &mut y,
            &x,
            [&distance, &deviation],
            #[inline(always)]
            |y, _, [distance, deviation]| (y - distance) / deviation,
        );
        let Statistics { mean, variance, count } = statistics;
        let op = StandardizeAxes { group, epsilon, deviation, count, peers: peers.cloned() };
        (self.tape().push(y, op, &[self]), [mean, variance], count)
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

    /// Has so many parts, all of them the one that was brought.
    #[derive(Debug)]
    struct Copies(usize);

    impl Peers<f64> for Copies {
        fn is_first(&self) -> bool {
            true
        }
        fn all_gather(&self, count: usize, own: [Tensor<f64>; 2], each: &mut dyn FnMut(usize, &[Tensor<f64>; 2])) {
            (0..self.0).for_each(|_| each(count, &own));
        }
    }

    /// A batch that is there three times has the statistics of one, and three times as many values.
    #[test]
    fn peers_with_the_same_rows_change_nothing_but_the_count() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::normal([7, 3], 3.0, 2.0, &mut Rng::new(4)));
        let upstream = Tensor::normal([7, 3], 0.0, 1.0, &mut Rng::new(5));
        let (alone, ..) = x.standardize_axes(&[0], 1e-3);
        let (y, [mean, variance], count) = x.standardize_axes_among(&[0], 1e-3, Some(&(Arc::new(Copies(3)) as _)));
        let close = |a: &Tensor<f64>, b: &Tensor<f64>| a.allclose(b, 1e-12, 1e-12);
        assert!(close(&y.value(), &alone.value()));
        assert!(close(&mean, &x.value().mean_axes(&[0], true)) && close(&variance, &x.value().var_axes(&[0], 0, true)));
        assert_eq!(count, 21);
        let gradient = |y: Var<'_, f64>| tape.gradient_from(&[y], std::slice::from_ref(&upstream), [x]).remove(0);
        assert!(close(&gradient(y), &gradient(alone)));
    }

    /// Beside the one that was brought, a part without rows, and one whose mean has no square in single precision.
    #[derive(Debug)]
    struct Odd(Tensor<f32>);

    impl Peers<f32> for Odd {
        fn is_first(&self) -> bool {
            false
        }
        fn all_gather(&self, count: usize, own: [Tensor<f32>; 2], each: &mut dyn FnMut(usize, &[Tensor<f32>; 2])) {
            each(0, &[f32::NAN; 2].map(|nan| Tensor::full([1, 1], nan)));
            each(1, &[self.0.clone(), Tensor::zeros([1, 1])]);
            each(count, &own);
        }
    }

    #[test]
    fn parts_without_rows_and_large_means_are_no_nan() {
        let tape = Tape::no_record();
        let large = Tensor::from([[1e25_f32]]);
        let x = tape.constant(Tensor::from([[1e25], [1e25]]));
        let (y, [mean, variance], count) =
            x.standardize_axes_among(&[0], 1e-3, Some(&(Arc::new(Odd(large.clone())) as _)));
        assert_eq!((mean, variance, count), (large, Tensor::zeros([1, 1]), 3));
        assert_eq!(y.value(), Tensor::zeros([2, 1]));
        let (y, ..) = tape.constant(Tensor::scalar(3.0)).standardize_axes(&[], 1e-3);
        assert_eq!(y.item(), 0.0);
    }

    #[test]
    #[should_panic(expected = "standardize_axes_among: no derivative over the parts of a batch is recorded")]
    fn no_second_derivative_goes_through_peers() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::from([[1.0], [2.0]]));
        let (y, ..) = x.standardize_axes_among(&[0], 1e-3, Some(&(Arc::new(Copies(1)) as _)));
        tape.gradient_recorded(y.sum(), [x]);
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
