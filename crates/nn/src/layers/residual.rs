//! A shortcut around layers.

use mlp_autograd::Var;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::{Kind, Stack};
use crate::{NnError, Pass, Plan, Weights};

/// The input, and what some layers make of it: y = x + f(x).
///
/// Source: He et al., 2016.
///
/// # Shapes
/// Any; f must keep the shape. The weights of f stand under `layers.0`, `layers.1` and so on within this layer's path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Residual {
    /// f, of at least one layer.
    pub layers: Stack,
}

impl Residual {
    /// x + f(x) with the layers of f.
    pub fn new(layers: Stack) -> Self {
        Self { layers }
    }
}

impl Kind for Residual {
    fn name(&self) -> &str {
        "Residual"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.require(!self.layers.layers().is_empty(), "the number of layers", 0.0, "at least 1")?;
        let output = plan.branch("", &self.layers, input)?;
        if output == input {
            return Ok(output);
        }
        Err(plan.refuse(input, format!("its layers make rows of shape {output:?} of them, which cannot be added")))
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        x + self.layers.forward(weights, x, pass)
    }

    fn check_columns<'a, E: Element>(
        &self,
        columns: &super::Columns<'a, E>,
        path: &str,
    ) -> Result<Option<super::Columns<'a, E>>, NnError> {
        self.layers.check_columns(columns, &format!("{path}."))?;
        Ok(None)
    }

    fn stacks(&self) -> &[Stack] {
        std::slice::from_ref(&self.layers)
    }

    fn stacks_mut(&mut self) -> &mut [Stack] {
        std::slice::from_mut(&mut self.layers)
    }
}
