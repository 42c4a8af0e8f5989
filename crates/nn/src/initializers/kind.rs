//! What one initializer is.

use std::fmt;

use mlp_tensor::{Element, Rng, Tensor};

use crate::setting::{NumberType, Problem};

/// One initializer with its settings; the type that implements it has a file of its own.
pub(crate) trait Kind {
    /// Checks the settings, as `number` has them.
    fn check(&self, _number: NumberType) -> Result<(), Problem> {
        Ok(())
    }

    /// Whether the initializer is for weights of two axes alone.
    fn is_for_matrices(&self) -> bool {
        false
    }

    /// The first values of a weight of `shape`.
    #[track_caller]
    fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E>;
}

/// The two axes of a weight for an initializer that takes no other.
#[track_caller]
pub(super) fn matrix(initializer: &impl fmt::Debug, shape: &[usize]) -> [usize; 2] {
    match *shape {
        [rows, columns] => [rows, columns],
        _ => panic!("draw: {initializer:?} is for a weight of two axes, not of shape {shape:?}"),
    }
}
