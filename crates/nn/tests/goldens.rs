//! Activations, losses, dense layers and penalties against PyTorch (`goldens/nn.py` wrote `goldens/nn.json`).

use mlp_autograd::{Tape, Var};
use mlp_nn::{Activation, Dense, Loss, Network, Pass, Regularizer, Sequential};
use mlp_tensor::{Element, Tensor};
use serde_json::Value;

fn goldens() -> Value {
    serde_json::from_str(include_str!("goldens/nn.json")).unwrap()
}

fn numbers(value: &Value, out: &mut Vec<f64>) {
    match value {
        Value::Array(values) => values.iter().for_each(|v| numbers(v, out)),
        number => out.push(number.as_f64().unwrap()),
    }
}

/// A nested list of numbers as a tensor.
fn tensor<E: Element>(value: &Value) -> Tensor<E> {
    let mut shape = Vec::new();
    let mut level = value;
    while let Value::Array(values) = level {
        shape.push(values.len());
        level = &values[0];
    }
    let mut data = Vec::new();
    numbers(value, &mut data);
    Tensor::from_vec(data.into_iter().map(E::from_f64).collect(), shape)
}

#[track_caller]
fn assert_close<E: Element>(found: &Tensor<E>, expected: &Value, tolerance: f64, what: &str) {
    let expected: Tensor<f64> = tensor(expected);
    let found: Tensor<f64> = found.cast();
    assert_eq!(found.shape(), expected.shape(), "{what}");
    for (&f, &e) in found.as_slice().iter().zip(expected.as_slice()) {
        assert!((f - e).abs() <= tolerance * e.abs().max(1.0), "{what}: {f:e} where PyTorch has {e:e}");
    }
}

const ACTIVATIONS: [(&str, Activation); 5] = [
    ("identity", Activation::Identity),
    ("relu", Activation::Relu),
    ("sigmoid", Activation::Sigmoid),
    ("tanh", Activation::Tanh),
    ("softmax", Activation::Softmax),
];

fn check_activations<E: Element>(tolerance: f64) {
    let mut goldens = goldens()["activations"].take();
    for row in goldens["input"].as_array_mut().unwrap() {
        for x in row.as_array_mut().unwrap() {
            let value = x.as_f64().unwrap();
            if value != 0.0 && E::from_f64(value) == E::zero() {
                // A denormal f64 is 0 in f32; the least f32 behaves as it does.
                *x = E::min_positive_value().as_f64().copysign(value).into();
            }
        }
    }
    for (name, activation) in ACTIVATIONS {
        let tape = Tape::<E>::new();
        let x = tape.variable(tensor(&goldens["input"]));
        let y = activation.forward(x);
        assert_close(&y.value(), &goldens["cases"][name]["output"], tolerance, name);
        let gradient = y.backward_from(&tensor(&goldens["upstream"])).wrt(x);
        assert_close(&gradient, &goldens["cases"][name]["gradient"], tolerance, name);
    }
}

#[test]
fn activations_agree_at_ordinary_and_extreme_inputs() {
    check_activations::<f64>(1e-12);
    check_activations::<f32>(1e-5);
}

/// PyTorch takes class numbers; the same as rows with a one at each.
fn one_hot<E: Element>(classes: &Value, shape: Vec<usize>) -> Tensor<E> {
    let mut rows = Tensor::zeros(&shape);
    for (row, class) in classes.as_array().unwrap().iter().enumerate() {
        rows.as_mut_slice()[row * shape[1] + class.as_u64().unwrap() as usize] = E::one();
    }
    rows
}

