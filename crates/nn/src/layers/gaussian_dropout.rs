//! Multiplicative noise.

use mlp_autograd::Var;
use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use super::{Kind, Source};
use crate::predictor::{Freezer, Frozen};
use crate::{NnError, Pass, Plan, Weights};

/// In training, multiplies every value by normal noise of mean 1 and standard deviation √(rate / (1 - rate)): the mean
/// and the variance that dropout of the same rate has. At inference, does nothing. Keras' `GaussianDropout`.
///
/// Source: Srivastava et al., 2014.
///
/// # Shapes
/// Any; the output has the input's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GaussianDropout {
    /// The rate of the dropout that it stands for: from 0 up to, but not including, 1.
    pub rate: f64,
}

impl GaussianDropout {
    /// The noise that stands for dropout with probability `rate`.
    pub fn new(rate: f64) -> Self {
        Self { rate }
    }
}

impl Kind for GaussianDropout {
    fn name(&self) -> &str {
        "GaussianDropout"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.require(self.rate >= 0.0 && self.rate < 1.0, "rate", self.rate, "at least 0 and below 1")?;
        Ok(input.to_vec())
    }

    fn forward<'t, E: Element>(&self, _: &mut Weights<'_, 't, E>, x: Var<'t, E>, pass: &mut Pass<'t, E>) -> Var<'t, E> {
        let std = (self.rate / (1.0 - self.rate)).sqrt();
        match pass.rng() {
            Some(rng) => x * x.tape().constant(Tensor::normal(x.shape(), 1.0, std, rng)),
            None => x,
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
