//! A model in a file: saved, looked at, loaded, trained further, and refused when it is damaged.
//!
//! Run with `cargo run --release --example save_and_load`.

use std::error::Error;
use std::fs;
use std::path::Path;

use mlp::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    // A folder of its own among the temporary files, removed again whatever happens in it.
    let folder = std::env::temp_dir().join(format!("mlp-example-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let result = run(&folder);
    fs::remove_dir_all(&folder)?;
    result
}

fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let flowers = iris();
    let (x, y) = (&flowers.features, &flowers.labels);
    let fit = Fit::new().epochs(20).batch_size(16);

    // Train for 20 epochs, and save.
    let mut model = new_model()?;
    let first = model.fit(x, y, &fit)?;
    let path = folder.join("iris.mlp");
    model.save(&path)?;

    // What stands in the file: no need to know the type of its numbers, or the program that wrote it.
    println!("{}\n", mlp::io::inspect(&path)?);

    // The loaded model gives the same predictions, to the last bit.
    let mut loaded = Model::load(&path)?;
    holds("predictions of the loaded model are bit-identical", loaded.predict(x)?.bit_eq(&model.predict(x)?))?;

    // And it goes on where the saved one stopped: the file holds the optimizer's state, the seed and the number of
    // epochs. 20 epochs, a file and 20 more are 40 epochs.
    let second = loaded.fit(x, y, &fit)?;
    let mut uninterrupted = new_model()?;
    let whole = uninterrupted.fit(x, y, &fit.clone().epochs(40))?;
    let resumed: Vec<f64> = [first.loss(), second.loss()].concat();
    println!("\nepoch  loss, resumed       loss, uninterrupted");
    for epoch in [1, 20, 21, 40] {
        println!("{epoch:5}  {:<18}  {:<18}", resumed[epoch - 1], whole.loss()[epoch - 1]);
    }
    let bits = |losses: &[f64]| losses.iter().map(|loss| loss.to_bits()).collect::<Vec<_>>();
    holds("all 40 losses are bit-identical", bits(&resumed) == bits(&whole.loss()))?;
    let same = uninterrupted.predict(x)?.bit_eq(&loaded.predict(x)?);
    holds("predictions after 40 epochs are bit-identical", same)?;

    // A fit can also be saved in its middle, here after 7 epochs and 3 steps, and resumed on the same rows.
    let mut interrupted = new_model()?;
    let mut run = interrupted.run(x, y, &fit.clone().epochs(40))?;
    for _ in 0..7 {
        run.next_epoch()?;
    }
    for _ in 0..3 {
        run.next_step()?;
    }
    let checkpoint = folder.join("checkpoint.mlp");
    run.save(&checkpoint)?;
    let mut resumed = Model::load(&checkpoint)?;
    let mut run = resumed.resume(x, y, &Resume::new())?;
    while run.next_epoch()?.is_some() {}
    let same = bits(&run.into_history().loss()) == bits(&whole.loss());
    holds("a run resumed in the middle of an epoch has the same 40 losses", same)?;

    // One flipped bit, and the file is refused instead of giving slightly wrong predictions.
    let mut bytes = fs::read(&path)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let damaged = folder.join("damaged.mlp");
    fs::write(&damaged, bytes)?;
    match Model::load(&damaged) {
        Ok(_) => return Err("the damaged file was loaded".into()),
        Err(error) => println!("\na copy with one flipped bit is refused:\n  {error}"),
    }

    // The original is as it was.
    let again = Model::load(&path)?;
    holds("the original still loads, with the same predictions", again.predict(x)?.bit_eq(&model.predict(x)?))
}

/// Says what holds; what does not is the end of the program.
fn holds(what: &str, does: bool) -> Result<(), Box<dyn Error>> {
    println!("{what}: {does}");
    if does { Ok(()) } else { Err(format!("it does not hold that {what}").into()) }
}

/// A network that has not been trained. Everything random in it, and in its training, depends on the seed.
fn new_model() -> Result<Model, mlp::Error> {
    let flowers = iris();
    let network = Sequential::new(4)
        .add(Dense::new(10).activation(Activation::Relu))
        .add(Dropout::new(0.1))
        .add(Dense::new(3).activation(Activation::Softmax));
    Model::builder(network)
        .optimizer(Adam::new(0.01))
        .loss(Loss::CategoricalCrossEntropy)
        .metrics([Metric::Accuracy])
        .scaler(StandardScaler::fit(&flowers.features)?)
        .feature_names(flowers.feature_names)
        .class_names(flowers.class_names)
        .seed(42)
        .build()
}
