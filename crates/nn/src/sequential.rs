//! A network's description: which layers, in which order.

use mlp_tensor::{Element, Rng, Tensor};
use serde::{Deserialize, Serialize};

use crate::layers::Ending;
use crate::plan::layer_name;
use crate::setting::NumberType;
use crate::{Activation, Layer, Limits, Network, NnError, Plan, Stack};

/// Layers one after the other, each fed with the output of the one before. Plain data, without weights.
///
/// The layers' paths are `layers.0`, `layers.1` and so on, or the names that they were [given](Sequential::add_named); a
/// weight's name is its layer's path and its own name, such as `layers.0.weight`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct Sequential {
    input: Vec<usize>,
    stack: Stack,
}

/// A description as files have it: tables name their number of features, all others the shape of a row.
#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input_features: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input_shape: Option<Vec<usize>>,
    layers: Stack,
}

impl Sequential {
    /// A network for rows of `input_features` numbers, without layers so far.
    pub fn new(input_features: usize) -> Self {
        Self::with_input_shape([input_features])
    }

    /// A network for rows of the given shape: `[8, 3]` for batches of shape `[n, 8, 3]`.
    pub fn with_input_shape(shape: impl Into<Vec<usize>>) -> Self {
        Self { input: shape.into(), stack: Stack::new() }
    }

    /// Adds a layer at the end.
    #[expect(clippy::should_implement_trait, reason = "`add` is the field's name for this; nothing is summed")]
    #[must_use]
    pub fn add(mut self, layer: impl Into<Layer>) -> Self {
        self.stack = self.stack.add(layer);
        self
    }

    /// Adds a layer at the end that is called `name` in place of its number: in the names of its weights, in patterns, in
    /// summaries, messages and files. The layers behind it keep their numbers.
    ///
    /// A name holds printable characters without quotes, backslashes, dots and asterisks. It is not `layers`, and each layer
    /// of the network has its own; layers inside of others may have it again.
    ///
    /// ```
    /// use mlp_nn::{Activation, Dense, Network, Sequential};
    ///
    /// let mut network: Network = Sequential::new(4)
    ///     .add_named("hidden", Dense::new(10).activation(Activation::Relu))
    ///     .add(Dense::new(3))
    ///     .init(42)?;
    /// assert_eq!(network.tensor("hidden.weight")?.shape(), [4, 10]);
    /// assert_eq!(network.tensor("layers.1.weight")?.shape(), [10, 3]);
    /// network.freeze("hidden.*")?;
    /// # Ok::<(), mlp_nn::NnError>(())
    /// ```
    #[must_use]
    pub fn add_named(mut self, name: impl Into<String>, layer: impl Into<Layer>) -> Self {
        self.stack = self.stack.add_named(name, layer);
        self
    }

    /// The shape of one input row: `[features]` for a table.
    pub fn input_shape(&self) -> &[usize] {
        &self.input
    }

    /// The number of values of one input row.
    pub fn input_features(&self) -> usize {
        self.input.iter().fold(1, |n, &d| n.saturating_mul(d))
    }

    /// The shape of one output row.
    ///
    /// # Errors
    /// See [`Sequential::check`].
    pub fn output_shape(&self) -> Result<Vec<usize>, NnError> {
        Ok(self.plan()?.1)
    }

    /// The layers; those with a name are [`Layer::Named`].
    pub fn layers(&self) -> &[Layer] {
        self.stack.layers()
    }

    /// The layer that was [given](Sequential::add_named) this name, as it is without the name; `None` if there is no such
    /// layer. Layers inside of others are found in their own [`Stack`], by [`Stack::layer`].
    ///
    /// ```
    /// use mlp_nn::{Dense, Dropout, Layer, Sequential};
    ///
    /// let network = Sequential::new(4).add_named("hidden", Dense::new(10)).add(Dropout::new(0.5));
    /// assert_eq!(network.layer("hidden"), Some(&Layer::from(Dense::new(10))));
    /// assert_eq!(network.layer("layers.1"), None);
    /// ```
    pub fn layer(&self, name: &str) -> Option<&Layer> {
        self.stack.layer(name)
    }

    pub(crate) fn layers_mut(&mut self) -> &mut [Layer] {
        self.stack.layers_mut()
    }

