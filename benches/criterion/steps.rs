//! Whole steps: a layer forward and backward on a tape, a training step, a prediction, a file.
//!
//! `cargo bench --bench steps`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mlp::autograd::Tape;
use mlp::io::SavedModel;
use mlp::prelude::*;

/// A network of `widths` with ReLU between and softmax at the end, trained by Adam.
fn model(widths: &[usize]) -> Model {
    mlp_benches::compile(widths, 0.0, false).expect("the networks here are sound")
}

fn batch(rows: usize, features: usize, classes: usize) -> (Tensor, Vec<usize>) {
    let x = Tensor::normal([rows, features], 0.0, 1.0, &mut Rng::new(1));
    (x, (0..rows).map(|row| row % classes).collect())
}

fn layers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dense 64x512x512 on a tape");
    let rng = &mut Rng::new(0);
    let x = Tensor::<f32>::normal([64, 512], 0.0, 1.0, rng);
    let (w, b) = (Tensor::normal([512, 512], 0.0, 0.05, rng), Tensor::zeros([512]));
    group.bench_function("forward", |bencher| {
        bencher.iter(|| {
            let tape = Tape::no_record();
            tape.constant(x.clone()).linear(tape.constant(w.clone()), tape.constant(b.clone())).relu().value()
        });
    });
    group.bench_function("forward and backward", |bencher| {
        bencher.iter(|| {
            let tape = Tape::new();
            let [x, w, b] = [&x, &w, &b].map(|tensor| tape.variable(tensor.clone()));
            let gradients = x.linear(w, b).relu().sum().backward();
            [x, w, b].map(|variable| gradients.wrt(variable))
        });
    });
}

fn training(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("training step");
    for (widths, rows) in [(&[4, 10, 3][..], 32), (&[784, 128, 10], 128), (&[784, 512, 512, 10], 128)] {
        let mut model = model(widths);
        let (x, y) = batch(rows, widths[0], widths[widths.len() - 1]);
        group.bench_function(format!("{widths:?}, {rows} rows"), |bencher| {
            bencher.iter(|| model.train_on_batch(black_box(&x), &y).expect("the batch fits"));
        });
    }
}

fn inference(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("predict");
    for (widths, rows) in [(&[4, 10, 3][..], 1), (&[784, 512, 512, 10], 1), (&[784, 512, 512, 10], 4096)] {
        let model = model(widths);
        let (x, _) = batch(rows, widths[0], 2);
        group.bench_function(format!("{widths:?}, {rows} rows"), |bencher| {
            bencher.iter(|| model.predict(black_box(&x)).expect("the rows fit"));
        });
        let full = model.predictor();
        let [bfloat16, int8] = [full.clone().bfloat16(), full.clone().int8()].map(|p| p.expect("weights are finite"));
        for (predictor, name) in [(full, "predictor"), (bfloat16, "predictor, bf16"), (int8, "predictor, int8")] {
            let mut out = vec![0.0; predictor.output_features()];
            group.bench_function(format!("{widths:?}, {rows} rows, {name}"), |bencher| {
                bencher.iter(|| match rows {
                    1 => predictor.predict_row(black_box(x.as_slice()), &mut out).expect("the row fits"),
                    _ => drop(predictor.predict(black_box(&x)).expect("the rows fit")),
                });
            });
        }
    }
}

fn files(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("model of 670000 weights with Adam's state");
    let saved = model(&[784, 512, 512, 10]).to_saved();
    let bytes = saved.to_bytes().expect("the model is sound");
    group.bench_function("write", |bencher| bencher.iter(|| black_box(&saved).to_bytes().expect("as before")));
    group.bench_function("read", |bencher| {
        bencher.iter(|| SavedModel::<f32>::from_bytes(black_box(&bytes)).expect("it was just written"));
    });
}

criterion_group!(benches, layers, training, inference, files);
criterion_main!(benches);
