//! The gated linear unit.

use mlp_autograd::Var;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::Kind;
use crate::{NnError, Pass, Plan, Weights};

/// One half of the values, opened and closed by the other: y = a · sigmoid(b), for a row x = [a, b].
///
/// Source: Dauphin et al., 2017; PyTorch's `GLU` over the last axis.
///
/// # Shapes
/// `[n, .., 2d]` becomes `[n, .., d]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Glu {}

impl Glu {
    /// The layer; it has no settings.
    pub fn new() -> Self {
        Self {}
    }
}

impl Kind for Glu {
    fn name(&self) -> &str {
        "GLU"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        let (last, mut output) = (input.len() - 1, input.to_vec());
        if !input[last].is_multiple_of(2) {
            return Err(plan.refuse(input, "the last axis must have an even length, to be halved"));
        }
        output[last] /= 2;
        Ok(output)
    }

    fn forward<'t, E: Element>(&self, _: &mut Weights<'_, 't, E>, x: Var<'t, E>, _: &mut Pass<'t, E>) -> Var<'t, E> {
        x.glu()
    }
}
