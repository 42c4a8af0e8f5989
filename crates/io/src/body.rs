//! The body of a file: every field in the order in which it is written, and the way from a model to a body and back.

use std::collections::BTreeMap;
use std::fmt;

use mlp_data::StandardScaler;
use mlp_metrics::Metric;
use mlp_nn::registry::Registry;
use mlp_nn::{Loss, Network, Output, Parameter, Sequential};
use mlp_optim::{Optimizer, OptimizerState, Slots};
use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use crate::record::{ToWrite, Unchecked};
use crate::run::RunBody;
use crate::skim::{MAX_DEPTH, difference, skim};
use crate::unique_map::UniqueMap;
use crate::{Dtype, FormatError, SavedModel, Training};

/// The body, with tensors of type `T`: [`ToWrite`] or [`Unchecked`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body<T> {
    pub(crate) dtype: Dtype,
    architecture: Sequential,
    tensors: UniqueMap<T>,
    output: Output,
    training: Option<TrainingBody<T>>,
    preprocessing: Preprocessing,
    feature_names: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    frozen: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrainingBody<T> {
    optimizer: Optimizer,
    steps: u64,
    slots: UniqueMap<UniqueMap<T>>,
    loss: Loss,
    label_smoothing: f64,
    metrics: Vec<Metric>,
    seed: u64,
    epochs: u64,
    run: Option<RunBody<T>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Preprocessing {
    scaler: Option<StandardScaler>,
}

impl<E: Element> Body<ToWrite<E>> {
    /// The body of `model`, if the model is one that could be read again.
    pub(crate) fn of(model: &SavedModel<E>) -> Result<Self, FormatError> {
        model.check()?;
        let weight = |(name, tensor): (String, Tensor<E>)| Ok((name.clone(), ToWrite::new(&name, &tensor)?));
        Ok(Self {
            dtype: Dtype::of::<E>(),
            architecture: model.network.architecture().clone(),
            tensors: UniqueMap(model.network.state().into_iter().map(weight).collect::<Result<_, FormatError>>()?),
            output: model.output.clone(),
            training: model.training.as_ref().map(TrainingBody::of).transpose()?,
            preprocessing: Preprocessing { scaler: model.scaler.clone() },
            feature_names: model.feature_names.clone(),
            frozen: model.network.frozen().into_iter().map(str::to_owned).collect(),
        })
    }
}

impl<T: Serialize> Body<T> {
    /// Writes the body to the end of `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let mut serializer = rmp_serde::Serializer::new(out).with_struct_map();
        self.serialize(&mut serializer).map_err(content)
    }
}

impl<E: Element> TrainingBody<ToWrite<E>> {
    fn of(training: &Training<E>) -> Result<Self, FormatError> {
        let names = training.optimizer.slots().to_vec();
        let of_parameter = |slots: &Slots<E>| {
            let named = names
                .iter()
                .zip(&slots.values)
                .map(|(&name, value)| Ok((name.to_owned(), ToWrite::new(&slot_name(&slots.parameter, name), value)?)));
            Ok((slots.parameter.clone(), UniqueMap(named.collect::<Result<_, FormatError>>()?)))
        };
        let slots = training.state.slots().iter().map(of_parameter).collect::<Result<_, FormatError>>()?;
        Ok(Self {
            optimizer: training.optimizer.clone(),
            steps: training.state.steps(),
            slots: UniqueMap(slots),
            loss: training.loss.clone(),
            label_smoothing: training.label_smoothing,
            metrics: training.metrics.clone(),
            seed: training.seed,
            epochs: training.epochs,
            run: training.run.as_ref().map(RunBody::of).transpose()?,
        })
    }
}

