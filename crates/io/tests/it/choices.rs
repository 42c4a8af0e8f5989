//! Everything that can be chosen in a network: each is saved and loaded, and stands in the specification.

use std::collections::BTreeSet;

use mlp_autograd::Var;
use mlp_io::{FormatError, Inspection, LoadOptions, SavedModel, Training};
use mlp_nn::registry::{Registry, Settings};
use mlp_nn::{
    Activation, Concat, Constraint, CustomActivation, Dense, Embedding, Flatten, Initializer, Layer, Limits, Loss,
    Network, Prelu, Regularizer, Residual, Sequential, Stack, WeightNorm,
};
use mlp_optim::{Adam, Optimizer, OptimizerState};
use mlp_tensor::{Element, Tensor};
use rmpv::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::common::{at, bits, body, changed, entries, file_of, full_model, problem};
use crate::format::{specification, words};
use crate::layers::{Case, cases, kinds, registry};

const ACTIVATIONS: [Activation; 21] = [
    Activation::Identity,
    Activation::Relu,
    Activation::Relu6,
    Activation::LeakyRelu { negative_slope: 0.2 },
    Activation::Elu { alpha: 0.5 },
    Activation::Selu,
    Activation::Celu { alpha: 2.0 },
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::Silu,
    Activation::Mish,
    Activation::Softplus { beta: 1.5 },
    Activation::Softsign,
    Activation::Sigmoid,
    Activation::HardSigmoid,
    Activation::HardSwish,
    Activation::Tanh,
    Activation::HardTanh { low: -0.5, high: 2.0 },
    Activation::LogSigmoid,
    Activation::Softmax,
    Activation::LogSoftmax,
];

const INITIALIZERS: [Initializer; 15] = [
    Initializer::Zeros,
    Initializer::Ones,
    Initializer::Constant { value: -0.5 },
    Initializer::Uniform { low: -1.0, high: 0.5 },
    Initializer::Normal { mean: 0.5, std: 0.1 },
    Initializer::TruncatedNormal { mean: 0.5, std: 0.1 },
    Initializer::GlorotUniform,
    Initializer::GlorotNormal,
    Initializer::HeUniform,
    Initializer::HeNormal,
    Initializer::LecunUniform,
    Initializer::LecunNormal,
    Initializer::Orthogonal { gain: 1.5 },
    Initializer::Identity { gain: 0.5 },
    Initializer::Sparse { sparsity: 0.3, std: 0.1 },
];

const CONSTRAINTS: [Constraint; 4] = [
    Constraint::MaxNorm { max: 2.0 },
    Constraint::NonNegative,
    Constraint::UnitNorm,
    Constraint::MinMaxNorm { min: 0.5, max: 1.5, rate: 0.75 },
];

const LOSSES: [Loss; 15] = [
    Loss::MeanSquaredError,
    Loss::MeanAbsoluteError,
    Loss::Huber { delta: 0.5 },
    Loss::LogCosh,
    Loss::Quantile { q: 0.9 },
    Loss::BinaryCrossEntropy,
    Loss::CategoricalCrossEntropy,
    Loss::BinaryFocal { gamma: 2.0, alpha: Some(0.25) },
    Loss::CategoricalFocal { gamma: 2.0, alpha: 0.25 },
    Loss::Hinge,
    Loss::SquaredHinge,
    Loss::KlDivergence,
    Loss::Poisson,
    Loss::GaussianNll,
    Loss::CosineSimilarity,
];

/// The name of a choice, as files have it.
fn tag(choice: &impl Serialize) -> String {
    match serde_json::to_value(choice).unwrap() {
        serde_json::Value::String(name) => name,
        serde_json::Value::Object(map) => map.keys().next().unwrap().clone(),
        other => panic!("{other}"),
    }
}

