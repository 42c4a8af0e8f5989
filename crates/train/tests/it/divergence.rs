//! Training that diverges: it is an error, and everything is as it was at the last good moment.

use mlp_nn::{Activation, BatchNorm, Dense, Dropout, Initializer, Loss, Network, Sequential};
use mlp_optim::{Adam, Sgd};
use mlp_tensor::{Rng, Tensor};
use mlp_train::{Callback, Diverged, Fit, Model, RunContext, TrainError};

fn diverged<T: std::fmt::Debug>(result: Result<T, TrainError>) -> Diverged {
    match result.unwrap_err() {
        TrainError::Diverged(diverged) => {
            assert_eq!(format!("{diverged:?}"), diverged.to_string());
            *diverged
        }
        other => panic!("{other}"),
    }
}

/// All that training changes: weights and buffers, slots, step size, counters.
fn everything(model: &Model) -> String {
    let network = model.network();
    let tensors: Vec<_> = network.state().into_iter().map(|(name, value)| (name, value.into_vec())).collect();
    let (rate, state) = (model.learning_rate(), model.optimizer_state());
    format!("{tensors:?} {state:?} {rate} {}", model.epochs())
}

fn line() -> (Tensor, Tensor) {
    (Tensor::from([[1.0], [2.0], [3.0]]), Tensor::from([2.0, 4.0, 6.0]))
}

fn model(learning_rate: f64) -> Model {
    let network = Sequential::new(1).add(BatchNorm::new()).add(Dense::new(3)).add(Dropout::new(0.1)).add(Dense::new(1));
    Model::builder(network)
        .optimizer(Sgd::new(learning_rate).momentum(0.5))
        .loss(Loss::MeanSquaredError)
        .build()
        .unwrap()
}

/// One step of 1e38 makes weights infinite while the loss before it was fine.
#[test]
fn infinite_weights_after_the_last_step_are_an_error() {
    let (x, y) = line();
    let network = Sequential::new(1).add(Dense::new(1));
    let build =
        || Model::builder(network.clone()).optimizer(Sgd::new(1e38)).loss(Loss::MeanSquaredError).build().unwrap();
    let mut fitted = build();
    let before = everything(&fitted);
    let error = diverged(fitted.fit(&x, &(&y * 100.0), &Fit::new()));
    assert!(error.what.starts_with("layers.0.") && !error.value.is_finite(), "{error}");
    assert_eq!((error.epoch, error.step, error.history.epochs.len()), (Some(1), Some(1), 0));
    assert!(error.to_string().contains(" in epoch 1, step 1;"), "{error}");
    assert_eq!(everything(&fitted), before);

    let mut batch = build();
    let error = diverged(batch.train_on_batch(&x, &(&y * 100.0)));
    assert!(error.what.starts_with("layers.0."), "{error}");
    // There is no epoch.
    assert_eq!((error.epoch, error.step), (None, None));
    assert!(!error.to_string().contains("epoch"), "{error}");
    assert_eq!(everything(&batch), before);
    assert!(batch.network().parameters().iter().all(|p| p.value().all_finite()));
}

#[test]
fn everything_goes_back_to_the_end_of_the_last_good_epoch() {
    let (x, y) = line();
    let mut model = model(0.7);
    let mut run = model.run(&x, &y, &Fit::new().epochs(10_000).batch_size(2)).unwrap();
    let mut after = vec![everything(run.model())];
    let error = loop {
        match run.next_epoch() {
            Ok(Some(_)) => after.push(everything(run.model())),
            Ok(None) => panic!("it did not diverge"),
            Err(error) => break diverged::<()>(Err(error)),
        }
    };
    drop(run);
    // If the first loss of an epoch is none, the epoch before was not good either.
    let good = error.history.epochs.len();
    let (epoch, step) = (error.epoch.unwrap(), error.step.unwrap());
    assert_eq!(good, if step == 1 { epoch - 2 } else { epoch - 1 });
    assert!(good > 0 && after.len() == epoch, "{good} good, {} in all, {error:?}", after.len());
    assert_eq!(everything(&model), after[good]);
    assert!(error.to_string().contains("lower the learning rate"), "{error}");

    // And training can go on, with a lower rate.
    model.set_learning_rate(1e-6).unwrap();
    model.fit(&x, &y, &Fit::new().epochs(2)).unwrap();
}

