//! One seed, the same bits: in every run, on any number of threads, and across saving and loading.

use mlp_data::{iris, one_hot};
use mlp_io::SavedModel;
use mlp_nn::{Activation, Dense, Dropout, Loss, Regularizer, Sequential};
use mlp_optim::Adam;
use mlp_registry::Registry;
use mlp_tensor::{Rng, Tensor};
use mlp_train::{Fit, History, Metric, Model};
use rayon::ThreadPoolBuilder;

/// Large enough for several shards and several blocks, with everything random there is.
fn large(seed: u64) -> Model {
    let network = Sequential::new(40)
        .add(Dense::new(300).activation(Activation::Relu).regularizer(Regularizer::l1_l2(1e-5, 1e-4)))
        .add(Dropout::new(0.3))
        .add(Dense::new(250).activation(Activation::Tanh))
        .add(Dropout::new(0.1))
        .add(Dense::new(5).activation(Activation::Softmax));
    Model::builder(network)
        .optimizer(Adam::new(0.002))
        .loss(Loss::CategoricalCrossEntropy)
        .metrics([Metric::Accuracy])
        .seed(seed)
        .build()
        .unwrap()
}

fn data() -> (Tensor, Vec<usize>) {
    let mut rng = Rng::new(9);
    let x = Tensor::normal([1000, 40], 0.0, 1.0, &mut rng);
    let classes = x.matmul(&Tensor::normal([40, 5], 0.0, 1.0, &mut rng)).argmax(1);
    (x, classes)
}

/// What a run leaves: its history, its weights and its predictions.
fn run(seed: u64, threads: usize) -> (History, Vec<Tensor>) {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let (x, classes) = data();
        let mut model = large(seed);
        let fit = Fit::new().epochs(2).batch_size(200).stratified_validation_split(0.25);
        let history = model.fit(&x, &classes, &fit).unwrap();
        let mut tensors: Vec<Tensor> = model.network().state().into_values().collect();
        tensors.push(model.predict(&x).unwrap());
        (history, tensors)
    })
}

fn same(a: &(History, Vec<Tensor>), b: &(History, Vec<Tensor>)) -> bool {
    a.0 == b.0 && a.1.iter().zip(&b.1).all(|(a, b)| a.bit_eq(b))
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let one = run(7, 1);
    for threads in [1, 2, 3, 4] {
        assert!(same(&one, &run(7, threads)), "{threads} threads");
    }
    assert!(!same(&one, &run(8, 1)), "another seed");
}

fn small(seed: u64) -> Model {
    let network = Sequential::new(4)
        .add(Dense::new(10).activation(Activation::Relu))
        .add(Dropout::new(0.1))
        .add(Dense::new(3).activation(Activation::Softmax));
    Model::builder(network).optimizer(Adam::new(0.01)).loss(Loss::CategoricalCrossEntropy).seed(seed).build().unwrap()
}

#[test]
fn two_runs_on_iris_are_the_same_and_another_seed_differs() {
    let (iris, fit) = (iris(), Fit::new().epochs(20).validation_split(0.2));
    let run = |seed| small(seed).fit(&iris.features, one_hot(&iris.labels, 3).unwrap(), &fit).unwrap();
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

/// One-hot rows and class numbers are two ways to say the same.
#[test]
fn class_numbers_train_as_one_hot_rows_do() {
    let (iris, fit) = (iris(), Fit::new().epochs(5));
    let (mut a, mut b) = (small(3), small(3));
    let one_hot = a.fit(&iris.features, one_hot(&iris.labels, 3).unwrap(), &fit).unwrap();
    let numbers = b.fit(&iris.features, &iris.labels, &fit).unwrap();
    assert_eq!(one_hot, numbers);
}

#[test]
fn training_goes_on_from_a_saved_model_to_the_same_bits() {
    let iris = iris();
    let fit = |epochs| Fit::new().epochs(epochs).validation_split(0.2);
    let mut whole = small(5);
    let history = whole.fit(&iris.features, &iris.labels, &fit(6)).unwrap();

    let mut first = small(5);
    first.fit(&iris.features, &iris.labels, &fit(4)).unwrap();
    let bytes = first.to_saved().to_bytes().unwrap();
    let mut second = Model::from_saved(SavedModel::from_bytes(&bytes).unwrap(), &Registry::new()).unwrap();
    let rest = second.fit(&iris.features, &iris.labels, &fit(2)).unwrap();

    assert_eq!(rest.epochs, history.epochs[4..]);
    assert!(second.predict(&iris.features).unwrap().bit_eq(&whole.predict(&iris.features).unwrap()));
}

/// The prediction of a row does not depend on the rows around it.
#[test]
fn rows_are_predicted_one_by_one_as_together() {
    let (x, _) = data();
    let model = large(1);
    let together = model.predict(&x).unwrap();
    for row in [0, 1, 255, 256, 511, 999] {
        let alone = model.predict(&x.slice(0, row..row + 1)).unwrap();
        assert!(alone.bit_eq(&together.slice(0, row..row + 1)), "row {row}");
    }
}
