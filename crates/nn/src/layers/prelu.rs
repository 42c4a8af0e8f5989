//! ReLU with a slope that is trained.

use mlp_autograd::Var;
use mlp_registry::{OpenError, Registry};
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::Kind;
use crate::{Constraint, Initializer, NnError, ParameterSpec, Pass, Plan, Regularizer, Weights};

/// x above 0, and a · x up to it, where the slope a is trained: y = max(x, 0) + a · min(x, 0).
///
/// Source: He et al., 2015. As PyTorch's, one slope for all values unless asked otherwise, which starts at 0.25; Keras
/// has one for each value of a row, which starts at 0.
///
/// # Shapes
/// Any; the output has the input's. a (`weight`) `[1]`, or `[features]` with one slope for each index of the last axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Prelu {
    /// Whether every index of the last axis has a slope of its own; false by default.
    pub per_feature: bool,
    /// How a starts; 0.25 by default.
    pub initializer: Initializer,
    /// The penalty on a; none by default.
    pub regularizer: Option<Regularizer>,
    /// The limit on a; none by default.
    pub constraint: Option<Constraint>,
}

impl Prelu {
    /// One slope for all values.
    pub fn new() -> Self {
        let initializer = Initializer::Constant { value: 0.25 };
        Self { per_feature: false, initializer, regularizer: None, constraint: None }
    }

    /// One slope for each index of the last axis.
    #[must_use]
    pub fn per_feature(self) -> Self {
        Self { per_feature: true, ..self }
    }

    /// Draws the first slopes by `initializer`.
    #[must_use]
    pub fn initializer(self, initializer: impl Into<Initializer>) -> Self {
        Self { initializer: initializer.into(), ..self }
    }

    /// Adds a penalty on the slopes to the loss.
    #[must_use]
    pub fn regularizer(self, regularizer: impl Into<Regularizer>) -> Self {
        Self { regularizer: Some(regularizer.into()), ..self }
    }

    /// Brings the slopes back within a limit after each step.
    #[must_use]
    pub fn constraint(self, constraint: impl Into<Constraint>) -> Self {
        Self { constraint: Some(constraint.into()), ..self }
    }
}

impl Default for Prelu {
    /// [`Prelu::new`].
    fn default() -> Self {
        Self::new()
    }
}

impl Kind for Prelu {
    fn name(&self) -> &str {
        "PReLU"
    }

    fn open_parts(&mut self, registry: &Registry) -> Result<(), OpenError> {
        self.initializer.open(registry)?;
        self.regularizer.iter_mut().try_for_each(|regularizer| regularizer.open(registry))?;
        self.constraint.iter_mut().try_for_each(|constraint| constraint.open(registry))
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        let slopes = if self.per_feature { input[input.len() - 1] } else { 1 };
        let weight = ParameterSpec::new("weight", [slopes], self.initializer.clone());
        plan.parameter(weight.with(self.regularizer.clone(), self.constraint.clone()))?;
        Ok(input.to_vec())
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        _: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        x.prelu(weights.parameter())
    }
}
