//! Valid files of many kinds, changed at random, with the checksum put right: no change may make a reader panic or take
//! more memory than a file of its size may. `MLP_MUTATIONS` in the environment says how many, if not 20,000.

use std::time::Instant;

use allocation_counter::measure;
use mlp_io::{Inspection, SavedModel};
use mlp_nn::{Activation, Concat, Dense, Embedding, Flatten, Residual, SelectColumns, Sequential, Stack};
use mlp_optim::{Adam, Optimizer, RmsProp, Sgd};
use mlp_tensor::{Element, Rng, Tensor};
use rmpv::Value;

use crate::attacks::allowed;
use crate::common::{PREFIX, body, changed, file_of, full_model, seal, tiny_model, training};
use crate::layers::{cases, registry};

/// The bodies of valid files: of every layer, with training state of every optimizer, names, a scaler, frozen weights,
/// a run in its middle.
fn bodies() -> Vec<Vec<u8>> {
    let mut files = vec![tiny_model().to_bytes(), full_model::<f32>().to_bytes(), full_model::<f64>().to_bytes()];
    let optimizers: [Optimizer; 3] =
        [Adam::default().into(), Sgd::new(0.1).momentum(0.5).into(), RmsProp::default().into()];
    for (index, case) in cases().iter().enumerate() {
        let mut network = case.network().init::<f32>(index as u64).unwrap();
        let training = training(optimizers[index % 3].clone(), &mut network);
        let _ = network.freeze("*");
        files.push(
            changed(SavedModel::from(network), |model| model.training = (index % 2 == 0).then_some(training))
                .to_bytes(),
        );
    }
    let inner = Stack::new().add(Dense::new(4).activation(Activation::Gelu)).add(Dense::new(4));
    let deep = (0..5).fold(inner, |inner, _| Stack::new().add(Residual::new(inner)).add(Concat::new([Stack::new()])));
    let table = [
        Stack::new().add(SelectColumns::new(0..3)),
        Stack::new().add(SelectColumns::new([3])).add(Embedding::new(10, 5)).add(Flatten::new()),
    ];
    for network in [Sequential::new(4).add(Residual::new(deep)), Sequential::new(4).add(Concat::new(table))] {
        files.push(SavedModel::<f32>::from(network.add(Dense::new(2)).init(0).unwrap()).to_bytes());
    }
    let mut in_a_run = full_model::<f32>();
    in_a_run.training.as_mut().unwrap().run = Some(crate::attacks::run(3, 2));
    files.push(in_a_run.to_bytes());
    files.into_iter().map(|file| file.unwrap().split_off(PREFIX)).collect()
}

fn pick(rng: &mut Rng, n: usize) -> usize {
    rng.below(n.max(1))
}

/// Changes bytes: one, some, none there, some twice, or the head of a value to one of another kind.
fn change_bytes(body: &mut Vec<u8>, rng: &mut Rng) {
    const HEADS: [u8; 20] = [
        0x80, 0x81, 0x8f, 0x90, 0x91, 0x9f, 0xa0, 0xa1, 0xc0, 0xc2, 0xc4, 0xc6, 0xca, 0xcb, 0xcf, 0xd3, 0xdb, 0xdd,
        0xdf, 0xff,
    ];
    let place = pick(rng, body.len());
    let end = (place + pick(rng, 40)).min(body.len());
    match pick(rng, 6) {
        0 => body[place] = rng.next_u64() as u8,
        1 => body[place] ^= 1 << pick(rng, 8),
        2 => body[place] = HEADS[pick(rng, HEADS.len())],
        3 => body.insert(place, HEADS[pick(rng, HEADS.len())]),
        4 => drop(body.drain(place..end)),
        _ => {
            let copy = body[place..end].repeat(1 + pick(rng, 50));
            body.splice(place..place, copy);
        }
    }
}

/// A value that a reader may trip over.
fn strange(rng: &mut Rng) -> Value {
    let numbers = [0, 1, 2, 127, 1000, 1 << 20, 1 << 24, 1 << 31, 1 << 32, 1 << 60, 1 << 63, u64::MAX];
    match pick(rng, 16) {
        0..=4 => numbers[pick(rng, numbers.len())].into(),
        5 => (-1).into(),
        6 => [f64::NAN, f64::INFINITY, -0.0, 1e300, 1e-300][pick(rng, 5)].into(),
        7 => Value::Nil,
        8 => true.into(),
        9 => ["", "dense", "f64", "relu", "layers.0.weight", "\x1b[2J", "m"][pick(rng, 7)].into(),
        10 => "x".repeat(pick(rng, 1000)).into(),
        11 => Value::Binary(vec![0; pick(rng, 100)]),
        12 => Value::Array(vec![0.into(); pick(rng, 40_000)]),
        13 => Value::Array(vec!["".into(); pick(rng, 40_000)]),
        14 => Value::Map((0..pick(rng, 3000)).map(|i| (format!("{i:x}").into(), 0.5.into())).collect()),
        _ => (0..pick(rng, 200)).fold(Value::Nil, |inner, _| Value::Array(vec![inner])),
    }
}

