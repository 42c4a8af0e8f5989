//! What training costs: how the time of a step grows with its sizes, what a second thread gains, what f64 costs, what a
//! loop of one's own costs beside `fit`, and the memory that a fit takes.
//!
//! usage: cargo run --release --bin cost -- [rows|parameters|batch|threads|f64|loop|memory ...]

use std::process::{Command, ExitCode};
use std::time::Instant;

use mlp::prelude::*;
use mlp_benches::{compile, tensor};
use rayon::ThreadPoolBuilder;
use work::{Data, TRAINING, Training};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A part of the output: its name, and what prints it.
type Part = (&'static str, fn() -> Result);

const PARTS: [Part; 7] = [
    ("rows", rows),
    ("parameters", parameters),
    ("batch", batch),
    ("threads", threads),
    ("f64", double),
    ("loop", own_loop),
    ("memory", memory),
];

/// The argument with which the program starts itself to train `wide` in a process of its own.
const TRAIN_WIDE: &str = "--train-wide";

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let result = if names == [TRAIN_WIDE] {
        train_wide()
    } else if let Some(other) = names.iter().find(|name| PARTS.iter().all(|(part, _)| part != name)) {
        let parts: Vec<_> = PARTS.iter().map(|(part, _)| *part).collect();
        Err(format!("there is no part {other}\nusage: cost [{} ...]", parts.join("|")).into())
    } else {
        let mut chosen = PARTS.iter().filter(|(part, _)| names.is_empty() || names.iter().any(|name| name == part));
        chosen.try_for_each(|(_, run)| run())
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Seconds of one epoch, the best of two, and of as many more as start within two seconds, at most 20.
fn epoch<E: Element>(widths: &[usize], rows: usize, batch: usize, dropout: f64, rms_prop: bool) -> Result<f64> {
    let data = Data::new(rows, widths[0], widths[widths.len() - 1]);
    let x = tensor::<E>(data.x, widths[0]);
    let classes: Vec<usize> = data.classes.iter().map(|&class| class as usize).collect();
    let (mut best, mut spent, mut runs) = (f64::INFINITY, 0.0, 0);
    while runs < 2 || runs < 20 && spent < 2.0 {
        let mut model = compile(widths, dropout, rms_prop)?;
        let start = Instant::now();
        model.fit(&x, &classes, &Fit::new().epochs(1).batch_size(batch))?;
        let seconds = start.elapsed().as_secs_f64();
        (best, spent, runs) = (best.min(seconds), spent + seconds, runs + 1);
    }
    Ok(best)
}

/// Prints seconds against sizes, and the slopes of log time over log size: 1 is linear.
fn table(title: &str, size: &str, points: &[(f64, f64)]) {
    println!("\n{title}\n\n{size:>12}   microseconds   per unit of size   slope from the line above");
    for (index, &(size, seconds)) in points.iter().enumerate() {
        let slope = match index.checked_sub(1) {
            Some(before) => format!("{:.2}", slope(&points[before..=index])),
            None => String::new(),
        };
        println!("{size:>12.0}   {:>12.1}   {:>16.4}   {slope:>6}", seconds * 1e6, seconds * 1e6 / size);
    }
    println!("{:>12}   slope of the least-squares line through all: {:.2}", "fit", slope(points));
}

/// The slope of the least-squares line through the logarithms.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0.ln() / n, sum.1 + point.1.ln() / n));
    let (mut covariance, mut variance) = (0.0, 0.0);
    for point in points {
        let (x, y) = (point.0.ln() - mean.0, point.1.ln() - mean.1);
        covariance += x * y;
        variance += x * x;
    }
    covariance / variance
}

fn rows() -> Result {
    let mut points = Vec::new();
    for rows in [1_000, 10_000, 100_000, 1_000_000] {
        points.push((rows as f64, epoch::<f32>(&[20, 64, 2], rows, 100, 0.0, false)?));
    }
    table("Time of an epoch, 20-64-2, batches of 100, Adam", "rows", &points);
    Ok(())
}

fn parameters() -> Result {
    let mut points = Vec::new();
    for width in [30, 100, 316, 1000] {
        let widths = [width, width, 2];
        let count: usize = widths.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum();
        points.push((count as f64, epoch::<f32>(&widths, 20 * 128, 128, 0.0, false)? / 20.0));
    }
    table("Time of a step, batches of 128, Adam", "parameters", &points);
    Ok(())
}

fn batch() -> Result {
    let mut points = Vec::new();
    for batch in [16, 160, 1_600, 16_000] {
        points.push((batch as f64, epoch::<f32>(&[64, 128, 10], 4 * batch, batch, 0.0, false)? / 4.0));
    }
    table("Time of a step, 64-128-10, Adam", "batch", &points);
    Ok(())
}

/// The training workloads that are large enough to be worth a second thread.
fn large() -> impl Iterator<Item = &'static Training> {
    TRAINING.iter().filter(|work| work.name != "iris")
}

fn fit<E: Element>(work: &Training) -> Result<f64> {
    epoch::<E>(work.widths, work.rows, work.batch, work.dropout, work.rms_prop)
}

