//! No negative weights.

use mlp_tensor::{Element, Tensor};

use super::kind::Kind;

/// Negative weights become 0. NaN stays NaN.
pub(super) struct NonNegative;

impl Kind for NonNegative {
    fn apply<E: Element>(&self, weight: &mut Tensor<E>) {
        weight.map_in_place(
            #[inline(always)]
            |w| if w < E::zero() { E::zero() } else { w },
        );
    }
}
