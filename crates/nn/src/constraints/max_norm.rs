//! A largest norm.

use mlp_tensor::{Element, Tensor};

use super::columns::scale_columns;
use super::kind::Kind;
use crate::setting::{NumberType, Problem};

/// A column with a norm above `max` is scaled down to it.
pub(super) struct MaxNorm {
    pub(super) max: f64,
}

impl Kind for MaxNorm {
    fn check(&self, number: NumberType) -> Result<(), Problem> {
        number.not_negative("max", self.max)
    }

    fn apply<E: Element>(&self, weight: &mut Tensor<E>) {
        scale_columns(weight, |norm| norm.min(self.max));
    }
}
