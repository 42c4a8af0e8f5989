//! One test for each rule of reading that a file with the right checksum can break.

use mlp_io::{Dtype, FormatError, SavedModel};
use rmpv::Value;

use crate::common::{at, body, entries, file_of, full_model, problem, tiny_model};

/// What is wrong with the full model once `change` was made to its body.
fn after(change: impl FnOnce(&mut Value)) -> FormatError {
    let mut body = body(&full_model::<f32>().to_bytes().unwrap());
    change(&mut body);
    problem(&file_of(&body))
}

/// The same, as a message.
fn message(change: impl FnOnce(&mut Value)) -> String {
    after(change).to_string()
}

/// Every map of a record (not those from names).
const RECORDS: [&str; 12] = [
    "",
    "output",
    "architecture",
    "architecture/layers/0/dense",
    "architecture/layers/0/dense/regularizer/l1_l2",
    "architecture/layers/1/dropout",
    "tensors/layers.0.weight",
    "training",
    "training/optimizer/adam",
    "training/slots/layers.0.bias/m",
    "preprocessing",
    "preprocessing/scaler",
];

#[test]
fn foreign_files_are_told_apart() {
    let start = |file: &[u8]| match problem(file) {
        FormatError::NotAModel { start } => start,
        other => panic!("{other:?}"),
    };
    assert_eq!(start(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), b"\x89PNG\r\n\x1a\n");
    assert_eq!(start(b"{\"layers\": []}"), b"{\"layers");
    assert_eq!(start(b"PK\x03\x04\x14\0\0\0\x08\0"), b"PK\x03\x04\x14\0\0\0");
    assert_eq!(start(b"\x94\xa9mlp-nodel\x01"), b"\x94\xa9mlp-no");
    assert_eq!(start(b"\n"), b"\n");
    assert_eq!(problem(b""), FormatError::Empty);
    // The same array in a longer encoding is not this format.
    assert_eq!(start(b"\xdc\0\x04\xa9mlp-model\x01"), b"\xdc\0\x04\xa9mlp-");
}

#[test]
fn a_newer_version_is_named_before_anything_else_is_looked_at() {
    let mut file = tiny_model().to_bytes().unwrap();
    file[11] = 2;
    file[14] ^= 1;
    assert_eq!(problem(&file), FormatError::NewerVersion { found: 2, supported: 1 });
    let message = problem(&file).to_string();
    assert!(message.contains("newer version") && message.contains("format version 2"), "{message}");
    assert!(message.contains("up to 1 can be read here"), "{message}");
    file[11] = 0;
    assert_eq!(problem(&file), FormatError::NoSuchVersion { found: 0 });
}

#[test]
fn the_wrong_number_type_says_what_to_write() {
    let file = full_model::<f64>().to_bytes().unwrap();
    assert_eq!(problem(&file), FormatError::WrongDtype { expected: Dtype::F32, found: Dtype::F64 });
    assert!(problem(&file).to_string().contains("holds f64 weights and not f32; load it by SavedModel::<f64>::load"));
    let error = SavedModel::<f64>::from_bytes(&full_model::<f32>().to_bytes().unwrap()).unwrap_err();
    assert!(error.to_string().contains("load it by SavedModel::<f32>::load"), "{error}");
    assert!(message(|body| *at(body, "dtype") = "f16".into()).contains("f16"));
}

#[test]
fn fields_and_names_may_come_in_any_order() {
    let model = full_model::<f32>();
    let mut value = body(&model.to_bytes().unwrap());
    for map in ["tensors", "training/slots", "training/slots/layers.0.bias"].iter().chain(&RECORDS) {
        entries(&mut value, map).reverse();
    }
    let loaded = SavedModel::<f32>::from_bytes(&file_of(&value)).unwrap();
    assert_eq!(loaded.to_bytes().unwrap(), model.to_bytes().unwrap());
}

