//! Cross-validation: every row of Iris is tested on once, by a model that did not see it in training.
//!
//! Shows plain and stratified folds, why the scaler belongs inside of the fold, and how two networks are compared.
//!
//! Run with `cargo run --release --example cross_validation`.

use std::error::Error;

use mlp::prelude::*;

const FOLDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let flowers = iris();
    // Shuffled, since Iris is sorted by species: a fold of its first rows would hold one species only.
    let plain = KFold::new(FOLDS).shuffle(42).split(flowers.labels.len())?;
    // Stratified: every fold holds the species in the same proportions.
    let stratified = StratifiedKFold::new(FOLDS).shuffle(42).split(&flowers.labels)?;

    println!("The test rows of each fold ({}):\n", flowers.class_names.join(", "));
    println!("fold  k-fold        stratified");
    let mut proportional = true;
    for (number, (a, b)) in plain.iter().zip(&stratified).enumerate() {
        let counts = [a, b].map(|(_, test)| class_counts(&flowers, test));
        let shown = counts.each_ref().map(|counts| format!("{counts:?}"));
        println!("{:4}  {:12}  {:12}", number + 1, shown[0], shown[1]);
        proportional &= counts[1] == [10, 10, 10];
    }
    holds("every stratified fold tests on ten flowers of each species", proportional)?;
    for folds in [&plain, &stratified] {
        let mut tested: Vec<usize> = folds.iter().flat_map(|(_, test)| test.clone()).collect();
        tested.sort_unstable();
        holds("every row is tested on once", tested.iter().copied().eq(0..flowers.len()))?;
    }

    println!("\nTest accuracy of 4-16-3 networks:\n");
    report("k-fold", &accuracies(&flowers, &plain, 16)?);
    report("stratified", &accuracies(&flowers, &stratified, 16)?);

    // Networks are compared on the same folds, so that both meet the same easy and difficult rows.
    println!("\nTwo hidden widths, on the stratified folds:\n");
    let narrow = accuracies(&flowers, &stratified, 2)?;
    let wide = accuracies(&flowers, &stratified, 16)?;
    report("4-2-3", &narrow);
    let (accuracy, _) = report("4-16-3", &wide);
    let differences: Vec<f64> = wide.iter().zip(&narrow).map(|(wide, narrow)| wide - narrow).collect();
    let (mean, deviation) = report("difference", &differences);
    let verdict = if mean > deviation { "speaks for" } else { "is no reason for" };
    println!("\nA difference of {mean:.3} where folds differ by {deviation:.3} {verdict} the wider network.");
    holds("the wider network is right about more than nine flowers in ten", accuracy > 0.9)
}

/// What does not hold is the end of the program.
fn holds(what: &str, does: bool) -> Result<(), Box<dyn Error>> {
    if does { Ok(()) } else { Err(format!("it does not hold that {what}").into()) }
}

/// The accuracy on every fold's test rows of a network that was trained on the other rows.
fn accuracies(flowers: &Dataset, folds: &[Split], hidden: usize) -> Result<Vec<f64>, mlp::Error> {
    let mut accuracies = Vec::new();
    for (train, test) in folds {
        let (train, test) = (flowers.select_rows(train), flowers.select_rows(test));

        let network = Sequential::new(4)
            .add(Dense::new(hidden).activation(Activation::Relu))
            .add(Dense::new(3).activation(Activation::Softmax));
        // Means and deviations of all rows would tell the network something about the test rows: the scaler is fitted
        // on the training rows of this fold. The model applies it, in training and in testing alike.
        let mut model = Model::builder(network)
            .optimizer(Adam::new(0.01))
            .loss(Loss::CategoricalCrossEntropy)
            .metrics([Metric::Accuracy])
            .scaler(StandardScaler::fit(&train.features)?)
            .seed(42)
            .build()?;
        model.fit(&train.features, &train.labels, &Fit::new().epochs(60).batch_size(16))?;
        // `None`, and nothing to extend by, only if the model were built without this metric.
        accuracies.extend(model.evaluate(&test.features, &test.labels)?.get("accuracy"));
    }
    Ok(accuracies)
}

/// How many of the rows every class has.
fn class_counts(flowers: &Dataset, rows: &[usize]) -> Vec<usize> {
    let mut counts = vec![0; flowers.class_names.len()];
    rows.iter().for_each(|&row| counts[flowers.labels[row]] += 1);
    counts
}

/// Prints the value of every fold, and prints and returns their mean and their standard deviation (with n - 1).
fn report(name: &str, values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let folds: Vec<String> = values.iter().map(|v| format!("{v:6.3}")).collect();
    println!("{name:10}  {}   mean {mean:6.3} ± {deviation:.3}", folds.join(" "));
    (mean, deviation)
}
