//! The layers: a closed set, so that a saved network is opened without knowing the program that wrote it.
//!
//! A layer is a file here: its settings as a struct, and what it computes as a [`Kind`]. The list below is the one
//! place that names them all.

mod activation;
mod alpha_dropout;
mod batch_norm;
mod columns;
mod concat;
mod custom;
mod dense;
mod dropout;
mod embedding;
mod flatten;
mod gaussian_dropout;
mod gaussian_noise;
mod glu;
mod group_norm;
mod layer_norm;
mod named;
mod norm;
mod prelu;
mod residual;
mod rms_norm;
mod select_columns;
mod stack;
mod weight_norm;

use std::fmt;

use mlp_autograd::Var;
use mlp_registry::{OpenError, Registry, shown};
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use crate::predictor::{Freezer, Frozen};
use crate::{Activation, NnError, Pass, Plan, Regularizer, Weights};

pub use alpha_dropout::AlphaDropout;
pub use batch_norm::BatchNorm;
pub(crate) use columns::{Columns, Lookup};
pub use concat::Concat;
pub(crate) use custom::Custom;
pub use custom::CustomLayer;
pub use dense::Dense;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use gaussian_dropout::GaussianDropout;
pub use gaussian_noise::GaussianNoise;
pub use glu::Glu;
pub use group_norm::GroupNorm;
pub use layer_norm::LayerNorm;
pub use named::Named;
pub(crate) use named::{Place, problem as name_problem};
pub use prelu::Prelu;
pub use residual::Residual;
pub use rms_norm::RmsNorm;
pub use select_columns::SelectColumns;
pub(crate) use stack::Ending;
pub use stack::Stack;
pub use weight_norm::WeightNorm;

/// What one kind of layer is: the settings are the type that implements it.
pub(crate) trait Kind {
    /// The kind's name in summaries and messages.
    fn name(&self) -> &str;

    /// Checks the settings and the shape of an input row, declares weights and buffers, and says what shape an output
    /// row has. It must not allocate by the sizes it is told: a file may claim anything.
    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError>;

    /// The output for a batch `x` of rows, before [`Kind::activation`].
    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E>;

    /// What the layer is at inference, before [`Kind::activation`]: unless it says so, its forward.
    fn freeze<E: Element>(&self, _: &mut Freezer<'_, E>) -> Frozen<E> {
        Frozen::Forward
    }

    /// The activation that ends the layer.
    fn activation(&self) -> &Activation {
        &Activation::Identity
    }

    /// About how many multiplications a row of shape `input` takes, where the layer has so many `weights` by itself, without
    /// those of layers inside of it: each of them once for each place along the axes before the last.
    fn multiplications(&self, input: &[usize], weights: usize) -> usize {
        input[..input.len() - 1].iter().fold(weights, |product, &length| product.saturating_mul(length))
    }

    /// Where the values of the layer's output come from at inference, before [`Kind::activation`].
    fn source(&self) -> Source {
        Source::Computed
    }

    /// The penalty on the layer's output, divided by the number of rows.
    fn activity_regularizer(&self) -> Option<&Regularizer> {
        None
    }

    /// What a summary shows in parentheses behind the name; nothing if empty.
    fn detail(&self) -> String {
        String::new()
    }

    /// Makes users' activations, initializers and the like that a file only named, if `registry` knows them.
    fn open_parts(&mut self, _registry: &Registry) -> Result<(), OpenError> {
        Ok(())
    }

    /// The layers inside of this one.
    fn stacks(&self) -> &[Stack] {
        &[]
    }

    /// The layers inside of this one, to be changed.
    fn stacks_mut(&mut self) -> &mut [Stack] {
        &mut []
    }
}

/// Where the values of a layer's output come from at inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The layer computes them.
    Computed,
    /// They are values of its input, as they are.
    Input,
    /// They are the values of the outputs of its stacks, as they are.
    Stacks,
}

