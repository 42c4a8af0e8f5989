//! What a fit does, against hand-worked examples and against a step written out on one tape.

use mlp_autograd::Tape;
use mlp_data::StandardScaler;
use mlp_nn::{Activation, Dense, Dropout, Initializer, Loss, Network, OutputFunction, Pass, Regularizer, Sequential};
use mlp_optim::{Adam, Optimizer, OptimizerState, Sgd};
use mlp_tensor::{Element, Rng, Tensor};
use mlp_train::{Fit, Metric, Model, ModelBuilder, TrainError};

/// A model without anything but what is named.
fn compile<E: Element>(
    network: Sequential,
    optimizer: impl Into<Optimizer>,
    loss: Loss,
    seed: u64,
) -> Result<Model<E>, TrainError> {
    ModelBuilder::new(network).optimizer(optimizer).loss(loss).seed(seed).build()
}

/// A model that always answers 0 and hardly learns, so that its losses tell which rows they were taken over.
fn zero() -> Model<f64> {
    let network = Sequential::new(1).add(Dense::new(1).initializer(Initializer::Zeros));
    compile(network, Sgd::new(1e-300), Loss::MeanSquaredError, 11).unwrap()
}

/// Row i has the target √2ⁱ: a loss times its number of rows is a sum of 2ⁱ, that is, a bit for every row.
fn bits() -> (Tensor<f64>, Tensor<f64>) {
    (Tensor::zeros([20, 1]), Tensor::from_vec((0..20).map(|i| 2f64.powi(i).sqrt()).collect(), [20, 1]))
}

fn rows_of(loss: f64, rows: f64) -> u32 {
    (loss * rows).round() as u32
}

#[test]
fn a_validation_split_sets_rows_aside_and_loses_none() {
    let (x, y) = bits();
    for shuffle in [true, false] {
        let fit = Fit::new().validation_split(0.25).shuffle(shuffle).epochs(2).batch_size(6);
        let history = zero().fit(&x, &y, &fit).unwrap();
        let validation = rows_of(history.last().validation.as_ref().unwrap().loss, 5.0);
        let training = rows_of(history.last().training.loss, 15.0);
        assert_eq!(validation.count_ones(), 5);
        assert_eq!(training & validation, 0);
        assert_eq!(training | validation, (1 << 20) - 1);
        // The last rows, as in Keras, where the order is kept.
        assert_eq!(validation == 0b11111 << 15, !shuffle);
        assert_eq!(history.validation_loss()[0], history.validation_loss()[1]);
    }
}

#[test]
fn the_order_is_kept_also_beside_a_validation_split() {
    let (x, y) = bits();
    let mut model = zero();
    let mut run = model.run(&x, &y, &Fit::new().validation_split(0.25).shuffle(false).epochs(2).batch_size(1)).unwrap();
    let mut rows = Vec::new();
    while let Some(step) = run.next_step().unwrap() {
        rows.push(rows_of(step.loss, 1.0).trailing_zeros());
    }
    assert_eq!(rows, (0..15).chain(0..15).collect::<Vec<_>>());
}

#[test]
fn every_row_is_trained_on_once_in_an_epoch() {
    let (x, y) = bits();
    for batch_size in [1, 3, 20, 1000] {
        let history = zero().fit(&x, &y, &Fit::new().batch_size(batch_size)).unwrap();
        assert_eq!(rows_of(history.last().training.loss, 20.0), (1 << 20) - 1, "batches of {batch_size}");
    }
}

#[test]
fn validation_data_is_measured_and_not_trained_on() {
    let (x, y) = bits();
    let (x2, y2) = (Tensor::zeros([2, 1]), Tensor::from([3.0, 4.0]));
    let history = zero().fit(&x, &y, &Fit::new().validation_data(&x2, &y2)).unwrap();
    assert_eq!(history.last().validation.as_ref().unwrap().loss, 12.5);
    assert_eq!(rows_of(history.last().training.loss, 20.0), (1 << 20) - 1);
}

/// w = 0.5, b = 0, x = 2, y = 3: the output is 1, the loss 4 and the penalty 0.1 · 0.5 + 0.2 · 0.25 = 0.1.
/// dw = 2 · (1 - 3) · 2 + 0.1 + 2 · 0.2 · 0.5 = -7.7 and db = -4; with a step size of 0.1, w = 1.27 and b = 0.4.
#[test]
fn one_step_by_hand() {
    let layer = Dense::new(1).regularizer(Regularizer::l1_l2(0.1, 0.2));
    let state =
        [("layers.0.weight".to_owned(), Tensor::from([[0.5_f64]])), ("layers.0.bias".to_owned(), Tensor::from([0.0]))];
    let network = Network::from_state(Sequential::new(1).add(layer), state.into()).unwrap();
    let mut model = ModelBuilder::new(network).optimizer(Sgd::new(0.1)).loss(Loss::MeanSquaredError).build().unwrap();
    let (x, y) = (Tensor::from([[2.0]]), Tensor::from([3.0]));
    assert!((model.evaluate(&x, &y).unwrap().loss - 4.1).abs() < 1e-12);
    assert!((model.train_on_batch(&x, &y).unwrap() - 4.1).abs() < 1e-12);
    let parameters = model.network().parameters();
    assert!((parameters[0].value().item() - 1.27).abs() < 1e-12);
    assert!((parameters[1].value().item() - 0.4).abs() < 1e-12);
}

