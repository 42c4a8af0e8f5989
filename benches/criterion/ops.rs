//! Operations on a tape, forward and backward: what each costs beside its kernel.
//!
//! `cargo bench --bench ops`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mlp::autograd::{Tape, Var};
use mlp::prelude::*;

/// One operation of two 128 x 128 matrices, summed to have something to differentiate.
type Operation = for<'t> fn(Var<'t, f32>, Var<'t, f32>) -> Var<'t, f32>;

const OPERATIONS: [(&str, Operation); 9] = [
    ("add", |a, b| a + b),
    ("add a row", |a, b| a + b.sum_axes(&[0], true)),
    ("mul", |a, b| a * b),
    ("div", |a, b| a / b),
    ("matmul", |a, b| a.matmul(b)),
    ("relu", |a, _| a.relu()),
    ("tanh", |a, _| a.tanh()),
    ("log_softmax", |a, _| a.log_softmax(1)),
    ("mean_axes", |a, _| a.mean_axes(&[1], false)),
];

fn operations(criterion: &mut Criterion) {
    let rng = &mut Rng::new(0);
    let [a, b] = [(); 2].map(|()| Tensor::<f32>::uniform([128, 128], 0.5, 1.5, rng));
    for (title, backward) in [("op, forward", false), ("op, forward and backward", true)] {
        let mut group = criterion.benchmark_group(title);
        for (name, operation) in OPERATIONS {
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    let tape = Tape::new();
                    let [a, b] = [&a, &b].map(|tensor| tape.variable(black_box(tensor).clone()));
                    let loss = operation(a, b).sum();
                    if backward { loss.backward().wrt(a) } else { loss.value() }
                });
            });
        }
    }
}

/// What the tape costs by itself: a chain of additions of single numbers.
fn bookkeeping(criterion: &mut Criterion) {
    let one = Tensor::<f32>::scalar(1.0);
    criterion.bench_function("100 additions of single numbers, forward and backward", |bencher| {
        bencher.iter(|| {
            let tape = Tape::new();
            let start = tape.variable(one.clone());
            let sum = (0..100).fold(start, |sum, _| sum + start);
            sum.backward().wrt(start)
        });
    });
}

criterion_group!(benches, operations, bookkeeping);
criterion_main!(benches);
