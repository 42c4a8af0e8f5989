//! The categorical focal loss: cross-entropy in which what is known already counts less.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::categorical_cross_entropy::log_softmax;
use super::{Kind, TargetKind};
use crate::OutputFunction;
use crate::setting::{NumberType, Problem};

/// -Σ α (1 - p)^γ t ln p of logits x, row by row, with p = softmax(x) and 1 - p = -(e^(ln p) - 1).
pub(super) struct CategoricalFocal {
    pub(super) gamma: f64,
    pub(super) alpha: f64,
}

impl Kind for CategoricalFocal {
    fn name(&self) -> String {
        "categorical focal loss".to_owned()
    }

    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.not_negative("gamma", self.gamma)?;
        number.above_zero("alpha", self.alpha)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn function(&self) -> OutputFunction {
        OutputFunction::Softmax
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        let ln_p = log_softmax(x);
        (t * ln_p * power(-ln_p.exp_m1(), self.gamma)).sum_axes(&[1], false) * E::from_f64(-self.alpha)
    }
}

/// vᵞ. Below the smallest normal number v counts as that number: a γ below 1 has no derivative at 0.
pub(super) fn power<E: Element>(v: Var<'_, E>, gamma: f64) -> Var<'_, E> {
    v.clamp(E::min_positive_value(), E::max_value()).powf(E::from_f64(gamma))
}
