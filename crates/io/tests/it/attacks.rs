//! Small files that ask for much, one by one. Each has the right checksum, and once took memory or time far beyond what it
//! holds, or ended the process.

use std::time::Instant;

use allocation_counter::measure;
use mlp_io::{
    FormatError, Inspection, LoadOptions, RunProgress, SavedCallback, SavedClassWeights, SavedModel, SavedRun,
    SavedTotals, SavedValidation,
};
use mlp_nn::registry::Settings;
use mlp_nn::{Activation, Concat, Dense, Layer, Limits, Residual, SelectColumns, Sequential, Stack};
use mlp_optim::Optimizer;
use mlp_tensor::{Element, Tensor};
use rmpv::Value;

use crate::common::{at, body, changed, entries, file_of, full_model, tiny_model};

/// What `load` and `inspect` may take for a file of so many bytes, its own buffer included.
pub(crate) fn allowed(file: usize) -> u64 {
    2 * file as u64 + (1 << 20)
}

/// Reads a file in both ways, within the memory that it may take; what is wrong with it, if something is.
#[track_caller]
pub(crate) fn read_within_memory(file: &[u8]) -> Result<SavedModel, FormatError> {
    let (mut model, mut listed) = (None, None);
    let inspecting = measure(|| listed = Some(Inspection::from_bytes(file)));
    let loading = measure(|| model = Some(SavedModel::<f32>::from_bytes(file)));
    for (what, memory) in [("inspect", inspecting), ("load", loading)] {
        let (memory, allowed) = (memory.bytes_max + file.len() as u64, allowed(file.len()));
        assert!(memory <= allowed, "{what}: {memory} bytes for a file of {}, allowed are {allowed}", file.len());
    }
    assert_eq!(listed.unwrap().is_ok(), model.as_ref().unwrap().is_ok());
    model.unwrap().map_err(|error| error.problem().unwrap().clone())
}

/// Reads a file that is refused, quickly and without memory, with a message that contains `expected`.
#[track_caller]
fn assert_refused(file: &[u8], expected: &str) {
    let start = Instant::now();
    let found = read_within_memory(file).unwrap_err().to_string();
    let seconds = start.elapsed().as_secs_f64();
    assert!(found.contains(expected), "{}", &found[..found.len().min(2000)]);
    assert!(found.len() < 4000, "a message of {} bytes", found.len());
    assert!(seconds < 2.0, "{seconds} s for {} bytes", file.len());
}

/// The tiny model with another architecture.
fn with(architecture: &Sequential) -> Vec<u8> {
    let mut body = body(&tiny_model().to_bytes().unwrap());
    let text = serde_json::to_value(architecture).unwrap();
    *at(&mut body, "architecture") = value_of(&text);
    file_of(&body)
}

fn value_of(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(value) => (*value).into(),
        serde_json::Value::Number(number) => {
            number.as_u64().map_or_else(|| number.as_f64().unwrap().into(), Value::from)
        }
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(values) => Value::Array(values.iter().map(value_of).collect()),
        serde_json::Value::Object(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (key.as_str().into(), value_of(value))).collect())
        }
    }
}

fn doubled(times: usize) -> Sequential {
    let double = |network: Sequential| network.add(Concat::new([Stack::new(), Stack::new()]));
    (0..times).fold(Sequential::new(1), |network, _| double(network))
}

/// `layer`, so many times.
fn repeated(network: Sequential, layer: impl Into<Layer>, times: usize) -> Sequential {
    let layer = layer.into();
    (0..times).fold(network, |network, _| network.add(layer.clone()))
}

const VALUES: &str = "values in the rows of all layers up to it, and at most 16777216 are let through";

#[test]
fn doubling_rows_and_then_many_layers() {
    assert_refused(&with(&repeated(doubled(24), Activation::Relu, 100)), VALUES);
    assert_refused(&with(&repeated(doubled(20), Activation::Relu, 100)), VALUES);
    assert_refused(&with(&doubled(200)), VALUES);
    // Inside of one branch.
    let inner = (0..22).fold(Stack::new(), |stack, _| stack.add(Concat::new([Stack::new(), Stack::new()])));
    assert_refused(&with(&Sequential::new(4).add(Concat::new([inner.add(Dense::new(1))]))), VALUES);
}

