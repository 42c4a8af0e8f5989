//! Files that Python wrote, and what PyTorch computes with the same weights (`goldens/model.py` made both).

use std::path::PathBuf;

use mlp_io::{Dtype, SavedModel, inspect};
use mlp_tensor::{Element, Tensor};
use serde_json::Value;

fn golden(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "goldens", name].iter().collect()
}

fn tensor<E: Element>(value: &Value) -> Tensor<E> {
    let number = |value: &Value| E::from_f64(value.as_f64().unwrap());
    let rows = value.as_array().unwrap();
    match rows[0].as_array() {
        None => Tensor::from_vec(rows.iter().map(number).collect(), [rows.len()]),
        Some(first) => {
            let values = rows.iter().flat_map(|row| row.as_array().unwrap()).map(number);
            Tensor::from_vec(values.collect(), [rows.len(), first.len()])
        }
    }
}

fn check<E: Element>(tolerance: f64) {
    let expected: Value = serde_json::from_str(include_str!("../goldens/expected.json")).unwrap();
    let expected = &expected[E::NAME];
    let path = golden(&format!("{}.mlp", E::NAME));
    let mut model = SavedModel::<E>::load(&path).unwrap();

    // What is computed.
    let rows: Tensor<f64> = tensor(&expected["rows"]);
    let rows = model.scaler.as_ref().unwrap().transform(&rows).unwrap().cast();
    let outputs = model.network.predict(&rows).unwrap();
    let difference = |a: &Tensor<E>, b: &Value| (a.cast::<f64>() - tensor::<f64>(b)).abs().max();
    let off = difference(&outputs, &expected["outputs"]);
    assert!(off <= tolerance, "{}: outputs off by {off:e}", E::NAME);

    // The fourth step needs everything that the optimizer remembers of the first three.
    let training = model.training.as_mut().unwrap();
    let names: Vec<String> = model.network.parameters().iter().map(|p| p.name().to_owned()).collect();
    let gradients: Vec<_> = names.iter().map(|name| tensor(&expected["gradients"][name])).collect();
    training.optimizer.step(&mut training.state, &mut model.network, &gradients);
    assert_eq!((training.state.steps(), training.epochs, training.seed), (4, 3, 20_240_611));
    for parameter in model.network.parameters() {
        let off = difference(parameter.value(), &expected["after"][parameter.name()]);
        assert!(off <= tolerance, "{}: {} off by {off:e}", E::NAME, parameter.name());
    }
    assert_eq!(model.feature_names, ["length", "width", "weight in g", "Dichte ρ"]);
    assert_eq!(model.output.class_names(), ["a", "b", "c"]);

    // Python's msgpack and this library write the same bytes.
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(SavedModel::<E>::load(&path).unwrap().to_bytes().unwrap(), bytes);
}

#[test]
fn a_file_that_python_wrote_computes_what_pytorch_computes() {
    check::<f32>(1e-6);
    check::<f64>(1e-14);
}

#[test]
fn a_file_that_python_wrote_is_listed() {
    let found = inspect(golden("f64.mlp")).unwrap();
    assert_eq!((found.version, found.dtype), (1, Dtype::F64));
    let bytes = std::fs::read(golden("f64.mlp")).unwrap();
    assert_eq!(found.file_size, bytes.len());
    assert_eq!(found.checksum.to_le_bytes(), bytes[14..18]);
    let tensors: Vec<_> = found.tensors.iter().map(|t| (t.name.as_str(), t.shape.as_slice())).collect();
    let expected: [(&str, &[usize]); 4] =
        [("layers.0.weight", &[4, 5]), ("layers.0.bias", &[5]), ("layers.2.weight", &[5, 3]), ("layers.2.bias", &[3])];
    assert_eq!(tensors, expected);
    let listing = found.to_string();
    for part in [
        "model file, format version 1, 2280 bytes, checksum ",
        "layers.0  Dense (tanh)",
        "total parameters: 43",
        "weights: f64\n  layers.0.weight  [4, 5]\n",
        "training: 3 epochs, 3 steps, seed 20240611\n  optimizer: Adam, learning rate 0.01, beta1 ",
        "  loss: categorical cross-entropy\n  metrics: accuracy\n",
        "scaler:\n  feature 0: mean ",
        "features: length, width, weight in g, Dichte ρ\noutput: multiclass classification, classes a, b, c",
    ] {
        assert!(listing.contains(part), "{part:?} is missing in\n{listing}");
    }
}
