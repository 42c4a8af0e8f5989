//! Batch normalization in batches that are cut into parts, each on a thread of its own.

use mlp_autograd::{Tape, Var};
use mlp_nn::{
    Activation, BatchNorm, CustomActivation, Dense, Dropout, Loss, Network, Pass, Residual, Sequential, Stack,
};
use mlp_optim::Adam;
use mlp_tensor::{Element, Rng, Tensor};
use mlp_train::{Fit, ModelBuilder, Objective, Rows, Seeds, Step};
use rayon::ThreadPoolBuilder;

/// Statistics over rows, over rows and places, behind a shortcut, and with running averages that are frozen.
fn networks() -> [(&'static str, Sequential); 3] {
    let rows = Sequential::new(40)
        .add(BatchNorm::new())
        .add(Dense::new(150))
        .add(BatchNorm::new().cumulative())
        .add(Activation::Relu)
        .add(Residual::new(Stack::new().add(Dense::new(150)).add(BatchNorm::new().without_affine())))
        .add(Dense::new(3));
    let places = Sequential::with_input_shape([5, 8])
        .add(Dense::new(150))
        .add(BatchNorm::new())
        .add(Dense::new(3))
        .add(mlp_nn::Flatten::new())
        .add(Dense::new(3));
    let values = Sequential::new(40).add(Dense::new(300)).add(BatchNorm::new()).add(Dense::new(3));
    [("rows", rows), ("places", places), ("frozen averages", values)]
}

fn network<E: Element>(name: &str, layers: Sequential) -> Network<E> {
    let mut network = layers.init(3).unwrap();
    if name == "frozen averages" {
        network.freeze("layers.1.running_*").unwrap();
    }
    network
}

fn data<E: Element>(network: &Network<E>, rows: usize) -> (Tensor<E>, Tensor<E>) {
    let rng = &mut Rng::new(1);
    // Far from 0 beside their spread, and another spread in every part.
    let shape = [&[rows], network.architecture().input_shape()].concat();
    let spread = Tensor::normal([&[rows], &vec![1; shape.len() - 1][..]].concat(), 1.0, 0.3, rng);
    (Tensor::normal(shape, 0.0, 1.0, rng) * spread + E::from_f64(30.0), Tensor::normal([rows, 3], 0.0, 1.0, rng))
}

/// So many multiplications and more are cut for several threads.
fn assert_cut<E: Element>(network: &Network<E>, rows: usize) {
    assert!(rows * network.multiplications_per_row() >= 1 << 20, "the batch is not cut");
}

/// The gradient of every weight for one batch, and the state that the batch leaves, by a step that cuts it.
fn by_step(mut network: Network<f64>, x: &Tensor<f64>, y: &Tensor<f64>) -> (Vec<Tensor<f64>>, Vec<Tensor<f64>>) {
    assert_cut(&network, x.rows());
    let objective = Objective::new(Loss::MeanSquaredError, &network).unwrap();
    let rows = Rows::new(x, y, &objective, &network).unwrap();
    let batch: Vec<usize> = (0..x.rows()).collect();
    let mut step = Step::new(&network);
    step.shards(&network, &objective, &rows, &batch, Seeds::new(0).step(1));
    let shapes: Vec<_> = network.parameters().iter().map(|p| p.value().shape().to_vec()).collect();
    let gradients = step.reduce(&network);
    let gradients = gradients.iter().zip(shapes).map(|((_, values), shape)| Tensor::from_vec(values.to_vec(), shape));
    let gradients = gradients.collect();
    let optimizer = Adam::new(0.1).into();
    let mut state = mlp_optim::OptimizerState::new(&optimizer, network.parameters());
    step.apply(&mut network, &optimizer, &mut state);
    (gradients, network.buffers().iter().map(|buffer| buffer.value().clone()).collect())
}

/// The same by one pass over the whole batch on one tape.
fn by_tape(mut network: Network<f64>, x: &Tensor<f64>, y: &Tensor<f64>) -> (Vec<Tensor<f64>>, Vec<Tensor<f64>>) {
    let tape = Tape::new();
    let parameters = network.variables(&tape);
    let mut pass = Pass::training(Rng::new(0));
    let output = network.forward(&parameters, tape.constant(x.clone()), &mut pass);
    let loss = (output - tape.constant(y.clone())).square().mean();
    let gradients = tape.gradient(loss, &parameters[..]);
    network.apply_updates(&pass.into_updates());
    (gradients, network.buffers().iter().map(|buffer| buffer.value().clone()).collect())
}

/// 130 rows are cut into parts of 44, 44 and 42.
#[test]
fn a_batch_that_is_cut_has_the_statistics_and_the_gradient_of_the_whole() {
    for (name, layers) in networks() {
        let network = network(name, layers);
        let (x, y) = data(&network, 130);
        let (expected, found) = (by_tape(network.clone(), &x, &y), by_step(network, &x, &y));
        for (what, expected, found) in [("gradient", expected.0, found.0), ("buffer", expected.1, found.1)] {
            assert_eq!(expected.len(), found.len());
            for (index, (expected, found)) in expected.iter().zip(&found).enumerate() {
                // Gradients of what a normalization follows are 0 but for rounding.
                assert!(found.allclose(expected, 1e-8, 1e-9), "{name}, {what} {index}: {found} and {expected}");
            }
        }
    }
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    fn train<E: Element>(name: &str, layers: &Sequential, threads: usize) -> Vec<Tensor<E>> {
        let layers = layers.clone().add(Dropout::new(0.2)).add(Dense::new(3));
        let builder = ModelBuilder::<E>::new(layers).optimizer(Adam::new(0.01)).loss(Loss::MeanSquaredError).seed(4);
        let mut model = builder.build().unwrap();
        if name == "frozen averages" {
            model.freeze("layers.1.running_*").unwrap();
        }
        assert_cut(model.network(), 100);
        let (x, y) = data(model.network(), 700);
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        // Batches of 300 and 100 rows: five parts and two.
        let history = pool.install(|| model.fit(&x, &y, &Fit::new().epochs(3).batch_size(300))).unwrap();
        assert!(history.last().training.loss < history.epochs[0].training.loss, "{name}");
        model.network().state().into_values().collect()
    }
    fn check<E: Element>() {
        for (name, layers) in &networks() {
            let one = train::<E>(name, layers, 1);
            for threads in [2, 3, 8] {
                let many = train::<E>(name, layers, threads);
                assert!(one.iter().zip(&many).all(|(one, many)| one.bit_eq(many)), "{name}, {threads} threads");
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Fails on one row of the batch.
#[derive(Debug)]
struct Fails;

impl CustomActivation for Fails {
    fn name(&self) -> &str {
        "fails"
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        assert!(x.value().as_slice().iter().all(|v| v.as_f64() < 1e6), "a value of a million");
        x
    }
}

#[test]
fn a_part_that_panics_does_not_leave_the_others_waiting() {
    let layers = Sequential::new(40).add(Activation::from(Fails)).add(Dense::new(300)).add(BatchNorm::new());
    let network = layers.add(Dense::new(3)).init(3).unwrap();
    let (x, y) = data(&network, 130);
    for row in [0, 60, 129] {
        let mut x = x.clone();
        x.as_mut_slice()[row * 40] = 1e7;
        let (network, y) = (network.clone(), y.clone());
        let panic = std::thread::spawn(move || by_step(network, &x, &y)).join().unwrap_err();
        let message = panic.downcast_ref::<String>().cloned().or(panic.downcast_ref::<&str>().map(ToString::to_string));
        assert!(message.as_ref().is_some_and(|message| message.contains("a value of a million")), "{row}: {message:?}");
    }
}

/// The square root of what is below 0, in a row of the last part: the other parts hear of it in the statistics.
#[test]
fn anomaly_mode_names_the_layer_that_the_part_with_the_bad_row_has() {
    let layers = Sequential::new(40).add(Activation::from(Root)).add(Dense::new(300)).add(BatchNorm::new());
    let network = layers.add(Dense::new(3)).init::<f64>(3).unwrap();
    let (mut x, y) = data(&network, 130);
    x.map_in_place(f64::abs);
    for row in [0, 60, 129] {
        let mut x = x.clone();
        x.as_mut_slice()[row * 40] = -1.0;
        assert_cut(&network, 130);
        let objective = Objective::new(Loss::MeanSquaredError, &network).unwrap();
        let rows = Rows::new(&x, &y, &objective, &network).unwrap();
        let mut step = Step::new(&network);
        step.set_detect_anomalies(true);
        step.shards(&network, &objective, &rows, &(0..130).collect::<Vec<_>>(), 1);
        let anomaly = step.anomaly().unwrap();
        assert_eq!((anomaly.op, anomaly.scope.as_str()), ("sqrt", "layers.0 (Activation)"), "row {row}");
    }
}

#[derive(Debug)]
struct Root;

impl CustomActivation for Root {
    fn name(&self) -> &str {
        "root"
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x.sqrt()
    }
}
