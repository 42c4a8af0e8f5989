//! Times training through the public `fit`, on data in memory, and prints one JSON line for each workload.
//!
//! usage: cargo run --release --bin workloads -- [iris|small|wide|tabular ...] [--threads N] [--f64]
//!
//! `s` is the seconds of each run's fit alone, `min` the least of them, `loss` the mean loss of the last epoch. The
//! rows are drawn at random and labelled by a random linear map, the same for every run.

use std::process::ExitCode;
use std::time::Instant;

use mlp::prelude::*;
use mlp::tensor::Element;

struct Workload {
    name: &'static str,
    rows: usize,
    widths: &'static [usize],
    batch_size: usize,
    epochs: usize,
    rms_prop: bool,
    dropout: f64,
    /// Timed runs; short fits need more of them for a steady minimum.
    runs: usize,
}

#[rustfmt::skip]
const WORKLOADS: [Workload; 4] = [
    Workload { name: "iris", rows: 96, widths: &[4, 10, 3], batch_size: 32, epochs: 100, rms_prop: false, dropout: 0.0, runs: 20 },
    Workload { name: "small", rows: 60_000, widths: &[784, 128, 10], batch_size: 128, epochs: 1, rms_prop: false, dropout: 0.0, runs: 5 },
    Workload { name: "wide", rows: 60_000, widths: &[784, 512, 512, 10], batch_size: 128, epochs: 1, rms_prop: true, dropout: 0.2, runs: 3 },
    Workload { name: "tabular", rows: 100_000, widths: &[28, 256, 256, 256, 2], batch_size: 256, epochs: 1, rms_prop: false, dropout: 0.0, runs: 3 },
];

fn main() -> ExitCode {
    let (mut names, mut threads, mut f64) = (Vec::new(), None, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--f64" => f64 = true,
            "--threads" => match arguments.next().and_then(|n| n.parse::<usize>().ok()).filter(|&n| n > 0) {
                Some(n) => threads = Some(n),
                None => return usage("--threads needs a number above 0"),
            },
            name if WORKLOADS.iter().any(|w| w.name == name) => names.push(argument),
            other => return usage(&format!("there is no workload or option {other}")),
        }
    }
    let run = || {
        let chosen = WORKLOADS.iter().filter(|w| names.is_empty() || names.iter().any(|name| name == w.name));
        chosen.into_iter().try_for_each(|workload| if f64 { workload.run::<f64>() } else { workload.run::<f32>() })
    };
    let result = match threads {
        None => run(),
        Some(n) => match rayon::ThreadPoolBuilder::new().num_threads(n).build() {
            Ok(pool) => pool.install(run),
            Err(error) => return usage(&format!("no pool of {n} threads: {error}")),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => usage(&error.to_string()),
    }
}

fn usage(problem: &str) -> ExitCode {
    let names: Vec<_> = WORKLOADS.iter().map(|w| w.name).collect();
    eprintln!("{problem}\nusage: workloads [{} ...] [--threads N] [--f64]", names.join("|"));
    ExitCode::FAILURE
}

impl Workload {
    fn run<E: Element>(&self) -> Result<(), mlp::Error> {
        let (x, classes) = self.data::<E>();
        let fit = Fit::new().epochs(self.epochs).batch_size(self.batch_size);
        let (mut seconds, mut loss) = (Vec::new(), 0.0);
        for _ in 0..self.runs {
            let mut model = if self.rms_prop {
                Model::compile(self.network(), RmsProp::default(), Loss::CategoricalCrossEntropy, 1)?
            } else {
                Model::compile(self.network(), Adam::default(), Loss::CategoricalCrossEntropy, 1)?
            };
            let start = Instant::now();
            let history = model.fit(&x, &classes, &fit)?;
            seconds.push(start.elapsed().as_secs_f64());
            loss = history.last().training.loss;
        }
        let min = seconds.iter().copied().fold(f64::INFINITY, f64::min);
        let list: Vec<String> = seconds.iter().map(|s| format!("{s:.5}")).collect();
        let (name, list) = (self.name, list.join(","));
        println!(r#"{{"peer":"mlp","work":"{name}","s":[{list}],"min":{min:.5},"loss":{loss:.4}}}"#);
        Ok(())
    }

    fn network(&self) -> Sequential {
        let (&input, layers) = self.widths.split_first().expect("a workload has an input and an output");
        let mut network = Sequential::new(input);
        for (index, &units) in layers.iter().enumerate() {
            let last = index + 1 == layers.len();
            network =
                network.add(Dense::new(units).activation(if last { Activation::Softmax } else { Activation::Relu }));
            if !last && self.dropout > 0.0 {
                network = network.add(Dropout::new(self.dropout));
            }
        }
        network
    }

    /// Random rows, and as the class of each the largest output of a random linear map.
    fn data<E: Element>(&self) -> (Tensor<E>, Vec<usize>) {
        let (inputs, classes) = (self.widths[0], self.widths[self.widths.len() - 1]);
        let mut rng = Rng::new(0);
        let x = Tensor::<E>::uniform([self.rows, inputs], -1.7, 1.7, &mut rng);
        let map = Tensor::uniform([inputs, classes], -0.5, 0.5, &mut rng);
        let labels = x.matmul(&map).argmax(1);
        (x, labels)
    }
}
