//! Binary cross-entropy: minus the logarithm of the probability that was predicted for the answer that came true.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::{Kind, TargetKind};
use crate::OutputFunction;

/// t ln(1 + e⁻ˣ) + (1 - t) ln(1 + eˣ) of logits x, value by value.
pub(super) struct BinaryCrossEntropy;

impl Kind for BinaryCrossEntropy {
    fn name(&self) -> String {
        "binary cross-entropy".to_owned()
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Binary
    }

    fn function(&self) -> OutputFunction {
        OutputFunction::Sigmoid
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        t * (-x).softplus(E::one()) + (-t + E::one()) * x.softplus(E::one())
    }
}
