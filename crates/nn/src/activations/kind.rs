//! What one activation is.

use mlp_autograd::Var;
use mlp_tensor::Element;
use mlp_tensor::simd::vectorize;

use crate::predictor::InPlace;
use crate::setting::{NumberType, Problem};

/// One activation with its settings; the type that implements it has a file of its own.
pub(crate) trait Kind {
    /// The name in summaries and messages.
    fn name(&self) -> String;

    /// Checks the settings, as `number` has them.
    fn check(&self, _number: NumberType) -> Result<(), Problem> {
        Ok(())
    }

    /// The function; the shape stays.
    #[track_caller]
    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E>;

    /// The form of the function that writes over a row, if it has one: what predictions use.
    fn in_place<E: Element>(&self) -> Option<InPlace<E>> {
        None
    }

    /// The factor by which first weights in front of the function are widened, see
    /// [`Activation::gain`](super::Activation::gain).
    fn gain(&self) -> f64 {
        1.0
    }

    /// Whether the function has values below 0 and values above 0.
    fn has_both_signs(&self) -> bool {
        true
    }

    /// What the function is over a last axis of one value, if that is always the same.
    fn of_one_value(&self) -> Option<f64> {
        None
    }
}

/// Writes f(v) over every value v of a row.
pub(super) fn each<E: Element>(row: &mut [E], f: impl Fn(E) -> E) {
    vectorize(
        #[inline(always)]
        || row.iter_mut().for_each(|v| *v = f(*v)),
    );
}
