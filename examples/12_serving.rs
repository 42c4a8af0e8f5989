//! Serving: one model, loaded once, answers from several threads with class names.
//!
//! A model is `Sync`: threads share it by reference, and none waits for another. For single rows at the highest speed there
//! is a predictor, which allocates nothing.
//!
//! Run with `cargo run --release --example serving`.

use std::error::Error;
use std::sync::mpsc;
use std::thread;

use mlp::prelude::*;

const WORKERS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("serving-{}.mlp", std::process::id()));
    let flowers = iris();
    train(&flowers)?.save(&path)?;
    let model = Model::load(&path);
    std::fs::remove_file(&path)?;
    let model = model?;

    // Every worker takes the requests of its own number and answers with the name of the species.
    let (answers, answered) = mpsc::channel();
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (model, flowers, answers) = (&model, &flowers, answers.clone());
            scope.spawn(move || {
                for row in (worker..flowers.len()).step_by(WORKERS) {
                    let request = flowers.features.slice(0, row..row + 1);
                    let answer = model.predict_labels(&request).map(|labels| labels[0].to_owned());
                    // The receiver lives until all workers are done.
                    let _ = answers.send((row, answer));
                }
            });
        }
    });
    drop(answers);
    let mut names = vec![String::new(); flowers.len()];
    for (row, answer) in answered {
        names[row] = answer?;
    }
    for row in [0, 50, 100] {
        println!("row {row}: {}", names[row]);
    }
    let together = model.predict_labels(&flowers.features)?;
    let same = names == together;
    println!("{} rows, answered one by one from {WORKERS} threads as all together: {same}", names.len());

    // For single rows at the highest speed: each answer goes into the same three places, and nothing is allocated.
    let predictor = model.predictor();
    let (probabilities, mut answer) = (model.predict(&flowers.features)?, [0.0; 3]);
    let mut same_numbers = true;
    for (row, expected) in flowers.features.as_slice().chunks(4).zip(probabilities.as_slice().chunks(3)) {
        predictor.predict_row(row, &mut answer)?;
        same_numbers &= answer == *expected;
    }
    println!("the predictor gives each row the same probabilities: {same_numbers}");

    // What comes from outside may be wrong; the answer says what, and the worker goes on.
    for bad in [vec![5.1, f32::NAN, 1.4, 0.2], vec![5.1, 3.5]] {
        match model.predict_row(&bad) {
            Ok(_) => return Err("a wrong row was answered".into()),
            Err(error) => println!("refused: {error}"),
        }
    }
    if same && same_numbers { Ok(()) } else { Err("the answers differ".into()) }
}

fn train(flowers: &Dataset) -> Result<Model, mlp::Error> {
    let network = Sequential::new(4)
        .add(Dense::new(10).activation(Activation::Relu))
        .add(Dense::new(3).activation(Activation::Softmax));
    let mut model = Model::builder(network)
        .optimizer(Adam::new(0.01))
        .loss(Loss::CategoricalCrossEntropy)
        .scaler(StandardScaler::fit(&flowers.features)?)
        .class_names(flowers.class_names.clone())
        .seed(42)
        .build()?;
    model.fit(&flowers.features, &flowers.labels, &Fit::new().epochs(50))?;
    Ok(model)
}
