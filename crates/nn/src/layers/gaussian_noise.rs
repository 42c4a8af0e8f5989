//! Additive noise.

use mlp_autograd::Var;
use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use super::{Kind, Source};
use crate::predictor::{Freezer, Frozen};
use crate::{NnError, Pass, Plan, Weights};

/// In training, adds normal noise of mean 0 and the given standard deviation to every value. At inference, does nothing.
/// Keras' `GaussianNoise`.
///
/// # Shapes
/// Any; the output has the input's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GaussianNoise {
    /// The standard deviation, finite and 0 or more.
    pub std: f64,
}

impl GaussianNoise {
    /// Noise of standard deviation `std`.
    pub fn new(std: f64) -> Self {
        Self { std }
    }
}

impl Kind for GaussianNoise {
    fn name(&self) -> &str {
        "GaussianNoise"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.check(plan.number().not_negative("std", self.std))?;
        Ok(input.to_vec())
    }

    fn forward<'t, E: Element>(&self, _: &mut Weights<'_, 't, E>, x: Var<'t, E>, pass: &mut Pass<'t, E>) -> Var<'t, E> {
        match pass.rng() {
            Some(rng) => x + x.tape().constant(Tensor::normal(x.shape(), 0.0, self.std, rng)),
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
        self.std.to_string()
    }
}