/// A batch that is cut into shards and updated in blocks takes the step that one tape takes with the whole batch.
#[test]
fn a_step_in_parts_is_the_step_of_the_whole() {
    let architecture = Sequential::new(300)
        .add(Dense::new(400).activation(Activation::Tanh))
        .add(Dense::new(30).activation(Activation::Relu).without_bias())
        .add(Dense::new(4).activation(Activation::Softmax));
    let mut rng = Rng::new(2);
    let x = Tensor::<f64>::normal([333, 300], 0.0, 1.0, &mut rng);
    let y = mlp_data::one_hot(&(0..333).map(|row| row % 4).collect::<Vec<_>>(), 4).unwrap();
    let mut model = compile(architecture, Adam::new(0.01), Loss::CategoricalCrossEntropy, 3).unwrap();

    let mut network = model.network().clone();
    let optimizer = Optimizer::from(Adam::new(0.01));
    let mut state = OptimizerState::new(&optimizer, network.parameters());
    for _ in 0..3 {
        let tape = Tape::new();
        let variables = network.variables(&tape);
        let logits = network.forward_before_activation(&variables, tape.constant(x.clone()), &mut Pass::inference());
        let loss = Loss::CategoricalCrossEntropy.forward(logits, tape.constant(y.clone()));
        let gradients = loss.backward();
        let gradients: Vec<_> = variables.iter().map(|&variable| gradients.wrt(variable)).collect();
        let whole = loss.value().item();
        optimizer.step(&mut state, &mut network, &gradients);

        let parts = model.train_on_batch(&x, &y).unwrap();
        assert!((parts - whole).abs() < 1e-12 * whole, "{parts} {whole}");
    }
    for (name, tensor) in model.network().state() {
        let difference = (&tensor - &network.state()[&name]).abs().max();
        assert!(difference < 1e-10, "{name}: {difference:e}");
    }
}

#[test]
fn dropout_drops_in_training_only() {
    let network =
        Sequential::new(1).add(Dense::new(50).activation(Activation::Tanh)).add(Dropout::new(0.5)).add(Dense::new(1));
    let mut model = compile::<f64>(network, Sgd::new(1e-300), Loss::MeanSquaredError, 1).unwrap();
    let (x, y) = (Tensor::ones([8, 1]), Tensor::full([8, 1], 2.0));
    let still = model.evaluate(&x, &y).unwrap().loss;
    assert_eq!(model.evaluate(&x, &y).unwrap().loss, still);
    let (first, second) = (model.train_on_batch(&x, &y).unwrap(), model.train_on_batch(&x, &y).unwrap());
    assert!(first != still && second != first);
}

#[test]
fn a_scaler_is_applied_wherever_features_go_in() {
    let mut rng = Rng::new(4);
    let raw = Tensor::<f64>::normal([50, 3], 100.0, 20.0, &mut rng);
    let y = raw.slice(1, 0..1) * 0.1;
    let scaler = StandardScaler::fit(&raw).unwrap();
    let scaled = scaler.transform(&raw).unwrap();
    let build = || {
        let network = Sequential::new(3).add(Dense::new(5).activation(Activation::Tanh)).add(Dense::new(1));
        ModelBuilder::new(network).optimizer(Adam::new(0.01)).loss(Loss::MeanSquaredError).seed(6)
    };
    let (mut with, mut without) = (build().scaler(scaler).build().unwrap(), build().build().unwrap());
    let fit = Fit::new().epochs(3);
    assert_eq!(with.fit(&raw, &y, &fit).unwrap(), without.fit(&scaled, &y, &fit).unwrap());
    assert!(with.predict(&raw).unwrap().bit_eq(&without.predict(&scaled).unwrap()));
    assert_eq!(with.evaluate(&raw, &y).unwrap(), without.evaluate(&scaled, &y).unwrap());
}

#[test]
fn metrics_are_the_means_over_the_rows() {
    let network = Sequential::new(2).add(Dense::new(2).initializer(Initializer::Ones).without_bias());
    let builder = ModelBuilder::<f64>::new(network).optimizer(Sgd::new(0.1)).loss(Loss::MeanSquaredError);
    let model = builder.metrics([Metric::MeanAbsoluteError, Metric::MeanSquaredError]).build().unwrap();
    // The outputs are [3, 3] and [7, 7].
    let (x, y) = (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::from([[3.0, 5.0], [6.0, 7.0]]));
    let result = model.evaluate(&x, &y).unwrap();
    assert_eq!(result.get(Metric::MeanAbsoluteError), Some(0.75));
    assert_eq!(result.get(Metric::MeanSquaredError), Some(1.25));
    assert_eq!(result.loss, 1.25);
    assert_eq!(result.get(Metric::Accuracy), None);

    let network = Sequential::new(3).add(Dense::new(3).activation(Activation::Softmax).without_bias());
    let builder = ModelBuilder::<f64>::new(network).optimizer(Sgd::new(0.1)).loss(Loss::CategoricalCrossEntropy);
    let mut model = builder.metrics([Metric::Accuracy]).build().unwrap();
    model.load_state([("layers.0.weight".to_owned(), Tensor::eye(3))].into()).unwrap();
    let x = Tensor::from([[9.0, 1.0, 2.0], [0.0, 5.0, 1.0], [1.0, 2.0, 3.0]]);
    assert_eq!(model.evaluate(&x, &[0, 1, 0]).unwrap().get(Metric::Accuracy), Some(2.0 / 3.0));
    assert_eq!(model.predict_classes(&x).unwrap(), [0, 1, 2]);
}

