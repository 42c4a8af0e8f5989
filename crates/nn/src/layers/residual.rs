//! A shortcut around layers.

use std::sync::Arc;

use mlp_autograd::Var;
use mlp_tensor::{Compact, Element};
use serde::{Deserialize, Serialize};

use super::{Kind, Stack};
use crate::predictor::{Chain, Freezer, Frozen, Step};
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

    fn freeze<E: Element>(&self, own: &mut Freezer<'_, E>) -> Frozen<E> {
        Frozen::step(Shortcut(own.stack("", &self.layers)))
    }

    fn stacks(&self) -> &[Stack] {
        std::slice::from_ref(&self.layers)
    }

    fn stacks_mut(&mut self) -> &mut [Stack] {
        std::slice::from_mut(&mut self.layers)
    }
}

/// x + f(x) at inference: x stays where it is until f is done.
#[derive(Debug)]
struct Shortcut<E: Element>(Chain<E>);

impl<E: Element> Step<E> for Shortcut<E> {
    fn width(&self) -> usize {
        self.0.width()
    }

    fn room(&self) -> usize {
        self.0.room()
    }

    fn run(&self, rows: usize, x: &[E], out: &mut [E], room: &mut [E]) {
        self.0.run(rows, x, out, room);
        out.iter_mut().zip(x).for_each(|(y, &x)| *y = x + *y);
    }

    fn compact(&self, format: Compact) -> Result<Option<Arc<dyn Step<E>>>, NnError> {
        Ok(Some(Arc::new(Self(self.0.compact(format)?))))
    }
}
