//! The body of a file: every field in the order in which it is written, and the way from a model to a body and back.

use std::collections::BTreeMap;

use mlp_data::StandardScaler;
use mlp_metrics::Metric;
use mlp_nn::{Limits, Loss, Network, NnError, Output, Parameter, Sequential, StateMismatch};
use mlp_optim::{Optimizer, OptimizerState, Slots};
use mlp_tensor::{Element, Tensor};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::de::{Mismatch, read};
use crate::raw::Raw;
use crate::record::ToWrite;
use crate::run::RunBody;
use crate::shown::{message, shown};
use crate::skim::skim;
use crate::tensors::Tensors;
use crate::{Dtype, FormatError, LoadOptions, SavedModel, Training};

/// The body. `T` holds the tensors by name and `S` the slots by weight: as [`Written`] and [`WrittenSlots`], or where they
/// lie in the file, as [`Raw`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Body<T, S> {
    pub(crate) dtype: Dtype,
    architecture: Sequential,
    tensors: T,
    output: Output,
    training: Option<TrainingBody<T, S>>,
    preprocessing: Preprocessing,
    feature_names: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "not_empty")]
    frozen: Vec<String>,
}

type Written<E> = BTreeMap<String, ToWrite<E>>;
type WrittenSlots<E> = BTreeMap<String, Written<E>>;

#[derive(Debug, Serialize, Deserialize)]
struct TrainingBody<T, S> {
    optimizer: Optimizer,
    steps: u64,
    slots: S,
    loss: Loss,
    label_smoothing: f64,
    metrics: Vec<Metric>,
    seed: u64,
    epochs: u64,
    run: Option<RunBody<T>>,
    /// The steps of every weight; left out where they are `steps`, as they are where no weight ever was frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weight_steps: Option<Vec<u64>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Preprocessing {
    scaler: Option<StandardScaler>,
}

/// A list that is left out where it would be empty.
fn not_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::deserialize(deserializer)?;
    if names.is_empty() { Err(D::Error::custom("`frozen` is empty, for which it is left out")) } else { Ok(names) }
}

impl<E: Element> Body<Written<E>, WrittenSlots<E>> {
    /// The body of `model`, if the model is one that could be read again within `limits`.
    pub(crate) fn of(model: &SavedModel<E>, limits: &Limits) -> Result<Self, FormatError> {
        model.check(limits)?;
        let weight = |(name, tensor): (String, Tensor<E>)| Ok((name.clone(), ToWrite::new(&name, &tensor)?));
        Ok(Self {
            dtype: Dtype::of::<E>(),
            architecture: model.network.architecture().clone(),
            tensors: model.network.state().into_iter().map(weight).collect::<Result<_, FormatError>>()?,
            output: model.output.clone(),
            training: model.training.as_ref().map(TrainingBody::of).transpose()?,
            preprocessing: Preprocessing { scaler: model.scaler.clone() },
            feature_names: model.feature_names.clone(),
            frozen: model.network.frozen().into_iter().map(str::to_owned).collect(),
        })
    }

    /// Writes the body to the end of `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let mut serializer = rmp_serde::Serializer::new(out).with_struct_map();
        let wrong = |error: rmp_serde::encode::Error| FormatError::Content { reason: message(error) };
        self.serialize(&mut serializer).map_err(wrong)
    }
}

impl<E: Element> TrainingBody<Written<E>, WrittenSlots<E>> {
    fn of(training: &Training<E>) -> Result<Self, FormatError> {
        let names = training.optimizer.slots().to_vec();
        let of_parameter = |slots: &Slots<E>| {
            let named = names
                .iter()
                .zip(&slots.values)
                .map(|(&name, value)| Ok((name.to_owned(), ToWrite::new(&slot_name(&slots.parameter, name), value)?)));
            Ok((slots.parameter.clone(), named.collect::<Result<_, FormatError>>()?))
        };
        let slots = training.state.slots().iter().map(of_parameter).collect::<Result<_, FormatError>>()?;
        let steps = training.state.steps();
        let weight_steps: Vec<u64> = training.state.slots().iter().map(|slots| slots.steps).collect();
        let weight_steps = weight_steps.iter().any(|&of_weight| of_weight != steps).then_some(weight_steps);
        Ok(Self {
            optimizer: training.optimizer.clone(),
            steps,
            slots,
            loss: training.loss.clone(),
            label_smoothing: training.label_smoothing,
            metrics: training.metrics.clone(),
            seed: training.seed,
            epochs: training.epochs,
            run: training.run.as_ref().map(RunBody::of).transpose()?,
            weight_steps,
        })
    }
}

impl<'a> Body<Raw<'a>, Raw<'a>> {
    /// Reads a whole body. What it says is not yet checked against itself, and no tensor is looked at;
    /// [`Body::into_model`] does that.
    pub(crate) fn decode(bytes: &'a [u8], limits: &Limits) -> Result<Self, FormatError> {
        skim(bytes, limits)?;
        Ok(read(bytes)?)
    }

    pub(crate) fn into_model<E: Element>(self, options: &LoadOptions<'_>) -> Result<SavedModel<E>, FormatError> {
        let expected = Dtype::of::<E>();
        if self.dtype != expected {
            return Err(FormatError::WrongDtype { expected, found: self.dtype });
        }
        let architecture = match options.registry {
            Some(registry) => self.architecture.open(registry)?,
            None => self.architecture,
        };
        let mut network = network(architecture, self.tensors, &options.limits)?;
        // In the network's order, so that a model has one form.
        if network.set_frozen(&self.frozen).is_err() || network.frozen() != self.frozen {
            let found = self.frozen.iter().take(MOST_NAMES).map(|name| shown(name)).collect();
            return Err(FormatError::Frozen { found });
        }
        let training =
            self.training.map(|training| training.into_training(network.parameters(), options)).transpose()?;
        let Self { preprocessing: Preprocessing { scaler }, feature_names, output, .. } = self;
        let model = SavedModel { network, output, training, scaler, feature_names };
        model.check_names()?;
        Ok(model)
    }
}

