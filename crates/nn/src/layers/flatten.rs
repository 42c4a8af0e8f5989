//! Rows of any shape as rows of numbers.

use mlp_autograd::Var;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::{Kind, Source};
use crate::predictor::{Freezer, Frozen};
use crate::{NnError, Pass, Plan, Weights};

/// The same values as one axis.
///
/// # Shapes
/// `[n, a, b, ..]` becomes `[n, a · b · ..]`, in row-major order, as in PyTorch and Keras.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Flatten {}

impl Flatten {
    /// The layer; it has no settings.
    pub fn new() -> Self {
        Self {}
    }
}

impl Kind for Flatten {
    fn name(&self) -> &str {
        "Flatten"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.keep_columns();
        let values = input.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        values.map(|values| vec![values]).ok_or_else(|| plan.refuse(input, "they hold too many values to count"))
    }

    fn forward<'t, E: Element>(&self, _: &mut Weights<'_, 't, E>, x: Var<'t, E>, _: &mut Pass<'t, E>) -> Var<'t, E> {
        let value = x.value();
        if value.ndim() == 2 { x } else { x.reshape([value.rows(), value.row_len()]) }
    }

    fn source(&self) -> Source {
        Source::Input
    }

    fn freeze<E: Element>(&self, _: &mut Freezer<'_, E>) -> Frozen<E> {
        Frozen::Nothing
    }
}