#[test]
fn a_validation_loss_that_is_no_number_counts() {
    let (x, y) = line();
    let network = Sequential::new(1).add(Dense::new(1));
    let mut model = Model::builder(network).optimizer(Adam::new(0.1)).loss(Loss::MeanSquaredError).build().unwrap();
    let before = everything(&model);
    let huge = Tensor::from([[3e38]]);
    let error = diverged(model.fit(&x, &y, &Fit::new().validation_data(&huge, Tensor::from([-3e38]))));
    assert_eq!(error.what, "the validation loss");
    assert_eq!(everything(&model), before);
}

#[test]
fn the_step_that_diverged_is_named() {
    let x = Tensor::from([[1.0], [1.0], [1e25], [1.0]]);
    let y = Tensor::from([1.0, 1.0, 1.0, 1.0]);
    let network = Sequential::new(1).add(Dense::new(1));
    let mut model = Model::builder(network).optimizer(Sgd::new(0.01)).loss(Loss::MeanSquaredError).build().unwrap();
    let error = diverged(model.fit(&x, &y, &Fit::new().batch_size(1).shuffle(false)));
    assert_eq!((error.what.as_str(), error.epoch, error.step), ("the loss", Some(1), Some(3)));
}

#[test]
fn settings_are_checked_in_the_type_in_which_they_are_used() {
    let network = || Sequential::new(1).add(Dense::new(1));
    let message = |optimizer: mlp_optim::Optimizer| {
        let built = Model::builder(network()).optimizer(optimizer).loss(Loss::MeanSquaredError).build();
        built.unwrap_err().to_string()
    };
    let error = message(Adam::new(0.1).epsilon(1e-50).into());
    assert_eq!(error, "Adam: epsilon is 1e-50, but must be finite and above 0 also as f32, which makes it 0");
    assert!(message(Sgd::new(1e39).into()).contains("also as f32, which makes it inf"));
    let double = mlp_train::ModelBuilder::<f64>::new(network()).optimizer(Adam::new(0.1).epsilon(1e-50));
    assert!(double.loss(Loss::MeanSquaredError).build().is_ok());
    let mut model = model(0.1);
    assert!(model.set_learning_rate(1e39).is_err());
    assert_eq!(model.learning_rate(), 0.1);
}

#[test]
fn epochs_without_end_do_not_overflow() {
    let (x, y) = line();
    let mut model = model(0.01);
    let mut run = model.run(&x, &y, &Fit::new().epochs(usize::MAX)).unwrap();
    for _ in 0..3 {
        assert!(run.next_epoch().unwrap().is_some());
    }
    run.stop();
    assert_eq!(run.next_epoch().unwrap(), None);
    assert_eq!(run.history().epochs.len(), 3);
}

#[test]
fn a_clone_is_a_model_of_its_own() {
    let (x, y) = line();
    let mut model = model(0.01);
    let before = everything(&model);
    let mut other = model.clone();
    assert_eq!(everything(&other), before);
    let a = other.fit(&x, &y, &Fit::new().epochs(3)).unwrap();
    assert_eq!(everything(&model), before);
    assert_eq!(model.fit(&x, &y, &Fit::new().epochs(3)).unwrap(), a);
    assert_eq!(everything(&other), everything(&model));
}