/// Makes the closed set of layers from a list of kinds: the enum, the conversions into it, and the one match.
macro_rules! layers {
    ($($(#[$doc:meta])* $kind:ident,)+) => {
        /// One layer of a network: its kind and settings, without weights.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Layer {
            $($(#[$doc])* $kind($kind),)+
        }

        $(impl From<$kind> for Layer {
            fn from(layer: $kind) -> Self {
                Self::$kind(layer)
            }
        })+

        /// `work` with `kind` standing for the settings of `layer`, whatever its kind.
        macro_rules! with_kind {
            ($layer:expr, $name:ident => $work:expr) => {
                match $layer {
                    $(Layer::$kind($name) => $work,)+
                }
            };
        }
    };
}

layers! {
    /// Y = activation(X · W + b).
    Dense,
    /// Zeros some of the values, in training only.
    Dropout,
    /// An activation by itself.
    Activation,
    /// Dropout that keeps mean and variance of SELU's outputs.
    AlphaDropout,
    /// Adds noise, in training only.
    GaussianNoise,
    /// Multiplies by noise, in training only.
    GaussianDropout,
    /// Normalizes every feature over the batch.
    BatchNorm,
    /// Normalizes every row.
    LayerNorm,
    /// Normalizes every row by its size.
    RmsNorm,
    /// Normalizes groups of features.
    GroupNorm,
    /// A dense layer whose weights have a direction and a length.
    WeightNorm,
    /// Vectors for categories.
    Embedding,
    /// Some columns of a table.
    SelectColumns,
    /// Rows of any shape as rows of numbers.
    Flatten,
    /// x + f(x).
    Residual,
    /// Branches side by side.
    Concat,
    /// ReLU with a slope that is trained.
    Prelu,
    /// One half of the values, opened and closed by the other.
    Glu,
    /// A layer with a name.
    Named,
    /// A layer that a user wrote.
    Custom,
}

impl Layer {
    /// The layer's kind, as summaries and messages show it.
    pub fn kind(&self) -> &str {
        with_kind!(self, kind => Kind::name(kind))
    }

    /// The name that the layer was given, if it was given one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(named) => Some(&named.name),
            _ => None,
        }
    }

    /// The layer as it is without a name.
    pub(crate) fn unnamed_mut(&mut self) -> &mut Self {
        match self {
            Self::Named(named) => &mut named.layer,
            layer => layer,
        }
    }

    /// What the layer is called in a stack in which it stands at `index`.
    pub(crate) fn place(&self, index: usize) -> Place<'_> {
        self.name().map_or(Place::Number(index), Place::Named)
    }

    /// The activation that ends the layer.
    pub fn activation(&self) -> &Activation {
        with_kind!(self, kind => kind.activation())
    }

    /// The layer's output for a batch `x` of rows, with its own weights in the order in which its plan declared them.
    #[track_caller]
    pub(crate) fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let y = self.activation().forward(self.compute(weights, x, pass));
        self.penalize_activity(y, pass);
        y
    }

    /// The layer's output before [`Layer::activation`]: of a softmax layer, the logits.
    #[track_caller]
    pub(crate) fn forward_before_activation<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let z = self.compute(weights, x, pass);
        if self.activity_regularizer().is_some() {
            self.penalize_activity(self.activation().forward(z), pass);
        }
        z
    }

    /// The layer's output before [`Layer::activation`], without a penalty.
    #[track_caller]
    pub(crate) fn compute<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        with_kind!(self, kind => Kind::forward(kind, weights, x, pass))
    }

    fn penalize_activity<'t, E: Element>(&self, y: Var<'t, E>, pass: &mut Pass<'t, E>) {
        if let Some(regularizer) = self.activity_regularizer() {
            pass.penalize(regularizer.of_output(y));
        }
    }

    pub(crate) fn freeze<E: Element>(&self, own: &mut Freezer<'_, E>) -> Frozen<E> {
        with_kind!(self, kind => kind.freeze(own))
    }

    pub(crate) fn open_parts(&mut self, registry: &Registry) -> Result<(), OpenError> {
        with_kind!(self, kind => kind.open_parts(registry))
    }

    pub(crate) fn stacks(&self) -> &[Stack] {
        with_kind!(self, kind => kind.stacks())
    }

    pub(crate) fn stacks_mut(&mut self) -> &mut [Stack] {
        with_kind!(self, kind => kind.stacks_mut())
    }

    pub(crate) fn multiplications(&self, input: &[usize], weights: usize) -> usize {
        with_kind!(self, kind => kind.multiplications(input, weights))
    }

    pub(crate) fn source(&self) -> Source {
        with_kind!(self, kind => kind.source())
    }

    pub(crate) fn activity_regularizer(&self) -> Option<&Regularizer> {
        with_kind!(self, kind => kind.activity_regularizer())
    }

    pub(crate) fn detail(&self) -> String {
        with_kind!(self, kind => kind.detail())
    }

    pub(crate) fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        with_kind!(self, kind => kind.plan(input, plan))
    }
}

impl fmt::Display for Layer {
    /// The kind, with what matters most about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = self.detail();
        let kind = shown(self.kind(), 100);
        if detail.is_empty() { write!(f, "{kind}") } else { write!(f, "{kind} ({detail})") }
    }
}