/// The limits let rows of 2^17 values through a hundred layers. A prediction holds a few of them and not a hundred.
#[test]
fn what_is_let_through_is_predicted_with_a_few_rows_of_memory() {
    let network = repeated(doubled(17), Activation::Relu, 80).add(SelectColumns::new([0]));
    let block = |layers: usize| (0..layers).fold(Stack::new(), |stack, _| stack.add(Activation::Relu));
    let inside = [
        repeated(doubled(17), Residual::new(block(60)), 1).add(SelectColumns::new([0])),
        repeated(doubled(17), Concat::new([block(40), block(40)]), 1).add(SelectColumns::new([0])),
    ];
    for (architecture, rows) in std::iter::once((network, 3)).chain(inside.map(|network| (network, 7))) {
        let model = SavedModel::<f32>::from(architecture.init(0).unwrap());
        let file = model.to_bytes().unwrap();
        assert!(file.len() < 4000);
        let model = read_within_memory(&file).unwrap();
        let x = mlp_tensor::Tensor::from([[1.0]]);
        let memory = measure(|| assert!([1.0, 2.0].contains(&model.network.predict(&x).unwrap().item()))).bytes_max;
        let most = rows * (4 << 17) + (1 << 16);
        assert!(memory < most, "{memory} bytes, at most {most}");
    }
}

#[test]
fn layers_that_multiply_a_row() {
    let mut body = body(&tiny_model().to_bytes().unwrap());
    let [columns, categories, wide] = [16_000, 1, 100_000].map(|n: u64| n);
    let map = |entries: Vec<(&str, Value)>| Value::Map(entries.into_iter().map(|(k, v)| (k.into(), v)).collect());
    let select = map(vec![("select_columns", map(vec![("columns", Value::Array(vec![0.into(); columns as usize]))]))]);
    let settings = vec![
        ("categories", categories.into()),
        ("dim", wide.into()),
        ("initializer", "zeros".into()),
        ("regularizer", Value::Nil),
        ("constraint", Value::Nil),
    ];
    let embedding = map(vec![("embedding", map(settings))]);
    *at(&mut body, "architecture/layers") = Value::Array(vec![select, embedding]);
    assert_refused(&file_of(&body), VALUES);
    assert_refused(&with(&Sequential::with_input_shape([50_000, 1]).add(Dense::new(25_000).without_bias())), VALUES);
    let two = Sequential::with_input_shape([5_000, 1]).add(Dense::new(2_500).without_bias());
    assert_refused(&with(&two.add(Dense::new(2_500).without_bias())), VALUES);
}

#[test]
fn very_many_axes() {
    for axes in [9, 22_000, 1_000_000] {
        let mut body = body(&tiny_model().to_bytes().unwrap());
        let layers = vec![at(&mut body, "architecture/layers/0").clone(); 1000];
        let shape = Value::Array(vec![1.into(); axes]);
        *at(&mut body, "architecture") =
            Value::Map(vec![("input_shape".into(), shape), ("layers".into(), Value::Array(layers))]);
        assert_refused(&file_of(&body), "and at most");
        let mut body = crate::common::body(&tiny_model().to_bytes().unwrap());
        *at(&mut body, "tensors/layers.0.weight/shape") = Value::Array(vec![1.into(); axes]);
        assert_refused(&file_of(&body), &format!("{axes} axes, and at most 8 are let through"));
    }
    // In code there is no limit, and what is printed does not panic.
    let deep = Sequential::with_input_shape(vec![1; 22_000]).add(Activation::Relu);
    assert!(deep.summary().unwrap().to_string().len() > 44_000);
}

#[test]
fn very_many_layers_and_branches() {
    let file = with(&repeated(Sequential::new(1), Activation::Relu, 1025));
    assert_refused(&file, "1025 layers and branches, and at most 1024 are let through");
    let file = with(&Sequential::new(1).add(Concat::new(vec![Stack::new(); 1024])));
    assert_refused(&file, "1025 layers and branches, and at most 1024 are let through");
    let mut body = body(&tiny_model().to_bytes().unwrap());
    let flatten = Value::Map(vec![("flatten".into(), Value::Map(Vec::new()))]);
    *at(&mut body, "architecture/layers") = Value::Array(vec![flatten; 800_000]);
    assert_refused(&file_of(&body), "800000 layers and branches");
    // As many branches, each with as many columns, as there may be.
    let branch = || Stack::new().add(SelectColumns::new([0]));
    let wide = Sequential::new(15_000)
        .add(SelectColumns::new((0..15_000).rev()))
        .add(Concat::new(vec![branch(); 500]))
        .add(Dense::new(1));
    let start = Instant::now();
    let model = SavedModel::<f32>::from(wide.init(0).unwrap());
    let loaded = read_within_memory(&model.to_bytes().unwrap()).unwrap();
    loaded.network.predict(&mlp_tensor::Tensor::zeros([1, 15_000])).unwrap();
    assert!(start.elapsed().as_secs_f64() < 2.0);
}

