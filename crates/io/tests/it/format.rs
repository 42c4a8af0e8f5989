//! The file against `docs/format.md`, as another MessagePack library reads it.

use std::path::PathBuf;

use mlp_io::SavedModel;
use mlp_optim::{RmsProp, Sgd};
use rmpv::Value;

use crate::common::{PREFIX, at, body, changed, entries, full_model, network, tiny_model, training};

/// The specification. It stands beside the crates, in the repository.
pub(crate) fn specification() -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "docs", "format.md"].iter().collect();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_example_in_the_specification_is_what_is_written() {
    let text = specification();
    let listing = text.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let hex = listing.lines().flat_map(|line| line.split('|').next().unwrap().split_whitespace());
    let bytes: Vec<u8> = hex.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
    assert_eq!(tiny_model().to_bytes().unwrap(), bytes);
    // And what the listing says about itself is so.
    let model = SavedModel::<f32>::from_bytes(&bytes).unwrap();
    assert_eq!(model.network.parameters()[0].value().as_slice(), [0.5]);
}

#[test]
fn a_file_is_one_array_of_four() {
    let bytes = full_model::<f32>().to_bytes().unwrap();
    let mut rest = bytes.as_slice();
    let value = rmpv::decode::read_value(&mut rest).unwrap();
    assert!(rest.is_empty());
    let [name, version, checksum, body] = value.as_array().unwrap().as_slice() else { panic!("{value}") };
    assert_eq!((name.as_str(), version.as_u64()), (Some("mlp-model"), Some(1)));
    assert_eq!(checksum, &Value::Binary(crc32fast::hash(&bytes[PREFIX..]).to_le_bytes().to_vec()));
    assert!(body.is_map());
}

/// The keys of a map, in order.
fn keys(value: &Value) -> Vec<&str> {
    value.as_map().unwrap().iter().map(|(key, _)| key.as_str().unwrap()).collect()
}

/// A map of one entry.
fn map(key: &str, value: Value) -> Value {
    Value::Map(vec![(key.into(), value)])
}

/// A map of two.
fn map2(key: &str, value: Value, other: &str, its: Value) -> Value {
    Value::Map(vec![(key.into(), value), (other.into(), its)])
}

