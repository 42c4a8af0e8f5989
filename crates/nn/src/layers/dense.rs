//! The fully connected layer.

use mlp_autograd::Var;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::{Kind, check_regularizer};
use crate::{Activation, Initializer, NnError, ParameterSpec, Pass, Plan, Regularizer, Weights};

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
            activity_regularizer: None,
        }
    }

    /// Applies `activation` to the outputs.
    pub fn activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// Draws the first weights by `initializer`.
    pub fn initializer(self, initializer: Initializer) -> Self {
        Self { initializer, ..self }
    }

    /// Adds a penalty on the weights (not on the bias) to the loss.
    pub fn regularizer(self, regularizer: Regularizer) -> Self {
        Self { regularizer: Some(regularizer), ..self }
    }

    /// Adds a penalty on the bias to the loss.
    pub fn bias_regularizer(self, regularizer: Regularizer) -> Self {
        Self { bias_regularizer: Some(regularizer), ..self }
    }

    /// Adds a penalty on the outputs to the loss, the mean over the rows.
    pub fn activity_regularizer(self, regularizer: Regularizer) -> Self {
        Self { activity_regularizer: Some(regularizer), ..self }
    }

    /// Leaves the bias out.
    pub fn without_bias(self) -> Self {
        Self { use_bias: false, ..self }
    }
}

impl Kind for Dense {
    fn name(&self) -> &str {
        "Dense"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.require(self.units > 0, "units", self.units as f64, "at least 1")?;
        for regularizer in [self.regularizer, self.bias_regularizer, self.activity_regularizer] {
            check_regularizer(regularizer, plan)?;
        }
        let (mut output, features) = (input.to_vec(), input[input.len() - 1]);
        output[input.len() - 1] = self.units;
        let weight = ParameterSpec::new("weight", [features, self.units], self.initializer);
        plan.parameter(weight.regularizer(self.regularizer))?;
        if self.use_bias {
            let bias = ParameterSpec::new("bias", [self.units], Initializer::Zeros);
            plan.parameter(bias.regularizer(self.bias_regularizer))?;
        }
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

    fn activation(&self) -> Activation {
        self.activation
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.activity_regularizer
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
    if x.value().rank() == 2 {
        return map(x);
    }
    let (mut shape, columns) = (x.shape(), weight.shape());
    let features = shape.pop().unwrap_or(1);
    let rows = shape.iter().product();
    shape.push(columns[1]);
    map(x.reshape([rows, features])).reshape(shape)
}