#[test]
fn very_many_names() {
    let list = |name: &str, n: usize| Value::Array(vec![name.into(); n]);
    for field in ["feature_names", "class_names", "frozen"] {
        for (name, n) in [("", 4_000_000), ("layers.0.weight", 500_000)] {
            let mut body = body(&tiny_model().to_bytes().unwrap());
            entries(&mut body, "").retain(|(key, _)| key.as_str() != Some(field));
            entries(&mut body, "").push((field.into(), list(name, n)));
            assert_refused(&file_of(&body), "entries in all lists, and at most 16384 are let through");
        }
        // As many as may be.
        let mut body = body(&tiny_model().to_bytes().unwrap());
        entries(&mut body, "").retain(|(key, _)| key.as_str() != Some(field));
        entries(&mut body, "").push((field.into(), list("layers.0.weight", 16_000)));
        assert_refused(&file_of(&body), "");
    }
    let mut body = body(&full_model::<f32>().to_bytes().unwrap());
    *at(&mut body, "training/metrics") = list("", 1_000_000);
    assert_refused(&file_of(&body), "entries in all lists");
}

#[test]
fn very_many_tensors_and_slots() {
    for path in ["tensors", "training/slots", "training/slots/layers.0.bias"] {
        let mut body = body(&full_model::<f32>().to_bytes().unwrap());
        let more = (0..300_000).map(|i| (format!("{i:x}").into(), Value::Nil));
        entries(&mut body, path).extend(more);
        let found = read_within_memory(&file_of(&body)).unwrap_err().to_string();
        assert!(found.len() < 1500, "{found}");
    }
    let mut body = body(&full_model::<f32>().to_bytes().unwrap());
    entries(&mut body, "tensors").clear();
    assert_refused(&file_of(&body), "missing layers.0.weight, layers.0.bias");
}

#[test]
fn very_many_settings_and_columns() {
    let mut body = body(&tiny_model().to_bytes().unwrap());
    let settings = (0..100_000).map(|i| (format!("{i:x}").into(), 0.5.into())).collect();
    let custom = Value::Map(vec![("name".into(), "m".into()), ("settings".into(), Value::Map(settings))]);
    *at(&mut body, "architecture/layers/0") = Value::Map(vec![("custom".into(), custom)]);
    assert_refused(
        &file_of(&body),
        "100001 users' parts, their settings, and callbacks, and at most 1024 are let through",
    );
    let columns = Value::Map(vec![("columns".into(), Value::Array(vec![0.into(); 2_000_000]))]);
    *at(&mut body, "architecture/layers/0") = Value::Map(vec![("select_columns".into(), columns)]);
    assert_refused(&file_of(&body), "2000000 entries in all lists, and at most 16384 are let through");
    let ones = Value::Array(vec![1.into(); 1_000_000]);
    let mut body = crate::common::body(&full_model::<f32>().to_bytes().unwrap());
    *at(&mut body, "preprocessing/scaler/scale") = ones;
    assert_refused(&file_of(&body), "1000000 columns of a scaler, and at most 131072 are let through");
}

#[test]
fn long_and_strange_names_do_not_reach_a_message_as_they_are() {
    for name in ["x".repeat(1_100_000), "\x1b[2J".repeat(60), "\u{202e}\n".repeat(50)] {
        for path in ["tensors", "training/slots", "training/slots/layers.0.bias", "tensors/layers.0.bias", ""] {
            for keep in [false, true] {
                let mut body = body(&full_model::<f32>().to_bytes().unwrap());
                let entries = entries(&mut body, path);
                if keep {
                    entries.push((name.as_str().into(), entries[0].1.clone()));
                } else {
                    entries[0].0 = name.as_str().into();
                }
                let found = read_within_memory(&file_of(&body)).unwrap_err().to_string();
                assert!(found.len() < 1500, "{} bytes", found.len());
                assert!(!found.contains(['\x1b', '\n', '\u{202e}']), "{found}");
            }
        }
    }
}

