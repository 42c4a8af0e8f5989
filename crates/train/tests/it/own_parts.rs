//! Parts that users write, in batches that are cut into several shards.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mlp_autograd::Var;
use mlp_metrics::{Batch, CustomMetric};
use mlp_nn::{CustomActivation, CustomLoss, Dense, Sequential};
use mlp_optim::{CustomOptimizer, OptimizerState};
use mlp_tensor::{Element, Rng, Tensor};
use mlp_train::{Fit, History, ModelBuilder};
use rayon::ThreadPoolBuilder;

/// ln(1 + (x - t)²), which keeps in mind the most rows that it was ever given.
#[derive(Debug)]
struct Cauchy {
    most: Arc<AtomicUsize>,
}

impl CustomLoss for Cauchy {
    fn name(&self) -> &str {
        "cauchy"
    }
    fn forward<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        self.most.fetch_max(x.shape()[0], Ordering::Relaxed);
        (x - t).square().ln_1p()
    }
}

/// x + sin²(x).
#[derive(Debug)]
struct Snake;

impl CustomActivation for Snake {
    fn name(&self) -> &str {
        "snake"
    }
    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x + x.sin().square()
    }
}

/// The mean of √|p - t|, whose sum over rows depends on the order in which it is added up.
#[derive(Debug)]
struct RootError;

impl CustomMetric for RootError {
    fn name(&self) -> &str {
        "root_error"
    }
    fn add(&self, batch: &Batch<'_, f64>, state: &mut Vec<f64>) {
        let off = (batch.predictions() - batch.targets()).abs();
        batch.add_mean(state, |row| off.row(row)[0].sqrt());
    }
}

/// u ← 0.9 u + g, w ← w - lr · u.
#[derive(Debug)]
struct Momentum {
    rate: f64,
}

impl CustomOptimizer for Momentum {
    fn name(&self) -> &str {
        "momentum"
    }
    fn learning_rate(&self) -> f64 {
        self.rate
    }
    fn slots(&self) -> &[&str] {
        &["u"]
    }
    fn update<E: Element>(&self, _: u64, lr: f64, weights: &mut [E], gradient: &[E], slots: &mut [&mut [E]]) {
        let [lr, keep] = [lr, 0.9].map(E::from_f64);
        for ((w, &g), u) in weights.iter_mut().zip(gradient).zip(slots[0].iter_mut()) {
            *u = keep * *u + g;
            *w -= lr * *u;
        }
    }
}

/// What three steps on batches of 130 rows leave, and the most rows that the loss was given at once.
fn run<E: Element>(threads: usize) -> (History, Vec<Tensor<E>>, OptimizerState<E>, usize) {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let x: Tensor<E> = Tensor::normal([390, 4], 0.0, 1.0, &mut Rng::new(9));
        let y = x.slice(1, 0..1).sin();
        let most = Arc::new(AtomicUsize::new(0));
        // The second weight, of 75,000 values, is more than one block.
        let network = Sequential::new(4)
            .add(Dense::new(300).activation(Snake))
            .add(Dense::new(250).activation(Snake))
            .add(Dense::new(1));
        let builder = ModelBuilder::<E>::new(network).optimizer(Momentum { rate: 0.001 });
        let builder = builder.loss(Cauchy { most: Arc::clone(&most) }).metrics([RootError]).seed(7);
        let mut model = builder.build().unwrap();
        let history = model.fit(&x, &y, &Fit::new().batch_size(130)).unwrap();
        let weights = model.network().state().into_values().collect();
        (history, weights, model.optimizer_state().clone(), most.load(Ordering::Relaxed))
    })
}

fn any_number_of_threads<E: Element>() {
    let one = run::<E>(1);
    // 130 rows are three shards of at most 44.
    assert_eq!(one.3, 44, "the most rows that the loss was given");
    assert!(one.0.metric("root_error")[0] > 0.0);
    for threads in [2, 3, 4] {
        let many = run::<E>(threads);
        assert_eq!(many.0, one.0, "{threads} threads");
        assert_eq!(many.0.metric("root_error")[0].to_bits(), one.0.metric("root_error")[0].to_bits());
        assert!(many.1.iter().zip(&one.1).all(|(a, b)| a.bit_eq(b)), "weights with {threads} threads");
        assert_eq!(many.2, one.2, "what the optimizer remembers with {threads} threads");
    }
}

#[test]
fn own_parts_give_the_same_bits_on_any_number_of_threads() {
    any_number_of_threads::<f32>();
    any_number_of_threads::<f64>();
}