fn check_losses<E: Element>(tolerance: f64) {
    let cases = [
        ("mse", Loss::MeanSquaredError),
        ("cross_entropy_logits_one_hot", Loss::CategoricalCrossEntropy),
        ("cross_entropy_logits_indices", Loss::CategoricalCrossEntropy),
        ("cross_entropy_extreme_logits_indices", Loss::CategoricalCrossEntropy),
        ("cross_entropy_logits_soft", Loss::CategoricalCrossEntropy),
        ("cross_entropy_extreme_logits_one_hot", Loss::CategoricalCrossEntropy),
        ("cross_entropy_probabilities_one_hot", Loss::CategoricalCrossEntropy),
        ("cross_entropy_probabilities_soft", Loss::CategoricalCrossEntropy),
    ];
    for (name, loss) in cases {
        let golden = &goldens()["losses"][name];
        let tape = Tape::<E>::new();
        let predictions = tape.variable(tensor(&golden["predictions"]));
        let targets = match &golden["targets"] {
            Value::Null => one_hot(&golden["indices"], predictions.shape()),
            targets => tensor(targets),
        };
        let value = loss.forward(predictions, tape.constant(targets));
        assert_close(&value.value(), &golden["value"], tolerance, name);
        assert_close(&value.backward().wrt(predictions), &golden["gradient"], tolerance, name);
    }
}

#[test]
fn losses_agree_with_their_gradients() {
    check_losses::<f64>(1e-12);
    check_losses::<f32>(1e-5);
}

fn check_dense<E: Element>(tolerance: f64) {
    let golden = &goldens()["dense"];
    for (name, activation) in ACTIVATIONS {
        let network = Sequential::new(4).add(Dense::new(3).activation(activation)).init::<E>(0).unwrap();
        let tape = Tape::<E>::new();
        let [x, weight, bias]: [Var<'_, E>; 3] = ["x", "weight", "bias"].map(|key| tape.variable(tensor(&golden[key])));
        let y = network.forward(&[weight, bias], x, &mut Pass::inference());
        let case = &golden["cases"][name];
        assert_close(&y.value(), &case["output"], tolerance, name);
        let gradients = y.backward_from(&tensor(&golden["upstream"]));
        for (variable, key) in [(x, "x_gradient"), (weight, "weight_gradient"), (bias, "bias_gradient")] {
            assert_close(&gradients.wrt(variable), &case[key], tolerance, &format!("{name} {key}"));
        }
    }
}

#[test]
fn dense_layers_agree_with_their_gradients() {
    check_dense::<f64>(1e-12);
    check_dense::<f32>(1e-5);
}

#[test]
fn penalties_agree_with_their_gradients() {
    let golden = &goldens()["penalties"];
    let weight: Tensor<f64> = tensor(&golden["weight"]);
    for name in ["l1", "l2", "l1l2"] {
        let case = &golden["cases"][name];
        let regularizer = Regularizer::l1_l2(case["l1"].as_f64().unwrap(), case["l2"].as_f64().unwrap());
        assert_close(&Tensor::scalar(regularizer.penalty(&weight)), &case["value"], 1e-12, name);
        assert_close(&regularizer.gradient(&weight), &case["gradient"], 1e-12, name);
        let mut gradient = Tensor::ones(weight.shape());
        assert!(regularizer.add_by_value(weight.as_slice(), gradient.as_mut_slice()), "{name}");
        assert_close(&(gradient - 1.0), &case["gradient"], 1e-12, name);
    }
}

/// Softmax at the end and cross-entropy from probabilities: taken apart they overflow, together they do not.
#[test]
fn logits_of_a_thousand_stay_finite_through_a_network() {
    let architecture = Sequential::new(3).add(Dense::new(3).activation(Activation::Softmax).without_bias());
    let state = [("layers.0.weight".to_owned(), Tensor::eye(3))].into();
    let network = Network::<f32>::from_state(architecture, state).unwrap();
    let golden = &goldens()["losses"]["cross_entropy_extreme_logits_one_hot"];
    let tape = Tape::new();
    let x = tape.variable(tensor(&golden["predictions"]));
    let logits = network.forward_before_activation(&network.variables(&tape), x, &mut Pass::inference());
    let loss = Loss::CategoricalCrossEntropy.forward(logits, tape.constant(tensor(&golden["targets"])));
    assert_close(&loss.value(), &golden["value"], 1e-6, "loss");
    assert_close(&loss.backward().wrt(x), &golden["gradient"], 1e-6, "gradient");
}
