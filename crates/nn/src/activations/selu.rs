//! The scaled exponential linear unit.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::kind::Kind;

/// λx above 0, λα (eˣ - 1) up to it, with the λ and α of Klambauer et al., 2017.
pub(super) struct Selu;

impl Kind for Selu {
    fn name(&self) -> String {
        "selu".to_owned()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.selu()
    }

    fn gain(&self) -> f64 {
        0.75
    }
}
