//! Binary classification of rare cases: class weights, and a threshold chosen on validation rows.
//!
//! One row in twenty is a case. A network that always says no is right 95 times in 100 and of no use; so its accuracy is
//! not what is looked at, but how many cases it finds (recall) and how many of its alarms are cases (precision).
//!
//! Run with `cargo run --release --example binary_classification`.

use mlp::prelude::*;

fn main() -> Result<(), mlp::Error> {
    let (x, y) = patients(4000, 1);
    let (x_validation, y_validation) = patients(2000, 2);
    let (x_test, y_test) = patients(2000, 3);
    println!("{} of {} training rows are cases\n", y.iter().sum::<usize>(), y.len());

    println!("{:12}  {:>9}  {:>6}  {:>9}", "network", "threshold", "recall", "precision");
    let mut recalls = Vec::new();
    for (name, weighted) in [("plain", false), ("weighted", true)] {
        let fit = Fit::new().epochs(30).batch_size(64);
        // Balanced: all cases together count as much as all other rows.
        let fit = if weighted { fit.balanced_class_weights() } else { fit };
        let mut model = build(&x, 0.5)?;
        model.fit(&x, &y, &fit)?;
        recalls.push(report(name, &model, &x_test, &y_test)?);

        // The smallest of these thresholds at which half of the alarms are cases, on rows that were not trained on.
        let probabilities = model.predict(&x_validation)?;
        let thresholds: Vec<f64> = (1..20).map(|step| f64::from(step) * 0.05).collect();
        let good = |threshold: &&f64| {
            let alarms = probabilities.as_slice().iter().map(|p| f64::from(*p) > **threshold);
            measure(alarms, &y_validation).1 >= 0.5
        };
        let threshold = thresholds.iter().find(good).copied().unwrap_or(0.5);
        // The threshold is part of the model: it is saved with it, and decides what `predict_labels` says.
        model.set_threshold(threshold)?;
        report(name, &model, &x_test, &y_test)?;
    }
    let found = build(&x, 0.5)?;
    println!("\nan untrained model says of the first test row: {}", found.predict_labels(&x_test.slice(0, 0..1))?[0]);
    if recalls[1] > recalls[0] { Ok(()) } else { Err(mlp::Error::callback("class weights found no more cases")) }
}

/// A network with one output and no activation at its end: the loss makes probabilities of it.
fn build(x: &Tensor, threshold: f64) -> Result<Model, mlp::Error> {
    let hidden = Dense::new(16).activation(Activation::Relu);
    Model::builder(Sequential::new(5).add(hidden.clone()).add(hidden).add(Dense::new(1)))
        .optimizer(Adam::new(0.005))
        .loss(Loss::BinaryCrossEntropy)
        .scaler(StandardScaler::fit(x)?)
        .class_names(["healthy", "ill"])
        .threshold(threshold)
        .seed(42)
        .build()
}

/// Prints recall and precision on some rows, and returns the recall.
fn report(name: &str, model: &Model, x: &Tensor, y: &[usize]) -> Result<f64, mlp::Error> {
    let alarms = model.predict_classes(x)?.into_iter().map(|class| class == 1);
    let (recall, precision) = measure(alarms, y);
    println!("{name:12}  {:9.2}  {recall:6.2}  {precision:9.2}", model.output().threshold());
    Ok(recall)
}

/// The share of cases that are found, and the share of alarms that are cases.
fn measure(alarms: impl Iterator<Item = bool>, y: &[usize]) -> (f64, f64) {
    let (mut found, mut alarmed) = (0.0, 0.0);
    for (alarm, &case) in alarms.zip(y) {
        alarmed += f64::from(alarm);
        found += f64::from(alarm && case == 1);
    }
    (found / y.iter().sum::<usize>() as f64, if alarmed > 0.0 { found / alarmed } else { 0.0 })
}

/// Rows of five measurements; who is ill has some of them shifted, with much overlap.
fn patients(rows: usize, seed: u64) -> (Tensor, Vec<usize>) {
    let mut rng = Rng::new(seed);
    let classes: Vec<usize> = (0..rows).map(|_| usize::from(rng.uniform() < 0.05)).collect();
    let mut x = Tensor::normal([rows, 5], 50.0, 10.0, &mut rng);
    for (row, &ill) in x.as_mut_slice().chunks_mut(5).zip(&classes) {
        row[0] += 14.0 * ill as f32;
        row[3] -= 12.0 * ill as f32;
    }
    (x, classes)
}
