//! Dropout.

use mlp_autograd::Var;
use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use super::{Kind, Source};
use crate::predictor::{Freezer, Frozen};
use crate::{NnError, Pass, Plan, Weights};

/// In training, sets each value to 0 with probability `rate` and multiplies the others by 1 / (1 - rate), so that the
/// expected value stays. At inference, does nothing.
///
/// Source: Srivastava et al., 2014.
///
/// # Shapes
/// Any; the output has the input's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dropout {
    /// The probability with which a value is dropped: from 0 up to, but not including, 1.
    pub rate: f64,
}

impl Dropout {
    /// Drops each value with probability `rate`.
    pub fn new(rate: f64) -> Self {
        Self { rate }
    }
}

impl Kind for Dropout {
    fn name(&self) -> &str {
        "Dropout"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.require(self.rate >= 0.0 && self.rate < 1.0, "rate", self.rate, "at least 0 and below 1")?;
        Ok(input.to_vec())
    }

    fn forward<'t, E: Element>(&self, _: &mut Weights<'_, 't, E>, x: Var<'t, E>, pass: &mut Pass<'t, E>) -> Var<'t, E> {
        match pass.rng() {
            Some(rng) if self.rate > 0.0 => {
                let keep = 1.0 - self.rate;
                let mask = Tensor::bernoulli(x.value().shape(), keep, E::from_f64(1.0 / keep), rng);
                x * x.tape().constant(mask)
            }
            _ => x,
        }
    }

    fn source(&self) -> Source {
        Source::Input
    }

    fn freeze<E: Element>(&self, _: &mut Freezer<'_, E>) -> Frozen<E> {
        Frozen::Nothing
    }

    fn detail(&self) -> String {
        self.rate.to_string()
    }
}

#[cfg(test)]
mod tests {
    use mlp_autograd::Tape;
    use mlp_tensor::Rng;

    use super::*;

    fn forward<'t, E: Element>(rate: f64, x: Var<'t, E>, mut pass: Pass<'t, E>) -> Var<'t, E> {
        Dropout::new(rate).forward(&mut Weights::new(&[], &[], &[]), x, &mut pass)
    }

    #[test]
    fn a_share_is_dropped_and_the_rest_scaled() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::<f32>::ones([1000, 101]));
        let y = forward(0.2, x, Pass::training(Rng::new(3)));
        let values = y.value();
        assert!(values.as_slice().iter().all(|&v| v == 0.0 || v == 1.25));
        let kept = values.as_slice().iter().filter(|&&v| v != 0.0).count() as f64 / 101_000.0;
        assert!((kept - 0.8).abs() < 0.005, "{kept}");
        // The gradient is the mask.
        assert_eq!(y.sum().backward().wrt(x), values);
    }

    #[test]
    fn nothing_happens_in_use_or_at_rate_zero() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::<f32>::ones([3, 5]));
        assert_eq!(forward(0.5, x, Pass::inference()).value(), x.value());
        assert_eq!(forward(0.0, x, Pass::training(Rng::new(1))).value(), x.value());
    }

    #[test]
    fn the_generator_decides() {
        let tape = Tape::new();
        let x = tape.variable(Tensor::<f32>::ones([10, 10]));
        let drop = |seed| forward(0.5, x, Pass::training(Rng::new(seed))).value();
        assert_eq!(drop(1), drop(1));
        assert_ne!(drop(1), drop(2));
    }
}
