//! Every layer there is, trained: on any number of threads to the same bits, and through a file.

#[path = "../../../nn/tests/common/layers.rs"]
mod common;

use common::{Case, cases, kinds, registry};
use mlp_io::{Inspection, SavedModel};
use mlp_nn::{Activation, Constraint, Dense, Flatten, Layer, Loss, NnError, Regularizer, Sequential};
use mlp_optim::Adam;
use mlp_registry::{Registry, SettingsError};
use mlp_tensor::{Rng, Tensor};
use mlp_train::{Fit, Model, ModelBuilder, TrainError};
use rayon::ThreadPoolBuilder;

/// Enough rows and weights for several shards on several threads.
const ROWS: usize = 300;

/// The layer in front of enough weights to be worth a fork.
fn model(case: &Case) -> Model {
    let network = case
        .network()
        .add(Flatten::new())
        .add(Dense::new(600).activation(Activation::Tanh).constraint(Constraint::MaxNorm { max: 0.8 }))
        .add(Dense::new(6).activation(Activation::Tanh).regularizer(Regularizer::l2(1e-4)))
        .add(Dense::new(1));
    let builder = Model::builder(network).optimizer(Adam::new(0.003)).loss(Loss::MeanSquaredError).seed(11);
    let mut model = builder.build().unwrap();
    model.freeze("layers.3.weight").unwrap();
    model
}

fn data(case: &Case) -> (Tensor, Tensor) {
    (case.input(ROWS, 5), Tensor::normal([ROWS, 1], 0.0, 1.0, &mut Rng::new(6)))
}

fn assert_same(a: &Model, b: &Model, x: &Tensor, what: &str) {
    let (left, right) = (a.network().state(), b.network().state());
    assert!(left.keys().eq(right.keys()), "{what}");
    for (name, tensor) in &left {
        assert!(tensor.bit_eq(&right[name]), "{what}: {name}");
    }
    assert!(a.predict(x).unwrap().bit_eq(&b.predict(x).unwrap()), "{what}");
}

#[test]
fn the_table_holds_every_kind_of_layer() {
    let (in_table, all) = kinds();
    assert_eq!(in_table, all);
}

#[test]
fn every_layer_trains_to_the_same_bits_on_any_number_of_threads() {
    for case in cases() {
        let (x, y) = data(&case);
        let train = |threads: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut model = model(&case);
            let history = pool.install(|| model.fit(&x, &y, &Fit::new().epochs(2).batch_size(280))).unwrap();
            (model, history)
        };
        let (one, history) = train(1);
        assert!(history.epochs[1].training.loss.is_finite(), "{}", case.name);
        for threads in [2, 3, 4] {
            let (many, same) = train(threads);
            assert_eq!(same, history, "{}, {threads} threads", case.name);
            assert_same(&one, &many, &x, &format!("{}, {threads} threads", case.name));
        }
    }
}

#[test]
fn every_layer_is_saved_and_loaded_and_goes_on_to_the_same_bits() {
    let registry = registry();
    for case in cases() {
        let (x, y) = data(&case);
        let fit = Fit::new().batch_size(100);
        let mut model = model(&case);
        model.fit(&x, &y, &fit).unwrap();
        let bytes = model.to_saved().to_bytes().unwrap();
        let saved = SavedModel::<f32>::from_bytes_with(&bytes, &registry).unwrap();
        assert_eq!(saved.to_bytes().unwrap(), bytes, "{}", case.name);
        let mut loaded = Model::from_saved(saved, &registry).unwrap();
        assert_eq!(loaded.network().architecture(), model.network().architecture(), "{}", case.name);
        assert_eq!(loaded.network().frozen(), ["layers.3.weight"], "{}", case.name);
        assert_same(&model, &loaded, &x, case.name);
        let (went_on, resumed) = (model.fit(&x, &y, &fit).unwrap(), loaded.fit(&x, &y, &fit).unwrap());
        assert_eq!(went_on, resumed, "{}", case.name);
        assert_same(&model, &loaded, &x, case.name);
        let listing = Inspection::from_bytes_with(&bytes, &registry).unwrap().to_string();
        let frozen: Vec<&str> = listing.lines().filter(|line| line.ends_with("  frozen")).collect();
        assert!(frozen.len() == 1 && frozen[0].trim_start().starts_with("layers.3.weight "), "{listing}");
    }
}