    /// The activation of the last layer: identity, where that layer has none.
    ///
    /// See [`Sequential::buried_activation`] for one of an earlier layer whose values nevertheless leave the network.
    pub fn output_activation(&self) -> &Activation {
        self.layers().last().map_or(&Activation::Identity, Layer::activation)
    }

    /// The activation whose values leave the network at inference although it is not the last layer's: only layers
    /// behind it that hand values on as they are then, such as [`Dropout`](crate::Dropout), [`Flatten`](crate::Flatten)
    /// and [`Concat`](crate::Concat). `None` if there is no such activation; identity is none.
    ///
    /// A loss that takes logits cannot be computed for such a network: what is before the softmax or the sigmoid is out
    /// of its reach, and its own function would be applied to probabilities. Move the activation to the end, behind these
    /// layers, or leave it out.
    ///
    /// ```
    /// use mlp_nn::{Activation, Dense, Dropout, Sequential};
    ///
    /// let network = Sequential::new(4).add(Dense::new(3).activation(Activation::Softmax)).add(Dropout::new(0.5));
    /// assert_eq!(network.output_activation(), &Activation::Identity);
    /// assert_eq!(network.buried_activation(), Some(&Activation::Softmax));
    /// ```
    pub fn buried_activation(&self) -> Option<&Activation> {
        match self.stack.ending() {
            Ending::Activation(activation) if *self.output_activation() == Activation::Identity => Some(activation),
            _ => None,
        }
    }

    /// Checks every setting, as it is written, and every shape. A network has a number type, and checks settings as that
    /// has them once more.
    ///
    /// # Errors
    /// If there are no layers, a setting lies outside of its range, a layer cannot take what the one before it gives, a
    /// softmax is over one value, or a weight would be too large to address.
    pub fn check(&self) -> Result<(), NnError> {
        self.plan().map(drop)
    }

    /// Checks every setting and every shape, and that the description keeps within `limits`: what is done with one that
    /// comes from a file.
    ///
    /// # Errors
    /// As [`Sequential::check`], and [`NnError::Limit`].
    pub fn check_within(&self, limits: &Limits) -> Result<(), NnError> {
        self.plan_within(limits).map(drop)
    }

    /// The number of weights and buffers that the network has.
    ///
    /// # Errors
    /// As [`Sequential::check_within`].
    pub fn tensors_within(&self, limits: &Limits) -> Result<usize, NnError> {
        self.plan_within(limits).map(|(plan, _)| plan.parameters.len() + plan.buffers.len())
    }

    /// The network with first weights drawn from `seed`. The same seed gives the same weights on every machine.
    ///
    /// # Errors
    /// See [`Sequential::check`]; if a setting is out of its range as a number of type `E`, such as an epsilon of 1e-50,
    /// which is 0 in f32; and if an initializer is a user's of which a file gives only the name.
    pub fn init<E: Element>(&self, seed: u64) -> Result<Network<E>, NnError> {
        let (plan, _) = self.plan()?;
        if let Some(missing) = plan.parameters.iter().find_map(|spec| spec.start.missing()) {
            return Err(missing.into());
        }
        let mut rng = Rng::new(seed);
        let mut last = Tensor::zeros([0]);
        Network::new(self.clone(), &Limits::unlimited(), |_, shape, start| {
            last = start.draw(shape, &last, &mut rng);
            last.clone()
        })
    }

    fn plan(&self) -> Result<(Plan, Vec<usize>), NnError> {
        self.plan_within(&Limits::unlimited())
    }

    pub(crate) fn plan_within(&self, limits: &Limits) -> Result<(Plan, Vec<usize>), NnError> {
        self.plan_in(limits, NumberType::of::<f64>())
    }

    /// The plan, with settings as `number` has them.
    pub(crate) fn plan_in(&self, limits: &Limits, number: NumberType) -> Result<(Plan, Vec<usize>), NnError> {
        Plan::of(self.layers(), &self.input, limits, number)
    }

    pub(crate) fn stack(&self) -> &Stack {
        &self.stack
    }

    /// The path and kind of the first layer, as messages name it.
    pub(crate) fn first_layer(&self) -> String {
        self.layers()
            .first()
            .map_or_else(|| "the network".to_owned(), |layer| layer_name(&layer.place(0).to_string(), layer))
    }
}