#[test]
fn weights_are_read_and_replaced_by_name() {
    let mut model = model(0.01);
    let weight = Tensor::uniform([1, 3], -1.0, 1.0, &mut Rng::new(3));
    model.set_weight("layers.1.weight", weight.clone()).unwrap();
    assert!(model.weight("layers.1.weight").unwrap().bit_eq(&weight));
    let message = model.set_weight("layers.1.weight", Tensor::zeros([3, 1])).unwrap_err().to_string();
    assert!(message.contains("layers.1.weight has shape [3, 1] where the network has [1, 3]"), "{message}");
    let message = model.weight("layers.9.weight").unwrap_err().to_string();
    assert!(message.contains("\"layers.9.weight\"") && message.contains("layers.3.bias"), "{message}");
    let _: &Network = model.network();
}

#[test]
fn a_fit_that_is_asked_to_names_the_layer_and_the_operation() {
    let x = Tensor::from([[1.0], [1e20]]);
    let y = Tensor::from([1.0, 1.0]);
    let layer = || Dense::new(2).initializer(mlp_nn::Initializer::Ones);
    let network = Sequential::new(1).add(layer()).add(layer().activation(mlp_nn::Activation::Tanh)).add(Dense::new(1));
    let hidden = Sequential::new(1).add(layer()).add(mlp_nn::Activation::Softmax).add(Dense::new(1));
    let build = |network: Sequential| Model::builder(network).loss(Loss::MeanSquaredError).build().unwrap();
    let fit = Fit::new().detect_anomalies(true);
    // tanh and softmax take any number; the square of one does not.
    assert!(build(network.clone()).fit(&x, &y, &fit).is_ok() && build(hidden).fit(&x, &y, &fit).is_ok());
    let squares = Sequential::new(1).add(layer()).add(Dense::new(1));
    let error = diverged(build(squares.clone()).fit(&x, &y, &fit));
    let anomaly = error.anomaly.as_ref().unwrap();
    assert_eq!((anomaly.op, anomaly.value), ("mul", f64::INFINITY));
    assert!(error.to_string().contains("the first cause was this: mul"), "{error}");
    assert_eq!(diverged(build(squares).fit(&x, &y, &Fit::new())).anomaly, None);
    // Overflow within a layer names it.
    let overflow = Sequential::new(1).add(layer()).add(layer()).add(layer());
    let mut model = build(overflow.add(Dense::new(1)));
    model.set_weight("layers.1.weight", Tensor::full([2, 2], 1e30)).unwrap();
    let error = diverged(model.fit(&x, &y, &fit));
    assert!(error.to_string().contains("linear in layers.1 (Dense)"), "{error}");
}

/// Three steps of one row: the second and third are of 0, the first is not known to be bad before the end.
#[test]
fn the_last_step_of_an_epoch_is_named_for_what_is_found_at_its_end() {
    let (x, y) = (Tensor::from([[0.0], [0.0], [1.0]]), Tensor::from([0.0, 0.0, 1e2]));
    let network = Sequential::new(1).add(Dense::new(1).without_bias());
    let mut model = Model::builder(network).optimizer(Sgd::new(1e38)).loss(Loss::MeanSquaredError).build().unwrap();
    let error = diverged(model.fit(&x, &y, &Fit::new().batch_size(1).shuffle(false)));
    assert_eq!((error.what.as_str(), error.epoch, error.step), ("layers.0.weight", Some(1), Some(3)));
    assert!(error.to_string().contains(" in epoch 1, step 3;"), "{error}");
}

/// Ends the run after its first step.
#[derive(Clone, Debug)]
struct StopAtOnce;

impl Callback for StopAtOnce {
    fn name(&self) -> &str {
        "stop at once"
    }
    fn on_step_end(&mut self, context: &mut RunContext<'_>) -> Result<(), TrainError> {
        context.stop();
        Ok(())
    }
}

