//! Norms of 1.

use mlp_tensor::{Element, Tensor};

use super::columns::scale_columns;
use super::kind::Kind;

/// Every column is scaled to norm 1.
pub(super) struct UnitNorm;

impl Kind for UnitNorm {
    fn apply<E: Element>(&self, weight: &mut Tensor<E>) {
        scale_columns(weight, |_| 1.0);
    }
}