/// Whether a list holds every choice that there is: serde says what it knows when it is asked for what there is not.
#[track_caller]
fn assert_complete<T: Serialize + DeserializeOwned>(choices: &[T]) {
    let error = serde_json::from_str::<T>(r#""no such choice""#).map(drop).unwrap_err().to_string();
    let mut all: BTreeSet<String> = error.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    // What users bring has a test of its own.
    assert!(all.remove("custom"));
    assert_eq!(choices.iter().map(tag).collect::<BTreeSet<_>>(), all);
}

#[test]
fn the_lists_hold_every_choice() {
    assert_complete(&ACTIVATIONS);
    assert_complete(&INITIALIZERS);
    assert_complete(&CONSTRAINTS);
    assert_complete(&LOSSES);
    let (in_table, all) = kinds();
    assert_eq!(in_table, all);
}

/// Networks that hold all layers, activations, initializers, regularizers and constraints between them.
fn networks() -> Vec<Sequential> {
    let mut networks: Vec<Sequential> = cases().iter().map(Case::network).collect();
    let with = |layer: Layer| Sequential::new(4).add(layer);
    let activated = |a: Activation| [with(a.clone().into()), with(Dense::new(2).activation(a).into())];
    networks.extend(ACTIVATIONS.into_iter().flat_map(activated));
    networks.extend(INITIALIZERS.map(|initializer| with(Dense::new(2).initializer(initializer).into())));
    for constraint in CONSTRAINTS {
        let dense = Dense::new(2).constraint(constraint.clone()).bias_constraint(constraint.clone());
        networks.push(with(dense.clone().into()));
        networks.push(with(WeightNorm::new(dense).into()));
        networks.push(with(Prelu::new().constraint(constraint.clone()).into()));
        networks.push(with(Embedding::new(2, 3).constraint(constraint).into()).add(Flatten::new()));
    }
    let penalty = Regularizer::l1_l2(0.25, 0.5);
    let dense = Dense::new(2).regularizer(penalty.clone()).bias_regularizer(penalty.clone());
    let dense = dense.activity_regularizer(penalty.clone());
    networks.push(with(dense.into()));
    networks.push(with(Prelu::new().regularizer(penalty).into()));
    networks
}

/// What a loaded network predicts, bit for bit.
#[test]
fn every_layer_predicts_the_same_after_loading() {
    for case in cases() {
        let model = SavedModel::<f32>::from(case.network().init(5).unwrap());
        let loaded = SavedModel::<f32>::from_bytes_with(&model.to_bytes().unwrap(), &registry()).unwrap();
        let x = case.input(7, 1);
        assert!(loaded.network.predict(&x).unwrap().bit_eq(&model.network.predict(&x).unwrap()), "{}", case.name);
    }
}

#[test]
fn every_choice_is_saved_loaded_and_specified() {
    let (specification, mut found) = (specification(), BTreeSet::new());
    let (mut networks, mut losses) = (networks().into_iter().enumerate(), LOSSES.into_iter().cycle());
    assert!(networks.len() > LOSSES.len());
    for (index, architecture) in networks.by_ref() {
        let mut network = architecture.init::<f64>(index as u64).unwrap();
        if index % 2 == 0 && !network.state().is_empty() {
            network.freeze("*").unwrap();
        }
        let optimizer = Optimizer::from(Adam::default());
        let state = OptimizerState::new(&optimizer, network.parameters());
        let training = Training::new(optimizer, state, losses.next().unwrap(), 0);
        let model = changed(SavedModel::from(network), |model| model.training = Some(training));
        let bytes = model.to_bytes().unwrap();
        let loaded = SavedModel::<f64>::from_bytes_with(&bytes, &registry()).unwrap();
        assert_eq!(loaded.network.architecture(), &architecture);
        assert_eq!(bits(&loaded), bits(&model), "{architecture:?}");
        assert_eq!(loaded.network.state(), model.network.state(), "{architecture:?}");
        assert_eq!(loaded.network.frozen(), model.network.frozen(), "{architecture:?}");
        assert_eq!(loaded.training.as_ref().map(|t| &t.loss), model.training.as_ref().map(|t| &t.loss));
        assert_eq!(loaded.to_bytes().unwrap(), bytes, "{architecture:?}");
        let mut all = Vec::new();
        words(&body(&bytes), &mut all);
        found.extend(all);
    }
    let own = ["Sine", "frequency", "inner", "inner.weight", "inner.bias"];
    found.retain(|word| !word.starts_with("layers.") && !own.contains(&word.as_str()));
    assert!(found.len() > 100, "{found:?}");
    for word in found {
        assert!(
            specification.contains(&format!("`{word}`")) || specification.contains(&format!("`\"{word}\"`")),
            "{word}"
        );
    }
}

/// A model of one network, and its body.
fn file(architecture: &Sequential) -> Value {
    body(&SavedModel::<f32>::from(architecture.init(0).unwrap()).to_bytes().unwrap())
}

#[test]
fn frozen_names_must_be_those_of_the_network_once_each_and_in_order() {
    let mut network: Network = Sequential::new(2).add(Dense::new(2)).init(0).unwrap();
    network.freeze("*").unwrap();
    let whole = body(&SavedModel::from(network).to_bytes().unwrap());
    let message = |names: &[&str]| {
        let mut body = whole.clone();
        *at(&mut body, "frozen") = Value::Array(names.iter().map(|&name| name.into()).collect());
        problem(&file_of(&body)).to_string()
    };
    let (weight, bias) = ("layers.0.weight", "layers.0.bias");
    for names in [[weight, "layers.0.*"], [bias, weight], [weight, weight]] {
        let expected = format!("listed once each and in its order, but are {names:?}");
        assert!(message(&names).ends_with(&expected), "{}", message(&names));
    }
    // Nothing frozen is left out, and not an empty list.
    assert!(message(&[]).contains("`frozen` is empty, for which it is left out"), "{}", message(&[]));
    let mut body = whole.clone();
    entries(&mut body, "").retain(|(key, _)| key.as_str() != Some("frozen"));
    assert!(SavedModel::<f32>::from_bytes(&file_of(&body)).unwrap().network.frozen().is_empty());
}

#[test]
fn the_shape_of_a_row_has_one_way_to_be_written() {
    let wide = file(&Sequential::with_input_shape([2, 3]).add(Flatten::new()));
    let message = |change: &dyn Fn(&mut Value)| {
        let mut body = wide.clone();
        change(&mut body);
        problem(&file_of(&body)).to_string()
    };
    let both = message(&|body| entries(body, "architecture").push(("input_features".into(), 6.into())));
    assert!(both.contains("`input_features` and `input_shape` exclude each other"), "{both}");
    let one_axis = message(&|body| *at(body, "architecture/input_shape") = Value::Array(vec![6.into()]));
    assert!(one_axis.contains("`input_shape` has one axis, which is `input_features`"), "{one_axis}");
    let none = message(&|body| *at(body, "architecture/input_shape") = Value::Array(Vec::new()));
    assert!(none.contains("the number of axes is 0"), "{none}");
    let zero = message(&|body| *at(body, "architecture/input_shape/1") = 0.into());
    assert!(zero.contains("the number of features is 0"), "{zero}");
    let huge = message(&|body| {
        *at(body, "architecture/input_shape") = Value::Array(vec![u64::from(u32::MAX).into(); 3]);
    });
    assert!(huge.contains("larger than this machine can address"), "{huge}");
}

#[test]
fn settings_out_of_range_are_refused_in_every_layer_and_loss() {
    let layers = Stack::new().add(Dense::new(2).constraint(Constraint::MaxNorm { max: 1.0 }));
    let whole = file(&Sequential::new(2).add(Concat::new([Stack::new(), Stack::new().add(Residual::new(layers))])));
    let mut body = whole.clone();
    let path = "architecture/layers/0/concat/branches/1/0/residual/layers/0/dense/constraint/max_norm/max";
    *at(&mut body, path) = f64::NAN.into();
    let found = problem(&file_of(&body)).to_string();
    assert!(found.contains("layers.0.branches.1.layers.0.layers.0 (Dense): max is NaN"), "{found}");
    let mut body = crate::common::body(&full_model::<f32>().to_bytes().unwrap());
    let settings = Value::Map(vec![("delta".into(), (-1.0).into())]);
    *at(&mut body, "training/loss") = Value::Map(vec![("huber".into(), settings)]);
    let found = problem(&file_of(&body)).to_string();
    assert!(found.contains("delta is -1"), "{found}");
}

#[test]
fn names_of_layers_are_saved_and_found_again() {
    let block = Stack::new().add_named("inner", Dense::new(2).activation(Activation::Tanh));
    let architecture = Sequential::new(2)
        .add_named("block", Residual::new(block))
        .add_named("head", Dense::new(3).activation(Activation::Softmax));
    let mut network = architecture.init::<f32>(3).unwrap();
    network.freeze("block.*").unwrap();
    let model = SavedModel::from(network);
    let bytes = model.to_bytes().unwrap();
    let loaded = SavedModel::<f32>::from_bytes(&bytes).unwrap();
    assert_eq!(loaded.network.architecture(), &architecture);
    assert_eq!(loaded.network.frozen(), ["block.inner.weight", "block.inner.bias"]);
    assert_eq!(loaded.network.tensor("head.weight").unwrap(), model.network.tensor("head.weight").unwrap());
    assert_eq!(loaded.to_bytes().unwrap(), bytes);
    let listed = Inspection::from_bytes(&bytes).unwrap().to_string();
    assert!(listed.contains("block.inner.weight") && listed.contains("head.bias"), "{listed}");

    let whole = body(&bytes);
    let message = |path: &str, name: Value| {
        let mut body = whole.clone();
        *at(&mut body, path) = name;
        problem(&file_of(&body)).to_string()
    };
    let (name, inner) =
        ("architecture/layers/1/named/name", "architecture/layers/0/named/layer/residual/layers/0/named/name");
    for path in [name, inner] {
        for bad in ["", "a.b", "layers", "\x1b[2J", "a*"] {
            let found = message(path, bad.into());
            assert!(found.contains("(Dense): the name ") && !found.contains('\x1b'), "{found}");
        }
        assert!(message(path, Value::Nil).contains("invalid type"), "{}", message(path, Value::Nil));
        assert!(message(path, "x".repeat(257).into()).contains("257 bytes in a string"));
    }
    assert!(message(name, "block".into()).contains("the name \"block\" is that of two layers of one stack"));
    let other = message(name, "tail".into());
    assert!(other.contains("missing tail.weight, tail.bias; unexpected head.bias, head.weight"), "{other}");
    let mut body = whole.clone();
    entries(&mut body, "architecture/layers/1/named").push(("more".into(), Value::Nil));
    assert!(problem(&file_of(&body)).to_string().contains("unknown field `more`"));
}

/// As deep as a file may be nested, a name in a name: an error, and no end of the stack.
#[test]
fn names_of_names_are_refused_at_any_depth() {
    let whole = file(&Sequential::new(2).add(Dense::new(2)));
    let dense = at(&mut whole.clone(), "architecture/layers/0").clone();
    let named = |layer: Value| {
        let settings = Value::Map(vec![("name".into(), "a".into()), ("layer".into(), layer)]);
        Value::Map(vec![("named".into(), settings)])
    };
    for depth in 2..120 {
        let mut body = whole.clone();
        *at(&mut body, "architecture/layers/0") = (0..depth).fold(dense.clone(), |inner, _| named(inner));
        let found = problem(&file_of(&body)).to_string();
        let expected =
            if depth <= 97 { "is a second one of the same layer" } else { "arrays and maps inside of each other" };
        assert!(found.contains(expected), "{depth}: {found}");
    }
}

/// A dense layer inside of so many residual ones.
fn nested(depth: usize) -> Sequential {
    let inner: Layer = Dense::new(1).into();
    Sequential::new(1).add((0..depth).fold(inner, |inner, _| Residual::new(Stack::new().add(inner)).into()))
}

#[test]
fn blocks_may_lie_inside_each_other_up_to_a_limit_that_writers_keep() {
    let model = |depth| SavedModel::<f32>::from(nested(depth).init(0).unwrap());
    // A name of the innermost layer has 9 bytes for every layer around it, of 256.
    let bytes = model(26).to_bytes().unwrap();
    assert_eq!(SavedModel::<f32>::from_bytes(&bytes).unwrap().to_bytes().unwrap(), bytes);
    let error = model(27).to_bytes().unwrap_err().to_string();
    assert!(
        error.ends_with("at most 256 are let through; if you trust the description, raise Limits::name"),
        "{error}"
    );
    let mut limits = Limits::default();
    limits.name = 4096;
    let bytes = model(31).to_bytes_with(&limits).unwrap();
    let options = || LoadOptions::new().limits(limits.clone());
    let loaded = SavedModel::<f32>::from_bytes_with(&bytes, options()).unwrap();
    assert_eq!(loaded.to_bytes_with(&limits).unwrap(), bytes);
    assert!(SavedModel::<f32>::from_bytes(&bytes).is_err());
    let error = model(32).to_bytes_with(&limits).unwrap_err().to_string();
    assert!(error.contains("33 layers inside of each other, and at most 32 are let through"), "{error}");
}

/// Each level of branches inside of branches has ten times as many layers; a walk that took each level twice would take
/// 2^7 times as long, and one that took each branch anew for each of the others would never end.
#[test]
fn many_branches_inside_of_each_other_are_walked_once() {
    let level = |inner: Stack| Stack::new().add(Concat::new(vec![inner; 6])).add(Dense::new(1).without_bias());
    let stack = (0..5).fold(Stack::new().add(Dense::new(1)), |inner, _| level(inner));
    let network = Sequential::new(1).add(Residual::new(stack)).init::<f32>(0).unwrap();
    let model = SavedModel::from(network);
    let error = model.to_bytes().unwrap_err().to_string();
    assert!(error.contains("1025 layers, and at most 1024 are let through"), "{error}");
    let mut limits = Limits::default();
    (limits.layers, limits.tensors) = (100_000, 100_000);
    let bytes = model.to_bytes_with(&limits).unwrap();
    assert!(model.network.parameters().len() > 15_000);
    let loaded = SavedModel::<f32>::from_bytes_with(&bytes, LoadOptions::new().limits(limits)).unwrap();
    let x = Tensor::from([[0.5]]);
    assert!(loaded.network.predict(&x).unwrap().bit_eq(&model.network.predict(&x).unwrap()));
}

#[test]
fn a_users_layer_is_known_by_name_and_settings() {
    let case = cases().into_iter().find(|case| case.name == "custom").unwrap();
    let whole = file(&case.network());
    let bytes = file_of(&whole);
    assert!(SavedModel::<f32>::from_bytes_with(&bytes, &registry()).is_ok());
    assert!(Inspection::from_bytes_with(&bytes, &registry()).unwrap().to_string().contains("Sine"));
    assert!(problem(&bytes).to_string().contains("layers.0 (Sine): the layer \"Sine\" is not part of this library"));
    let with_registry =
        |body: &Value| SavedModel::<f32>::from_bytes_with(&file_of(body), &registry()).unwrap_err().to_string();
    let mut body = whole.clone();
    entries(&mut body, "architecture/layers/0/custom/settings").clear();
    assert_eq!(with_registry(&body), "the layer \"Sine\" cannot be made from its settings: `frequency` is missing");
    let mut body = whole.clone();
    entries(&mut body, "architecture/layers/0/custom/settings").push(("phase".into(), 1.0.into()));
    assert!(with_registry(&body).contains("the registered constructor made"));
    let mut body = whole.clone();
    *at(&mut body, "architecture/layers/0/custom/name") = "\x1b[2J".repeat(60).into();
    let found = with_registry(&body);
    assert!(found.contains("is not part of this library") && !found.contains('\x1b') && found.len() < 2500, "{found}");
    let mut body = whole.clone();
    let settings = entries(&mut body, "architecture/layers/0/custom/settings");
    settings.push(settings[0].clone());
    assert!(matches!(problem(&file_of(&body)), FormatError::Content { .. }));
}

/// x, or `otherwise` where x is NaN.
#[derive(Debug)]
struct Known {
    otherwise: f64,
}

impl CustomActivation for Known {
    fn name(&self) -> &str {
        "known"
    }

    fn settings(&self) -> Settings {
        Settings::new().with("otherwise", self.otherwise)
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x
    }
}

#[test]
fn a_setting_may_be_any_number() {
    let make = |settings: &Settings| Ok(Known { otherwise: settings.number("otherwise")? }.into());
    let registry = Registry::new().register::<Activation>("known", make);
    for otherwise in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324] {
        let network = Sequential::new(1).add(Dense::new(1).activation(Known { otherwise })).init(0).unwrap();
        let bytes = SavedModel::<f32>::from(network).to_bytes().unwrap();
        let loaded = SavedModel::<f32>::from_bytes_with(&bytes, &registry).unwrap();
        let held = settings_of(&loaded).number("otherwise").unwrap();
        assert_eq!(held.to_bits(), otherwise.to_bits());
        assert_eq!(loaded.to_bytes().unwrap(), bytes);
    }
}

fn settings_of(model: &SavedModel<f32>) -> &Settings {
    match &model.network.architecture().layers()[0] {
        Layer::Dense(Dense { activation: Activation::Custom(part), .. }) => part.settings(),
        other => panic!("{other}"),
    }
}
