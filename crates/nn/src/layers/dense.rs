//! The fully connected layer.

use mlp_autograd::Var;
use mlp_registry::{OpenError, Registry};
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::Kind;
use crate::predictor::{Freezer, Frozen};
use crate::{Activation, Constraint, Initializer, NnError, ParameterSpec, Pass, Plan, Regularizer, Weights};

/// A fully connected layer: Y = activation(X · W + b).
///
/// # Shapes
/// X `[n, features]`, W (`weight`) `[features, units]`, b (`bias`) `[units]`, Y `[n, units]`. Rows of higher rank are
/// mapped along their last axis: `[n, .., features]` becomes `[n, .., units]`.
///
/// PyTorch stores W transposed, `[units, features]`; Keras as here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dense {
    /// The number of outputs, at least 1.
    pub units: usize,
    /// The function applied to the outputs; none by default.
    pub activation: Activation,
    /// Whether b is added; true by default.
    pub use_bias: bool,
    /// How W starts; [`Initializer::GlorotUniform`] by default. b starts at 0.
    pub initializer: Initializer,
    /// The penalty on W; none by default.
    pub regularizer: Option<Regularizer>,
    /// The penalty on b; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias_regularizer: Option<Regularizer>,
    /// The limit on W; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<Constraint>,
    /// The limit on b; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias_constraint: Option<Constraint>,
    /// The penalty on the output, after the activation, divided by the number of rows (as in Keras); none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity_regularizer: Option<Regularizer>,
}

impl Dense {
    /// A layer of `units` outputs.
    pub fn new(units: usize) -> Self {
        Self {
            units,
            activation: Activation::Identity,
            use_bias: true,
            initializer: Initializer::default(),
            regularizer: None,
            bias_regularizer: None,
            constraint: None,
            bias_constraint: None,
            activity_regularizer: None,
        }
    }

    /// Applies `activation` to the outputs.
    #[must_use]
    pub fn activation(self, activation: impl Into<Activation>) -> Self {
        Self { activation: activation.into(), ..self }
    }

    /// Draws the first weights by `initializer`.
    #[must_use]
    pub fn initializer(self, initializer: impl Into<Initializer>) -> Self {
        Self { initializer: initializer.into(), ..self }
    }

    /// Adds a penalty on the weights (not on the bias) to the loss.
    #[must_use]
    pub fn regularizer(self, regularizer: impl Into<Regularizer>) -> Self {
        Self { regularizer: Some(regularizer.into()), ..self }
    }

    /// Adds a penalty on the bias to the loss.
    #[must_use]
    pub fn bias_regularizer(self, regularizer: impl Into<Regularizer>) -> Self {
        Self { bias_regularizer: Some(regularizer.into()), ..self }
    }

    /// Adds a penalty on the outputs to the loss, the mean over the rows.
    #[must_use]
    pub fn activity_regularizer(self, regularizer: impl Into<Regularizer>) -> Self {
        Self { activity_regularizer: Some(regularizer.into()), ..self }
    }

    /// Brings the weights back within a limit after each step.
    #[must_use]
    pub fn constraint(self, constraint: impl Into<Constraint>) -> Self {
        Self { constraint: Some(constraint.into()), ..self }
    }

    /// Brings the bias back within a limit after each step.
    #[must_use]
    pub fn bias_constraint(self, constraint: impl Into<Constraint>) -> Self {
        Self { bias_constraint: Some(constraint.into()), ..self }
    }

    /// Leaves the bias out.
    #[must_use]
    pub fn without_bias(self) -> Self {
        Self { use_bias: false, ..self }
    }

    /// Checks the settings; the shape of an output row, and that of the weight.
    pub(super) fn plan_shapes(&self, input: &[usize], plan: &Plan) -> Result<(Vec<usize>, [usize; 2]), NnError> {
        plan.require(self.units > 0, "units", self.units as f64, "at least 1")?;
        let (last, mut output) = (input.len() - 1, input.to_vec());
        output[last] = self.units;
        Ok((output, [input[last], self.units]))
    }

    pub(super) fn kernel(&self, name: &str, shape: [usize; 2]) -> ParameterSpec {
        let spec = ParameterSpec::new(name, shape, self.initializer.clone());
        spec.with(self.regularizer.clone(), self.constraint.clone())
    }

    pub(super) fn plan_bias(&self, plan: &mut Plan) -> Result<(), NnError> {
        if !self.use_bias {
            return Ok(());
        }
        let bias = ParameterSpec::new("bias", [self.units], Initializer::Zeros);
        plan.parameter(bias.with(self.bias_regularizer.clone(), self.bias_constraint.clone()))
    }
}

impl Kind for Dense {
    fn name(&self) -> &str {
        "Dense"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        let (output, weight) = self.plan_shapes(input, plan)?;
        plan.parameter(self.kernel("weight", weight))?;
        self.plan_bias(plan)?;
        Ok(output)
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        _: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let weight = weights.parameter();
        let bias = self.use_bias.then(|| weights.parameter());
        linear(x, weight, bias)
    }

    fn freeze<E: Element>(&self, own: &mut Freezer<'_, E>) -> Frozen<E> {
        let (weight, bias) = (&own.parameters[0], own.parameters.get(1));
        own.dense(weight.name(), weight.value(), bias)
    }

    fn activation(&self) -> &Activation {
        &self.activation
    }

    fn activity_regularizer(&self) -> Option<&Regularizer> {
        self.activity_regularizer.as_ref()
    }

    fn open_parts(&mut self, registry: &Registry) -> Result<(), OpenError> {
        self.activation.open(registry)?;
        self.initializer.open(registry)?;
        let regularizers = [&mut self.regularizer, &mut self.bias_regularizer, &mut self.activity_regularizer];
        regularizers.into_iter().flatten().try_for_each(|regularizer| regularizer.open(registry))?;
        let constraints = [&mut self.constraint, &mut self.bias_constraint];
        constraints.into_iter().flatten().try_for_each(|constraint| constraint.open(registry))
    }

    fn detail(&self) -> String {
        if self.activation == Activation::Identity { String::new() } else { self.activation.to_string() }
    }
}

/// X · W + b along the last axis of X.
pub(super) fn linear<'t, E: Element>(x: Var<'t, E>, weight: Var<'t, E>, bias: Option<Var<'t, E>>) -> Var<'t, E> {
    let map = |x: Var<'t, E>| match bias {
        Some(bias) => x.linear(weight, bias),
        None => x.matmul(weight),
    };
    if x.value().ndim() == 2 {
        return map(x);
    }
    let (mut shape, columns) = (x.shape(), weight.shape());
    let features = shape.pop().unwrap_or(1);
    let rows = shape.iter().product();
    shape.push(columns[1]);
    map(x.reshape([rows, features])).reshape(shape)
}
