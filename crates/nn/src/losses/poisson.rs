//! The Poisson loss.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::{Kind, TargetKind};
use crate::OutputFunction;

/// eˣ - t x of the logarithms x of rates, value by value.
pub(super) struct Poisson;

impl Kind for Poisson {
    fn name(&self) -> String {
        "Poisson loss".to_owned()
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Counts
    }

    fn function(&self) -> OutputFunction {
        OutputFunction::Exp
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        x.exp() - t * x
    }
}
