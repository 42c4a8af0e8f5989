//! The gradient between the two phases of a step: its norm, and the gradients of several batches added up.

use std::collections::BTreeMap;

use mlp_nn::{Activation, Dense, Loss, Network, Regularizer, Sequential};
use mlp_optim::{Optimizer, OptimizerState, Sgd};
use mlp_tensor::{Element, Rng, Tensor};
use mlp_train::{Objective, Rows, Step};

/// c + v · (b + w · x) with w = (1, 0), b = 0 that is frozen, v = 1 and c = 0, after the first phase of a step on the one
/// row x = (2, 4) with the target 1.5.
///
/// By hand: the prediction is 2, the derivative of its squared error 2 · (2 - 1.5) = 1, and so those by w, v and c are
/// (2, 4), 2 and 1. Their norm is √(4 + 16 + 4 + 1) = 5; with that by b, which is 1, it would be √26.
fn norm_of_five() -> (Network<f64>, Step<f64>) {
    let mut network: Network<f64> = Sequential::new(2).add(Dense::new(1)).add(Dense::new(1)).init(0).unwrap();
    let weights = [
        ("layers.0.weight", Tensor::from([[1.0], [0.0]])),
        ("layers.0.bias", Tensor::from([0.0])),
        ("layers.1.weight", Tensor::from([[1.0]])),
        ("layers.1.bias", Tensor::from([0.0])),
    ];
    network.load_state(weights.map(|(name, value)| (name.to_owned(), value)).into()).unwrap();
    network.freeze("layers.0.bias").unwrap();
    let objective = Objective::new(Loss::MeanSquaredError, &network).unwrap();
    let (x, y) = (Tensor::from([[2.0, 4.0]]), Tensor::from([[1.5]]));
    let rows = Rows::new(&x, &y, &objective, &network).unwrap();
    let mut step = Step::new(&network);
    step.shards(&network, &objective, &rows, &[0], 0);
    (network, step)
}

fn gradients(network: &Network<f64>, step: &mut Step<f64>) -> BTreeMap<String, Vec<f64>> {
    step.reduce(network).iter().map(|(name, values)| (name.to_owned(), values.to_vec())).collect()
}

fn by_hand(w: [f64; 2], v: f64, c: f64) -> BTreeMap<String, Vec<f64>> {
    let values = [("layers.0.weight", w.to_vec()), ("layers.1.weight", vec![v]), ("layers.1.bias", vec![c])];
    values.map(|(name, values)| (name.to_owned(), values)).into()
}

#[test]
fn the_global_norm_is_that_of_what_is_trained() {
    let (network, mut step) = norm_of_five();
    assert_eq!(gradients(&network, &mut step), by_hand([2.0, 4.0], 2.0, 1.0));
    assert_eq!(step.reduce(&network).global_norm(), 5.0);
}

#[test]
fn a_norm_up_to_the_limit_is_left_alone() {
    for limit in [5.0, 10.0, f64::INFINITY] {
        let (network, mut step) = norm_of_five();
        assert_eq!(step.reduce(&network).clip_global_norm(limit), 5.0);
        assert_eq!(gradients(&network, &mut step), by_hand([2.0, 4.0], 2.0, 1.0), "{limit}");
    }
}

#[test]
fn a_norm_above_the_limit_is_brought_to_it_and_the_weights_follow() {
    let (mut network, mut step) = norm_of_five();
    assert_eq!(step.reduce(&network).clip_global_norm(2.5), 5.0, "the norm before");
    assert_eq!(gradients(&network, &mut step), by_hand([1.0, 2.0], 1.0, 0.5));
    assert_eq!(step.reduce(&network).global_norm(), 2.5);

    let optimizer = Optimizer::from(Sgd::new(1.0));
    let mut state = OptimizerState::new(&optimizer, network.parameters());
    step.apply(&mut network, &optimizer, &mut state);
    let weights = network.state();
    assert_eq!(weights["layers.0.weight"], Tensor::from([[0.0], [-2.0]]));
    assert_eq!(weights["layers.0.bias"], Tensor::from([0.0]));
    assert_eq!(weights["layers.1.weight"], Tensor::from([[0.0]]));
    assert_eq!(weights["layers.1.bias"], Tensor::from([-0.5]));
}

