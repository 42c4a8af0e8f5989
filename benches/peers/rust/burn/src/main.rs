//! burn, on its CPU backend Flex, on the works of the comparison.

use std::time::{Duration, Instant};

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Dropout, DropoutConfig, Initializer, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, RmsPropConfig};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{Device, Int, Tensor, TensorData};
use work::{Data, Inference, Random, Training};

fn main() {
    work::run("burn", Some(&fit), &predictor);
}

#[derive(Module, Debug)]
struct Mlp {
    layers: Vec<Linear>,
    dropout: Dropout,
}

impl Mlp {
    fn new(widths: &[usize], dropout: f64, device: &Device) -> Self {
        let glorot = Initializer::XavierUniform { gain: 1.0 };
        let layer = |pair: &[usize]| LinearConfig::new(pair[0], pair[1]).with_initializer(glorot.clone()).init(device);
        Self { layers: widths.windows(2).map(layer).collect(), dropout: DropoutConfig::new(dropout).init() }
    }

    fn forward(&self, mut x: Tensor<2>) -> Tensor<2> {
        let (last, hidden) = self.layers.split_last().expect("a network has layers");
        for layer in hidden {
            x = self.dropout.forward(relu(layer.forward(x)));
        }
        last.forward(x)
    }
}

fn fit(work: &Training, data: &Data) -> (Duration, f64) {
    let device = Device::flex().autodiff();
    let x = Tensor::<2>::from_data(TensorData::new(data.x.clone(), [work.rows, work.widths[0]]), &device);
    let classes: Vec<i32> = data.classes.iter().map(|&class| class as i32).collect();
    let y = Tensor::<1, Int>::from_data(TensorData::new(classes, [work.rows]), &device);
    let mut model = Mlp::new(work.widths, work.dropout, &device);
    let loss = CrossEntropyLossConfig::new().init(&device);
    let mut optimizer =
        if work.rms_prop { RmsPropConfig::new().with_momentum(0.0).init() } else { AdamConfig::new().init() };
    let (mut random, mut sum) = (Random(3), 0.0);

    let start = Instant::now();
    for _ in 0..work.epochs {
        sum = 0.0;
        for rows in random.order(work.rows).chunks(work.batch) {
            let rows: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
            let count = rows.len();
            let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [count]), &device);
            let output = model.forward(x.clone().select(0, rows.clone()));
            let loss = loss.forward(output, y.clone().select(0, rows));
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(0.001, model, gradients);
            sum += loss.into_scalar::<f64>() * count as f64;
        }
    }
    (start.elapsed(), sum / work.rows as f64)
}

fn predictor(work: &Inference, x: Vec<f32>) -> Box<dyn FnMut()> {
    let device = Device::flex();
    let x = Tensor::<2>::from_data(TensorData::new(x, [work.rows, work.widths[0]]), &device);
    let model = Mlp::new(work.widths, 0.0, &device);
    Box::new(move || {
        std::hint::black_box(softmax(model.forward(x.clone()), 1).into_data());
    })
}
