//! Files that claim to hold what no machine could. Each has the right checksum, and an honest attempt to set the
//! memory aside would end the test process.

use mlp_io::{FormatError, Inspection, SavedModel};
use rmpv::Value;

use crate::common::{PREFIX, at, body, entries, file_of, full_model, problem, seal, tiny_model};

/// The file up to the value of the first field `key` in the body, and then `value`.
fn cut_after(file: &[u8], key: &str, value: &[u8]) -> Vec<u8> {
    let mut name = vec![0xa0 | u8::try_from(key.len()).unwrap()];
    name.extend_from_slice(key.as_bytes());
    let body = &file[PREFIX..];
    let place = body.windows(name.len()).position(|window| window == name).unwrap() + name.len();
    seal(&[&body[..place], value].concat())
}

#[test]
fn lengths_beyond_the_end_are_not_believed() {
    let file = full_model::<f32>().to_bytes().unwrap();
    let fields = [
        "dtype",
        "architecture",
        "layers",
        "activation",
        "tensors",
        "layers.0.bias",
        "shape",
        "data",
        "training",
        "optimizer",
        "slots",
        "loss",
        "metrics",
        "preprocessing",
        "scaler",
        "mean",
        "feature_names",
        "class_names",
    ];
    for field in fields {
        // A byte string, a string, an array and a map of 2^32 - 1.
        for marker in [0xc6, 0xdb, 0xdd, 0xdf] {
            let file = cut_after(&file, field, &[marker, 0xff, 0xff, 0xff, 0xff]);
            assert_eq!(problem(&file), FormatError::Truncated { size: file.len() }, "{field} {marker:x}");
            assert!(Inspection::from_bytes(&file).is_err());
        }
        let file = cut_after(&file, field, &[0x91; 1_000_000]);
        assert!(matches!(problem(&file), FormatError::Limit { setting: Some("depth"), found: 201, most: 200, .. }));
        let file = cut_after(&file, field, &[0x81, 0xa1, b'a'].repeat(1_000_000));
        assert!(matches!(problem(&file), FormatError::Limit { setting: Some("depth"), found: 201, most: 200, .. }));
    }
}

#[test]
fn shapes_without_bytes_are_not_believed() {
    let huge = [1u64 << 32, 1 << 61, 1 << 62, 1 << 63, u64::MAX];
    let shapes = huge.iter().flat_map(|&n| [vec![n], vec![n, n], vec![n, 1], vec![n, n, 0], vec![0, n, n], vec![2, n]]);
    for shape in shapes.chain([vec![0], vec![1 << 32; 8]]) {
        let mut body = body(&tiny_model().to_bytes().unwrap());
        *at(&mut body, "tensors/layers.0.weight/shape") = Value::Array(shape.iter().map(|&n| n.into()).collect());
        let file = file_of(&body);
        assert!(file.len() < 2000);
        let expected = FormatError::TensorLength {
            name: "layers.0.weight".to_owned(),
            dtype: mlp_io::Dtype::F32,
            shape,
            found: 4,
        };
        assert_eq!(problem(&file), expected);
    }
    // A shape that fits no bytes at all is one of another weight.
    let mut body = body(&tiny_model().to_bytes().unwrap());
    *at(&mut body, "tensors/layers.0.weight/shape") = Value::Array(vec![0.into(), u64::from(u32::MAX).into()]);
    *at(&mut body, "tensors/layers.0.weight/data") = Value::Binary(Vec::new());
    assert!(problem(&file_of(&body)).to_string().contains("has shape [0, 4294967295] where the network has [1, 1]"));
}

#[test]
fn layers_without_weights_are_not_believed() {
    for huge in [1u64 << 32, 1 << 58, 1 << 60, 1 << 63, u64::MAX] {
        for field in ["architecture/input_features", "architecture/layers/0/dense/units"] {
            for tensors in [true, false] {
                let mut body = body(&tiny_model().to_bytes().unwrap());
                *at(&mut body, field) = huge.into();
                if !tensors {
                    entries(&mut body, "tensors").clear();
                }
                let file = file_of(&body);
                assert!(matches!(problem(&file), FormatError::Network(_)), "{huge} {field}");
                assert!(Inspection::from_bytes(&file).is_err());
            }
        }
    }
}

#[test]
fn very_many_layers_whose_sizes_overflow_together_are_not_added_up() {
    let mut body = body(&tiny_model().to_bytes().unwrap());
    let mut layer = at(&mut body, "architecture/layers/0").clone();
    *at(&mut layer, "dense/units") = (1u64 << 29).into();
    *at(&mut body, "architecture/input_features") = (1u64 << 29).into();
    *at(&mut body, "architecture/layers") = Value::Array(vec![layer; 1000]);
    let file = file_of(&body);
    assert!(matches!(problem(&file), FormatError::Network(_)));
    assert!(Inspection::from_bytes(&file).is_err());
}

#[test]
fn no_step_count_is_too_large() {
    let mut body = body(&full_model::<f32>().to_bytes().unwrap());
    for field in ["steps", "seed", "epochs"] {
        *at(&mut body, &format!("training/{field}")) = u64::MAX.into();
    }
    let model = SavedModel::<f32>::from_bytes(&file_of(&body)).unwrap();
    assert_eq!(model.training.unwrap().state.steps(), u64::MAX);
}
