//! Dropout that keeps the mean and the variance of SELU's outputs.

use mlp_autograd::Var;
use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use super::{Kind, Source};
use crate::predictor::{Freezer, Frozen};
use crate::{NnError, Pass, Plan, Weights};

/// What SELU goes to for very negative inputs: minus its scale times its alpha.
const DROPPED: f64 = -1.050_700_987_355_480_5 * 1.673_263_242_354_377_2;

/// In training, sets each value to α′ = -1.7581 with probability `rate`, and then maps all of them by a · x + b, with
/// a = ((1 - rate) (1 + rate · α′²))^(-1/2) and b = -a · α′ · rate, so that values of mean 0 and variance 1 keep both.
/// At inference, does nothing. Goes with [`Activation::Selu`](crate::Activation::Selu).
///
/// Source: Klambauer et al., 2017. PyTorch's and Keras' formula.
///
/// # Shapes
/// Any; the output has the input's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AlphaDropout {
    /// The probability with which a value is dropped: from 0 up to, but not including, 1.
    pub rate: f64,
}

impl AlphaDropout {
    /// Drops each value with probability `rate`.
    pub fn new(rate: f64) -> Self {
        Self { rate }
    }
}

impl Kind for AlphaDropout {
    fn name(&self) -> &str {
        "AlphaDropout"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.require(self.rate >= 0.0 && self.rate < 1.0, "rate", self.rate, "at least 0 and below 1")?;
        Ok(input.to_vec())
    }

    fn forward<'t, E: Element>(&self, _: &mut Weights<'_, 't, E>, x: Var<'t, E>, pass: &mut Pass<'t, E>) -> Var<'t, E> {
        let Some(rng) = pass.rng().filter(|_| self.rate > 0.0) else { return x };
        let a = ((1.0 - self.rate) * (1.0 + self.rate * DROPPED * DROPPED)).powf(-0.5);
        let b = -a * DROPPED * self.rate;
        let factors = Tensor::bernoulli(x.shape(), 1.0 - self.rate, E::from_f64(a), rng);
        let (dropped, kept) = (E::from_f64(a * DROPPED + b), E::from_f64(b));
        let offsets = factors.map(|factor| if factor == E::zero() { dropped } else { kept });
        x * x.tape().constant(factors) + x.tape().constant(offsets)
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
