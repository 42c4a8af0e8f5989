//! RustyML on the works of the comparison.

use std::time::{Duration, Instant};

use ndarray::{Array1, Array2};
use rustyml::error::Error;
use rustyml::prelude::neural_network::*;
use work::{Data, Inference, Training};

fn main() {
    work::run("rustyml", Some(&|work, data| fit(work, data).expect("RustyML trains")), &|work, x| {
        predictor(work, x).expect("RustyML predicts")
    });
}

fn network(widths: &[usize], last: Activation, dropout: f64) -> Result<Sequential, Error> {
    let mut network = SequentialBuilder::new_with_seed(0);
    for (index, &units) in widths[1..].iter().enumerate() {
        if index + 2 == widths.len() {
            network = network.add(Dense::new(units, last.clone())?);
        } else {
            network = network.add(Dense::new(units, Activation::ReLU)?);
            if dropout > 0.0 {
                network = network.add(Dropout::new(dropout as f32)?);
            }
        }
    }
    network.build(&Shape::known(&[1, widths[0]]))
}

fn fit(work: &Training, data: &Data) -> Result<(Duration, f64), Error> {
    let x = Array2::from_shape_vec((work.rows, work.widths[0]), data.x.clone()).expect("the rows are whole").into_dyn();
    let y = Array1::from_iter(data.classes.iter().map(|&class| class as f32)).insert_axis(ndarray::Axis(1)).into_dyn();
    let mut model = network(work.widths, Activation::Linear, work.dropout)?;
    let loss = SparseCategoricalCrossEntropy::new(true);
    if work.rms_prop {
        model.compile(RMSprop::new(0.001, 0.99, 1e-8, 0.0)?, loss);
    } else {
        model.compile(Adam::new(0.001, 0.9, 0.999, 1e-8, 0.0)?, loss);
    }
    let start = Instant::now();
    let history = model.fit_with_batches(&x, &y, work.epochs as u32, work.batch)?;
    Ok((start.elapsed(), history.loss().last().map_or(f64::NAN, |&loss| loss.into())))
}

fn predictor(work: &Inference, x: Vec<f32>) -> Result<Box<dyn FnMut()>, Error> {
    let x = Array2::from_shape_vec((work.rows, work.widths[0]), x).expect("the rows are whole").into_dyn();
    let model = network(work.widths, Activation::Softmax { axis: -1 }, 0.0)?;
    Ok(Box::new(move || {
        std::hint::black_box(model.predict(&x).expect("RustyML predicts"));
    }))
}
