//! A step takes no memory from the allocator: what it needs is there from the steps before.

use allocation_counter::measure;
use mlp_nn::{
    Activation, BatchNorm, Constraint, Dense, Dropout, LayerNorm, Loss, Prelu, Regularizer, Residual, Sequential, Stack,
};
use mlp_optim::{Adam, Optimizer, RmsProp, Sgd};
use mlp_tensor::{Element, Rng, Tensor};
use mlp_train::{Fit, ModelBuilder};
use rayon::ThreadPoolBuilder;

fn dense() -> Dense {
    Dense::new(70).activation(Activation::Relu)
}

/// What most networks are made of, in networks of 40 inputs without their last layer.
fn networks() -> Vec<(&'static str, Sequential)> {
    let network = || Sequential::new(40);
    let max_norm = dense().constraint(Constraint::MaxNorm { max: 0.5 });
    let penalties = Regularizer::l1_l2(1e-3, 1e-3);
    let block = Stack::new().add(Dense::new(70)).add(BatchNorm::new()).add(Activation::Tanh);
    vec![
        ("plain", network().add(dense())),
        ("L1 and L2", network().add(dense().regularizer(penalties.clone()).bias_regularizer(penalties))),
        ("max-norm", network().add(max_norm)),
        ("dropout", network().add(dense()).add(Dropout::new(0.3))),
        ("BatchNorm", network().add(BatchNorm::new()).add(dense()).add(BatchNorm::new().cumulative())),
        ("LayerNorm", network().add(LayerNorm::new()).add(dense()).add(LayerNorm::new())),
        ("a shortcut", network().add(dense()).add(Residual::new(block))),
        ("slopes that are learned", network().add(Dense::new(70)).add(Prelu::new())),
    ]
}

/// What three steps allocate after eight others of the same epoch, on one thread.
fn allocations<E: Element>(network: Sequential, optimizer: Optimizer, rows: usize, fit: Fit<E>) -> u64 {
    let classes: Vec<usize> = (0..20 * rows).map(|row| row % 10).collect();
    let x = Tensor::normal([20 * rows, 40], 0.0, 1.0, &mut Rng::new(1));
    let network = network.add(Dense::new(10).activation(Activation::Softmax));
    let builder = ModelBuilder::<E>::new(network).loss(Loss::CategoricalCrossEntropy).optimizer(optimizer);
    let mut model = builder.seed(1).build().unwrap();
    let one = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    one.install(|| {
        let mut run = model.run(&x, &classes, &fit.batch_size(rows)).unwrap();
        (0..8).for_each(|_| drop(run.next_step().unwrap()));
        measure(|| (0..3).for_each(|_| drop(run.next_step().unwrap()))).count_total
    })
}

/// One shard of 32 rows; five of 64 where rows are not coupled (those that are have a thread for each).
#[test]
fn a_steady_step_allocates_nothing() {
    for (name, network) in networks() {
        for (rows, cut) in [(32, false), (320, true)] {
            let planned = network.clone().add(Dense::new(10)).init::<f32>(0).unwrap();
            if cut && planned.couples_rows() {
                continue;
            }
            assert_eq!(rows * planned.multiplications_per_row() >= 1 << 20, cut, "{name}");
            let optimizer = || Optimizer::from(Adam::new(1e-3));
            assert_eq!(allocations::<f32>(network.clone(), optimizer(), rows, Fit::new()), 0, "{name}, {rows} rows");
            assert_eq!(
                allocations::<f64>(network.clone(), optimizer(), rows, Fit::new()),
                0,
                "{name}, {rows} rows, f64"
            );
        }
    }
}

#[test]
fn neither_do_other_optimizers_or_weighted_rows() {
    let network = || networks().remove(0).1;
    for optimizer in [Sgd::new(0.1).into(), Sgd::new(0.1).momentum(0.9).into(), RmsProp::new(1e-3).into()] {
        let what = format!("{optimizer:?}");
        assert_eq!(allocations::<f32>(network(), optimizer, 32, Fit::new()), 0, "{what}");
    }
    let weighted = Fit::new().class_weights((0..10).map(|class| 1.0 + class as f64).collect::<Vec<_>>());
    assert_eq!(allocations::<f32>(network(), Adam::new(1e-3).into(), 32, weighted), 0, "weighted rows");
}
