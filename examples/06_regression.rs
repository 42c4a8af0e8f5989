//! Regression: a small network learns a wave from noisy points, by full-batch gradient descent.
//!
//! Shows plain gradient descent beside momentum, and a model that standardizes its targets for training and predicts in
//! their own unit.
//!
//! Run with `cargo run --release --example regression`.

use std::error::Error;

use mlp::prelude::*;

const EPOCHS: usize = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    // 200 points of a wave, with noise of standard deviation 2.
    let mut rng = Rng::new(42);
    let x: Tensor = Tensor::uniform([200, 1], -3.0, 3.0, &mut rng);
    let noise = Tensor::normal([200, 1], 0.0, 2.0, &mut rng);
    let y = wave(&x) + &noise;

    // The targets lie around 50. A network starts out near 0 and learns best what has mean 0 and deviation 1, so the model
    // standardizes them, as it does the features: it trains on standardized targets, and predicts in the targets' unit.
    let target = StandardScaler::fit(&y)?;

    println!("mean squared error of the standardized targets, after so many epochs:\n");
    println!("{:17}  {:>7}  {:>7}  {:>7}  {:>7}  mean absolute error", "optimizer", 10, 100, 500, EPOCHS);
    let grid = Tensor::from_vec((0..=8).map(|i| -3.0 + 0.75 * i as f32).collect(), [9, 1]);
    let (mut predictions, mut ends) = (Vec::new(), Vec::new());
    let plain = Sgd::new(0.05);
    for (name, optimizer) in [("gradient descent", plain.clone()), ("with momentum 0.9", plain.momentum(0.9))] {
        let mut model = Model::builder(network())
            .optimizer(optimizer)
            .loss(Loss::MeanSquaredError)
            .metrics([Metric::MeanAbsoluteError])
            .scaler(StandardScaler::fit(&x)?)
            .target_scaler(target.clone())
            .seed(42)
            .build()?;
        // One batch that holds every row: one step an epoch, along the exact gradient.
        let history = model.fit(&x, &y, &Fit::new().epochs(EPOCHS).batch_size(x.rows()))?;

        let loss = history.loss();
        let losses = [10, 100, 500, EPOCHS].map(|epoch| format!("{:7.4}", loss[epoch - 1]));
        // The loss is that of standardized targets, a metric is in their own unit.
        let absolute = history.metric("mean_absolute_error")[EPOCHS - 1];
        println!("{name:17}  {}  {absolute:.2} in the targets' unit", losses.join("  "));
        predictions.push(model.predict(&grid)?);
        ends.push((loss[0], loss[EPOCHS - 1]));
    }
    let of_the_noise = f64::from(noise.square().mean()) / target.scale()[0].powi(2);
    println!("\nThe noise alone makes an error of {of_the_noise:.4}; below it, noise is learned by heart.\n");

    println!("{:>6}  {:>6}  {:>16}  {:>13}", "x", "truth", "gradient descent", "with momentum");
    let truth = wave(&grid);
    for row in 0..grid.rows() {
        let [x, truth, plain, momentum] = [&grid, &truth, &predictions[0], &predictions[1]].map(|t| t[[row, 0]]);
        println!("{x:6.2}  {truth:6.1}  {plain:16.1}  {momentum:13.1}");
    }

    let (plain, momentum) = (ends[0], ends[1]);
    if plain.1 > 0.5 * plain.0 || momentum.1 > plain.1 {
        return Err("gradient descent should halve the error at least, and get further with momentum".into());
    }
    if momentum.1 > 2.0 * of_the_noise {
        return Err("with momentum, the error should come near to that of the noise".into());
    }
    Ok(())
}

/// The truth that the noise hides.
fn wave(x: &Tensor) -> Tensor {
    (x * 2.0).sin() * 20.0 + x * 3.0 + 50.0
}

/// 1-16-16-1; the output is any number, so the last layer has no activation.
fn network() -> Sequential {
    let hidden = Dense::new(16).activation(Activation::Tanh);
    Sequential::new(1).add(hidden.clone()).add(hidden).add(Dense::new(1))
}
