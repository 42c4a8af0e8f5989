//! What one loss is.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::TargetKind;
use crate::OutputFunction;
use crate::setting::{NumberType, Problem};

/// One loss with its settings; the type that implements it has a file of its own.
pub(crate) trait Kind {
    /// The name in messages.
    fn name(&self) -> String;

    /// Checks the settings, as `number` has them.
    fn check(&self, _number: NumberType) -> Result<(), Problem> {
        Ok(())
    }

    /// What targets may be.
    fn targets(&self) -> TargetKind;

    /// What makes predictions of the values that the loss takes: it takes logits of a sigmoid or a softmax, logarithms
    /// of rates, or predictions themselves.
    fn function(&self) -> OutputFunction {
        OutputFunction::Identity
    }

    /// The number of values of a target row where a row of outputs has `outputs`; `None` if no row of so many fits.
    fn target_len(&self, outputs: usize) -> Option<usize> {
        Some(outputs)
    }

    /// One number a row, or as many as a row has values, of which the mean is to be taken.
    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E>;
}