/// Numbers that stand in a byte string.
fn numbers(values: &[f64]) -> Value {
    Value::Binary(values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// The limits in the specification are those of the library.
#[test]
fn the_limits_are_those_of_the_specification() {
    let text = specification();
    let table = text.split("| what | at most | `Limits` |").nth(1).unwrap().split("\n\n").next().unwrap();
    let number = |text: &str| match text {
        "2¹⁴" => 1 << 14,
        "2¹⁷" => 1 << 17,
        "2²⁴" => 1 << 24,
        plain => plain.replace(',', "").parse::<usize>().unwrap(),
    };
    let rows = table.lines().skip(2).map(|row| {
        let [_, _, most, name, _] = row.split('|').map(str::trim).collect::<Vec<_>>()[..] else { panic!("{row}") };
        format!("{}: {}", name.trim_matches('`'), number(most))
    });
    let default = format!("{:?}", mlp_nn::Limits::default());
    let fields = default.strip_prefix("Limits { ").unwrap().strip_suffix(" }").unwrap();
    assert_eq!(rows.collect::<Vec<_>>(), fields.split(", ").collect::<Vec<_>>());
}

#[test]
fn every_field_has_its_place_and_its_type() {
    let mut model = full_model::<f64>();
    model.training.as_mut().unwrap().run = Some(crate::attacks::run(3, 2));
    let mut body = body(&model.to_bytes().unwrap());
    let fields = ["dtype", "architecture", "tensors", "output", "training", "preprocessing", "feature_names"];
    assert_eq!(keys(&body), fields);
    assert_eq!(at(&mut body, "dtype").as_str(), Some("f64"));

    let weights = ["layers.0.bias", "layers.0.weight", "layers.2.weight"];
    assert_eq!(keys(at(&mut body, "tensors")), weights);
    let weight = at(&mut body, "tensors/layers.0.weight").clone();
    assert_eq!(keys(&weight), ["dtype", "shape", "data"]);
    assert_eq!((&weight["dtype"], &weight["shape"]), (&"f64".into(), &Value::Array(vec![3.into(), 4.into()])));
    assert_eq!(weight["data"], numbers(model.network.parameters()[0].value().as_slice()));

    let architecture = at(&mut body, "architecture").clone();
    assert_eq!(keys(&architecture), ["input_features", "layers"]);
    assert_eq!(architecture["input_features"], 3.into());
    let factors = Value::Map(vec![("l1".into(), 0.25.into()), ("l2".into(), 0.001.into())]);
    let regularizer = Value::Map(vec![("l1_l2".into(), factors)]);
    let dense = |units: i32, activation: &str, bias: bool, initializer: &str, regularizer: Value| {
        let settings: Vec<(Value, Value)> = vec![
            ("units".into(), units.into()),
            ("activation".into(), activation.into()),
            ("use_bias".into(), bias.into()),
            ("initializer".into(), initializer.into()),
            ("regularizer".into(), regularizer),
        ];
        Value::Map(vec![("dense".into(), Value::Map(settings))])
    };
    let layers = vec![
        dense(4, "relu", true, "glorot_uniform", regularizer),
        Value::Map(vec![("dropout".into(), Value::Map(vec![("rate".into(), 0.2.into())]))]),
        dense(2, "identity", false, "he_normal", Value::Nil),
        Value::Map(vec![("activation".into(), "softmax".into())]),
    ];
    assert_eq!(architecture["layers"], Value::Array(layers));

    let training = at(&mut body, "training").clone();
    assert_eq!(
        keys(&training),
        ["optimizer", "steps", "slots", "loss", "label_smoothing", "metrics", "seed", "epochs", "run"]
    );
    let settings = [("learning_rate", 0.01), ("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8)];
    let settings = settings.map(|(name, value)| (name.into(), value.into())).to_vec();
    assert_eq!(training["optimizer"], Value::Map(vec![("adam".into(), Value::Map(settings))]));
    assert_eq!((&training["steps"], &training["epochs"]), (&3.into(), &12.into()));
    assert_eq!((&training["seed"], &training["loss"]), (&u64::MAX.into(), &"categorical_cross_entropy".into()));
    assert_eq!(training["metrics"], Value::Array(vec!["accuracy".into(), "mean_squared_error".into()]));
    assert_eq!(keys(&training["slots"]), weights);
    for name in weights {
        assert_eq!(keys(&training["slots"][name]), ["m", "v"]);
        assert_eq!(training["slots"][name]["v"]["shape"], body["tensors"][name]["shape"]);
    }

    let run = training["run"].clone();
    assert_eq!(keys(&run), ["progress", "callbacks"]);
    let progress = [
        ("epochs", Value::from(1_u64 << 40)),
        ("batch_size", 32.into()),
        ("shuffle", true.into()),
        ("rows", 150.into()),
        ("validation", map("split", map2("share", 0.2.into(), "stratified", true.into()))),
        ("class_weights", map("given", Value::Array(vec![1.0.into(), 2.0.into()]))),
        ("weighted", true.into()),
        ("detect_anomalies", false.into()),
        ("in_epoch", true.into()),
        ("position", 64.into()),
        ("totals", Value::Nil),
        ("last_loss", 0.25.into()),
        ("epochs_over", 3.into()),
        ("stopped", true.into()),
        (
            "history",
            numbers(
                &[0.0, 1.0, 2.0]
                    .map(|i| [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0].map(|j| (8.0 * i + j) / 3.0))
                    .concat(),
            ),
        ),
    ];
    assert_eq!(keys(&run["progress"]), progress.clone().map(|(name, _)| name));
    for (name, expected) in progress.into_iter().filter(|(name, _)| *name != "totals") {
        assert_eq!(run["progress"][name], expected, "{name}");
    }
    let totals = run["progress"]["totals"].clone();
    assert_eq!(keys(&totals), ["rows", "loss", "penalty", "metrics"]);
    assert_eq!((&totals["rows"], &totals["penalty"]), (&64.into(), &0.0.into()));
    assert!(totals["loss"].as_f64().unwrap().is_nan());
    assert_eq!(totals["metrics"], Value::Array(vec![numbers(&[0.5; 3]), numbers(&[])]));
    let callback = run["callbacks"][0].clone();
    assert_eq!(keys(&callback), ["name", "settings", "values", "tensors"]);
    assert_eq!((&callback["name"], &callback["settings"]), (&"mine".into(), &map("patience", 5.0.into())));
    assert_eq!(keys(&callback["values"]), ["best", "seen"]);
    assert_eq!(keys(&callback["tensors"]), ["0", "1"]);
    assert_eq!(callback["tensors"]["1"]["data"], Value::Binary(1.0_f64.to_le_bytes().to_vec()));

    let scaler = at(&mut body, "preprocessing/scaler").clone();
    assert_eq!((keys(&body["preprocessing"]), keys(&scaler)), (vec!["scaler"], vec!["mean", "scale"]));
    assert_eq!(scaler["mean"][1], 2.0.into());
    assert_eq!(body["feature_names"], Value::Array(vec!["length".into(), "".into(), "größe\n".into()]));
    let output = at(&mut body, "output").clone();
    assert_eq!(keys(&output), ["task", "function", "threshold", "class_names", "target_mean", "target_scale"]);
    assert_eq!((&output["task"], &output["threshold"]), (&"multiclass".into(), &0.5.into()));
    assert_eq!(output["class_names"], Value::Array(vec!["no".into(), "yes".into()]));
}

#[test]
fn what_a_model_does_not_have_is_nil_or_empty() {
    let mut body = body(&tiny_model().to_bytes().unwrap());
    assert!(at(&mut body, "training").is_nil() && at(&mut body, "preprocessing/scaler").is_nil());
    assert_eq!(body["feature_names"], Value::Array(Vec::new()));
    assert_eq!(at(&mut body, "output/class_names"), &Value::Array(Vec::new()));
    let mut network = network::<f32>();
    let training = training(Sgd::new(0.5).into(), &mut network);
    let mut body = crate::common::body(
        &changed(SavedModel::from(network), |model| model.training = Some(training)).to_bytes().unwrap(),
    );
    assert_eq!(at(&mut body, "training/slots/layers.0.bias"), &Value::Map(Vec::new()));
    assert_eq!(entries(&mut body, "training/slots").len(), 3);
}

/// Every string of a body that stands for a field, a kind or a choice.
pub(crate) fn words(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(word) => out.push(word.as_str().unwrap().to_owned()),
        Value::Array(values) => values.iter().for_each(|value| words(value, out)),
        Value::Map(entries) => entries.iter().for_each(|(key, value)| {
            words(key, out);
            words(value, out);
        }),
        _ => {}
    }
}

#[test]
fn the_specification_knows_every_word() {
    let text = specification();
    let mut found = Vec::new();
    for optimizer in [Sgd::new(0.1).momentum(0.5).into(), RmsProp::default().into(), mlp_optim::Adam::default().into()]
    {
        let mut network = network::<f32>();
        let training = training(optimizer, &mut network);
        let model = changed(SavedModel::from(network), |model| model.training = Some(training));
        words(&body(&model.to_bytes().unwrap()), &mut found);
    }
    let own = ["length", "", "größe\n", "no", "yes"];
    found.retain(|word| !own.contains(&word.as_str()) && !word.starts_with("layers."));
    assert!(found.len() > 100);
    for word in found {
        assert!(text.contains(&format!("`{word}`")) || text.contains(&format!("`\"{word}\"`")), "{word}");
    }
}
