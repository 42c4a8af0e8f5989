//! Probabilities of classes.

use mlp_autograd::Var;
use mlp_tensor::{Element, math};

use super::kind::{Kind, each};
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
        Some(|row| {
            let largest = |a, b: E| if b > a || b.is_nan() { b } else { a };
            let largest = row.iter().copied().fold(E::neg_infinity(), largest);
            each(row, |v| math::exp(v - largest));
            let sum: E = row.iter().copied().sum();
            each(row, |v| v / sum);
        })
    }

    fn has_both_signs(&self) -> bool {
        false
    }

    fn of_one_value(&self) -> Option<f64> {
        Some(1.0)
    }
}
