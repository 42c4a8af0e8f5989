//! The hyperbolic tangent.

use mlp_autograd::Var;
use mlp_tensor::{Element, math};

use super::kind::{Kind, each};
use crate::predictor::InPlace;

/// tanh x.
pub(super) struct Tanh;

impl Kind for Tanh {
    fn name(&self) -> String {
        "tanh".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.tanh()
    }

    fn in_place<E: Element>(&self) -> Option<InPlace<E>> {
        Some(|row| each(row, math::tanh))
    }

    fn gain(&self) -> f64 {
        5.0 / 3.0
    }
}