/// The network of `architecture` with the tensors of a file.
fn network<E: Element>(architecture: Sequential, tensors: Raw<'_>, limits: &Limits) -> Result<Network<E>, FormatError> {
    let mut tensors = Tensors::new(tensors, architecture.tensors_within(limits)?)?;
    let mut wrong = None;
    let network = Network::from_tensors(architecture, limits, |name, _| {
        let decoded = tensors.take(name)?.and_then(|tensor| tensor.decode(name));
        decoded.map_err(|error| wrong.get_or_insert(error).clone()).ok()
    });
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    let (unexpected, all_were_looked_at) = tensors.left();
    let unexpected: Vec<String> = unexpected.take(MOST_NAMES).map(shown).collect();
    let mut mismatch = match network {
        Err(NnError::State(mismatch)) => mismatch,
        Ok(_) if !unexpected.is_empty() => StateMismatch::default(),
        network => return Ok(network?),
    };
    // Where there are far too many names, those that seem to be missing may be among those that were not looked at.
    if !all_were_looked_at {
        mismatch.missing.clear();
    }
    mismatch.unexpected = unexpected;
    Err(NnError::State(mismatch).into())
}

impl TrainingBody<Raw<'_>, Raw<'_>> {
    fn into_training<E: Element>(
        mut self,
        parameters: &[Parameter<E>],
        options: &LoadOptions<'_>,
    ) -> Result<Training<E>, FormatError> {
        // What is a user's and not registered stays a name: predictions do without it.
        if let Some(registry) = options.registry {
            self.optimizer = self.optimizer.open(registry)?;
            self.loss = self.loss.open(registry)?;
            self.metrics = self.metrics.into_iter().map(|metric| metric.open(registry)).collect::<Result<_, _>>()?;
        }
        // Of an optimizer that is only a name, nobody knows what the slots are: it cannot train, and is not saved.
        let known = self.optimizer.missing().is_none();
        if known {
            self.optimizer.check::<E>()?;
        }
        if self.loss.missing().is_none() {
            self.loss.check::<E>()?;
        }
        if let Some(list) = &self.weight_steps {
            let wrong = |reason: &str| Err(FormatError::Content { reason: format!("`weight_steps` {reason}") });
            if list.len() != parameters.len() {
                return wrong("are not one for each weight");
            }
            if list.iter().all(|&steps| steps == self.steps) {
                return wrong("are all the same as `steps`, for which they are left out");
            }
        }
        let names = self.optimizer.slots();
        let mut of_weights = Tensors::new(self.slots, parameters.len())?;
        check_names("the network", parameters.iter().map(Parameter::name), &of_weights)?;
        let mut slots = Vec::with_capacity(parameters.len());
        for (index, parameter) in parameters.iter().enumerate() {
            let weight = parameter.name();
            let Some(raw) = of_weights.take_raw(weight) else { continue };
            let mut of_weight = Tensors::new(raw, names.len())?;
            // A weight that was never trained has none.
            let untrained = of_weight.count() == 0 && !parameter.is_trainable();
            if known && !untrained {
                check_names(weight, names.iter().copied(), &of_weight)?;
            }
            let decode = |&slot: &&str| Some(of_weight.take(slot)?.and_then(|t| t.decode(&slot_name(weight, slot))));
            let mut values = Vec::with_capacity(if untrained { 0 } else { names.len() });
            for value in names.iter().filter_map(decode) {
                values.push(value?);
            }
            let steps = self.weight_steps.as_ref().map_or(self.steps, |steps| steps[index]);
            slots.push(Slots::new(weight, steps, values));
        }
        let state = OptimizerState::from_parts(&self.optimizer, parameters, self.steps, slots)?;
        let Self { optimizer, loss, label_smoothing, metrics, seed, epochs, run, .. } = self;
        check_label_smoothing(label_smoothing)?;
        let run = run.map(RunBody::into_run).transpose()?;
        Ok(Training { optimizer, state, loss, label_smoothing, metrics, seed, epochs, run })
    }
}

/// Checks that the share of certainty that is taken from targets is a share.
pub(crate) fn check_label_smoothing(found: f64) -> Result<(), FormatError> {
    if (0.0..=1.0).contains(&found) { Ok(()) } else { Err(FormatError::LabelSmoothing { found }) }
}

/// A message lists at most this many names.
const MOST_NAMES: usize = 16;

/// Checks that `found` has exactly the names `expected`, which differ from each other.
fn check_names<'a>(
    place: &str,
    expected: impl ExactSizeIterator<Item = &'a str> + Clone,
    found: &Tensors<'_>,
) -> Result<(), FormatError> {
    if expected.len() == found.count() && expected.clone().all(|name| found.has(name)) {
        return Ok(());
    }
    let expected = expected.take(MOST_NAMES).map(str::to_owned).collect();
    let found = found.names().take(MOST_NAMES).map(shown).collect();
    Err(FormatError::Slots { place: place.to_owned(), expected, found })
}

/// What errors call a slot: `layers.0.weight/m`.
fn slot_name(parameter: &str, slot: &str) -> String {
    format!("{parameter}/{slot}")
}

impl From<Mismatch> for FormatError {
    fn from(mismatch: Mismatch) -> Self {
        Self::Content { reason: message(mismatch) }
    }
}
