//! What one constraint is.

use mlp_tensor::{Element, Tensor};

use crate::setting::{NumberType, Problem};

/// One constraint with its settings; the type that implements it has a file of its own.
pub(crate) trait Kind {
    /// Checks the settings, as `number` has them.
    fn check(&self, _number: NumberType) -> Result<(), Problem> {
        Ok(())
    }

    /// Brings `weight` back within the limit.
    #[track_caller]
    fn apply<E: Element>(&self, weight: &mut Tensor<E>);
}