/// The number of values inside of `value`, itself and keys included.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(count).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(key, value)| count(key) + count(value)).sum::<usize>(),
        _ => 1,
    }
}

/// Changes the value at a place, in the order of [`count`].
fn change_value(value: &mut Value, place: &mut usize, rng: &mut Rng) {
    if *place == 0 {
        *place = usize::MAX;
        return change_this(value, rng);
    }
    *place -= 1;
    match value {
        Value::Array(values) => {
            for value in values {
                if *place == usize::MAX {
                    return;
                }
                change_value(value, place, rng);
            }
        }
        Value::Map(entries) => {
            for (key, value) in entries {
                for value in [key, value] {
                    if *place == usize::MAX {
                        return;
                    }
                    change_value(value, place, rng);
                }
            }
        }
        _ => {}
    }
}

fn change_this(value: &mut Value, rng: &mut Rng) {
    let times = [1, 2, 10, 100, 1500][pick(rng, 5)];
    match (pick(rng, 7), value) {
        (0, Value::Array(values)) if !values.is_empty() => {
            let copy = values[pick(rng, values.len())].clone();
            values.extend(vec![copy; times]);
        }
        (0, Value::Map(entries)) if !entries.is_empty() => {
            let (key, value) = entries[pick(rng, entries.len())].clone();
            let key = key.as_str().unwrap_or_default().to_owned();
            entries.extend((0..times).map(|i| (format!("{key}{i}").into(), value.clone())));
        }
        (1, Value::Array(values)) => drop(values.pop()),
        (1, Value::Map(entries)) => drop(entries.pop()),
        (2, Value::Array(values)) => values.push(strange(rng)),
        (2, Value::Map(entries)) => entries.push(("constraint".into(), strange(rng))),
        (3, Value::Map(entries)) => entries.reverse(),
        (3, Value::Array(values)) => values.reverse(),
        (4, value) => *value = Value::Array(vec![value.clone(); times.min(100)]),
        (_, value) => *value = strange(rng),
    }
}

/// Reads a file in every way. What is read is printed, predicts a row, and is written and read again.
fn read<E: Element>(file: &[u8]) -> u64 {
    let registry = registry();
    let (mut model, mut listed) = (None, None);
    let inspecting = measure(|| listed = Inspection::from_bytes_with(file, &registry).ok());
    let loading = measure(|| model = SavedModel::<E>::from_bytes_with(file, &registry).ok());
    if let Some(listed) = listed {
        assert!(listed.to_string().starts_with("model file"));
    }
    if let Some(model) = model {
        let features = model.network.architecture().input_features();
        if features < 10_000 {
            let shape = [&[1], model.network.architecture().input_shape()].concat();
            let _ = model.network.predict(&Tensor::zeros(shape));
        }
        let written = model.to_bytes().unwrap();
        assert_eq!(SavedModel::<E>::from_bytes_with(&written, &registry).unwrap().to_bytes().unwrap(), written);
    }
    inspecting.bytes_max.max(loading.bytes_max) + file.len() as u64
}

#[test]
fn no_mutation_of_a_file_panics_or_takes_more_memory_than_it_may() {
    let mutations = std::env::var("MLP_MUTATIONS").map_or(20_000, |n| n.parse().unwrap());
    let bodies = bodies();
    let values: Vec<Value> = bodies.iter().map(|bytes| body(&seal(bytes))).collect();
    let (mut worst, mut slowest, mut read_again) = (0.0_f64, 0.0_f64, 0);
    for seed in 0..mutations {
        let rng = &mut Rng::stream(19, &[seed]);
        let index = pick(rng, bodies.len());
        let file = if seed % 2 == 0 {
            let mut body = bodies[index].clone();
            for _ in 0..1 + pick(rng, 3) {
                change_bytes(&mut body, rng);
                if body.is_empty() {
                    break;
                }
            }
            seal(&body)
        } else {
            let mut value = values[index].clone();
            for _ in 0..1 + pick(rng, 3) {
                let mut place = pick(rng, count(&value));
                change_value(&mut value, &mut place, rng);
            }
            file_of(&value)
        };
        let start = Instant::now();
        let read = std::panic::catch_unwind(|| {
            if file.windows(4).any(|window| window == b"\xa3f64") { read::<f64>(&file) } else { read::<f32>(&file) }
        });
        let memory = read.unwrap_or_else(|_| panic!("seed {seed} panics"));
        slowest = slowest.max(start.elapsed().as_secs_f64());
        assert!(memory <= allowed(file.len()), "seed {seed}: {memory} bytes for a file of {}", file.len());
        worst = worst.max(memory as f64 / allowed(file.len()) as f64);
        read_again += usize::from(SavedModel::<f32>::from_bytes_with(&file, &registry()).is_ok());
    }
    println!("{mutations} mutations, {read_again} still models; at most {worst:.2} of the memory, {slowest:.3} s");
}
