//! Norms between two bounds.

use mlp_tensor::{Element, Tensor};

use super::columns::scale_columns;
use super::kind::Kind;
use crate::setting::{NumberType, Problem};

/// A norm n out of bounds becomes `rate` · (the nearer bound) + (1 - `rate`) · n.
pub(super) struct MinMaxNorm {
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) rate: f64,
}

impl Kind for MinMaxNorm {
    fn check(&self, number: NumberType) -> Result<(), Problem> {
        let Self { min, max, rate } = *self;
        number.not_negative("min", min)?;
        number.finite("max", max)?;
        number.check("max", max, "at least min", |as_used| as_used(max) >= as_used(min))?;
        number.share("rate", rate)
    }

    fn apply<E: Element>(&self, weight: &mut Tensor<E>) {
        let Self { min, max, rate } = *self;
        scale_columns(weight, |norm| rate * norm.clamp(min, max) + (1.0 - rate) * norm);
    }
}