#[test]
fn very_many_weights_of_a_few_layers() {
    let network = repeated(Sequential::new(1), mlp_nn::BatchNorm::new(), 900).init(0).unwrap();
    let error = SavedModel::<f32>::from(network).to_bytes().unwrap_err().to_string();
    assert!(error.contains("4097 weights and buffers, and at most 4096 are let through"), "{error}");
}

/// What a file holds at the most, all of it small: the memory is what its parts take beside their numbers.
#[test]
fn the_largest_files_within_the_limits_are_read_within_memory() {
    use mlp_data::StandardScaler;
    use mlp_optim::Adam;
    for architecture in [
        repeated(Sequential::new(1), Dense::new(1), 1024),
        repeated(Sequential::new(1), mlp_nn::BatchNorm::new(), 819),
        repeated(Sequential::new(1), mlp_nn::Prelu::new(), 1024),
    ] {
        let mut network = architecture.init::<f32>(0).unwrap();
        let training = crate::common::training(Adam::default().into(), &mut network);
        let plain = SavedModel::from(network);
        read_within_memory(&plain.to_bytes().unwrap()).unwrap();
        read_within_memory(&changed(plain, |model| model.training = Some(training)).to_bytes().unwrap()).unwrap();
    }
    // All of it at once.
    let names = (0..8_000).map(|_| String::new()).collect();
    let selected = Sequential::new(8_000).add(SelectColumns::new([0; 8_000]));
    let mut network = repeated(selected, Dense::new(1), 1023).init::<f32>(0).unwrap();
    network.freeze("*").unwrap();
    let training = crate::common::training(Adam::default().into(), &mut network);
    let model = changed(SavedModel::from(network), |model| {
        (model.training, model.feature_names) = (Some(training), names);
    });
    let error = model.to_bytes().unwrap_err().to_string();
    assert!(error.contains("18048 entries in all lists, and what loads a file lets at most 16384 through"), "{error}");
    let model = changed(model, |model| model.feature_names = Vec::new());
    read_within_memory(&model.to_bytes().unwrap()).unwrap();
    // A wide table with a name for every column, and a scaler.
    let columns = 16_000;
    let table = Tensor::<f32>::uniform([3, columns], 0.0, 1.0, &mut mlp_tensor::Rng::new(0));
    let network = Sequential::new(columns).add(Dense::new(1)).init::<f32>(0).unwrap();
    let model = changed(SavedModel::from(network), |model| {
        model.scaler = Some(StandardScaler::fit(&table).unwrap());
        model.feature_names = (0..columns).map(|i| format!("{i:x}")).collect();
    });
    read_within_memory(&model.to_bytes().unwrap()).unwrap();
    let columns = 1 << 17;
    let table = Tensor::<f32>::uniform([3, columns], 0.0, 1.0, &mut mlp_tensor::Rng::new(0));
    let scaler = Some(StandardScaler::fit(&table).unwrap());
    let network = Sequential::new(columns).add(Dense::new(1)).init::<f32>(0).unwrap();
    let model = changed(SavedModel::from(network), |model| model.scaler = scaler);
    read_within_memory(&model.to_bytes().unwrap()).unwrap();
}

/// A run of many epochs, in the middle of one, with a callback that remembers much.
pub(crate) fn run<E: Element>(epochs: usize, tensors: usize) -> SavedRun<E> {
    let tensor = |index: usize| (format!("{index}"), Tensor::full([1], E::from_f64(index as f64)));
    let mut progress = RunProgress::new(1 << 40, 32, 150);
    progress.validation = SavedValidation::Split { share: 0.2, stratified: true };
    progress.class_weights = SavedClassWeights::Given(vec![1.0, 2.0]);
    progress.weighted = true;
    progress.in_epoch = true;
    progress.position = 64;
    progress.totals = SavedTotals::new(64, f64::NAN, 0.0, vec![vec![0.5; epochs], vec![]]);
    progress.last_loss = 0.25;
    progress.epochs_over = epochs as u64;
    progress.stopped = true;
    progress.history = (0..8 * epochs).map(|index| index as f64 / 3.0).collect();
    let settings = Settings::new().with("patience", 5);
    let values = Settings::new().with("best", f64::INFINITY).with("seen", vec![0.5; 1000]);
    let callback = SavedCallback::new("mine", settings, values, (0..tensors).map(tensor).collect());
    SavedRun::new(progress, vec![callback])
}

