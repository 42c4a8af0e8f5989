//! The rectified linear unit.

use mlp_autograd::Var;
use mlp_tensor::{Element, math};

use super::kind::{Kind, each};
use crate::predictor::InPlace;

/// max(x, 0). NaN stays NaN.
pub(super) struct Relu;

impl Kind for Relu {
    fn name(&self) -> String {
        "relu".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.relu()
    }

    fn in_place<E: Element>(&self) -> Option<InPlace<E>> {
        Some(|row| each(row, math::relu))
    }

    fn gain(&self) -> f64 {
        std::f64::consts::SQRT_2
    }

    fn has_both_signs(&self) -> bool {
        false
    }
}
