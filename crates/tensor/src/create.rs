//! Tensors made by a rule.

use ndarray::IxDyn;

use crate::tensor::expect_count;
use crate::{Element, Tensor};

impl<E: Element> Tensor<E> {
    /// `f(index)` at every index, which holds one number for each axis.
    ///
    /// ```
    /// use mlp_tensor::{Tensor, tensor};
    ///
    /// let t = Tensor::from_fn([2, 3], |index| (10 * index[0] + index[1]) as f32);
    /// assert_eq!(t, tensor![[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]);
    /// ```
    ///
    /// # Panics
    /// If the shape is too large.
    #[track_caller]
    pub fn from_fn(shape: impl AsRef<[usize]>, mut f: impl FnMut(&[usize]) -> E) -> Self {
        let shape = shape.as_ref();
        let mut index = vec![0; shape.len()];
        let data = (0..expect_count("from_fn", shape)).map(|_| {
            let value = f(&index);
            // The next index: the last axis is the fastest.
            for (i, &length) in index.iter_mut().zip(shape).rev() {
                *i += 1;
                if *i < length {
                    break;
                }
                *i = 0;
            }
            value
        });
        Self::from_parts(data.collect(), IxDyn(shape))
    }

    /// `start`, `start + step`, `start + 2 step` and so on, as many as lie before `stop`, which is not among them: ⌈(stop -
    /// start) / step⌉ values, as in NumPy, each computed in double precision as start + i · step and then rounded, as in
    /// PyTorch. With a step that is not exact in double precision, such as 0.1, the count may be one more than expected:
    /// use [`Tensor::linspace`] then.
    ///
    /// ```
    /// use mlp_tensor::{Tensor, tensor};
    /// assert_eq!(Tensor::arange(0.0, 1.0, 0.25), tensor![0.0, 0.25, 0.5, 0.75]);
    /// ```
    ///
    /// # Panics
    /// If `step` is 0 or one of the three is not finite.
    #[track_caller]
    pub fn arange(start: f64, stop: f64, step: f64) -> Self {
        let steps = (stop - start) / step;
        assert!(
            [start, stop, step].iter().all(|v| v.is_finite()) && step != 0.0,
            "arange: no finite count of steps of {step} leads from {start} to {stop}"
        );
        let len = expect_count("arange", &[steps.ceil().max(0.0) as usize]);
        (0..len).map(|i| E::from_f64(start + i as f64 * step)).collect()
    }

    /// `n` values at equal steps from `start` to `stop`, of which both are among them; one value alone is `start`. Each is
    /// computed in double precision and then rounded: the first half forward from `start`, the second backward from `stop`,
    /// as in PyTorch, so that the values lie symmetrically; NumPy computes all from `start`, which may differ in the last
    /// digit.
    ///
    /// ```
    /// use mlp_tensor::{Tensor, tensor};
    /// assert_eq!(Tensor::linspace(0.0, 1.0, 5), tensor![0.0, 0.25, 0.5, 0.75, 1.0]);
    /// ```
    pub fn linspace(start: f64, stop: f64, n: usize) -> Self {
        let step = if n > 1 { (stop - start) / (n - 1) as f64 } else { 0.0 };
        let value =
            |i: usize| if i < n.div_ceil(2) { start + i as f64 * step } else { stop - (n - 1 - i) as f64 * step };
        (0..n).map(|i| E::from_f64(value(i))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_is_visited_in_order() {
        let t = Tensor::<f64>::from_fn([2, 1, 3], |i| (100 * i[0] + 10 * i[1] + i[2]) as f64);
        assert_eq!(t, Tensor::from([[[0.0, 1.0, 2.0]], [[100.0, 101.0, 102.0]]]));
        assert_eq!(Tensor::<f32>::from_fn([], |index| index.len() as f32), Tensor::scalar(0.0));
        assert_eq!(Tensor::<f32>::from_fn([2, 0], |_| 1.0).shape(), [2, 0]);
    }

    #[test]
    fn steps_go_either_way_or_nowhere() {
        assert_eq!(Tensor::<f32>::arange(3.0, 0.0, -1.0), Tensor::from([3.0, 2.0, 1.0]));
        assert_eq!(Tensor::<f32>::arange(0.0, 3.5, 1.0), Tensor::from([0.0, 1.0, 2.0, 3.0]));
        assert_eq!(Tensor::<f64>::arange(3.0, 0.0, 1.0).shape(), [0]);
        assert_eq!(Tensor::<f64>::linspace(2.0, 3.0, 1), Tensor::from([2.0]));
        assert_eq!(Tensor::<f64>::linspace(2.0, 3.0, 0).shape(), [0]);
        assert_eq!(Tensor::<f32>::linspace(1.0, -1.0, 3), Tensor::from([1.0, 0.0, -1.0]));
        // The ends are exact, and the middle lies in the middle.
        let t = Tensor::<f64>::linspace(0.1, 0.7, 7);
        assert_eq!((t.as_slice()[0], t.as_slice()[6]), (0.1, 0.7));
        let t = Tensor::<f64>::linspace(-0.1, 0.1, 11);
        assert!((0..11).all(|i| t.as_slice()[i] == -t.as_slice()[10 - i] || i == 5));
    }
}
