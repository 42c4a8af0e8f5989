//! The work that mlp and its peers in Rust are timed on: what it is, the data, how it is timed and printed.
//!
//! A peer hands two functions to [`run`], a [`Train`] and a [`Predict`]. Each work prints one JSON line: `s` are the
//! seconds of each run, for inference those of one call, `median` and `min` the middle and the least of them, `loss` the
//! training loss of the last epoch.

use std::convert::Infallible;
use std::time::{Duration, Instant};

/// One training workload: cross-entropy, ReLU between the layers, rows shuffled every epoch.
#[derive(Clone, Copy, Debug)]
pub struct Training {
    /// What it is called.
    pub name: &'static str,
    /// Rows of the data.
    pub rows: usize,
    /// Inputs, units of every layer, the last the classes.
    pub widths: &'static [usize],
    /// Rows of a batch.
    pub batch: usize,
    /// Passes over the data.
    pub epochs: usize,
    /// RMSprop in place of Adam, both at a learning rate of 0.001.
    pub rms_prop: bool,
    /// Timed runs of one process.
    pub runs: usize,
    /// The share of hidden values that are dropped, after each hidden layer.
    pub dropout: f64,
}

/// One inference workload: the same rows through the same network, again and again.
#[derive(Clone, Copy, Debug)]
pub struct Inference {
    /// What it is called.
    pub name: &'static str,
    /// Rows of one call.
    pub rows: usize,
    /// Inputs, units of every layer, the last the classes.
    pub widths: &'static [usize],
}

/// The training workloads.
#[rustfmt::skip]
pub const TRAINING: [Training; 4] = [
    Training { name: "iris", rows: 96, widths: &[4, 10, 3], batch: 32, epochs: 100, rms_prop: false, runs: 9, dropout: 0.0 },
    Training { name: "small", rows: 60_000, widths: &[784, 128, 10], batch: 128, epochs: 1, rms_prop: false, runs: 3, dropout: 0.0 },
    Training { name: "wide", rows: 60_000, widths: &[784, 512, 512, 10], batch: 128, epochs: 1, rms_prop: true, runs: 3, dropout: 0.2 },
    Training { name: "tabular", rows: 100_000, widths: &[28, 256, 256, 256, 2], batch: 256, epochs: 1, rms_prop: false, runs: 3, dropout: 0.0 },
];

/// The inference workloads.
pub const INFERENCE: [Inference; 3] = [
    Inference { name: "infer1_small", rows: 1, widths: &[4, 10, 3] },
    Inference { name: "infer1_wide", rows: 1, widths: &[784, 512, 512, 10] },
    Inference { name: "infer4096_wide", rows: 4096, widths: &[784, 512, 512, 10] },
];

/// What is trained on.
#[derive(Clone, Debug)]
pub struct Data {
    /// The rows after one another.
    pub x: Vec<f32>,
    /// The class of each row.
    pub classes: Vec<u32>,
}

impl Data {
    /// Random rows, and as the class of each the largest output of a random linear map.
    pub fn new(rows: usize, inputs: usize, classes: usize) -> Self {
        let mut random = Random(1);
        let x = random.values(rows * inputs);
        let map = random.values(inputs * classes);
        let class = |row: &[f32]| {
            let mut outputs = vec![0.0_f32; classes];
            for (value, weights) in row.iter().zip(map.chunks(classes)) {
                outputs.iter_mut().zip(weights).for_each(|(output, weight)| *output += value * weight);
            }
            (0..classes).max_by(|&a, &b| outputs[a].total_cmp(&outputs[b])).map_or(0, |class| class as u32)
        };
        let classes = x.chunks(inputs).map(class).collect();
        Self { x, classes }
    }
}

impl Training {
    /// The data, the same at every call.
    pub fn data(&self) -> Data {
        Data::new(self.rows, self.widths[0], self.widths[self.widths.len() - 1])
    }
}

impl Inference {
    /// The rows, the same at every call.
    pub fn input(&self) -> Vec<f32> {
        Random(2).values(self.rows * self.widths[0])
    }
}

/// Trains a new network once and returns the time of the fit alone, and the training loss of its last epoch: the mean
/// over its rows, each at the step that it was trained in.
pub type Train<'a> = &'a dyn Fn(&Training, &Data) -> (Duration, f64);

/// Builds a network and returns a call that predicts the given rows.
pub type Predict<'a> = &'a dyn Fn(&Inference, Vec<f32>) -> Call;

/// A prediction to be made again and again.
pub type Call = Box<dyn FnMut()>;

