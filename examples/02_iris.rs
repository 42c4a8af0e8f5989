//! The whole way from a table to predictions: Iris, a small network, a file, another process.
//!
//! 1. The well-known program as it stands in many articles, with its own settings, and what it reaches.
//! 2. The same network done well: scaled features, and a learning rate chosen by cross-validation on the training rows
//!    alone. Ten different splits show how much of a result is luck.
//! 3. The model is saved, and a second process loads it and predicts the same, bit for bit.
//!
//! `cargo run --release --example iris`

use std::error::Error;
use std::path::Path;
use std::process::Command;

use mlp::prelude::*;
use plot::Curve;

fn main() -> Result<(), Box<dyn Error>> {
    // The second process of part 3 is this program with a path as its argument.
    if let Some(path) = std::env::args().nth(1) {
        return predict_from_file(Path::new(&path));
    }
    article()?;
    let model = done_well()?;
    another_process(&model)
}

/// 4 features, a hidden layer of 10 with ReLU, and the probability of each of 3 species.
fn network() -> Sequential {
    Sequential::new(4)
        .add(Dense::new(10).activation(Activation::Relu))
        .add(Dense::new(3).activation(Activation::Softmax))
}

fn article() -> Result<(), Box<dyn Error>> {
    println!("1. The program of the articles\n");
    let iris = iris();
    let species = iris.class_labels();
    let one_hot = OneHotEncoder::fit(&species)?;
    let y = one_hot.transform(&species)?;
    let (x_train, x_test, y_train, y_test) = train_test_split(&iris.features, &y, 0.2, 42)?;

    let network = network();
    println!("{}\n", network.summary()?);
    let mut model = Model::builder(network)
        .optimizer(Adam::new(0.001))
        .loss(Loss::CategoricalCrossEntropy)
        .metrics([Metric::Accuracy])
        .seed(42)
        .build()?;
    let fit = Fit::new().epochs(100).batch_size(32).validation_split(0.2);
    let history = model.fit(&x_train, &y_train, &fit)?;

    for epoch in [1, 25, 50, 75, 100] {
        let report = &history.epochs[epoch - 1];
        let validation = report.validation.as_ref().map_or(String::new(), ToString::to_string);
        println!("epoch {epoch:3}: {}; validation {validation}", report.training);
    }
    println!("\non the {} test rows: {}", x_test.rows(), model.evaluate(&x_test, &y_test)?);

    let flower = Tensor::from([[5.1, 3.5, 1.4, 0.2]]);
    let probabilities = model.predict(&flower)?;
    println!("{flower} is {}: {probabilities:.3}", one_hot.inverse_transform(&probabilities)?[0]);

    let curves = [("training", history.loss()), ("validation", history.validation_loss())];
    let path = Path::new("target").join("iris.svg");
    std::fs::create_dir_all("target")?;
    plot::curves(&path, "Iris, 4-10-3, Adam", &curves.each_ref().map(|(name, values)| Curve { name, values }))?;
    println!("the curves of both losses are in {}\n", path.display());
    Ok(())
}

const LEARNING_RATES: [f64; 5] = [0.001, 0.003, 0.01, 0.03, 0.1];

fn done_well() -> Result<Model, Box<dyn Error>> {
    println!("2. The same network, scaled features, learning rate chosen by cross-validation\n");
    let iris = iris();
    let (mut accuracies, mut last) = (Vec::new(), None);
    for seed in 0..10 {
        let split = TrainTestSplit::new(0.2).seed(seed).split(iris.len())?;

        // Only training rows take part in the choice: the test rows must not know about it.
        let training = iris.select_rows(&split.0);
        let folds = StratifiedKFold::new(5).shuffle(seed).split(&training.labels)?;
        let mut best = (0.0, f64::INFINITY);
        for learning_rate in LEARNING_RATES {
            let mut loss = 0.0;
            for fold in &folds {
                loss += train(&training, fold, learning_rate, seed)?.1 / folds.len() as f64;
            }
            if loss < best.1 {
                best = (learning_rate, loss);
            }
        }

        let (model, _, accuracy) = train(&iris, &split, best.0, seed)?;
        println!("split {seed}: learning rate {}, accuracy on its test rows {accuracy:.3}", best.0);
        accuracies.push(accuracy);
        last = Some(model);
    }
    let n = accuracies.len() as f64;
    let mean = accuracies.iter().sum::<f64>() / n;
    let deviation = (accuracies.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    println!("accuracy over {n} splits: {mean:.3} ± {deviation:.3}\n");
    if mean <= 0.9 {
        return Err("the network done well should be right about more than nine test rows in ten".into());
    }
    last.ok_or_else(|| "there was no split".into())
}

/// Trains on the rows of the first part; the model with its loss and accuracy on those of the second.
fn train(flowers: &Dataset, split: &Split, learning_rate: f64, seed: u64) -> Result<(Model, f64, f64), mlp::Error> {
    let (training, test) = (flowers.select_rows(&split.0), flowers.select_rows(&split.1));
    let mut model = Model::builder(network())
        .optimizer(Adam::new(learning_rate))
        .loss(Loss::CategoricalCrossEntropy)
        .metrics([Metric::Accuracy])
        .scaler(StandardScaler::fit(&training.features)?)
        .feature_names(training.feature_names)
        .class_names(training.class_names)
        .seed(seed)
        .build()?;
    model.fit(&training.features, &training.labels, &Fit::new().epochs(100).batch_size(32))?;
    let result = model.evaluate(&test.features, &test.labels)?;
    let accuracy = result.get("accuracy").unwrap_or(0.0);
    Ok((model, result.loss, accuracy))
}

fn another_process(model: &Model) -> Result<(), Box<dyn Error>> {
    println!("3. Saved, loaded by another process\n");
    let path = std::env::temp_dir().join(format!("iris-{}.mlp", std::process::id()));
    model.save(&path)?;
    println!("saved {} bytes", std::fs::metadata(&path)?.len());
    let output = Command::new(std::env::current_exe()?).arg(&path).output()?;
    std::fs::remove_file(&path)?;
    if !output.status.success() {
        return Err(format!("the second process failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let theirs = String::from_utf8(output.stdout)?;
    let ours = bits(&model.predict(&iris().features)?);
    if ours != theirs {
        return Err("the second process predicted something else".into());
    }
    println!("the second process predicted all {} rows, bit-identical", ours.lines().count());
    Ok(())
}

/// What the second process does: load the model, predict, print the bits.
fn predict_from_file(path: &Path) -> Result<(), Box<dyn Error>> {
    let model = Model::load(path)?;
    print!("{}", bits(&model.predict(&iris().features)?));
    Ok(())
}

/// The bits of every number, a line for each row.
fn bits(table: &Tensor) -> String {
    let row = |row| table.row(row).iter().map(|v: &f32| format!("{:08x} ", v.to_bits())).collect::<String>();
    (0..table.rows()).map(|r| row(r) + "\n").collect()
}
