//! What is saved comes back, bit for bit.

use mlp_data::StandardScaler;
use mlp_io::{IoError, SavedModel};
use mlp_nn::{Dense, Loss, Sequential};
use mlp_optim::{Adam, Optimizer, OptimizerState, RmsProp, Sgd};
use mlp_tensor::{Element, Tensor};

use rmpv::Value;

use crate::common::{at, bits, body, changed, file_of, full_model, network, problem, tiny_model, training};

fn round_trip<E: Element>(model: &SavedModel<E>) {
    let bytes = model.to_bytes().unwrap();
    let loaded = SavedModel::<E>::from_bytes(&bytes).unwrap();
    assert_eq!(loaded.network.architecture(), model.network.architecture());
    assert_eq!(bits(&loaded), bits(model));
    assert_eq!(loaded.scaler, model.scaler);
    assert_eq!(loaded.feature_names, model.feature_names);
    assert_eq!(loaded.output, model.output);
    let plan = |model: &SavedModel<E>| {
        let training = model.training.clone()?;
        let slots = training.state.slots().iter().map(|s| (s.parameter.clone(), s.values.len()));
        let names: Vec<_> = slots.collect();
        Some((training.optimizer, training.state.steps(), names, training.loss, training.metrics, training.seed))
    };
    assert_eq!(plan(&loaded), plan(model));
    assert_eq!(loaded.training.map(|t| t.epochs), model.training.as_ref().map(|t| t.epochs));
    // Saved again, it is the same file.
    assert_eq!(SavedModel::<E>::from_bytes(&bytes).unwrap().to_bytes().unwrap(), bytes);
}

fn every_part<E: Element>() {
    let full = full_model::<E>();
    round_trip(&full);
    round_trip(&changed(full.clone(), |model| model.training = None));
    round_trip(&changed(full.clone(), |model| model.scaler = None));
    round_trip(&changed(full, |model| {
        model.feature_names = Vec::new();
        model.output = model.output.clone().with_class_names([""; 0]);
    }));
    round_trip(&SavedModel::from(network::<E>()));
}

#[test]
fn models_with_and_without_every_part_come_back() {
    every_part::<f32>();
    every_part::<f64>();
    round_trip(&tiny_model());
}

#[test]
fn every_optimizer_and_loss_comes_back() {
    let optimizers = [
        Optimizer::from(Sgd::new(0.1)),
        Sgd::new(0.1).momentum(0.9).nesterov(true).into(),
        Adam::new(1e-300).betas(0.0, 0.999_999).epsilon(f64::MIN_POSITIVE).into(),
        RmsProp::new(0.1 + 0.2).into(),
    ];
    let losses = [Loss::MeanSquaredError, Loss::CategoricalCrossEntropy, Loss::BinaryFocal { gamma: 2.0, alpha: None }];
    for optimizer in optimizers {
        for loss in losses.clone() {
            let mut network = network::<f64>();
            let training = training(optimizer.clone(), &mut network);
            let training = changed(training, |training| {
                (training.loss, training.seed, training.epochs) = (loss, 0, u64::MAX);
                training.metrics.clear();
            });
            round_trip(&changed(SavedModel::from(network), |model| model.training = Some(training)));
        }
    }
}

#[test]
fn numbers_that_are_not_ordinary_keep_their_bits() {
    let nans = [f32::NAN, -f32::NAN, f32::from_bits(0x7f80_0001), f32::from_bits(0xffff_ffff)];
    let others = [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::from_bits(1), -f32::MIN_POSITIVE / 4.0, f32::MAX];
    let values: Vec<f32> = nans.into_iter().chain(others).collect();
    let mut network = Sequential::new(11).add(Dense::new(1).without_bias()).init(0).unwrap();
    network.parameters_mut().next().unwrap().set_value(Tensor::from_vec(values.clone(), [11, 1]));
    let bytes = SavedModel::from(network).to_bytes().unwrap();
    let loaded = SavedModel::<f32>::from_bytes(&bytes).unwrap();
    let found: Vec<u32> = loaded.network.parameters()[0].value().as_slice().iter().map(|v| v.to_bits()).collect();
    assert_eq!(found, values.iter().map(|v| v.to_bits()).collect::<Vec<_>>());

    let values = [f64::from_bits(0x7ff8_0000_dead_beef), -0.0, f64::from_bits(1), f64::MIN, f64::NEG_INFINITY];
    let mut network = Sequential::new(5).add(Dense::new(1).without_bias()).init(0).unwrap();
    network.parameters_mut().next().unwrap().set_value(Tensor::from_vec(values.to_vec(), [5, 1]));
    let loaded = SavedModel::<f64>::from_bytes(&SavedModel::from(network).to_bytes().unwrap()).unwrap();
    let found: Vec<u64> = loaded.network.parameters()[0].value().as_slice().iter().map(|v| v.to_bits()).collect();
    assert_eq!(found, values.map(f64::to_bits));
}

#[test]
fn many_layers_keep_their_order_although_names_are_sorted() {
    // By name, layers.10 comes before layers.2.
    let deep = (0..20).fold(Sequential::new(2), |network, i| network.add(Dense::new(i + 1)));
    let mut network = deep.init::<f32>(3).unwrap();
    let training = training(Adam::default().into(), &mut network);
    round_trip(&changed(SavedModel::from(network), |model| model.training = Some(training)));
}