impl From<Sequential> for Record {
    fn from(Sequential { input, stack: layers }: Sequential) -> Self {
        match *input {
            [features] => Self { input_features: Some(features), input_shape: None, layers },
            _ => Self { input_features: None, input_shape: Some(input), layers },
        }
    }
}

impl TryFrom<Record> for Sequential {
    type Error = &'static str;

    fn try_from(Record { input_features, input_shape, layers: stack }: Record) -> Result<Self, Self::Error> {
        match (input_features, input_shape) {
            (Some(features), None) => Ok(Self { input: vec![features], stack }),
            (None, Some(input)) if input.len() == 1 => Err("`input_shape` has one axis, which is `input_features`"),
            (None, Some(input)) => Ok(Self { input, stack }),
            (Some(_), Some(_)) => Err("`input_features` and `input_shape` exclude each other"),
            (None, None) => Err("missing field `input_features`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dense, Dropout, Regularizer};

    fn article() -> Sequential {
        Sequential::new(4)
            .add(Dense::new(10).activation(Activation::Relu))
            .add(Dropout::new(0.5))
            .add(Dense::new(3).activation(Activation::Softmax))
    }

    #[test]
    fn bad_settings_are_named() {
        let message = |network: Sequential| network.check().unwrap_err().to_string();
        assert!(message(Sequential::new(4)).contains("no layers"));
        assert_eq!(
            message(Sequential::new(0).add(Dense::new(1))),
            "input: the number of features is 0, but must be at least 1"
        );
        assert_eq!(message(article().add(Dense::new(0))), "layers.3 (Dense): units is 0, but must be at least 1");
        let expected = "layers.3 (Dropout): rate is 1, but must be at least 0 and below 1";
        assert_eq!(message(article().add(Dropout::new(1.0))), expected);
        assert!(message(article().add(Dropout::new(f64::NAN))).contains("rate is NaN"));
        let negative = Dense::new(3).regularizer(Regularizer::l2(-0.1));
        assert!(message(article().add(negative)).contains("l2 is -0.1"));
    }

    #[test]
    fn a_softmax_over_one_value_is_refused_wherever_it_stands() {
        let message = |network: Sequential| network.check().unwrap_err().to_string();
        let advice = "use sigmoid for one output, or give one output for each class";
        for (activation, says) in [
            (Activation::Softmax, "softmax over a last axis of one value is always 1"),
            (Activation::LogSoftmax, "log-softmax over a last axis of one value is always 0"),
        ] {
            let dense = |units| Dense::new(units).activation(activation.clone());
            assert_eq!(message(Sequential::new(4).add(dense(1))), format!("layers.0 (Dense): {says}; {advice}"));
            let named = Sequential::new(4).add(Dense::new(1)).add_named("p", activation.clone());
            assert_eq!(message(named), format!("p (Activation): {says}; {advice}"));
            let inner =
                Sequential::with_input_shape([3, 1]).add(crate::Residual::new(crate::Stack::new().add(dense(1))));
            assert_eq!(message(inner), format!("layers.0.layers.0 (Dense): {says}; {advice}"));
            assert_eq!(Sequential::new(1).add(dense(2)).check(), Ok(()));
        }
    }

    #[test]
    fn an_absurd_width_is_an_error_and_allocates_nothing() {
        let error = Sequential::new(4).add(Dense::new(usize::MAX)).init::<f32>(0).unwrap_err();
        assert!(matches!(error, NnError::TooLarge { .. }), "{error}");
        let error = Sequential::with_input_shape([usize::MAX, 2]).add(Activation::Relu).check().unwrap_err();
        assert!(matches!(error, NnError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn dense_maps_the_last_axis_of_any_rows() {
        let network = Sequential::with_input_shape([5, 4]).add(Dense::new(3));
        assert_eq!(network.output_shape().unwrap(), [5, 3]);
        let network: Network<f64> = network.init(1).unwrap();
        let rows = mlp_tensor::Tensor::normal([2, 5, 4], 0.0, 1.0, &mut Rng::new(2));
        let table = Network::from_state(Sequential::new(4).add(Dense::new(3)), network.state()).unwrap();
        let expected = table.predict(&rows.reshape([10, 4])).unwrap().reshape([2, 5, 3]);
        assert!(network.predict(&rows).unwrap().bit_eq(&expected));
    }
}
