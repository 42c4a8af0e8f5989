//! A training loop of one's own over the public step: at the speed of `fit`, and to its bits.
//!
//! The loop clips the gradient by its global norm, lets the rate decay, stops early and restores the best weights. Without
//! these three it makes the steps of `fit`, which the program checks.
//!
//! Run with `cargo run --release --example own_loop`.

use mlp::prelude::*;

const SEED: u64 = 42;
const BATCH: usize = 16;
const EPOCHS: u64 = 40;

/// What the loop does beyond `fit`.
struct Extras {
    clip: f64,
    decay: f64,
    patience: usize,
}

fn main() -> Result<(), mlp::Error> {
    let flowers = iris();
    let scaler = StandardScaler::fit(&flowers.features)?;
    let x = scaler.transform(&flowers.features)?;
    let (train_rows, validation_rows) =
        TrainTestSplit::new(0.2).seed(SEED).stratify(&flowers.labels).split(x.rows())?;

    let part = |rows: &[usize]| (x.select_rows(rows), rows.iter().map(|&row| flowers.labels[row]).collect());
    let (training, validation): (Part, Part) = (part(&train_rows), part(&validation_rows));

    let (plain, losses) = train(&training, &validation, None)?;
    let mut model = Model::builder(network()).optimizer(Adam::new(0.01)).loss(LOSS).seed(SEED).build()?;
    let fit = Fit::new().epochs(EPOCHS as usize).batch_size(BATCH);
    let history = model.fit(&training.0, &training.1, &fit)?;
    let same = plain.predict(&x)?.bit_eq(&model.network().predict(&x)?) && losses == history.loss();
    println!("without its extras, the loop has the bits of fit: {same}");

    let extras = Extras { clip: 1.0, decay: 0.98, patience: 5 };
    let (_, losses) = train(&training, &validation, Some(&extras))?;
    println!("with them it stopped after {} of {EPOCHS} epochs", losses.len());
    if same { Ok(()) } else { Err(mlp::Error::callback("the loop differs from fit")) }
}

const LOSS: Loss = Loss::CategoricalCrossEntropy;

fn network() -> Sequential {
    Sequential::new(4)
        .add(Dense::new(16).activation(Activation::Relu))
        .add(Dropout::new(0.1))
        .add(Dense::new(3).activation(Activation::Softmax))
}

/// Some rows and their labels.
type Part = (Tensor, Vec<usize>);

/// The loop: the network with the training loss of every epoch.
fn train(training: &Part, validation: &Part, extras: Option<&Extras>) -> Result<(Network, Vec<f64>), mlp::Error> {
    let mut network: Network = network().init(SEED)?;
    let objective = Objective::new(LOSS, &network)?;
    let training = Rows::new(&training.0, &training.1, &objective, &network)?;
    let validation = Rows::new(&validation.0, &validation.1, &objective, &network)?;
    let mut optimizer = Optimizer::from(Adam::new(0.01));
    let mut state = OptimizerState::new(&optimizer, network.parameters());
    let (seeds, mut step) = (Seeds::new(SEED), Step::new(&network));
    let (mut losses, mut best, mut waited) = (Vec::new(), (f64::INFINITY, network.state()), 0);
    for epoch in 0..EPOCHS {
        let mut order: Vec<usize> = (0..training.len()).collect();
        seeds.shuffle(epoch, &mut order);
        let mut totals = Totals::default();
        for batch in order.chunks(BATCH) {
            let seed = seeds.step(state.steps() + 1);
            objective.add(&mut totals, &step.shards(&network, &objective, &training, batch, seed));
            if let Some(extras) = extras {
                step.reduce(&network).clip_global_norm(extras.clip);
            }
            step.apply(&mut network, &optimizer, &mut state);
        }
        losses.push(Evaluation::of(&totals, &objective).loss);
        let Some(extras) = extras else { continue };
        optimizer.set_learning_rate(optimizer.learning_rate() * extras.decay);
        let loss = objective.evaluate(&network, &validation).loss;
        if loss < best.0 {
            (best, waited) = ((loss, network.state()), 0);
        } else {
            waited += 1;
        }
        if waited == extras.patience {
            break;
        }
    }
    if extras.is_some() {
        network.load_state(best.1)?;
    }
    Ok((network, losses))
}