#[test]
fn a_layer_that_no_registry_knows_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.mlp");
    let case = cases().into_iter().find(|case| case.name == "custom").unwrap();
    model(&case).save(&path).unwrap();
    let message = |error: TrainError| error.to_string();
    let unknown = message(Model::load(&path).unwrap_err());
    for part in ["layers.0 (Sine): the layer \"Sine\"", "Registry::new().register::<Layer>(\"Sine\", ..)"] {
        assert!(unknown.contains(part), "{unknown}");
    }
    assert!(Model::<f32>::load_with(&path, &registry()).is_ok());
    let refusing = Registry::new().register::<Layer>("Sine", |_| Err(SettingsError::refused("not today")));
    let refused = message(Model::<f32>::load_with(&path, &refusing).unwrap_err());
    assert!(refused.ends_with("the layer \"Sine\" cannot be made from its settings: not today"), "{refused}");
    let other = Registry::new().register::<Layer>("Sine", |_| Ok(common::Sine { frequency: 2.0 }.into()));
    let other = message(Model::<f32>::load_with(&path, &other).unwrap_err());
    assert!(other.contains("frequency 2") && other.contains("frequency 1.5"), "{other}");
}

/// A step with a constraint and a frozen weight, by hand: w = 2 and v = 3 (frozen), y = v · w · x.
///
/// For x = 1 and target 5: y = 6, dw = 2 · (6 - 5) · 3 = 6, and with a step size of 0.5 w becomes -1; not below 0: 0. The
/// loss is (6 - 5)², without the penalty on v, which is 4.5 where v is trained.
#[test]
fn a_step_with_a_constraint_and_a_frozen_weight_by_hand() {
    let dense = || Dense::new(1).without_bias();
    let network = Sequential::new(1)
        .add(dense().constraint(Constraint::NonNegative))
        .add(dense().regularizer(Regularizer::l2(0.5)));
    let mut network = network.init::<f64>(0).unwrap();
    for (mut parameter, value) in network.parameters_mut().zip([2.0, 3.0]) {
        parameter.set_value(Tensor::from([[value]]));
    }
    network.freeze("layers.1.weight").unwrap();
    let optimizer = mlp_optim::Sgd::new(0.5);
    let mut model = ModelBuilder::new(network).optimizer(optimizer).loss(Loss::MeanSquaredError).build().unwrap();
    let (x, y) = (Tensor::from([[1.0]]), Tensor::from([5.0]));
    assert_eq!(model.evaluate(&x, &y).unwrap().loss, 1.0);
    assert_eq!(model.clone().train_on_batch(&x, &y).unwrap(), 1.0);
    let mut trained = model.clone();
    trained.unfreeze("*").unwrap();
    assert_eq!(trained.evaluate(&x, &y).unwrap().loss, 5.5);
    assert_eq!(trained.train_on_batch(&x, &y).unwrap(), 5.5);
    assert_eq!(model.train_on_batch(&x, &y).unwrap(), 1.0);
    let values: Vec<f64> = model.network().parameters().iter().map(|p| p.value().item()).collect();
    assert_eq!(values, [0.0, 3.0]);
}

