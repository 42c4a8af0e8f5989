//! candle on the works of the comparison.

use std::time::{Duration, Instant};

use candle_core::backprop::GradStore;
use candle_core::{D, DType, Device, Result, Tensor, Var};
use candle_nn::{AdamW, Init, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap};
use work::{Data, Inference, Random, Training};

fn main() {
    work::run("candle", Some(&|work, data| fit(work, data).expect("candle trains")), &|work, x| {
        predictor(work, x).expect("candle predicts")
    });
}

/// Layers with the weights of Glorot and Bengio, as the other peers have them.
fn layers(widths: &[usize], variables: VarBuilder) -> Result<Vec<candle_nn::Linear>> {
    let layer = |i: usize| {
        let (inputs, units, variables) = (widths[i - 1], widths[i], variables.pp(i));
        let bound = (6.0 / (inputs + units) as f64).sqrt();
        let uniform = Init::Uniform { lo: -bound, up: bound };
        let weight = variables.get_with_hints((units, inputs), "weight", uniform)?;
        Ok(candle_nn::Linear::new(weight, Some(variables.get_with_hints(units, "bias", Init::Const(0.0))?)))
    };
    (1..widths.len()).map(layer).collect()
}

fn forward(layers: &[candle_nn::Linear], x: &Tensor, dropout: f64) -> Result<Tensor> {
    let (last, hidden) = layers.split_last().expect("a network has layers");
    let mut x = x.clone();
    for layer in hidden {
        x = layer.forward(&x)?.relu()?;
        if dropout > 0.0 {
            x = candle_nn::ops::dropout(&x, dropout as f32)?;
        }
    }
    last.forward(&x)
}

fn fit(work: &Training, data: &Data) -> Result<(Duration, f64)> {
    let device = Device::Cpu;
    let x = Tensor::from_slice(&data.x, (work.rows, work.widths[0]), &device)?;
    let y = Tensor::from_slice(&data.classes, work.rows, &device)?;
    let map = VarMap::new();
    let layers = layers(work.widths, VarBuilder::from_varmap(&map, DType::F32, &device))?;
    let adam = ParamsAdamW { weight_decay: 0.0, ..ParamsAdamW::default() };
    let mut adam = AdamW::new(map.all_vars(), adam)?;
    let mut rms_prop = RmsProp::new(map.all_vars())?;
    let (mut random, mut sum) = (Random(3), 0.0);

    let start = Instant::now();
    for _ in 0..work.epochs {
        sum = 0.0;
        for rows in random.order(work.rows).chunks(work.batch) {
            let count = rows.len();
            let rows = Tensor::from_slice(rows, count, &device)?;
            let output = forward(&layers, &x.index_select(&rows, 0)?, work.dropout)?;
            let loss = candle_nn::loss::cross_entropy(&output, &y.index_select(&rows, 0)?)?;
            let gradients = loss.backward()?;
            if work.rms_prop {
                rms_prop.step(&gradients)?
            } else {
                adam.step(&gradients)?
            }
            sum += f64::from(loss.to_scalar::<f32>()?) * count as f64;
        }
    }
    Ok((start.elapsed(), sum / work.rows as f64))
}

/// RMSprop, which candle does not have, written as candle writes its optimizers.
struct RmsProp(Vec<(Var, Var)>);

impl RmsProp {
    fn new(variables: Vec<Var>) -> Result<Self> {
        let pair = |variable: Var| Ok((variable.clone(), Var::zeros(variable.shape(), DType::F32, variable.device())?));
        Ok(Self(variables.into_iter().map(pair).collect::<Result<_>>()?))
    }

    fn step(&mut self, gradients: &GradStore) -> Result<()> {
        for (variable, square) in &self.0 {
            if let Some(gradient) = gradients.get(variable) {
                let mean = ((square.as_tensor() * 0.99)? + (gradient.sqr()? * 0.01)?)?;
                let step = (gradient * 0.001)?.div(&(mean.sqrt()? + 1e-8)?)?;
                variable.set(&variable.sub(&step)?)?;
                square.set(&mean)?;
            }
        }
        Ok(())
    }
}

fn predictor(work: &Inference, x: Vec<f32>) -> Result<Box<dyn FnMut()>> {
    let device = Device::Cpu;
    let x = Tensor::from_vec(x, (work.rows, work.widths[0]), &device)?;
    let map = VarMap::new();
    layers(work.widths, VarBuilder::from_varmap(&map, DType::F32, &device))?;
    // Weights that are not variables, so that nothing is recorded for a backward.
    let weights =
        map.data().lock().expect("nobody else holds it").iter().map(|(name, v)| (name.clone(), v.detach())).collect();
    let layers = layers(work.widths, VarBuilder::from_tensors(weights, DType::F32, &device))?;
    Ok(Box::new(move || {
        let output = forward(&layers, &x, 0.0).and_then(|x| candle_nn::ops::softmax(&x, D::Minus1));
        std::hint::black_box(output.expect("candle predicts"));
    }))
}