#[test]
fn a_norm_that_is_not_finite_is_left() {
    let (network, mut step) = norm_of_five();
    step.reduce(&network)
        .iter_mut()
        .filter(|(name, _)| *name == "layers.1.bias")
        .for_each(|(_, g)| g[0] = f64::INFINITY);
    assert_eq!(step.reduce(&network).clip_global_norm(1.0), f64::INFINITY);
    assert_eq!(gradients(&network, &mut step), by_hand([2.0, 4.0], 2.0, f64::INFINITY));
}

#[test]
#[should_panic(expected = "clip_global_norm: the largest norm is 0, but must be above 0")]
fn a_limit_of_zero_is_refused() {
    let (network, mut step) = norm_of_five();
    step.reduce(&network).clip_global_norm(0.0);
}

/// The first phase for one batch in several parts, as `docs/guide/autograd.md` has it.
fn accumulate<E: Element>(
    step: &mut Step<E>,
    network: &Network<E>,
    objective: &Objective,
    rows: &Rows<E>,
    parts: &[&[usize]],
) {
    let all: usize = parts.iter().map(|part| part.len()).sum();
    let trained = network.parameters().iter().filter(|p| p.is_trainable());
    let mut sums: Vec<Vec<E>> = trained.map(|p| vec![E::zero(); p.value().len()]).collect();
    for part in parts {
        step.shards(network, objective, rows, part, 0);
        let share = E::from_f64(part.len() as f64 / all as f64);
        for ((_, gradient), sum) in step.reduce(network).iter_mut().zip(&mut sums) {
            for (g, sum) in gradient.iter_mut().zip(sum) {
                *sum += share * *g;
                *g = *sum;
            }
        }
    }
}

fn parts_are_the_whole<E: Element>(parts: &[&[usize]], tolerance: f64) {
    let hidden = Dense::new(8).activation(Activation::Tanh).regularizer(Regularizer::l1_l2(1e-3, 1e-2));
    let mut whole: Network<E> = Sequential::new(3).add(hidden).add(Dense::new(2)).init(3).unwrap();
    whole.freeze("layers.1.bias").unwrap();
    let mut in_parts = whole.clone();
    let mut rng = Rng::new(5);
    let (x, y) = (Tensor::randn([24, 3], &mut rng), Tensor::randn([24, 2], &mut rng));
    let weights = Tensor::uniform([24], 0.0, 3.0, &mut rng);
    let objective = Objective::new(Loss::MeanSquaredError, &whole).unwrap();
    let rows = Rows::new(&x, (&y, &weights), &objective, &whole).unwrap();

    let optimizer = Optimizer::from(Sgd::new(0.1).momentum(0.9));
    let mut states = [&whole, &in_parts].map(|network| OptimizerState::new(&optimizer, network.parameters()));
    let (mut step, mut steps) = (Step::new(&whole), Step::new(&in_parts));
    let batch = parts.concat();
    for number in 1..=5 {
        step.shards(&whole, &objective, &rows, &batch, 0);
        accumulate(&mut steps, &in_parts, &objective, &rows, parts);
        for ((name, expected), (_, found)) in step.reduce(&whole).iter().zip(steps.reduce(&in_parts).iter()) {
            for (a, b) in expected.iter().zip(found) {
                assert!((a.as_f64() - b.as_f64()).abs() < tolerance, "{name} in step {number}: {a}, in parts {b}");
            }
        }
        step.apply(&mut whole, &optimizer, &mut states[0]);
        steps.apply(&mut in_parts, &optimizer, &mut states[1]);
        for (name, expected) in whole.state() {
            let off = (&expected - &in_parts.state()[&name]).abs().max().as_f64();
            assert!(off < tolerance, "{name} after step {number}: off by {off:e}");
        }
    }
    assert_eq!(states[1].steps(), 5);
}

#[test]
fn gradients_of_parts_of_a_batch_add_up_to_that_of_the_batch_with_its_sample_weights() {
    let rows: Vec<usize> = (0..24).rev().collect();
    let (halves, uneven) = ([&rows[..12], &rows[12..]], [&rows[..3], &rows[3..20], &rows[20..]]);
    for parts in [&halves[..], &uneven[..]] {
        parts_are_the_whole::<f32>(parts, 1e-6);
        parts_are_the_whole::<f64>(parts, 1e-12);
    }
}
