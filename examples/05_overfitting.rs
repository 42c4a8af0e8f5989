//! Overfitting, and what helps against it: a penalty on the weights (L2), dropout, and both.
//!
//! A network that is far too large for sixty points, some of them with the wrong class, learns them by heart: its
//! training loss goes to 0, while the loss on points that it has not seen rises and rises.
//!
//! Run with `cargo run --release --example overfitting`; it draws `target/overfitting.svg`.

use std::error::Error;
use std::f64::consts::PI;

use mlp::prelude::*;
use plot::Curve;

const EPOCHS: usize = 500;

/// Points, and the class of each.
type Points = (Tensor, Vec<usize>);

fn main() -> Result<(), Box<dyn Error>> {
    let mut rng = Rng::new(2);
    let training = moons(60, &mut rng)?;
    let validation = moons(500, &mut rng)?;

    // Name, factor of the penalty, dropout rate; 0 is without.
    let networks =
        [("no regularization", 0.0, 0.0), ("L2", 0.005, 0.0), ("dropout", 0.0, 0.5), ("L2 and dropout", 0.005, 0.5)];
    let mut losses: Vec<(String, Vec<f64>)> = Vec::new();
    let mut ends = Vec::new();
    println!("{:17}  {:28}  {:28}  lowest validation loss", "network", "training", "validation");
    for (name, l2, dropout) in networks {
        let mut model = Model::builder(network(l2, dropout))
            .optimizer(Adam::new(0.005))
            .loss(Loss::CategoricalCrossEntropy)
            .metrics([Metric::Accuracy])
            .seed(42)
            .build()?;
        // A fit goes on where the last one ended, so epochs can be fitted one by one and anything measured in between.
        let epoch = Fit::new().batch_size(training.0.rows());
        let (mut on_training, mut on_validation) = (Vec::new(), Vec::new());
        for _ in 0..EPOCHS {
            model.fit(&training.0, &training.1, &epoch)?;
            on_training.push(measure(&model, &training)?.loss);
            on_validation.push(measure(&model, &validation)?.loss);
        }
        // What stopping at the best moment would have given.
        let lowest = on_validation.iter().copied().fold(f64::INFINITY, f64::min);
        let (seen, unseen) = (measure(&model, &training)?, measure(&model, &validation)?);
        println!("{name:17}  {seen}  {unseen}  {lowest:.4}");
        ends.push((seen.loss, unseen.loss, lowest));
        if l2 == 0.0 && dropout == 0.0 {
            losses.push((format!("training, {name}"), on_training));
        }
        losses.push((format!("validation, {name}"), on_validation));
    }

    let curves: Vec<Curve<'_>> = losses.iter().map(|(name, values)| Curve { name, values }).collect();
    std::fs::create_dir_all("target")?;
    plot::curves("target/overfitting.svg", "Sixty noisy points, 17,000 weights", &curves)?;
    println!("\ndrawn: target/overfitting.svg");

    let (seen, unseen, lowest) = ends[0];
    if seen > 0.05 || unseen < 2.0 * lowest {
        return Err(
            "without regularization, the points should be learned by heart, and the validation loss rise".into()
        );
    }
    if ends[1..].iter().any(|&(_, helped, _)| helped > 0.5 * unseen) {
        return Err("each regularization should halve the validation loss, at least".into());
    }
    Ok(())
}

/// A network with some 17,000 weights for points in a plane.
fn network(l2: f64, dropout: f64) -> Sequential {
    let hidden = Dense::new(128).activation(Activation::Relu).regularizer(Regularizer::l2(l2));
    Sequential::new(2)
        .add(hidden.clone())
        .add(Dropout::new(dropout))
        .add(hidden)
        .add(Dropout::new(dropout))
        .add(Dense::new(2).activation(Activation::Softmax))
}

/// The cross-entropy alone, without dropout and without the penalty: so the four networks can be compared.
fn measure(model: &Model, (x, y): &Points) -> Result<Evaluation, mlp::Error> {
    let mut evaluation = model.evaluate(x, y)?;
    evaluation.loss -= evaluation.penalty;
    Ok(evaluation)
}

/// Two interleaved half circles, with noise; one point in ten gets the wrong class.
fn moons(points: usize, rng: &mut Rng) -> Result<Points, mlp::Error> {
    let (mut rows, mut classes) = (Vec::new(), Vec::new());
    for point in 0..points {
        let (sin, cos) = (PI * rng.uniform()).sin_cos();
        let class = point % 2;
        rows.push(if class == 0 { [cos as f32, sin as f32] } else { [1.0 - cos as f32, 0.5 - sin as f32] });
        classes.push(if rng.uniform() < 0.1 { 1 - class } else { class });
    }
    let noise = Tensor::normal([points, 2], 0.0, 0.25, rng);
    Ok((Tensor::from_rows(&rows)? + noise, classes))
}