#[test]
fn training_goes_on_to_the_same_bits() {
    let mut model = full_model::<f32>();
    let mut loaded = SavedModel::<f32>::from_bytes(&model.to_bytes().unwrap()).unwrap();
    for model in [&mut model, &mut loaded] {
        let gradients = model.network.parameters().iter().map(|p| Tensor::ones(p.value().shape()));
        let gradients: Vec<_> = gradients.collect();
        let training = model.training.as_mut().unwrap();
        training.optimizer.step(&mut training.state, &mut model.network, &gradients);
    }
    assert_eq!(bits(&loaded), bits(&model));
}

#[test]
fn a_model_that_could_not_be_read_again_is_not_written() {
    let message = |change: &dyn Fn(&mut SavedModel)| {
        let mut model = full_model();
        change(&mut model);
        let error = model.to_bytes().unwrap_err();
        assert!(matches!(error, IoError::Format { path: None, .. }), "{error:?}");
        error.to_string()
    };
    let found = message(&|model| model.training.as_mut().unwrap().optimizer = Adam::new(f64::NAN).into());
    assert_eq!(found, "Adam: learning rate is NaN, but must be finite and above 0");
    let found = message(&|model| model.training.as_mut().unwrap().optimizer = RmsProp::new(0.1).into());
    assert!(found.contains("layers.0.weight") && found.contains("[\"v\"]"), "{found}");
    let other = Sequential::new(3).add(Dense::new(1)).init::<f32>(0).unwrap();
    let state = OptimizerState::new(&Adam::default().into(), other.parameters());
    let found = message(&|model| model.training.as_mut().unwrap().state = state.clone());
    assert!(found.contains("slots of 3 parameters, found slots of 2"), "{found}");
    let narrow = StandardScaler::fit(&Tensor::<f32>::from([[1.0, 2.0], [3.0, 4.0]])).unwrap();
    let found = message(&|model| model.scaler = Some(narrow.clone()));
    assert_eq!(found, "the scaler is for 2 features, but the network takes 3; fit it on the network's input");
    let found = message(&|model| model.feature_names.truncate(2));
    assert_eq!(found, "there are 2 feature names, but the network needs 3, one each, or none");
    let found = message(&|model| model.output = model.output.clone().with_class_names(["no", "yes", "perhaps"]));
    assert!(found.contains("it has 2 classes, but 3 class names were given"), "{found}");
}

/// A weight that is frozen for a while takes fewer steps, and those are written; where all have taken as many as there
/// were, nothing is.
#[test]
fn the_steps_of_every_weight_come_back() {
    let mut model = full_model::<f32>();
    let optimizer = Optimizer::from(Adam::default());
    let mut network = model.network.clone();
    let gradients: Vec<Tensor> = network.parameters().iter().map(|p| Tensor::ones(p.value().shape())).collect();
    let mut state = OptimizerState::new(&optimizer, network.parameters());
    optimizer.step(&mut state, &mut network, &gradients);
    let written = |model: &SavedModel| {
        let Value::Map(entries) = at(&mut body(&model.to_bytes().unwrap()), "training").clone() else { panic!() };
        entries.into_iter().find(|(key, _)| key.as_str() == Some("weight_steps")).map(|(_, value)| value)
    };
    let training = |state: &OptimizerState| {
        let training = model.training.clone().unwrap();
        Some(changed(training, |training| (training.optimizer, training.state) = (optimizer.clone(), state.clone())))
    };
    let mut all = changed(model.clone(), |model| model.training = training(&state));
    assert_eq!(written(&all), None);
    network.freeze("layers.0.*").unwrap();
    optimizer.step(&mut state, &mut network, &gradients);
    all.training = training(&state);
    let steps: Vec<u64> = state.slots().iter().map(|slots| slots.steps).collect();
    assert!(steps.contains(&1) && steps.contains(&2), "{steps:?}");
    assert_eq!(written(&all), Some(Value::Array(steps.iter().map(|&steps| steps.into()).collect())));
    let bytes = all.to_bytes().unwrap();
    model = SavedModel::from_bytes(&bytes).unwrap();
    assert_eq!(model.training.as_ref().unwrap().state, state);
    assert_eq!(model.to_bytes().unwrap(), bytes);

    // What no writer would write is refused.
    let refused = |steps: Vec<u64>| {
        let mut body = body(&bytes);
        *at(&mut body, "training/weight_steps") = Value::Array(steps.into_iter().map(Value::from).collect());
        problem(&file_of(&body)).to_string()
    };
    let count = steps.len();
    assert!(refused(vec![]).contains("`weight_steps` are not one for each weight"));
    assert!(refused(vec![1; count + 1]).contains("`weight_steps` are not one for each weight"));
    assert!(refused(vec![2; count]).contains("all the same as `steps`"));
    assert!(refused(vec![3; count]).contains("at most the 2 steps that were taken in all, found 3 steps"));
    let mut nil = body(&bytes);
    *at(&mut nil, "training/weight_steps") = Value::Nil;
    assert!(SavedModel::<f32>::from_bytes(&file_of(&nil)).is_err());
}