fn threads() -> Result {
    let (one, two) =
        (ThreadPoolBuilder::new().num_threads(1).build()?, ThreadPoolBuilder::new().num_threads(2).build()?);
    println!("\n{:>12}   seconds on 1 thread   on 2   speed-up", "threads");
    for work in large() {
        // Seconds as text: an error that can cross threads.
        let fit = || fit::<f32>(work).map_err(|error| error.to_string());
        let (one, two) = (one.install(fit)?, two.install(fit)?);
        println!("{:>12}   {one:>19.3}   {two:.3}   {:.2}", work.name, one / two);
    }
    Ok(())
}

fn double() -> Result {
    println!("\n{:>12}   seconds in f32   in f64   rate of f64 to that of f32", "f64");
    for work in large() {
        let (single, double) = (fit::<f32>(work)?, fit::<f64>(work)?);
        println!("{:>12}   {single:>14.3}   {double:>6.3}   {:.2}", work.name, single / double);
    }
    Ok(())
}

/// `small` by `fit` and by the loop of `examples/10_own_loop.rs` without its extras, in turns.
fn own_loop() -> Result {
    const TURNS: usize = 15;
    let work = TRAINING.iter().find(|work| work.name == "small").ok_or("there is a work called small")?;
    let data = work.data();
    let x = tensor::<f32>(data.x, work.widths[0]);
    let classes: Vec<usize> = data.classes.iter().map(|&class| class as usize).collect();
    let (mut by_fit, mut by_loop) = (Vec::new(), Vec::new());
    for turn in 0..2 * TURNS {
        let mut model = compile::<f32>(work.widths, work.dropout, work.rms_prop)?;
        if turn % 2 == 0 {
            let start = Instant::now();
            model.fit(&x, &classes, &Fit::new().epochs(work.epochs).batch_size(work.batch))?;
            by_fit.push(start.elapsed().as_secs_f64());
        } else {
            let (mut network, optimizer) = (model.network().clone(), Optimizer::from(Adam::default()));
            let start = Instant::now();
            step_by_step(&mut network, &optimizer, (&x, &classes), work)?;
            by_loop.push(start.elapsed().as_secs_f64());
        }
    }
    let median = |seconds: &mut Vec<f64>| {
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2]
    };
    let ((least_fit, fit), (least_loop, own)) = (
        (by_fit.iter().copied().fold(f64::INFINITY, f64::min), median(&mut by_fit)),
        (by_loop.iter().copied().fold(f64::INFINITY, f64::min), median(&mut by_loop)),
    );
    println!("\n{:>12}   seconds by fit   by a loop   loop to fit (at most 1.03 wanted)", "small");
    println!("{:>12}   {fit:>14.3}   {own:>9.3}   {:.3}", "median", own / fit);
    println!("{:>12}   {least_fit:>14.3}   {least_loop:>9.3}   {:.3}", "least", least_loop / least_fit);
    Ok(())
}

/// The steps of a fit of `work`, over the public step.
fn step_by_step(
    network: &mut Network,
    optimizer: &Optimizer,
    (x, classes): (&Tensor, &[usize]),
    work: &Training,
) -> Result {
    let objective = Objective::new(Loss::CategoricalCrossEntropy, network)?;
    let rows = Rows::new(x, classes, &objective, network)?;
    let mut state = OptimizerState::new(optimizer, network.parameters());
    let (seeds, mut step) = (Seeds::new(1), Step::new(network));
    for epoch in 0..work.epochs as u64 {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        seeds.shuffle(epoch, &mut order);
        let mut totals = Totals::default();
        for batch in order.chunks(work.batch) {
            let seed = seeds.step(state.steps() + 1);
            objective.add(&mut totals, &step.shards(network, &objective, &rows, batch, seed));
            step.apply(network, optimizer, &mut state);
        }
    }
    Ok(())
}

/// Runs [`train_wide`] in a process of its own.
fn memory() -> Result {
    let status = Command::new(std::env::current_exe()?).arg(TRAIN_WIDE).status()?;
    if status.success() { Ok(()) } else { Err("the process that trains wide failed".into()) }
}

/// Trains `wide` once and prints where the process's largest memory went.
fn train_wide() -> Result {
    let work = TRAINING.iter().find(|work| work.name == "wide").ok_or("there is a work called wide")?;
    let data = work.data();
    let x = Tensor::from_vec(data.x, [work.rows, work.widths[0]]);
    let classes: Vec<usize> = data.classes.iter().map(|&class| class as usize).collect();
    let before = peak()?;
    let mut model = compile::<f32>(work.widths, work.dropout, work.rms_prop)?;
    model.fit(&x, &classes, &Fit::new().epochs(1).batch_size(work.batch))?;
    let total = peak()?;

    let megabytes = |bytes: usize| bytes as f64 / 1e6;
    let data = megabytes(size_of_val(x.as_slice()) + size_of_val(&classes[..]));
    let parameters = 4.0 * megabytes(4 * work.widths.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum::<usize>());
    let activations = megabytes(4 * work.batch * work.widths.iter().sum::<usize>());
    println!("\nMemory of training wide, in MB (VmHWM)\n");
    for (what, size) in [
        ("before the fit, data included", before),
        ("after the fit", total),
        ("of it data", data),
        ("4 x parameters", parameters),
        ("one batch through every layer", activations),
        ("the rest (at most 30 wanted)", total - data - parameters - activations),
    ] {
        println!("{what:>32}   {size:>7.1}");
    }
    Ok(())
}

/// The most memory that the process has held so far, in MB.
fn peak() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}
