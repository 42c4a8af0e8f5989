//! Tensors of random numbers.

use ndarray::IxDyn;

use super::Lanes;
use crate::simd::vectorize;
use crate::tensor::expect_count;
use crate::{Element, Rng, Tensor};

impl<E: Element> Tensor<E> {
    /// Numbers drawn uniformly from [`low`, `high`): low + (high - low) · [u](Element::sample_uniform). Where both are the
    /// same, all are `low`.
    ///
    /// # Panics
    /// If `low` is above `high`, or either of them or their difference is not finite in the number type.
    #[track_caller]
    pub fn uniform(shape: impl AsRef<[usize]>, low: f64, high: f64, rng: &mut Rng) -> Self {
        let finite = [low, high, high - low].iter().all(|&v| E::from_f64(v).is_finite());
        assert!(low <= high && finite, "uniform: from {low} to {high} is no finite range of {}", E::NAME);
        let (low, high, width) = (E::from_f64(low), E::from_f64(high), E::from_f64(high - low));
        Self::sample("uniform", shape, || {
            let v = low + width * E::sample_uniform(rng);
            // The sum may have been rounded up to `high`, which is as likely as being rounded down to `low`.
            if v >= high { low } else { v }
        })
    }

    /// Numbers drawn from the standard normal distribution.
    ///
    /// # Panics
    /// If the shape is too large.
    ///
    /// ```
    /// use mlp_tensor::{Rng, Tensor};
    /// let x: Tensor = Tensor::randn([2, 3], &mut Rng::new(7));
    /// ```
    #[track_caller]
    pub fn randn(shape: impl AsRef<[usize]>, rng: &mut Rng) -> Self {
        Self::sample("randn", shape, || E::sample_normal(rng))
    }

    /// Numbers drawn from the normal distribution of the given mean and standard deviation: mean + std ·
    /// [z](Element::sample_normal).
    ///
    /// # Panics
    /// If the standard deviation is below 0, or either number is not finite in the number type.
    #[track_caller]
    pub fn normal(shape: impl AsRef<[usize]>, mean: f64, std: f64, rng: &mut Rng) -> Self {
        let (mean, std) = Self::moments("normal", mean, std);
        Self::sample("normal", shape, || mean + std * E::sample_normal(rng))
    }

    /// Numbers drawn from the normal distribution, those further than two standard deviations from the mean drawn
    /// anew. Their standard deviation is 0.8796 × `std`.
    ///
    /// # Panics
    /// If the standard deviation is below 0, or either number is not finite in the number type.
    #[track_caller]
    pub fn truncated_normal(shape: impl AsRef<[usize]>, mean: f64, std: f64, rng: &mut Rng) -> Self {
        let ((mean, std), two) = (Self::moments("truncated_normal", mean, std), E::from_f64(2.0));
        Self::sample("truncated_normal", shape, || {
            loop {
                let z = E::sample_normal(rng);
                if z.abs() <= two {
                    return mean + std * z;
                }
            }
        })
    }

    /// `value` with the given probability, right to 2⁻³¹, and 0 otherwise.
    ///
    /// 32 generators, each started from four draws of `rng`, run side by side; each of their numbers gives two halves of 32
    /// bits, the low ones first. A value is chosen where the highest 31 bits of its half are below 2³¹ · probability. With
    /// probability 1 nothing is drawn of `rng`.
    ///
    /// # Panics
    /// If the probability is below 0, above 1 or NaN.
    #[track_caller]
    pub fn bernoulli(shape: impl AsRef<[usize]>, probability: f64, value: E, rng: &mut Rng) -> Self {
        assert!(
            (0.0..=1.0).contains(&probability),
            "bernoulli: a probability lies between 0 and 1, not at {probability}"
        );
        // Signed numbers, which older vector instructions compare directly: 0 to 2³¹, of which the last is never drawn.
        let limit = (probability * 2f64.powi(31)).round() as i64;
        let (always, limit) = (limit == 1 << 31, i32::try_from(limit).unwrap_or(i32::MAX));
        if always {
            return Self::full(shape, value);
        }
        let mut lanes = Lanes::new(rng);
        let below = move |bits: u32| if ((bits >> 1) as i32) < limit { value } else { E::zero() };
        let mut choices = Self::zeros(shape);
        let values = choices.as_mut_slice();
        vectorize(
            #[inline(always)]
            move || {
                let mut parts = values.chunks_exact_mut(Lanes::DRAWS);
                for part in &mut parts {
                    let bits = lanes.next();
                    (0..Lanes::DRAWS).for_each(|i| part[i] = below(bits[i]));
                }
                parts.into_remainder().iter_mut().zip(lanes.next()).for_each(|(v, bits)| *v = below(bits));
            },
        );
        choices
    }

    /// Mean and standard deviation in the number type.
    #[track_caller]
    fn moments(op: &str, mean: f64, std: f64) -> (E, E) {
        let (m, s) = (E::from_f64(mean), E::from_f64(std));
        assert!(
            m.is_finite() && s.is_finite() && std >= 0.0,
            "{op}: a mean of {mean} and a standard deviation of {std} are not finite in {} and the latter from 0 on",
            E::NAME
        );
        (m, s)
    }

    #[track_caller]
    fn sample(op: &str, shape: impl AsRef<[usize]>, mut draw: impl FnMut() -> E) -> Self {
        let shape = shape.as_ref();
        Self::from_parts((0..expect_count(op, shape)).map(|_| draw()).collect(), IxDyn(shape))
    }
}
