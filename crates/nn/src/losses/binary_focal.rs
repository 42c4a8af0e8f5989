//! The binary focal loss.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::binary_cross_entropy::BinaryCrossEntropy;
use super::categorical_focal::power;
use super::{Kind, TargetKind};
use crate::OutputFunction;
use crate::setting::{NumberType, Problem};

/// Binary cross-entropy times (1 - q)^γ, value by value, where 1 - q = t σ(-x) + (1 - t) σ(x).
pub(super) struct BinaryFocal {
    pub(super) gamma: f64,
    pub(super) alpha: Option<f64>,
}

impl Kind for BinaryFocal {
    fn name(&self) -> String {
        "binary focal loss".to_owned()
    }

    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.not_negative("gamma", self.gamma)?;
        self.alpha.map_or(Ok(()), |alpha| number.share("alpha", alpha))
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Binary
    }

    fn function(&self) -> OutputFunction {
        OutputFunction::Sigmoid
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        let wrong = t * (-x).sigmoid() + (-t + E::one()) * x.sigmoid();
        let values = BinaryCrossEntropy.values(x, t) * power(wrong, self.gamma);
        match self.alpha {
            // t α + (1 - t)(1 - α)
            Some(alpha) => values * (t * E::from_f64(2.0 * alpha - 1.0) + E::from_f64(1.0 - alpha)),
            None => values,
        }
    }
}
