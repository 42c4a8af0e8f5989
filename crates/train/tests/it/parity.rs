//! Three hundred steps on Iris against PyTorch, from the same weights and in the same batch order
//! (`goldens/parity.py` wrote `goldens/parity.json`).

use std::collections::BTreeMap;

use mlp_nn::{Activation, Dense, Loss, Sequential};
use mlp_optim::{Adam, Optimizer, RmsProp, Sgd};
use mlp_tensor::{Element, Tensor};
use mlp_train::ModelBuilder;
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn whole_numbers(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|v| v as usize).collect()
}

fn state<E: Element>(value: &Value) -> BTreeMap<String, Tensor<E>> {
    let shapes: [(&str, &[usize]); 4] = [
        ("layers.0.weight", &[4, 10]),
        ("layers.0.bias", &[10]),
        ("layers.1.weight", &[10, 3]),
        ("layers.1.bias", &[3]),
    ];
    let tensor = |name: &str, shape: &[usize]| {
        Tensor::from_vec(numbers(&value[name]).into_iter().map(E::from_f64).collect(), shape)
    };
    shapes.into_iter().map(|(name, shape)| (name.to_owned(), tensor(name, shape))).collect()
}

fn optimizer(run: &Value) -> Optimizer {
    let number = |key: &str| run[key].as_f64().unwrap();
    let lr = number("learning_rate");
    match run["optimizer"].as_str().unwrap() {
        "adam" => Adam::new(lr).into(),
        "sgd" => Sgd::new(lr).momentum(number("momentum")).nesterov(run["nesterov"].as_bool().unwrap()).into(),
        "rmsprop" => RmsProp::new(lr).alpha(number("alpha")).epsilon(number("eps")).into(),
        other => panic!("no optimizer {other}"),
    }
}

/// Follows one of PyTorch's runs and returns the largest relative difference between the losses.
fn follow<E: Element>(name: &str) -> f64 {
    let goldens: Value = serde_json::from_str(include_str!("../goldens/parity.json")).unwrap();
    let run = &goldens["runs"][name];
    let x: Tensor<E> = Tensor::from_vec(numbers(&goldens["x"]).into_iter().map(E::from_f64).collect(), [150, 4]);
    let classes = whole_numbers(&goldens["y"]);
    let losses = numbers(&run["losses"]);

    let network = Sequential::new(4)
        .add(Dense::new(10).activation(Activation::Relu))
        .add(Dense::new(3).activation(Activation::Softmax));
    let builder = ModelBuilder::<E>::new(network).optimizer(optimizer(run)).loss(Loss::CategoricalCrossEntropy);
    let mut model = builder.build().unwrap();
    model.load_state(state(&goldens["initial"])).unwrap();

    let (mut step, mut worst) = (0, 0.0f64);
    for order in goldens["epochs_order"].as_array().unwrap() {
        for batch in whole_numbers(order).chunks(32) {
            let targets: Vec<usize> = batch.iter().map(|&row| classes[row]).collect();
            let loss = model.train_on_batch(&x.select_rows(batch), &targets).unwrap();
            worst = worst.max((loss - losses[step]).abs() / losses[step]);
            step += 1;
        }
    }
    assert_eq!((step, losses.len()), (300, 300));
    if !run["final"].is_null() {
        for (name, expected) in state::<f64>(&run["final"]) {
            let found = model.network().state()[&name].cast::<f64>();
            let difference = (found - expected).abs().max();
            assert!(difference < 1e-10, "{name}: off by {difference:e}");
        }
    }
    println!("{name}: losses within {worst:.1e}");
    worst
}

#[test]
fn adam_follows_pytorch() {
    assert!(follow::<f32>("adam_f32") < 1e-5);
    assert!(follow::<f64>("adam_f64") < 1e-10);
}

#[test]
fn sgd_follows_pytorch() {
    assert!(follow::<f32>("sgd_momentum_f32") < 1e-5);
    assert!(follow::<f64>("sgd_momentum_f64") < 1e-10);
    assert!(follow::<f64>("sgd_nesterov_f64") < 1e-10);
    assert!(follow::<f64>("gradient_descent_f64") < 1e-10);
}

#[test]
fn rmsprop_follows_pytorch() {
    assert!(follow::<f64>("rmsprop_f64") < 1e-10);
}
