//! What one regularizer is.

use mlp_autograd::Var;
use mlp_tensor::{Element, Tensor};

use crate::setting::{NumberType, Problem};

/// One regularizer with its settings; the type that implements it has a file of its own.
pub(crate) trait Kind {
    /// Checks the settings, as `number` has them.
    fn check(&self, _number: NumberType) -> Result<(), Problem> {
        Ok(())
    }

    /// The penalty of a weight.
    #[track_caller]
    fn penalty<E: Element>(&self, weight: &Tensor<E>) -> f64;

    /// Its gradient.
    #[track_caller]
    fn gradient<E: Element>(&self, weight: &Tensor<E>) -> Tensor<E>;

    /// Whether the gradient at a value depends on that value alone.
    fn is_by_value(&self) -> bool {
        false
    }

    /// Adds the gradient at some of a weight's values to `gradient`, if it is one by value; otherwise `false`.
    fn add_by_value<E: Element>(&self, _weights: &[E], _gradient: &mut [E]) -> bool {
        false
    }

    /// The penalty of a layer's output, divided by the number of its rows.
    #[track_caller]
    fn of_output<'t, E: Element>(&self, y: Var<'t, E>, rows: f64) -> Var<'t, E>;
}
