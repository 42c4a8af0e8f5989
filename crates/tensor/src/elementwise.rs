//! Functions of every value by itself.

use crate::fold::{larger, smaller};
use crate::memory::blank;
use crate::simd::vectorize;
use crate::{Element, Operand, Tensor, math};

impl<E: Element> Tensor<E> {
    /// `f(v)` for every value.
    pub fn map(&self, f: impl Fn(E) -> E) -> Self {
        let values = self.as_slice();
        let mut data = blank(values.len());
        let to = &mut data[..];
        vectorize(
            #[inline(always)]
            || {
                for (to, &v) in to.iter_mut().zip(values) {
                    *to = f(v);
                }
            },
        );
        Self::from_parts(data, self.dim().clone())
    }

    /// Replaces every value `v` by `f(v)`; copies nothing unless the values are shared.
    pub fn map_in_place(&mut self, f: impl Fn(E) -> E) {
        let values = self.as_mut_slice();
        vectorize(
            #[inline(always)]
            || {
                for v in values {
                    *v = f(*v);
                }
            },
        );
    }

    /// eᵛ.
    pub fn exp(&self) -> Self {
        self.map(math::exp)
    }

    /// eᵛ - 1, accurate also where eᵛ is almost 1.
    pub fn exp_m1(&self) -> Self {
        self.map(math::exp_m1)
    }

    /// The natural logarithm; of a negative number, NaN.
    pub fn ln(&self) -> Self {
        self.map(math::ln)
    }

    /// ln(1 + v), accurate also where v is tiny; of a number below -1, NaN.
    pub fn ln_1p(&self) -> Self {
        self.map(math::ln_1p)
    }

    /// The square root; of a negative number, NaN.
    pub fn sqrt(&self) -> Self {
        self.map(E::sqrt)
    }

    /// v².
    pub fn square(&self) -> Self {
        self.map(|v| v * v)
    }

    /// vⁿ for an integer n.
    pub fn powi(&self, n: i32) -> Self {
        self.map(|v| v.powi(n))
    }

    /// vᵖ; of a negative v and a fractional p, NaN.
    pub fn powf(&self, p: E) -> Self {
        self.map(|v| v.powf(p))
    }

    /// aᵇ for each pair of values, with broadcasting; of a negative a and a fractional b, NaN.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn pow(&self, exponents: &Self) -> Self {
        self.zip_map(exponents, "pow", E::powf)
    }

    /// 1 / v.
    pub fn recip(&self) -> Self {
        self.map(E::recip)
    }

    /// |v|.
    pub fn abs(&self) -> Self {
        self.map(E::abs)
    }

    /// -1, 0 or 1, by the sign of v; NaN stays NaN.
    pub fn sign(&self) -> Self {
        self.map(|v| {
            if v > E::zero() {
                E::one()
            } else if v < E::zero() {
                -E::one()
            } else {
                v
            }
        })
    }

    /// sin v, v in radians.
    pub fn sin(&self) -> Self {
        self.map(E::sin)
    }

    /// cos v, v in radians.
    pub fn cos(&self) -> Self {
        self.map(E::cos)
    }

    /// The hyperbolic tangent.
    pub fn tanh(&self) -> Self {
        self.map(math::tanh)
    }

    /// The error function, 2/√π · ∫ e^(-t²) dt from 0 to v.
    pub fn erf(&self) -> Self {
        self.map(math::erf)
    }

    /// 1 - erf v, accurate also where that is tiny.
    pub fn erfc(&self) -> Self {
        self.map(math::erfc)
    }

    /// 1 / (1 + e⁻ᵛ), without overflow for any v.
    pub fn sigmoid(&self) -> Self {
        self.map(math::sigmoid)
    }

    /// max(v, 0); NaN stays NaN.
    pub fn relu(&self) -> Self {
        self.map(math::relu)
    }

    /// v, but not below `low` and not above `high`; NaN stays NaN.
    ///
    /// # Panics
    /// If `low` is above `high` or either is NaN.
    #[track_caller]
    pub fn clamp(&self, low: E, high: E) -> Self {
        assert!(low <= high, "clamp: the lower bound {low} must not be above the upper bound {high}");
        self.map(|v| {
            if v < low {
                low
            } else if v > high {
                high
            } else {
                v
            }
        })
    }

    /// The larger of each value and that of `other`, a tensor, which is broadcast, or a number; NaN if either is.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(&self, other: impl Operand<E>) -> Self {
        self.zip_map(&other.into_tensor(), "maximum", larger)
    }

    /// The smaller of each value and that of `other`, a tensor, which is broadcast, or a number; NaN if either is.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn minimum(&self, other: impl Operand<E>) -> Self {
        self.zip_map(&other.into_tensor(), "minimum", smaller)
    }

    /// The largest integer not above v.
    pub fn floor(&self) -> Self {
        self.map(E::floor)
    }

    /// The smallest integer not below v.
    pub fn ceil(&self) -> Self {
        self.map(E::ceil)
    }

    /// The nearest integer; of 0.5, 1.5, 2.5 and so on the nearest even one, as in NumPy and PyTorch.
    pub fn round(&self) -> Self {
        self.map(E::round_to_even)
    }

    /// Whether no value is NaN or infinite.
    pub fn all_finite(&self) -> bool {
        all_finite(self.as_slice())
    }
}