#[test]
fn every_field_of_every_record_must_be_there() {
    for record in RECORDS {
        let mut body = body(&full_model::<f32>().to_bytes().unwrap());
        for index in 0..entries(&mut body, record).len() {
            let mut key = String::new();
            let found = message(|body| key = entries(body, record).remove(index).0.as_str().unwrap().to_owned());
            assert!(found.ends_with(&format!("missing field `{key}`")), "{record}: {found}");
        }
    }
}

#[test]
fn fields_that_are_not_known_are_refused_at_every_depth() {
    for record in RECORDS {
        let found = message(|body| entries(body, record).push(("color".into(), Value::Nil)));
        assert!(found.contains("unknown field `color`"), "{record}: {found}");
    }
    // A misspelled field is one too many and one too few.
    let found = message(|body| entries(body, "architecture/layers/0/dense")[4].0 = "regularizr".into());
    assert!(found.contains("unknown field `regularizr`"), "{found}");
    let found = message(|body| entries(body, "").push(("\x1b[2J".repeat(60).into(), Value::Nil)));
    assert!(found.contains("unknown field `\\u{1b}[2J") && found.len() < 1200 && !found.contains('\x1b'), "{found}");
    // An optional field is left out, and not nil.
    let nil = |body: &mut Value| entries(body, "architecture/layers/0/dense").push(("constraint".into(), Value::Nil));
    assert!(message(nil).contains("`constraint` is nil, for which it is left out"), "{}", message(nil));
}

#[test]
fn what_comes_twice_is_refused() {
    for record in RECORDS {
        let found = message(|body| {
            let first = entries(body, record)[0].clone();
            entries(body, record).push(first);
        });
        assert!(found.contains("duplicate field"), "{record}: {found}");
    }
    for names in ["tensors", "training/slots", "training/slots/layers.0.bias"] {
        let found = message(|body| {
            let first = entries(body, names)[0].clone();
            entries(body, names).push(first);
        });
        assert!(found.contains("comes twice"), "{names}: {found}");
    }
}

#[test]
fn a_list_of_values_is_not_a_record() {
    for record in RECORDS {
        let found = after(|body| {
            let values = entries(body, record).iter().map(|(_, value)| value.clone()).collect();
            *at(body, record) = Value::Array(values);
        });
        assert!(matches!(found, FormatError::Content { .. }), "{record}: {found:?}");
    }
}

#[test]
fn values_of_another_type_are_refused() {
    let changes: [(&str, Value); 20] = [
        ("dtype", 0.into()),
        ("dtype", Value::Binary(b"f32".to_vec())),
        ("architecture/layers/3/activation", 4.into()),
        ("architecture/layers/3/activation", Value::Map(vec![("softmax".into(), Value::Nil)])),
        ("training/loss", 1.into()),
        ("tensors/layers.0.bias/shape", Value::Binary(vec![4])),
        ("tensors/layers.0.bias/data", "sixteen letters.".into()),
        ("architecture/input_features", (-3).into()),
        ("architecture/input_features", 3.0.into()),
        ("architecture/layers", Value::Nil),
        ("architecture/layers/3", "softmax".into()),
        ("architecture/layers/3/activation", "swish".into()),
        ("architecture/layers/1", Value::Map(vec![("attention".into(), Value::Map(Vec::new()))])),
        ("architecture/layers/0/dense/use_bias", 1.into()),
        ("tensors/layers.0.bias/shape", 4.into()),
        ("tensors/layers.0.bias/data", Value::Array(vec![0.into(); 4])),
        ("training/loss", "no_such_loss".into()),
        ("training/steps", (-1).into()),
        ("preprocessing/scaler", Value::Array(vec![1.0.into()])),
        ("output/class_names/0", 7.into()),
    ];
    for (path, value) in changes {
        let found = after(|body| *at(body, path) = value);
        assert!(matches!(found, FormatError::Content { .. }), "{path}: {found:?}");
    }
    let found = message(|body| *at(body, "architecture/layers/3/activation") = "swish".into());
    assert!(found.contains("swish") && found.contains("softmax"), "{found}");
    let found = after(|body| *at(body, "output/class_names/0") = Value::Ext(5, vec![1, 2, 3]));
    assert!(matches!(found, FormatError::Malformed { reason: "extension types have no place in a model", .. }));
    let found = after(|body| entries(body, "")[0].0 = 0.into());
    assert!(matches!(found, FormatError::Malformed { reason: "the key of a map must be a string", .. }));
}

