//! A fully connected layer whose weights have a direction and a length.

use mlp_autograd::Var;
use mlp_registry::{OpenError, Registry};
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::dense::linear;
use super::{Dense, Kind};
use crate::plan::Start;
use crate::predictor::{Freezer, Frozen};
use crate::{Activation, NnError, ParameterSpec, Pass, Plan, Regularizer, Weights};

/// A [`Dense`] layer with W = g · V / |V|: V holds the directions of the units' weights and g their lengths.
///
/// V (`direction`) starts as the dense layer's weight does, and g (`length`) as the norms of its columns, so that the
/// layer starts as the dense one would. The dense layer's regularizer and constraint for the weight are on V. A unit
/// whose column of V is 0 has no direction, and its outputs are NaN.
///
/// Source: Salimans and Kingma, 2016. PyTorch's `weight_norm` of a `Linear`, for every unit by itself.
///
/// # Shapes
/// X `[n, .., features]`, V `[features, units]`, g `[units]`, b (`bias`) `[units]`, Y `[n, .., units]`. The norm is that of
/// a column of V.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WeightNorm {
    /// The layer.
    pub dense: Dense,
}

impl WeightNorm {
    /// The layer `dense` with its weight taken apart.
    pub fn new(dense: Dense) -> Self {
        Self { dense }
    }
}

impl Kind for WeightNorm {
    fn name(&self) -> &str {
        "WeightNorm"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        let (output, [features, units]) = self.dense.plan_shapes(input, plan)?;
        plan.parameter(self.dense.kernel("direction", [features, units]))?;
        plan.parameter(ParameterSpec::starting("length", [units], Start::NormsOfTheLast))?;
        self.dense.plan_bias(plan)?;
        Ok(output)
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        _: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let (direction, length) = (weights.parameter(), weights.parameter());
        let bias = self.dense.use_bias.then(|| weights.parameter());
        let norms = direction.norm_axes(E::from_f64(2.0), &[0], false);
        linear(x, direction * (length / norms), bias)
    }

    fn freeze<E: Element>(&self, own: &mut Freezer<'_, E>) -> Frozen<E> {
        let (direction, length, bias) = (own.parameters[0].value(), own.parameters[1].value(), own.parameters.get(2));
        let norms = direction.norm_axes(E::from_f64(2.0), &[0], false);
        let name = format!("the effective weight of {}", own.path);
        own.dense(&name, &(direction * (length / norms)), bias)
    }

    fn activation(&self) -> &Activation {
        &self.dense.activation
    }

    fn activity_regularizer(&self) -> Option<&Regularizer> {
        self.dense.activity_regularizer.as_ref()
    }

    fn open_parts(&mut self, registry: &Registry) -> Result<(), OpenError> {
        self.dense.open_parts(registry)
    }

    fn detail(&self) -> String {
        self.dense.detail()
    }
}
