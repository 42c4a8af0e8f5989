//! Values, gradients and second derivatives of every operation against PyTorch (`goldens/autograd.py` wrote
//! `goldens/autograd.json`).

use std::collections::BTreeSet;

use mlp_autograd::{Tape, Var};
use mlp_tensor::{Element, Tensor};
use serde_json::Value;

fn goldens() -> Value {
    serde_json::from_str(include_str!("goldens/autograd.json")).unwrap()
}

fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.parse().unwrap(),
        number => number.as_f64().unwrap(),
    }
}

fn tensor<E: Element>(value: &Value) -> Tensor<E> {
    let convert = |value: &Value| {
        let value = number(value);
        let converted = E::from_f64(value);
        // A denormal f64 is 0 in f32; the least normal f32 behaves as it does.
        if converted == E::zero() && value != 0.0 {
            E::from_f64(E::min_positive_value().as_f64().copysign(value))
        } else {
            converted
        }
    };
    let data = value["data"].as_array().unwrap().iter().map(convert).collect();
    let shape: Vec<usize> = value["shape"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect();
    Tensor::from_vec(data, shape)
}

fn tensors<E: Element>(values: &Value) -> Vec<Tensor<E>> {
    values.as_array().unwrap().iter().map(tensor).collect()
}

/// Below this size values are compared absolutely: what is left of a difference of larger ones has no more digits.
const FLOOR: f64 = 1e-5;

/// The operations whose second derivatives are such differences of numbers of size 1, most of them at saturation.
const CANCELLING: [&str; 5] =
    ["sigmoid", "softmax 0", "standardize_axes 0", "standardize_axes 1", "var_axes 0 1 ddof 1"];

#[track_caller]
fn assert_close<E: Element>(found: &Tensor<E>, expected: &Value, [tolerance, floor]: [f64; 2], what: &str) {
    let expected: Tensor<f64> = tensor(expected);
    assert_eq!(found.shape(), expected.shape(), "{what}");
    for (index, (&f, &e)) in found.as_slice().iter().zip(expected.as_slice()).enumerate() {
        let f = f.as_f64();
        let agrees = f == e || (f.is_nan() && e.is_nan()) || (f - e).abs() <= tolerance * e.abs().max(floor);
        assert!(agrees, "{what}, index {index}: {f:e} where PyTorch has {e:e}");
    }
}

/// The operation that a golden's name stands for.
fn apply<'t, E: Element>(name: &str, tape: &'t Tape<E>, x: &[Var<'t, E>]) -> Var<'t, E> {
    let number = E::from_f64;
    let ends = |rows: usize, last: usize| (0..rows).map(|row| if row % 2 == 0 { 0 } else { last }).collect::<Vec<_>>();
    match name {
        "add" => x[0] + x[1],
        "sub" => x[0] - x[1],
        "mul" => x[0] * x[1],
        "div" => x[1] / x[0],
        "add_number" => x[0] + number(2.5),
        "scale" => x[0] * number(-2.5),
        "exp" => x[0].exp(),
        "exp_m1" => x[0].exp_m1(),
        "ln" => x[0].ln(),
        "ln_1p" => x[0].ln_1p(),
        "sqrt" => x[0].sqrt(),
        "sin" => x[0].sin(),
        "cos" => x[0].cos(),
        "erf" => x[0].erf(),
        "abs" => x[0].abs(),
        "clamp" => x[0].clamp(number(-0.5), number(0.5)),
        "relu" => x[0].relu(),
        "sigmoid" => x[0].sigmoid(),
        "tanh" => x[0].tanh(),
        "powf 2.5" => x[0].powf(number(2.5)),
        "powf -1" => x[0].powf(number(-1.0)),
        "powf 3" => x[0].powf(number(3.0)),
        "powf 0" => x[0].powf(number(0.0)),
        "pow" => x[0].pow(x[1]),
        "where_" => Var::where_(&Tensor::from([1.0, 0.0, 0.0, 1.0, 1.0].map(number)), x[0], x[1]),
        "maximum" => x[0].maximum(x[1]),
        "minimum" => x[0].minimum(x[1]),
        "sum_axes 0" => x[0].sum_axes(&[0], false),
        "sum_axes 1" => x[0].sum_axes(&[1], false),
        "mean_axes 1" => x[0].mean_axes(&[1], true),
        "mean_axes 0 1" => x[0].mean_axes(&[0, 1], false),
        "max_axes 0" => x[0].max_axes(&[0], false),
        "max_axes 1" => x[0].max_axes(&[1], false),
        "min_axes 0" => x[0].min_axes(&[0], false),
        "min_axes 1" => x[0].min_axes(&[1], false),
        "var_axes 1 ddof 0" => x[0].var_axes(&[1], 0, false),
        "var_axes 1 ddof 1" => x[0].var_axes(&[1], 1, true),
        "var_axes 0 1 ddof 1" => x[0].var_axes(&[0, 1], 1, false),
        "standardize_axes 0" => x[0].standardize_axes(&[0], number(0.125)).0,
        "standardize_axes 1" => x[0].standardize_axes(&[1], number(0.125)).0,
        "logsumexp_axes 0" => x[0].logsumexp_axes(&[0], false),
        "logsumexp_axes 1" => x[0].logsumexp_axes(&[1], false),
        "norm_axes 1" => x[0].norm_axes(number(1.0), &[1], false),
        "norm_axes 2" | "norm_axes 2 of zeros" => x[0].norm_axes(number(2.0), &[1], false),
        "norm_axes 3" | "norm_axes 3 of zeros" => x[0].norm_axes(number(3.0), &[1], false),
        "norm_axes inf" => x[0].norm_axes(E::infinity(), &[1], false),
        "norm_axes 2 of all" => x[0].norm_axes(number(2.0), &[0, 1], false),
        "normalize_axes 1" => x[0].normalize_axes(&[1]),
        "normalize_axes 0 1" => x[0].normalize_axes(&[0, 1]),
        "softmax" => x[0].softmax(x[0].ndim() - 1),
        "softmax 0" => x[0].softmax(0),
        "log_softmax" => x[0].log_softmax(x[0].ndim() - 1),
        "log_softmax 0" => x[0].log_softmax(0),
        "softmax_cross_entropy mean" => x[0].softmax_cross_entropy(x[1]).mean(),
        "reshape" => x[0].reshape([5, 3]),
        "transpose" => x[0].t(),
        "broadcast_to" => x[0].broadcast_to([2, 3, 5]),
        "permute" => x[0].permute(&[2, 0, 1]),
        "slice" => x[0].slice(1, 1..4),
        "pad" => x[0].pad(1, 2, 1),
        "concatenate" => Var::concatenate(&[x[0], x[1], x[0]], 1),
        "stack" => Var::stack(x, 1),
        "select_rows" => x[0].select_rows(&[2, 0, 2, 1]),
        "scatter_add_rows" => x[0].scatter_add_rows(&[4, 1, 4], 5),
        "pick_along" => x[0].pick_along(1, &ends(x[0].shape()[0], 4)),
        "scatter_along" => x[0].scatter_along(1, 3, &ends(x[0].shape()[0], 2)),
        "cumsum" => x[0].cumsum(1),
        "cumsum 0" => x[0].cumsum(0),
        "cumsum from end" => x[0].cumsum_from_end(1),
        "matmul" => x[0].matmul(x[1]),
        "matmul_nt" => x[0].matmul_nt(x[1]),
        "matmul_tn" => x[0].matmul_tn(x[1]),
        "linear" => x[0].linear(x[1], x[2]),
        other => panic!("no operation {other} on {tape:?}"),
    }
}

/// How many cases were compared.
fn check<E: Element>(tolerance: f64) -> usize {
    let goldens = goldens();
    let mut count = 0;
    for (name, cases) in goldens["operations"].as_object().unwrap() {
        for case in cases.as_array().unwrap() {
            let what = format!("{name}, {}, in {}", case["kind"].as_str().unwrap(), E::NAME);
            let (close, second_close) =
                ([tolerance, FLOOR], [tolerance, if CANCELLING.contains(&name.as_str()) { 1.0 } else { FLOOR }]);
            let tape = Tape::<E>::new();
            let inputs: Vec<Tensor<E>> = tensors(&case["inputs"]);
            let x: Vec<_> = inputs.iter().map(|input| tape.variable(input.clone())).collect();
            let y = apply(name, &tape, &x);
            assert_close(&y.value(), &case["output"], close, &what);

            let upstream: Tensor<E> = tensor(&case["upstream"]);
            let vectors: Vec<Tensor<E>> = tensors(&case["vectors"]);
            let numbers = y.backward_from(&upstream);
            let recorded = tape.gradient_recorded_from(&[y], &[tape.constant(upstream)], &x);
            let second = tape.gradient_from(&recorded, &vectors, &x);
            for (i, &x) in x.iter().enumerate() {
                let expected = (&case["gradients"][i], &case["second"][i]);
                assert_close(&numbers.wrt(x), expected.0, close, &format!("{what}, gradient {i}"));
                assert_close(&recorded[i].value(), expected.0, close, &format!("{what}, recorded gradient {i}"));
                if !case["second"].is_null() {
                    assert_close(&second[i], expected.1, second_close, &format!("{what}, second derivative {i}"));
                }
            }
            count += 1;
        }
    }
    count
}

#[test]
fn operations_agree_with_pytorch_to_the_second_derivative() {
    let count = check::<f64>(1e-10);
    assert_eq!(check::<f32>(1e-5), count);
    assert!(count > 200);
    println!("{count} cases of f64 and of f32 agree");
}

/// Every operation in a file of `src/ops` has a golden case that begins with its name. Those in the folder of activations
/// have theirs among the activations of `mlp-nn`.
#[test]
fn every_operation_has_goldens() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops");
    let mut operations = BTreeSet::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(path).unwrap();
        operations
            .extend(text.split("fn name(&self)").skip(1).map(|after| after.split('"').nth(1).unwrap().to_owned()));
    }
    assert!(operations.len() > 30);
    let goldens = goldens();
    let names = goldens["operations"].as_object().unwrap().keys();
    let compared: BTreeSet<String> = names.map(|name| name.split(' ').next().unwrap().to_owned()).collect();
    let missing: Vec<_> = operations.difference(&compared).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