#[test]
fn infinite_weights_are_an_error_also_where_a_run_is_stopped_within_an_epoch() {
    let (x, y) = line();
    let y = &y * 100.0;
    let build = || {
        let network = Sequential::new(1).add(Dense::new(1));
        Model::builder(network).optimizer(Sgd::new(1e38)).loss(Loss::MeanSquaredError).build().unwrap()
    };
    let fit = Fit::new().batch_size(1);
    let mut stopped = build();
    let before = everything(&stopped);
    let error = diverged(stopped.fit(&x, &y, &fit.clone().callback(StopAtOnce)));
    assert_eq!((error.epoch, error.step), (Some(1), Some(1)));
    assert!(error.what.starts_with("layers.0."), "{error}");
    assert_eq!(everything(&stopped), before);

    let mut pulled = build();
    let mut run = pulled.run(&x, &y, &fit).unwrap();
    run.next_step().unwrap();
    run.stop();
    assert!(diverged(run.next_step()).what.starts_with("layers.0."));
    assert_eq!(everything(&pulled), before);
}

/// The square of a gradient of 2e19 is infinite in single precision: Adam would divide by it in every step to come, and the
/// weight never move again.
#[test]
fn an_infinite_memory_of_the_optimizer_is_an_error() {
    let (x, y) = (Tensor::from([[1.0]]), Tensor::from([1e19]));
    let network = Sequential::new(1).add(Dense::new(1).without_bias().initializer(Initializer::Zeros));
    let mut model = Model::builder(network).optimizer(Adam::new(0.1)).loss(Loss::MeanSquaredError).build().unwrap();
    let before = everything(&model);
    for error in [diverged(model.fit(&x, &y, &Fit::new())), diverged(model.train_on_batch(&x, &y))] {
        assert_eq!(error.what, "the optimizer's v of layers.0.weight");
        assert_eq!(error.value, f64::INFINITY);
        assert_eq!(everything(&model), before);
    }
}

#[test]
fn a_batch_that_diverges_takes_statistics_and_momentum_back() {
    let (x, y) = line();
    let mut model = model(0.01);
    model.train_on_batch(&x, &y).unwrap();
    let before = everything(&model);
    model.set_learning_rate(1e38).unwrap();
    diverged(model.train_on_batch(&x, &(&y * 100.0)));
    model.set_learning_rate(0.01).unwrap();
    assert_eq!(everything(&model), before);
}

#[test]
fn the_last_activation_and_the_loss_are_named_as_layers_are() {
    let (x, y) = (Tensor::from([[1.0]]), Tensor::from([1.0]));
    let build = |activation: Activation, weight: f32| {
        let layer = Dense::new(1).without_bias().initializer(Initializer::Ones).activation(activation);
        let network = Sequential::new(1).add_named("head", layer);
        let mut model =
            Model::builder(network).optimizer(Sgd::new(1e-30)).loss(Loss::MeanSquaredError).build().unwrap();
        model.set_weight("head.weight", Tensor::from([[weight]])).unwrap();
        model
    };
    let fit = Fit::new().detect_anomalies(true);
    // ln(1 + e^(x / 1e40)) · 1e40 is ln 2 · 1e40.
    let sharp = || Activation::Softplus { beta: 1e-40 };
    let error = diverged(build(sharp(), 1.0).fit(&x, &y, &fit)).to_string();
    assert!(error.contains("softplus in head (Dense) gave inf"), "{error}");
    // The square of 1e30.
    let error = diverged(build(Activation::Identity, 1e30).fit(&x, &y, &fit)).to_string();
    assert!(error.contains("mul in loss (mean squared error) gave inf"), "{error}");
}

#[test]
fn weights_that_were_lost_before_training_are_said_to_be() {
    let (x, y) = line();
    let saved = model(0.01).to_saved();
    let mut bad = saved.clone();
    let shape = bad.network.parameters()[0].value().shape().to_vec();
    bad.network.parameters_mut().next().unwrap().set_value(Tensor::full(shape, f32::NAN));
    let mut model = Model::from_saved(bad, &mlp_registry::Registry::new()).unwrap();
    let expected = "layers.0.weight is NaN before training; set finite weights";
    for message in
        [model.fit(&x, &y, &Fit::new()).unwrap_err().to_string(), model.train_on_batch(&x, &y).unwrap_err().to_string()]
    {
        assert!(message.starts_with(expected), "{message}");
    }
}