#[test]
fn one_row_and_one_feature_are_enough() {
    let mut model = zero();
    let (x, y) = (Tensor::from([[1.0]]), Tensor::from([1.0]));
    assert_eq!(model.fit(&x, &y, &Fit::new()).unwrap().epochs.len(), 1);
    assert_eq!(model.predict(&Tensor::zeros([0, 1])).unwrap().shape(), [0, 1]);
}

#[test]
fn many_threads_may_predict_at_once() {
    let model = zero();
    let x = Tensor::ones([300, 1]);
    let expected = model.predict(&x).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(model.predict(&x).unwrap(), expected));
        }
    });
}

/// A network with the ending that each loss goes with, and targets that it can learn.
#[test]
fn every_loss_trains() {
    let message = serde_json::from_str::<Loss>("\"no such name\"").unwrap_err().to_string();
    let names: Vec<&str> = message.split('`').skip(3).step_by(2).filter(|&name| name != "custom").collect();
    assert!(names.len() >= 15);
    for name in names {
        let settings = match name {
            "huber" => "{\"delta\": 1.0}",
            "quantile" => "{\"q\": 0.3}",
            "binary_focal" => "{\"gamma\": 2.0, \"alpha\": 0.25}",
            "categorical_focal" => "{\"gamma\": 2.0, \"alpha\": 0.25}",
            _ => "null",
        };
        let written = if settings == "null" { format!("\"{name}\"") } else { format!("{{\"{name}\": {settings}}}") };
        let loss: Loss = serde_json::from_str(&written).unwrap();
        // Two targets that sum to 1 and lie between 0 and 1 fit every loss but those for signs.
        let x: Tensor<f64> = Tensor::uniform([40, 2], -1.0, 1.0, &mut Rng::new(1));
        let first = x.slice(1, 0..1).map(|v| if v > 0.0 { 1.0 } else { 0.0 });
        let y = Tensor::concatenate(&[&first, &first.map(|v| 1.0 - v)], 1);
        let outputs = if loss == Loss::GaussianNll { 4 } else { 2 };
        let endings: &[Activation] = match loss.function() {
            OutputFunction::Sigmoid => &[Activation::Identity, Activation::Sigmoid],
            OutputFunction::Softmax => &[Activation::Identity, Activation::Softmax],
            OutputFunction::Exp => &[Activation::Identity, Activation::softplus()],
            _ => &[Activation::Identity],
        };
        for activation in endings {
            let network = Sequential::new(2)
                .add(Dense::new(8).activation(Activation::Tanh))
                .add(Dense::new(outputs).activation(activation.clone()));
            let mut model = compile(network, Adam::new(0.02), loss.clone(), 3).unwrap();
            let before = model.evaluate(&x, &y).unwrap().loss;
            let history = model.fit(&x, &y, &Fit::new().epochs(40).batch_size(10)).unwrap();
            let after = model.evaluate(&x, &y).unwrap().loss;
            // Each of these falls far; how far depends on where it starts and what its least value is.
            assert!(after < before - 0.1 * before.abs(), "{loss}: {before} before, {after} after");
            assert!(history.epochs.iter().all(|epoch| epoch.training.loss.is_finite()), "{loss}");
        }
    }
}

#[test]
fn a_fit_in_which_every_weight_is_frozen_measures_and_changes_nothing() {
    let (_, y) = bits();
    let x = Tensor::from_fn([20, 1], |index| index[0] as f64 / 20.0);
    let penalty = Regularizer::L1L2 { l1: 0.01, l2: 0.1 };
    let network = Sequential::new(1).add(Dense::new(3).regularizer(penalty)).add(Dense::new(1));
    let mut model: Model<f64> = compile(network, Adam::default(), Loss::MeanSquaredError, 3).unwrap();
    model.freeze("*").unwrap();
    let before = model.network().state();
    let loss = model.evaluate(&x, &y).unwrap().loss;
    let history = model.fit(&x, &y, &Fit::new().epochs(2).batch_size(7).validation_data(&x, &y)).unwrap();
    let on_batch = model.train_on_batch(&x, &y).unwrap();
    for found in history.loss().into_iter().chain(history.validation_loss()).chain([on_batch]) {
        assert!((found - loss).abs() < 1e-12 * loss, "{found} instead of {loss}");
    }
    assert_eq!((model.network().state(), model.epochs()), (before, 2));
}
