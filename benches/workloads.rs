//! Times training through the public `fit`, and inference through the frozen predictor, on data in memory, and prints
//! one JSON line for each work.
//!
//! usage: cargo run --release --bin workloads -- [WORK ...] [--threads N] [--runs N] [--f64] [--plain] [--bf16] [--int8]
//!
//! The works stand in the crate `work`; without a name, all of them are run. `s` is the seconds of each run's fit
//! alone, or of each sample of one call, `median` and `min` the middle and the least of them, `loss` the mean loss of the
//! last epoch, in training. `--runs` sets how many fits of each work are timed. `--plain` predicts with `Model::predict`,
//! `--bf16` and `--int8` with a predictor whose weights are kept in 16 or 8 bits; `change` is then by how much that changes a
//! probability at most, on 4,096 rows, where the network was trained for an epoch on 60,000.

use std::cell::RefCell;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use mlp::prelude::*;
use mlp_benches::{compile, tensor};
use work::{INFERENCE, Inference, TRAINING, Training};

fn main() -> ExitCode {
    let (mut names, mut threads, mut runs) = (Vec::new(), None, None);
    let (mut f64, mut predict) = (false, Predict::Frozen);
    let known = || TRAINING.iter().map(|work| work.name).chain(INFERENCE.iter().map(|work| work.name));
    let usage = |problem: &str| {
        let names: Vec<_> = known().collect();
        eprintln!(
            "{problem}\nusage: workloads [{} ...] [--threads N] [--runs N] [--f64] [--plain] [--bf16] [--int8]",
            names.join("|")
        );
        ExitCode::FAILURE
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--f64" => f64 = true,
            "--plain" => predict = Predict::Plain,
            "--bf16" => predict = Predict::Bfloat16,
            "--int8" => predict = Predict::Int8,
            "--threads" | "--runs" => match arguments.next().and_then(|n| n.parse::<usize>().ok()).filter(|&n| n > 0) {
                Some(n) if argument == "--threads" => threads = Some(n),
                Some(n) => runs = Some(n),
                None => return usage(&format!("{argument} needs a number above 0")),
            },
            name if known().any(|known| known == name) => names.push(argument),
            other => return usage(&format!("there is no work or option {other}")),
        }
    }
    let run = || if f64 { run::<f64>(&names, runs, predict) } else { run::<f32>(&names, runs, predict) };
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

/// What predicts.
#[derive(Clone, Copy)]
enum Predict {
    /// The frozen predictor.
    Frozen,
    /// The frozen predictor with weights of 16 bits.
    Bfloat16,
    /// The frozen predictor with weights of 8 bits.
    Int8,
    /// `Model::predict`.
    Plain,
}

fn run<E: Element>(names: &[String], runs: Option<usize>, predict: Predict) -> Result<(), mlp::Error> {
    let chosen = |name: &str| names.is_empty() || names.iter().any(|n| n == name);
    for work in TRAINING.iter().filter(|work| chosen(work.name)) {
        train::<E>(work, runs.unwrap_or(work.runs))?;
    }
    for work in INFERENCE.iter().filter(|work| chosen(work.name)) {
        infer::<E>(work, predict)?;
    }
    Ok(())
}

fn train<E: Element>(work: &Training, runs: usize) -> Result<(), mlp::Error> {
    let data = work.data();
    let x = tensor::<E>(data.x, work.widths[0]);
    let classes: Vec<usize> = data.classes.iter().map(|&class| class as usize).collect();
    let fit = Fit::new().epochs(work.epochs).batch_size(work.batch);
    let (seconds, loss) = work::repeat(runs, || {
        let mut model = compile(work.widths, work.dropout, work.rms_prop)?;
        let start = Instant::now();
        let history = model.fit(&x, &classes, &fit)?;
        Ok::<_, mlp::Error>((start.elapsed(), history.last().training.loss))
    })?;
    work::report("mlp", work.name, &seconds, Some(("loss", loss)));
    Ok(())
}

fn infer<E: Element>(work: &Inference, predict: Predict) -> Result<(), mlp::Error> {
    let mut model = compile::<E>(work.widths, 0.0, false)?;
    let x = tensor::<E>(work.input(), work.widths[0]);
    let compact = |model: &Model<E>| match predict {
        Predict::Bfloat16 => model.predictor().bfloat16(),
        Predict::Int8 => model.predictor().int8(),
        Predict::Frozen | Predict::Plain => Ok(model.predictor()),
    };
    let (peer, seconds) = match predict {
        Predict::Plain => ("mlp predict", per_call(&|| model.predict(&x).map(drop))?),
        Predict::Frozen => ("mlp", with_predictor(&model.predictor(), &x)?),
        Predict::Bfloat16 => ("mlp bf16", with_predictor(&compact(&model)?, &x)?),
        Predict::Int8 => ("mlp int8", with_predictor(&compact(&model)?, &x)?),
    };
    let change = match predict {
        Predict::Plain | Predict::Frozen => None,
        Predict::Bfloat16 | Predict::Int8 => {
            let data = work::Data::new(60_000, work.widths[0], work.widths[work.widths.len() - 1]);
            let classes: Vec<usize> = data.classes.iter().map(|&class| class as usize).collect();
            model.fit(&tensor(data.x, work.widths[0]), &classes, &Fit::new().epochs(1).batch_size(128))?;
            let rows = tensor(Inference { rows: 4096, ..*work }.input(), work.widths[0]);
            let (full, rounded) = (model.predictor().predict(&rows)?, compact(&model)?.predict(&rows)?);
            Some(("change", (full - rounded).abs().max().as_f64()))
        }
    };
    work::report(peer, work.name, &seconds, change);
    Ok(())
}

/// Seconds per call of a predictor: of `predict_row` for one row, else of `predict`.
fn with_predictor<E: Element>(predictor: &Predictor<E>, x: &Tensor<E>) -> Result<Vec<f64>, mlp::Error> {
    if x.rows() > 1 {
        return per_call(&|| Ok(predictor.predict(x).map(drop)?));
    }
    let out = RefCell::new(vec![E::default(); predictor.output_features()]);
    per_call(&|| Ok(predictor.predict_row(black_box(x.as_slice()), &mut out.borrow_mut())?))
}

/// [`work::per_call`] of a call that may fail; it is made once before it is timed.
fn per_call(call: &dyn Fn() -> Result<(), mlp::Error>) -> Result<Vec<f64>, mlp::Error> {
    call()?;
    Ok(work::per_call(&mut || call().expect("it did not fail before")))
}