#[test]
fn tensors_must_fit_the_network() {
    let other = |body: &mut Value| *at(body, "tensors/layers.0.bias/dtype") = "f64".into();
    let name = "layers.0.bias".to_owned();
    assert_eq!(after(other), FormatError::TensorDtype { name, expected: Dtype::F32, found: Dtype::F64 });
    let found = message(|body| *at(body, "tensors/layers.0.bias/data") = Value::Binary(vec![0; 15]));
    assert_eq!(found, "layers.0.bias: 15 bytes do not make a tensor of shape [4] of f32");
    let found = message(|body| *at(body, "tensors/layers.0.weight/shape") = Value::Array(vec![4.into(), 3.into()]));
    assert!(found.contains("layers.0.weight has shape [4, 3] where the network has [3, 4]"), "{found}");
    // The second of four.
    let bias = |second: f32| [0.0, second, 0.0, 0.0].iter().flat_map(|v: &f32| v.to_le_bytes()).collect();
    for (bad, shown) in [(f32::NAN, "NaN"), (f32::NEG_INFINITY, "-inf")] {
        let found = message(|body| *at(body, "tensors/layers.0.bias/data") = Value::Binary(bias(bad)));
        assert!(found.contains(&format!("layers.0.bias holds {shown} at [1]; give finite numbers")), "{found}");
    }
    let found = message(|body| drop(entries(body, "tensors").remove(0)));
    assert!(found.contains("missing layers.0.bias"), "{found}");
    let found = message(|body| entries(body, "tensors")[0].0 = "layers.00.bias".into());
    assert!(found.contains("missing layers.0.bias") && found.contains("unexpected layers.00.bias"), "{found}");
}

#[test]
fn the_architecture_must_be_sound() {
    let found = message(|body| *at(body, "architecture/layers") = Value::Array(Vec::new()));
    assert!(found.contains("no layers"), "{found}");
    let found = message(|body| *at(body, "architecture/input_features") = 0.into());
    assert!(found.contains("number of features is 0"), "{found}");
    for rate in [1.0, -0.5, f64::NAN, f64::INFINITY] {
        let found = message(|body| *at(body, "architecture/layers/1/dropout/rate") = rate.into());
        assert!(found.contains("layers.1 (Dropout): rate is"), "{found}");
    }
    let found = message(|body| *at(body, "architecture/layers/0/dense/regularizer/l1_l2/l2") = f64::NAN.into());
    assert!(found.contains("l2 is NaN"), "{found}");
    let found = message(|body| *at(body, "architecture/layers/2/dense/units") = 0.into());
    assert!(found.contains("units is 0"), "{found}");
}

#[test]
fn the_optimizer_and_its_state_must_fit() {
    let found = message(|body| *at(body, "training/optimizer/adam/beta2") = 1.0.into());
    assert_eq!(found, "Adam: beta2 is 1, but must be at least 0 and below 1");
    let found = message(|body| drop(entries(body, "training/slots").remove(0)));
    assert!(found.starts_with("the optimizer's state for the network has [\"layers.0.weight\""), "{found}");
    let found = message(|body| entries(body, "training/slots").push(("other".into(), Value::Map(Vec::new()))));
    assert!(found.contains("\"other\""), "{found}");
    let found = after(|body| entries(body, "training/slots/layers.0.bias")[0].0 = "velocity".into());
    let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    let (expected, found_names) = (names(["m", "v"]), names(["v", "velocity"]));
    let place = "layers.0.bias".to_owned();
    assert_eq!(found, FormatError::Slots { place, expected, found: found_names });
    let found = message(|body| *at(body, "training/slots/layers.0.bias/m/shape") = Value::Array(vec![2.into(); 2]));
    assert!(found.contains("layers.0.bias") && found.contains("shape [4]") && found.contains("[2, 2]"), "{found}");
    let found = message(|body| *at(body, "training/slots/layers.0.bias/m/dtype") = "f64".into());
    assert_eq!(found, "layers.0.bias/m holds f64 in a file of f32");
}

