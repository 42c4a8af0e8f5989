//! The loops that everything rests on: products, functions of every value, sums, an optimizer's pass.
//!
//! `cargo bench --bench kernels`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mlp::optim::Optimizer;
use mlp::prelude::*;

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("matmul");
    let rng = &mut Rng::new(0);
    for [m, k, n] in [[32, 4, 10], [64, 784, 128], [64, 784, 512], [64, 512, 512], [1, 784, 512], [512, 512, 512]] {
        let (a, b) = (Tensor::<f32>::normal([m, k], 0.0, 1.0, rng), Tensor::normal([k, n], 0.0, 1.0, rng));
        group.throughput(Throughput::Elements((2 * m * k * n) as u64));
        group.bench_function(format!("{m}x{k}x{n}"), |bencher| bencher.iter(|| a.matmul(black_box(&b))));
    }
}

fn functions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("4096 values");
    let x = Tensor::<f32>::normal([4096], 0.0, 2.0, &mut Rng::new(0));
    let matrix = x.reshape([64, 64]);
    group.throughput(Throughput::Elements(4096));
    group.bench_function("exp", |bencher| bencher.iter(|| black_box(&x).exp()));
    let positive = x.abs();
    group.bench_function("ln", |bencher| bencher.iter(|| black_box(&positive).ln()));
    group.bench_function("erf", |bencher| bencher.iter(|| black_box(&x).erf()));
    group.bench_function("tanh", |bencher| bencher.iter(|| black_box(&x).tanh()));
    group.bench_function("sigmoid", |bencher| bencher.iter(|| black_box(&x).sigmoid()));
    group.bench_function("relu", |bencher| bencher.iter(|| black_box(&x).relu()));
    group.bench_function("add", |bencher| bencher.iter(|| black_box(&x) + &x));
    group.bench_function("sum", |bencher| bencher.iter(|| black_box(&x).sum()));
    group.bench_function("sum of rows", |bencher| bencher.iter(|| black_box(&matrix).sum_axes(&[0], false)));
}

fn optimizers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("update of 100000 weights");
    let n = 100_000;
    group.throughput(Throughput::Elements(n as u64));
    let gradient = vec![0.01_f32; n];
    for optimizer in [
        Optimizer::from(Sgd::new(0.1)),
        Sgd::new(0.1).momentum(0.9).into(),
        Adam::default().into(),
        RmsProp::default().into(),
    ] {
        let mut weights = vec![1.0_f32; n];
        let mut slots = vec![vec![0.0_f32; n]; optimizer.slots().len()];
        group.bench_function(optimizer.to_string(), |bencher| {
            bencher.iter(|| {
                let mut slots: Vec<&mut [f32]> = slots.iter_mut().map(|slot| &mut slot[..]).collect();
                optimizer.update(1, &mut weights, black_box(&gradient), &mut slots);
            });
        });
    }
}

criterion_group!(benches, products, functions, optimizers);
criterion_main!(benches);
