//! Twelve steps of every optimizer against PyTorch (`goldens/optimizers.py` wrote `goldens/optimizers.json`).

use mlp_nn::{Dense, Network, Sequential};
use mlp_optim::{Adam, Optimizer, OptimizerState, RmsProp, Sgd};
use mlp_tensor::{Element, Tensor};
use serde_json::Value;

fn optimizer(config: &Value) -> Optimizer {
    let number = |key: &str| config[key].as_f64().unwrap();
    let lr = number("learning_rate");
    match config["optimizer"].as_str().unwrap() {
        "sgd" => Sgd::new(lr).momentum(number("momentum")).nesterov(config["nesterov"].as_bool().unwrap()).into(),
        "adam" => {
            let beta = |i: usize| config["betas"][i].as_f64().unwrap();
            Adam::new(lr).betas(beta(0), beta(1)).epsilon(number("eps")).into()
        }
        "rmsprop" => RmsProp::new(lr).alpha(number("alpha")).epsilon(number("eps")).into(),
        other => panic!("no optimizer {other}"),
    }
}

fn row<E: Element>(value: &Value) -> Tensor<E> {
    let values = value.as_array().unwrap().iter().map(|v| E::from_f64(v.as_f64().unwrap()));
    Tensor::from_vec(values.collect(), [6, 1])
}

fn check<E: Element>(tolerance: f64) {
    let goldens: Value = serde_json::from_str(include_str!("goldens/optimizers.json")).unwrap();
    let cases = goldens["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let optimizer = optimizer(&case["config"]);
        optimizer.check::<E>().unwrap();
        let mut network: Network<E> = Sequential::new(6).add(Dense::new(1).without_bias()).init(0).unwrap();
        network.parameters_mut().next().unwrap().set_value(row(&goldens["start"]));
        let mut state = OptimizerState::new(&optimizer, network.parameters());
        for (step, gradient) in goldens["gradients"].as_array().unwrap().iter().enumerate() {
            optimizer.step(&mut state, &mut network, &[row(gradient)]);
            let expected: Tensor<f64> = row(&case["parameters"][step]);
            let difference = (network.parameters()[0].value().cast::<f64>() - expected).abs().max();
            assert!(difference <= tolerance, "{name}, step {step}: off by {difference:e}");
        }
        assert_eq!(state.steps(), 12);
    }
}

#[test]
fn every_optimizer_agrees_with_pytorch() {
    check::<f64>(1e-14);
    check::<f32>(1e-6);
}

/// PyTorch counts the steps of every parameter by itself, so one that is trained late goes the way that it would have gone
/// from the start; one that is frozen in between goes on where it was.
#[test]
fn a_parameter_that_was_frozen_goes_pytorchs_way_from_its_own_first_step() {
    let goldens: Value = serde_json::from_str(include_str!("goldens/optimizers.json")).unwrap();
    for case in goldens["cases"].as_array().unwrap() {
        let optimizer = optimizer(&case["config"]);
        let architecture = Sequential::new(6).add(Dense::new(1).without_bias()).add(Dense::new(1).without_bias());
        let mut network: Network<f64> = architecture.init(0).unwrap();
        network.parameters_mut().next().unwrap().set_value(row(&goldens["start"]));
        network.freeze("layers.0.*").unwrap();
        let mut state = OptimizerState::new(&optimizer, network.parameters());
        let mut step = |network: &mut Network<f64>, gradient: Tensor<f64>| {
            optimizer.step(&mut state, network, &[gradient, Tensor::ones([1, 1])]);
        };
        for _ in 0..50 {
            step(&mut network, Tensor::ones([6, 1]));
        }
        for (number, gradient) in goldens["gradients"].as_array().unwrap().iter().enumerate() {
            network.unfreeze("layers.0.*").unwrap();
            step(&mut network, row(gradient));
            let difference = (network.parameters()[0].value() - row(&case["parameters"][number])).abs().max();
            assert!(difference <= 1e-14, "{}, step {number}: off by {difference:e}", case["name"]);
            network.freeze("layers.0.*").unwrap();
            step(&mut network, Tensor::ones([6, 1]));
        }
        assert_eq!((state.steps(), state.slots()[0].steps, state.slots()[1].steps), (74, 12, 74));
    }
}