#[test]
fn label_smoothing_is_a_share() {
    for share in [f64::NAN, -0.1, 1.5, f64::INFINITY] {
        let expected = format!("label smoothing is {share}, but must be from 0 to 1");
        assert_eq!(message(|body| *at(body, "training/label_smoothing") = share.into()), expected);
        // And it is not written.
        let mut model = full_model::<f32>();
        model.training.as_mut().unwrap().label_smoothing = share;
        assert_eq!(model.to_bytes().unwrap_err().to_string(), expected);
    }
    for share in [0.0, 0.1, 1.0] {
        let mut model = full_model::<f32>();
        model.training.as_mut().unwrap().label_smoothing = share;
        let file = model.to_bytes().unwrap();
        assert_eq!(SavedModel::<f32>::from_bytes(&file).unwrap().training.unwrap().label_smoothing, share);
        let listed = mlp_io::Inspection::from_bytes(&file).unwrap();
        assert_eq!(listed.training.as_ref().unwrap().label_smoothing, share);
        assert_eq!(listed.to_string().contains(&format!(", label smoothing {share}")), share != 0.0);
    }
}

/// Names are escaped once on their way into a message.
#[test]
fn names_are_escaped_once() {
    let name = "\x1b[2J";
    let found = message(|body| entries(body, "training/slots/layers.0.bias")[0].0 = name.into());
    assert!(found.contains(r#"has ["\u{1b}[2J", "v"], but must have ["m", "v"]"#), "{found}");
    let found = message(|body| entries(body, "").push(("frozen".into(), Value::Array(vec![name.into()]))));
    assert!(found.contains(r#"but are ["\u{1b}[2J"]"#), "{found}");
}

#[test]
fn scaler_and_names_must_fit_the_network() {
    for (column, value) in [("mean/0", f64::NAN), ("scale/1", 0.0), ("scale/2", -1.0), ("scale/0", f64::INFINITY)] {
        let found = after(|body| *at(body, &format!("preprocessing/scaler/{column}")) = value.into());
        assert!(matches!(found, FormatError::Content { .. }), "{column} {value}: {found:?}");
    }
    let found = after(|body| {
        for list in ["mean", "scale"] {
            *at(body, &format!("preprocessing/scaler/{list}")) = Value::Array(vec![1.0.into(); 4]);
        }
    });
    assert_eq!(found, FormatError::ScalerWidth { expected: 3, found: 4 });
    let found = after(|body| *at(body, "feature_names") = Value::Array(vec!["x".into()]));
    assert_eq!(found, FormatError::FeatureNames { expected: 3, found: 1 });
    let found = message(|body| *at(body, "output/class_names") = Value::Array(vec!["x".into(); 3]));
    assert!(found.contains("it has 2 classes, but 3 class names were given"), "{found}");
    for (field, value, part) in [
        ("threshold", f64::NAN.into(), "threshold is NaN"),
        ("task", "binary".into(), "it needs one output"),
        ("task", "regression".into(), "it has no classes, but 2 class names"),
        ("target_mean", Value::Array(vec![1.0.into()]), "only numbers have a scale"),
        ("function", "tanh".into(), "unknown variant `tanh`"),
    ] {
        let found = message(|body| *at(body, &format!("output/{field}")) = value);
        assert!(found.contains(part), "{found}");
    }
}