impl<'a> Body<Unchecked<'a>> {
    /// Reads a whole body. What it says is not yet checked against itself; [`Body::into_model`] does that.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let found = skim(bytes)?;
        let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
        deserializer.set_max_depth(2 * MAX_DEPTH);
        let body = Self::deserialize(&mut deserializer).map_err(content)?;
        // serde lets some things pass: a field that is missing where nil is possible, one that a layer or an optimizer
        // does not know, a list in place of a record, a number in place of a choice. All of them show when the body is
        // written again.
        let mut again = Vec::new();
        body.encode(&mut again)?;
        match difference(&found, &skim(&again)?) {
            None => Ok(body),
            Some(difference) => Err(content(difference)),
        }
    }

    pub(crate) fn into_model<E: Element>(self, registry: &Registry) -> Result<SavedModel<E>, FormatError> {
        let expected = Dtype::of::<E>();
        if self.dtype != expected {
            return Err(FormatError::WrongDtype { expected, found: self.dtype });
        }
        let tensors = self.tensors.0.into_iter().map(|(name, tensor)| {
            let tensor = tensor.decode(&name)?;
            Ok((name, tensor))
        });
        let architecture = self.architecture.open(registry)?;
        let mut network = Network::from_state(architecture, tensors.collect::<Result<_, FormatError>>()?)?;
        self.frozen.iter().try_for_each(|name| network.freeze_exact(name))?;
        if network.frozen() != self.frozen {
            return Err(FormatError::Frozen { found: self.frozen });
        }
        let training =
            self.training.map(|training| training.into_training(network.parameters(), registry)).transpose()?;
        let Self { preprocessing: Preprocessing { scaler }, feature_names, output, .. } = self;
        let model = SavedModel { network, output, training, scaler, feature_names };
        model.check_names()?;
        Ok(model)
    }
}

impl TrainingBody<Unchecked<'_>> {
    fn into_training<E: Element>(
        mut self,
        parameters: &[Parameter<E>],
        registry: &Registry,
    ) -> Result<Training<E>, FormatError> {
        // What is a user's and not registered stays a name: predictions do without it.
        self.optimizer = self.optimizer.open(registry)?;
        self.loss = self.loss.open(registry)?;
        self.metrics = self.metrics.into_iter().map(|metric| metric.open(registry)).collect::<Result<_, _>>()?;
        if self.optimizer.missing().is_none() {
            self.optimizer.check::<E>()?;
        }
        if self.loss.missing().is_none() {
            self.loss.check()?;
        }
        let names = parameters.iter().map(|parameter| parameter.name.as_str());
        check_keys("the network", names, &self.slots.0)?;
        let mut slots = Vec::with_capacity(parameters.len());
        // Of an optimizer that is only a name, nobody knows what the slots are: it cannot train, and is not saved.
        let known = self.optimizer.missing().is_none();
        for Parameter { name, trainable, .. } in parameters {
            let mut named = self.slots.0.remove(name).map_or_else(BTreeMap::new, |named| named.0);
            let names: Vec<String> = match self.optimizer.slots() {
                // A weight that was never trained has none.
                _ if named.is_empty() && !trainable => Vec::new(),
                slots => slots.iter().map(|&slot| slot.to_owned()).collect(),
            };
            if known {
                check_keys(name, names.iter().map(String::as_str), &named)?;
            }
            let values = names.iter().filter_map(|slot| {
                let tensor = named.remove(slot)?;
                Some(tensor.decode(&slot_name(name, slot)))
            });
            slots.push(Slots { parameter: name.clone(), values: values.collect::<Result<_, FormatError>>()? });
        }
        let state = OptimizerState::from_parts(&self.optimizer, parameters, self.steps, slots)?;
        let Self { optimizer, loss, label_smoothing, metrics, seed, epochs, run, .. } = self;
        let run = run.map(RunBody::into_run).transpose()?;
        Ok(Training { optimizer, state, loss, label_smoothing, metrics, seed, epochs, run })
    }
}

/// Checks that `map` has exactly the keys `expected`.
fn check_keys<'a, T>(
    place: &str,
    expected: impl Iterator<Item = &'a str> + Clone,
    map: &BTreeMap<String, T>,
) -> Result<(), FormatError> {
    // The names of parameters and of slots differ from each other, so a count and a look at each are enough.
    if expected.clone().count() == map.len() && expected.clone().all(|name| map.contains_key(name)) {
        return Ok(());
    }
    let (expected, found) = (expected.map(str::to_owned).collect(), map.keys().cloned().collect());
    Err(FormatError::Slots { place: place.to_owned(), expected, found })
}

/// What errors call a slot: `layers.0.weight/m`.
fn slot_name(parameter: &str, slot: &str) -> String {
    format!("{parameter}/{slot}")
}

/// An error whose message may quote a stranger's bytes: control characters escaped, and cut off where it gets long.
fn content(message: impl fmt::Display) -> FormatError {
    let mut reason = String::new();
    for c in message.to_string().chars().take(500) {
        if c.is_control() { reason.extend(c.escape_default()) } else { reason.push(c) }
    }
    FormatError::Content { reason }
}