#[test]
fn a_run_is_read_within_memory_however_long_it_is() {
    let mut network = Sequential::new(1).add(Dense::new(1)).init::<f32>(0).unwrap();
    let of = |run| {
        let training = crate::common::training(Optimizer::from(mlp_optim::Adam::default()), &mut network);
        Some(changed(training, |training| training.run = Some(run)))
    };
    let [long, full, over] = [run(200_000, 2), run(10, 4096), run(10, 4097)].map(of);
    let file = |training, limits: &Limits| {
        changed(SavedModel::from(network.clone()), |model| model.training = training).to_bytes_with(limits)
    };
    for training in [long, full] {
        let loaded = read_within_memory(&file(training.clone(), &Limits::default()).unwrap()).unwrap();
        // NaN is not equal to itself.
        assert_eq!(format!("{:?}", loaded.training), format!("{training:?}"));
    }
    // What would not be read is not written, unless the limit is raised.
    match file(over.clone(), &Limits::default()).unwrap_err().problem() {
        Some(FormatError::Limit { offset: None, setting: Some("tensors"), found: 4097, most: 4096, .. }) => {}
        other => panic!("{other:?}"),
    }
    let mut limits = Limits::default();
    limits.tensors = 4097;
    let over = file(over, &limits).unwrap();
    assert_refused(&over, "4097 tensors of callbacks, and at most 4096 are let through");
    assert!(SavedModel::<f32>::from_bytes_with(&over, LoadOptions::new().limits(limits)).is_ok());
}

/// A map, as MessagePack has it.
fn map(entries: Vec<(&str, Value)>) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn custom(settings: Value) -> Value {
    map(vec![("custom", map(vec![("name", "x".into()), ("settings", settings)]))])
}

/// The full model with this in place of its loss.
fn with_loss(loss: Value) -> Vec<u8> {
    let mut body = body(&full_model::<f32>().to_bytes().unwrap());
    *at(&mut body, "training/loss") = loss;
    file_of(&body)
}

/// A list of eight lists of eight lists .. of truths: a byte in the file, some thirty in memory.
#[test]
fn lists_in_settings_are_counted_whatever_they_are_called() {
    let truths = (0..6).fold(Value::from(true), |inner, _| Value::Array(vec![inner; 8]));
    for name in ["tensors", "slots", "mean", "scale", "layers", "branches", "callbacks", "settings", "values", "custom"]
    {
        let file = with_loss(custom(map(vec![(name, truths.clone())])));
        assert_refused(&file, "entries in all lists, and at most 16384 are let through");
        // One level less is within the limit, and the honest setting of that name is read.
        let fewer = truths.as_array().unwrap()[0].as_array().unwrap()[0].clone();
        assert!(read_within_memory(&with_loss(custom(map(vec![(name, fewer)])))).is_ok(), "{name}");
        let nine = Value::Array(vec![0.5.into(); 9]);
        let loss = read_within_memory(&with_loss(custom(map(vec![(name, nine)])))).unwrap().training.unwrap().loss;
        assert!(loss.to_string().contains(&format!("{name} [0.5, 0.5")), "{loss}");
    }
}

#[test]
fn very_many_parts_without_settings() {
    let part = custom(Value::Map(Vec::new()));
    let with = |metrics: usize| {
        let mut body = body(&full_model::<f32>().to_bytes().unwrap());
        *at(&mut body, "training/metrics") = Value::Array(vec![part.clone(); metrics]);
        file_of(&body)
    };
    assert_refused(&with(16_000), "1025 users' parts, their settings, and callbacks, and at most 1024 are let through");
    assert_eq!(read_within_memory(&with(1024)).unwrap().training.unwrap().metrics.len(), 1024);
}

#[test]
fn numbers_in_settings_have_one_form() {
    for value in [Value::from(1), (-1).into(), Value::Array(vec![0.5.into(), 1.into()])] {
        let settings = map(vec![("power", value)]);
        assert_refused(&with_loss(custom(settings)), "expected a bool, a float, a string or a list of such");
    }
}

/// What `work` gives on a thread with so much of a stack.
fn on_a_stack_of<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(bytes).spawn(work).unwrap().join().unwrap()
}

/// How many arrays and maps lie inside of each other.
fn levels(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(levels).max().unwrap_or(0),
        Value::Map(entries) => 1 + entries.iter().map(|(_, value)| levels(value)).max().unwrap_or(0),
        _ => 0,
    }
}

