//! Probabilities of classes.

use mlp_autograd::Var;
use mlp_tensor::{Element, softmax};

use super::kind::Kind;
use crate::predictor::InPlace;

/// eˣ / Σ eˣ over the last axis.
pub(super) struct Softmax;

impl Kind for Softmax {
    fn name(&self) -> String {
        "softmax".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.softmax(x.ndim().saturating_sub(1))
    }

    fn in_place<E: Element>(&self) -> Option<InPlace<E>> {
        Some(|row| softmax::in_place(row, row.len()))
    }

    fn has_both_signs(&self) -> bool {
        false
    }

    fn of_one_value(&self) -> Option<f64> {
        Some(1.0)
    }
}