/// Whether no value is NaN or infinite.
pub fn all_finite<E: Element>(values: &[E]) -> bool {
    // v times 0 is 0 for every finite v and NaN for all others, and NaN stays in a sum.
    let mut sums = [E::zero(); 32];
    vectorize(
        #[inline(always)]
        move || {
            let parts = values.chunks_exact(sums.len());
            let rest = parts.remainder();
            parts.for_each(|part| sums.iter_mut().zip(part).for_each(|(sum, &v)| *sum += v * E::zero()));
            sums.iter_mut().zip(rest).for_each(|(sum, &v)| *sum += v * E::zero());
            sums.iter().all(|sum| *sum == E::zero())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_to_even() {
        let x = Tensor::from([-1.5_f32, -0.5, 0.4, 0.5, 1.5, 2.5, f32::INFINITY]);
        assert_eq!(x.round(), Tensor::from([-2.0, 0.0, 0.0, 0.0, 2.0, 2.0, f32::INFINITY]));
        assert_eq!(x.floor(), Tensor::from([-2.0, -1.0, 0.0, 0.0, 1.0, 2.0, f32::INFINITY]));
        assert_eq!(x.ceil(), Tensor::from([-1.0, 0.0, 1.0, 1.0, 2.0, 3.0, f32::INFINITY]));
    }

    #[test]
    fn sigmoid_saturates_without_overflow() {
        let y = Tensor::from([-1e4_f32, 0.0, 1e4, f32::NAN]).sigmoid();
        assert_eq!(y.as_slice()[..3], [0.0, 0.5, 1.0]);
        assert!(y.as_slice()[3].is_nan());
    }

    #[test]
    fn nan_passes_through_comparisons() {
        let x = Tensor::from([f32::NAN, -1.0, 2.0]);
        for y in [x.relu(), x.clamp(0.0, 1.0), x.maximum(0.0), Tensor::scalar(5.0).minimum(&x)] {
            assert!(y.as_slice()[0].is_nan(), "{y}");
        }
        assert_eq!(x.clamp(0.0, 1.0).as_slice()[1..], [0.0, 1.0]);
        for len in [1, 31, 32, 33, 100] {
            for place in [0, len / 2, len - 1] {
                for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                    let mut values = vec![f64::MAX; len];
                    assert!(all_finite(&values));
                    values[place] = bad;
                    assert!(!all_finite(&values), "{bad} at {place} of {len}");
                }
            }
        }
        assert!(Tensor::<f32>::zeros([0, 3]).all_finite());
    }
}