#[test]
fn a_model_knows_its_weights_by_the_names_of_layers_also_in_a_file() {
    let network = Sequential::new(2).add_named("hidden", Dense::new(4).activation(Activation::Tanh)).add(Dense::new(1));
    let mut model = Model::builder(network).loss(Loss::MeanSquaredError).build().unwrap();
    assert_eq!(model.weight("hidden.weight").unwrap().shape(), [2, 4]);
    assert_eq!(model.freeze("hidden.*").unwrap(), 2);
    let before = model.weight("hidden.weight").unwrap().clone();
    let (x, y) = (Tensor::normal([20, 2], 0.0, 1.0, &mut Rng::new(1)), Tensor::zeros([20, 1]));
    model.fit(&x, &y, &Fit::new().epochs(2)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("named.mlp");
    model.save(&path).unwrap();
    let loaded = Model::load(&path).unwrap();
    assert_eq!(loaded.weight("hidden.weight").unwrap(), &before);
    assert_eq!(loaded.network().frozen(), ["hidden.weight", "hidden.bias"]);
    assert!(loaded.predict(&x).unwrap().bit_eq(&model.predict(&x).unwrap()));
    assert!(loaded.summary().to_string().contains("hidden"));
}

/// Batch normalization sees whole batches: its running mean after one epoch of one batch is 0.1 times the mean of all rows.
#[test]
fn batch_statistics_are_those_of_the_whole_batch() {
    let case = cases().into_iter().find(|case| case.name == "batch_norm").unwrap();
    let (x, y) = data(&case);
    let mut model = model(&case);
    model.fit(&x, &y, &Fit::new().batch_size(ROWS).shuffle(false)).unwrap();
    let found = &model.network().state()["layers.0.running_mean"];
    let difference = (x.cast::<f64>().mean_axes(&[0], false) * 0.1 - found.cast::<f64>()).abs().max();
    assert!(difference < 1e-6, "{difference:e}");
}

#[test]
fn categories_from_outside_are_checked_wherever_rows_go_in() {
    let case = cases().into_iter().find(|case| case.name == "embedding").unwrap();
    let (mut x, y) = data(&case);
    let mut model = model(&case);
    x.as_mut_slice()[2 * 70 + 1] = 5.0;
    let expected = "layers.0 (Embedding): row 70, column 1 is 5, but must be a whole number from 0 to 4";
    let errors = [
        model.fit(&x, &y, &Fit::new()).map(drop).unwrap_err(),
        model.evaluate(&x, &y).map(drop).unwrap_err(),
        model.predict(&x).map(drop).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), expected);
        assert!(matches!(error, TrainError::Nn(NnError::Category { row: 70, column: 1, .. })));
    }
}

/// A layer that is trained late: saved before its first step, between its steps, or not at all, it gets the same bits; and
/// its first step of Adam is of the learning rate, as every first step is.
#[test]
fn a_layer_that_is_unfrozen_is_saved_and_goes_on_to_the_same_bits() {
    let network = Sequential::new(2).add(Dense::new(3).activation(Activation::Tanh)).add(Dense::new(1));
    let builder = ModelBuilder::<f64>::new(network).optimizer(Adam::new(0.01)).loss(Loss::MeanSquaredError);
    let mut model = builder.build().unwrap();
    let mut rng = Rng::new(6);
    let x = Tensor::normal([20, 2], 0.0, 1.0, &mut rng);
    let y = Tensor::normal([20, 1], 0.0, 1.0, &mut rng);
    let through_a_file = |model: &Model<f64>| {
        let saved = SavedModel::from_bytes(&model.to_saved().to_bytes().unwrap()).unwrap();
        Model::from_saved(saved, &Registry::new()).unwrap()
    };
    model.freeze("layers.0.*").unwrap();
    model.fit(&x, &y, &Fit::new().epochs(60)).unwrap();
    let mut other = through_a_file(&model);
    for model in [&mut model, &mut other] {
        model.unfreeze("layers.0.*").unwrap();
    }
    other = through_a_file(&other);
    let before = model.weight("layers.0.weight").unwrap().clone();
    for step in 0..3 {
        model.train_on_batch(&x, &y).unwrap();
        other.train_on_batch(&x, &y).unwrap();
        if step == 0 {
            let change = (model.weight("layers.0.weight").unwrap() - &before).abs();
            // lr · |g| / (|g| + 1e-8)
            assert!(change.as_slice().iter().all(|c| (c - 0.01).abs() < 1e-5), "{change:?}");
        }
        for (name, tensor) in model.network().state() {
            assert!(tensor.bit_eq(other.weight(&name).unwrap()), "{name}");
        }
        other = through_a_file(&other);
        assert_eq!(other.optimizer_state(), model.optimizer_state());
    }
}

/// A name of 300 bytes is beyond the 256 that are let through by default.
#[test]
fn a_model_beyond_the_default_limits_is_saved_and_loaded_within_larger_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.mlp");
    let builder = Model::builder(Sequential::new(1).add(Dense::new(1))).loss(Loss::MeanSquaredError);
    let model = builder.feature_names(["x".repeat(300)]).build().unwrap();
    assert!(model.save(&path).is_err() && !path.exists());
    let mut limits = mlp_nn::Limits::default();
    limits.name = 300;
    model.save_with(&path, &limits).unwrap();
    assert!(Model::load(&path).is_err());
    let saved = SavedModel::load_with(&path, mlp_io::LoadOptions::new().limits(limits)).unwrap();
    let loaded = Model::<f32>::from_saved(saved, &Registry::new()).unwrap();
    assert_eq!(loaded.feature_names(), model.feature_names());
}