#[test]
#[should_panic(
    expected = "update: 2 weights, 2 values of their gradient and slots of [2, 1] values do not belong together"
)]
fn slices_of_different_lengths_are_not_updated() {
    Optimizer::from(Adam::default()).update(1, &mut [1.0_f32; 2], &[1.0; 2], &mut [&mut [0.0; 2], &mut [0.0]]);
}

#[test]
fn a_part_of_a_parameter_is_updated_as_the_whole_is() {
    let optimizer = Optimizer::from(Adam::default());
    let gradient: Vec<f32> = (0..37u8).map(|i| f32::from(i) - 18.0).collect();
    let mut whole = (vec![1.0_f32; 37], vec![0.0; 37], vec![0.0; 37]);
    let mut parts = whole.clone();
    optimizer.update(1, &mut whole.0, &gradient, &mut [&mut whole.1, &mut whole.2]);
    for range in [0..5, 5..37] {
        let slots: &mut [&mut [f32]] = &mut [&mut parts.1[range.clone()], &mut parts.2[range.clone()]];
        optimizer.update(1, &mut parts.0[range.clone()], &gradient[range], slots);
    }
    assert_eq!(whole, parts);
}

#[test]
fn settings_out_of_range_are_named() {
    let message = |optimizer: Optimizer| optimizer.check::<f64>().unwrap_err().to_string();
    for lr in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        for optimizer in [Optimizer::from(Sgd::new(lr)), Adam::new(lr).into(), RmsProp::new(lr).into()] {
            let expected = format!("{}: learning rate is {lr}, but must be finite and above 0", optimizer.name());
            assert_eq!(message(optimizer), expected);
        }
    }
    assert!(message(Sgd::new(0.1).momentum(1.0).into()).contains("momentum is 1, but must be at least 0 and below 1"));
    assert!(message(Sgd::new(0.1).nesterov(true).into()).contains("above 0 with Nesterov's variant"));
    assert!(message(Adam::new(0.1).betas(0.9, 1.5).into()).contains("beta2 is 1.5"));
    assert!(message(Adam::new(0.1).epsilon(0.0).into()).contains("epsilon is 0"));
    assert!(message(RmsProp::new(0.1).alpha(-0.5).into()).contains("alpha is -0.5"));
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    let network: Network = Sequential::new(6).add(Dense::new(1).without_bias()).init(0).unwrap();
    let optimizer = Optimizer::from(Adam::default());
    let good = OptimizerState::new(&optimizer, network.parameters());
    let rebuild = |change: &dyn Fn(&mut Vec<mlp_optim::Slots>)| {
        let mut slots = good.slots().to_vec();
        change(&mut slots);
        OptimizerState::from_parts(&optimizer, network.parameters(), 5, slots)
    };
    assert_eq!(rebuild(&|_| ()).unwrap().steps(), 5);
    assert!(rebuild(&|slots| slots.clear()).is_err());
    assert!(rebuild(&|slots| slots[0].parameter = "layers.1.weight".to_owned()).is_err());
    assert!(rebuild(&|slots| slots[0].values.truncate(1)).is_err());
    let error = rebuild(&|slots| slots[0].steps = 6).unwrap_err().to_string();
    assert!(error.contains("at most the 5 steps that were taken in all, found 6 steps"), "{error}");
    let error = rebuild(&|slots| slots[0].values[1] = Tensor::zeros([1, 6])).unwrap_err().to_string();
    assert!(error.contains("layers.0.weight") && error.contains("[6, 1]") && error.contains("[1, 6]"), "{error}");
}
