//! The logistic function.

use mlp_autograd::Var;
use mlp_tensor::{Element, math};

use super::kind::{Kind, each};
use crate::predictor::InPlace;

/// 1 / (1 + e⁻ˣ).
pub(super) struct Sigmoid;

impl Kind for Sigmoid {
    fn name(&self) -> String {
        "sigmoid".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.sigmoid()
    }

    fn in_place<E: Element>(&self) -> Option<InPlace<E>> {
        Some(|row| each(row, math::sigmoid))
    }

    fn has_both_signs(&self) -> bool {
        false
    }
}