/// Whatever the limits are, no file is so deep that a thread of 2 MB has no room to read it, to show it and to let go
/// of it again.
#[test]
fn without_limits_depth_has_a_ceiling() {
    const CEILING: usize = 256;
    /// Puts one more of something around a value.
    type Around = fn(Value) -> Value;
    let list = |inner: Value| Value::Array(vec![inner]);
    let residual = |inner: Value| map(vec![("residual", map(vec![("layers", Value::Array(vec![inner]))]))]);
    let concat = |inner: Value| {
        let branches = Value::Array(vec![Value::Array(vec![inner])]);
        map(vec![("concat", map(vec![("branches", branches)]))])
    };
    let cases: [(&str, Around); 3] = [
        ("training/loss/custom/settings/s", list),
        ("architecture/layers/3", residual),
        ("architecture/layers/3", concat),
    ];
    // The deepest that is read and the next.
    let make = move || {
        let pair = |(path, around): (&str, Around)| {
            let mut body = body(&full_model::<f32>().to_bytes().unwrap());
            *at(&mut body, "training/loss") = custom(map(vec![("s", true.into())]));
            loop {
                let before = file_of(&body);
                let inner = at(&mut body, path);
                *inner = around(std::mem::replace(inner, Value::Nil));
                if levels(&body) > CEILING {
                    return [before, file_of(&body)];
                }
            }
        };
        cases.map(pair)
    };
    let pairs = on_a_stack_of(64 << 20, make);
    on_a_stack_of(2 << 20, move || {
        let options = || LoadOptions::new().limits(Limits::unlimited());
        let assert_too_deep = |file: &[u8]| {
            for error in [
                SavedModel::<f32>::from_bytes_with(file, options()).unwrap_err(),
                Inspection::from_bytes_with(file, options()).unwrap_err(),
            ] {
                match error.problem() {
                    Some(FormatError::Limit { setting: None, found, most: CEILING, .. }) => {
                        assert!(*found == CEILING + 1 && error.to_string().contains("no more than 256 can be read"));
                    }
                    other => panic!("{other:?}"),
                }
            }
        };
        assert_too_deep(&crate::common::seal(&[0x91; 1_000_000]));
        assert_too_deep(&crate::common::seal(&b"\x81\xa1a".repeat(1_000_000)));
        for [deepest, too_deep] in pairs {
            assert_too_deep(&too_deep);
            assert!(Inspection::from_bytes_with(&deepest, options()).unwrap().to_string().len() > 100);
            let model = SavedModel::<f32>::from_bytes_with(&deepest, options()).unwrap();
            model.network.predict(&Tensor::zeros([1, 3])).unwrap();
            assert!(format!("{:?}", model.clone()).len() > 100);
            assert_eq!(model.to_bytes_with(&Limits::unlimited()).unwrap(), deepest);
        }
    });
}

#[test]
fn a_file_on_the_disk_is_read_within_memory() {
    let model = SavedModel::<f32>::from(Sequential::new(1000).add(Dense::new(1000)).init(0).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.mlp");
    model.save(&path).unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size > 4_000_000);
    for memory in
        [measure(|| drop(SavedModel::<f32>::load(&path).unwrap())), measure(|| drop(mlp_io::inspect(&path).unwrap()))]
    {
        assert!(memory.bytes_max <= 2 * size + (1 << 20), "{} bytes for a file of {size}", memory.bytes_max);
    }
}

#[test]
fn limits_are_the_loaders_to_set() {
    let model = SavedModel::<f32>::from(repeated(Sequential::new(1), Activation::Relu, 2000).init(0).unwrap());
    let error = model.to_bytes().unwrap_err().to_string();
    assert!(
        error.contains(
            "1025 layers, and at most 1024 are let through; if you trust the description, raise Limits::layers"
        ),
        "{error}"
    );
    let mut limits = Limits::default();
    limits.layers = 2000;
    let bytes = model.to_bytes_with(&limits).unwrap();
    assert!(SavedModel::<f32>::from_bytes(&bytes).is_err());
    let options = LoadOptions::new().limits(limits);
    assert!(SavedModel::<f32>::from_bytes_with(&bytes, options.clone()).is_ok());
    assert!(Inspection::from_bytes_with(&bytes, options).is_ok());
}
