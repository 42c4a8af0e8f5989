//! What derivatives cost beside the function itself: a network's loss, its gradient and a Hessian-vector product, and
//! the two ratios.
//!
//! `cargo bench --bench gradients`

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use mlp::autograd::{Tape, Var, hvp};
use mlp::nn::{Network, Pass};
use mlp::prelude::*;
use mlp::tensor::Pool;

const ROWS: usize = 128;

/// Cross-entropy of 784-512-512-10 on a batch.
struct Problem {
    network: Network<f32>,
    weights: Vec<Tensor>,
    x: Tensor,
    targets: Tensor,
}

impl Problem {
    fn new(activation: Activation) -> Self {
        let hidden = Dense::new(512).activation(activation);
        let architecture = Sequential::new(784).add(hidden.clone()).add(hidden).add(Dense::new(10));
        let network = architecture.init(0).expect("the network is sound");
        let weights = network.parameters().iter().map(|parameter| parameter.value().clone()).collect();
        let x = Tensor::normal([ROWS, 784], 0.0, 1.0, &mut Rng::new(1));
        let classes: Vec<usize> = (0..ROWS).map(|row| row % 10).collect();
        Self { network, weights, x, targets: Tensor::eye(10).select_rows(&classes) }
    }

    fn loss<'t>(&self, tape: &'t Tape, weights: &[Var<'t>]) -> Var<'t> {
        let x = tape.constant(self.x.clone());
        let logits = self.network.forward(weights, x, &mut Pass::inference());
        logits.softmax_cross_entropy(tape.constant(self.targets.clone())).mean()
    }

    fn forward(&self) -> Tensor {
        let tape = Tape::no_record();
        self.loss(&tape, &self.network.variables(&tape)).value()
    }

    fn gradient(&self) -> Vec<Tensor> {
        let tape = Tape::new();
        let variables = self.network.variables(&tape);
        let gradients = self.loss(&tape, &variables).backward();
        variables.into_iter().map(|variable| gradients.wrt(variable)).collect()
    }

    /// The Hessian times the weights.
    fn product(&self) -> Vec<Tensor> {
        hvp(|tape, weights| self.loss(tape, weights), &self.weights, &self.weights)
    }
}

/// The three take turns, and the least time of each counts: the ratios should not depend on what else runs.
fn ratios(problem: &Problem, pool: &mut Pool) -> [f64; 2] {
    let mut least = [Duration::MAX; 3];
    pool.scope(|| {
        for _ in 0..40 {
            let works: [&dyn Fn(); 3] =
                [&|| drop(black_box(problem.forward())), &|| drop(black_box(problem.gradient())), &|| {
                    drop(black_box(problem.product()));
                }];
            for (least, work) in least.iter_mut().zip(works) {
                let start = Instant::now();
                work();
                *least = (*least).min(start.elapsed());
            }
        }
    });
    let [forward, gradient, product] = least.map(|time| time.as_secs_f64());
    [gradient / forward, product / gradient]
}

fn derivatives(criterion: &mut Criterion) {
    for (name, activation) in [("ReLU", Activation::Relu), ("tanh", Activation::Tanh)] {
        let problem = Problem::new(activation);
        let mut pool = Pool::default();
        let mut group = criterion.benchmark_group(format!("784-512-512-10, {name}, {ROWS} rows"));
        pool.scope(|| {
            group.bench_function("forward", |bencher| bencher.iter(|| problem.forward()));
            group.bench_function("gradient", |bencher| bencher.iter(|| problem.gradient()));
            group.bench_function("Hessian-vector product", |bencher| bencher.iter(|| problem.product()));
        });
        group.finish();
        let [gradient, product] = ratios(&problem, &mut pool);
        println!(
            "{name}: a gradient takes {gradient:.2} times its forward, a Hessian-vector product {product:.2} times that\n"
        );
    }
}

criterion_group!(benches, derivatives);
criterion_main!(benches);