/// Times `peer` on the works named in the program's arguments, or on all; a peer that does not train has no `fit`.
pub fn run(peer: &str, fit: Option<Train>, predictor: Predict) {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let chosen = |name: &str| names.is_empty() || names.iter().any(|n| n == name);
    if let Some(fit) = fit {
        for work in TRAINING.iter().filter(|work| chosen(work.name)) {
            let data = work.data();
            let Ok((seconds, loss)) = repeat(work.runs, || Ok::<_, Infallible>(fit(work, &data)));
            report(peer, work.name, &seconds, Some(("loss", loss)));
        }
    }
    for work in INFERENCE.iter().filter(|work| chosen(work.name)) {
        let mut call = predictor(work, work.input());
        report(peer, work.name, &per_call(&mut *call), None);
    }
}

/// The threads that a peer is told to use, by the variable `THREADS`, or as many as there are cores.
pub fn threads() -> usize {
    let told = std::env::var("THREADS").ok().and_then(|threads| threads.parse().ok());
    told.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1)
}

/// The seconds of `runs` runs, and the loss of the last; a run before them is thrown away, but is the only one if it
/// takes over ten seconds.
///
/// # Errors
/// The first one of a run.
pub fn repeat<X>(runs: usize, mut run: impl FnMut() -> Result<(Duration, f64), X>) -> Result<(Vec<f64>, f64), X> {
    let (first, mut loss) = run()?;
    if first.as_secs_f64() > 10.0 {
        return Ok((vec![first.as_secs_f64()], loss));
    }
    let mut seconds = Vec::with_capacity(runs);
    while seconds.len() < runs {
        let (time, last) = run()?;
        seconds.push(time.as_secs_f64());
        loss = last;
    }
    Ok((seconds, loss))
}

/// Five samples of the seconds of a call, each the mean of a fifth of a second; a sample before them is thrown away.
pub fn per_call(call: &mut dyn FnMut()) -> Vec<f64> {
    let mut sample = || {
        let (start, mut calls) = (Instant::now(), 0_usize);
        // The clock is read after one call, then ever less often: reading it takes as long as a small network.
        while start.elapsed().as_secs_f64() < 0.2 {
            let block = (calls / 8).max(1);
            (0..block).for_each(|_| call());
            calls += block;
        }
        start.elapsed().as_secs_f64() / calls as f64
    };
    sample();
    (0..5).map(|_| sample()).collect()
}

/// Prints the result line of a work; `more` is the name of another number and the number.
pub fn report(peer: &str, work: &str, seconds: &[f64], more: Option<(&str, f64)>) {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (min, median) = (sorted[0], median(&sorted));
    let list: Vec<String> = seconds.iter().map(|s| format!("{s:.4e}")).collect();
    let more = more.map_or(String::new(), |(name, number)| format!(r#","{name}":{number:.4}"#));
    let list = list.join(",");
    println!(r#"{{"peer":"{peer}","work":"{work}","s":[{list}],"median":{median:.4e},"min":{min:.4e}{more}}}"#);
}

/// The value in the middle of sorted ones, or the mean of the two in the middle.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

/// A small generator (xorshift), for data and for orders of rows; its state must not be 0.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// `n` values from -1.7 to 1.7, about of unit variance.
    pub fn values(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| (self.next() >> 40) as f32 / (1 << 24) as f32 * 3.4 - 1.7).collect()
    }

    /// The numbers below `n` in a random order.
    pub fn order(&mut self, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        for i in (1..n).rev() {
            order.swap(i, (self.next() % (i as u64 + 1)) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_holds_every_row_once_and_is_not_the_first_one() {
        let order = Random(3).order(100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        let mut sorted = order;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_run_before_those_that_count_is_thrown_away() {
        let mut calls = 0;
        let run = || {
            calls += 1;
            Ok::<_, Infallible>((Duration::from_secs(calls), calls as f64 / 10.0))
        };
        assert_eq!(repeat(3, run), Ok((vec![2.0, 3.0, 4.0], 0.4)));
    }

    #[test]
    fn a_run_of_more_than_ten_seconds_is_not_repeated() {
        assert_eq!(repeat(3, || Ok::<_, Infallible>((Duration::from_secs(11), 0.5))), Ok((vec![11.0], 0.5)));
    }

    #[test]
    fn the_median_of_an_even_number_of_values_is_the_mean_of_the_two_in_the_middle() {
        assert_eq!(median(&[1.0, 2.0, 7.0]), 2.0);
        assert_eq!(median(&[1.0, 2.0, 4.0, 7.0]), 3.0);
    }

    #[test]
    fn every_class_is_about_as_frequent_as_any_other() {
        let data = Data::new(1000, 20, 4);
        for class in 0..4 {
            let count = data.classes.iter().filter(|&&c| c == class).count();
            assert!((100..500).contains(&count), "class {class}: {count} of 1000");
        }
    }
}
