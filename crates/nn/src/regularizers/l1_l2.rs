//! The penalties on absolute values and on squares.

use mlp_autograd::Var;
use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, Tensor};

use super::Regularizer;
use super::kind::Kind;
use crate::setting::{NumberType, Problem};

/// l1 · Σ|w| + l2 · Σw², with gradient l1 · sign(w) + 2 · l2 · w.
pub(super) struct L1L2 {
    pub(super) l1: f64,
    pub(super) l2: f64,
}

impl Regularizer {
    /// l1 · Σ|w|, which drives weights to 0.
    pub fn l1(l1: f64) -> Self {
        Self::L1L2 { l1, l2: 0.0 }
    }

    /// l2 · Σw², which keeps weights small.
    pub fn l2(l2: f64) -> Self {
        Self::L1L2 { l1: 0.0, l2 }
    }

    /// Both.
    pub fn l1_l2(l1: f64, l2: f64) -> Self {
        Self::L1L2 { l1, l2 }
    }
}

impl Kind for L1L2 {
    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.not_negative("l1", self.l1)?;
        number.not_negative("l2", self.l2)?;
        number.finite("2 · l2", 2.0 * self.l2)
    }

    fn penalty<E: Element>(&self, weight: &Tensor<E>) -> f64 {
        let (absolute, square) = sums(weight.as_slice());
        self.l1 * absolute + self.l2 * square
    }

    fn gradient<E: Element>(&self, weight: &Tensor<E>) -> Tensor<E> {
        let mut gradient = Tensor::zeros(weight.shape());
        self.add_by_value(weight.as_slice(), gradient.as_mut_slice());
        gradient
    }

    fn is_by_value(&self) -> bool {
        true
    }

    fn add_by_value<E: Element>(&self, weights: &[E], gradient: &mut [E]) -> bool {
        let (l1, two_l2, zero) = (E::from_f64(self.l1), E::from_f64(2.0 * self.l2), E::zero());
        let pairs = gradient.iter_mut().zip(weights);
        vectorize(
            #[inline(always)]
            || {
                pairs.for_each(|(g, &w)| {
                    let sign = if w > zero {
                        l1
                    } else if w < zero {
                        -l1
                    } else {
                        zero
                    };
                    *g += sign + two_l2 * w;
                });
            },
        );
        true
    }

    fn of_output<'t, E: Element>(&self, y: Var<'t, E>, rows: f64) -> Var<'t, E> {
        let [l1, l2] = [self.l1, self.l2].map(|factor| E::from_f64(factor / rows));
        (y.abs() * l1 + y.square() * l2).sum()
    }
}

/// Σ|w| and Σw², each in sixteen sums that are added up at the end: the same bits on every machine.
fn sums<E: Element>(weights: &[E]) -> (f64, f64) {
    let (mut absolute, mut squares) = ([0.0_f64; 16], [0.0_f64; 16]);
    vectorize(
        #[inline(always)]
        || {
            for chunk in weights.chunks(16) {
                for ((absolute, square), w) in absolute.iter_mut().zip(&mut squares).zip(chunk) {
                    let w = w.as_f64();
                    *absolute += w.abs();
                    *square += w * w;
                }
            }
        },
    );
    (absolute.iter().sum(), squares.iter().sum())
}
