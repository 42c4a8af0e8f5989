//! An activation as a layer by itself.

use mlp_autograd::Var;
use mlp_registry::{OpenError, Registry};
use mlp_tensor::Element;

use super::{Kind, Source};
use crate::predictor::{Freezer, Frozen};
use crate::{Activation, NnError, Pass, Plan, Weights};

impl Kind for Activation {
    fn name(&self) -> &str {
        "Activation"
    }

    fn plan(&self, input: &[usize], _: &mut Plan) -> Result<Vec<usize>, NnError> {
        Ok(input.to_vec())
    }

    fn forward<'t, E: Element>(&self, _: &mut Weights<'_, 't, E>, x: Var<'t, E>, _: &mut Pass<'t, E>) -> Var<'t, E> {
        x
    }

    fn source(&self) -> Source {
        Source::Input
    }

    fn freeze<E: Element>(&self, _: &mut Freezer<'_, E>) -> Frozen<E> {
        Frozen::Nothing
    }

    fn activation(&self) -> &Activation {
        self
    }

    fn open_parts(&mut self, registry: &Registry) -> Result<(), OpenError> {
        self.open(registry)
    }

    fn detail(&self) -> String {
        self.to_string()
    }
}
