//! Against what NumPy gives (`goldens/tensor.py` wrote `goldens/tensor.json`).

use mlp_tensor::{Element, Tensor};
use serde_json::Value;

/// How far a result may be from NumPy's, for numbers up to 1; for larger ones in proportion.
trait Tolerance: Element {
    const TOLERANCE: f64;
}

impl Tolerance for f64 {
    const TOLERANCE: f64 = 1e-12;
}

impl Tolerance for f32 {
    const TOLERANCE: f64 = 1e-5;
}

fn goldens() -> Value {
    serde_json::from_str(include_str!("goldens/tensor.json")).unwrap()
}

/// Lengths, axes or indices.
fn whole(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

fn tensor<E: Element>(value: &Value) -> Tensor<E> {
    let values = value["data"].as_array().unwrap().iter().map(|v| E::from_f64(v.as_f64().unwrap()));
    Tensor::from_vec(values.collect(), whole(&value["shape"]))
}

/// Exactly `count` cases of a list: a test must not run over nothing.
#[track_caller]
fn cases(value: &Value, count: usize) -> &[Value] {
    let cases = value.as_array().unwrap();
    assert_eq!(cases.len(), count);
    cases
}

#[track_caller]
fn assert_close<E: Tolerance>(found: &Tensor<E>, expected: &Value, what: &str) {
    let expected: Tensor<f64> = tensor(expected);
    assert_eq!(found.shape(), expected.shape(), "the shape of {what}");
    for (place, (found, &expected)) in found.as_slice().iter().zip(expected.as_slice()).enumerate() {
        let difference = (found.as_f64() - expected).abs();
        assert!(
            difference <= E::TOLERANCE * expected.abs().max(1.0),
            "{what}, value {place}: {found} in {}, {expected} in NumPy",
            E::NAME
        );
    }
}

fn check_broadcasting<E: Tolerance>() {
    for case in cases(&goldens()["broadcasting"], 12) {
        let (a, b): (Tensor<E>, Tensor<E>) = (tensor(&case["a"]), tensor(&case["b"]));
        for (name, result) in [("add", &a + &b), ("sub", &a - &b), ("mul", &a * &b), ("div", &a / &b)] {
            assert_close(&result, &case[name], &format!("{name} of {:?} and {:?}", a.shape(), b.shape()));
        }
        let shape = whole(&case["add"]["shape"]);
        assert_eq!(mlp_tensor::broadcast_shape(a.shape(), b.shape()).as_deref(), Some(shape.as_slice()));
        // In place the left side has to have the shape of the result already.
        let mut sum = a.broadcast_to(&shape);
        sum += &b;
        assert_close(&sum, &case["add"], "add in place");
    }
}

#[test]
fn broadcasting() {
    check_broadcasting::<f64>();
    check_broadcasting::<f32>();
}

fn check_reductions<E: Tolerance>() {
    let golden = &goldens()["reductions"];
    let x: Tensor<E> = tensor(&golden["x"]);
    assert_eq!(x.shape(), [2, 3, 4]);
    let mut over_all = 0;
    for case in cases(&golden["cases"], 14) {
        let (axes, keep) = (whole(&case["axes"]), case["keepdims"].as_bool().unwrap());
        // The order in which the axes are named does not matter.
        let mut backwards = axes.clone();
        backwards.reverse();
        for axes in [&axes, &backwards] {
            let what = |name: &str| format!("{name} over {axes:?}, axes kept: {keep}");
            assert_close(&x.sum_axes(axes, keep), &case["sum"], &what("sum"));
            assert_close(&x.mean_axes(axes, keep), &case["mean"], &what("mean"));
            assert_close(&x.max_axes(axes, keep), &case["max"], &what("max"));
        }
        if axes.len() == x.rank() && !keep {
            over_all += 1;
            assert_close(&Tensor::scalar(x.sum()), &case["sum"], "sum");
            assert_close(&Tensor::scalar(x.mean()), &case["mean"], "mean");
            assert_close(&Tensor::scalar(x.max()), &case["max"], "max");
        }
        if keep {
            let shape = whole(&case["sum"]["shape"]);
            assert_close(&x.sum_to(&shape), &case["sum"], &format!("sum to {shape:?}"));
        }
    }
    assert_eq!(over_all, 1);
}

#[test]
fn reductions() {
    check_reductions::<f64>();
    check_reductions::<f32>();
}

fn check_argmax<E: Element>(golden: &Value, count: usize) {
    let x: Tensor<E> = tensor(&golden["x"]);
    for case in cases(&golden["argmax"], count) {
        let (axis, keep) = (case["axis"].as_u64().unwrap() as usize, case["keepdims"].as_bool().unwrap());
        assert_eq!(x.argmax(axis), whole(&case["result"]["data"]), "argmax along axis {axis}");
        assert_eq!(x.max_axes(&[axis], keep).shape(), whole(&case["result"]["shape"]));
    }
}

#[test]
fn argmax() {
    check_argmax::<f64>(&goldens()["reductions"], 6);
    check_argmax::<f32>(&goldens()["reductions"], 6);
}

#[test]
fn argmax_of_equal_values() {
    check_argmax::<f64>(&goldens()["argmax_ties"], 4);
    check_argmax::<f32>(&goldens()["argmax_ties"], 4);
}

fn check_transposes<E: Tolerance>() {
    let mut matrices = 0;
    for case in cases(&goldens()["transposes"], 9) {
        let (x, axes): (Tensor<E>, _) = (tensor(&case["x"]), whole(&case["axes"]));
        // No arithmetic, so nothing may differ.
        assert_eq!(x.permute(&axes), tensor(&case["result"]), "{:?} as {axes:?}", x.shape());
        if axes == [1, 0] {
            matrices += 1;
            assert_eq!(x.t(), tensor(&case["result"]));
        }
    }
    assert_eq!(matrices, 2);
}

#[test]
fn transposes() {
    check_transposes::<f64>();
    check_transposes::<f32>();
}

fn check_products<E: Tolerance>() {
    let goldens = goldens();
    let mut names = Vec::new();
    for case in cases(&goldens["matmul"], 7) {
        let name = case["name"].as_str().unwrap();
        let (a, b): (Tensor<E>, Tensor<E>) = (tensor(&case["a"]), tensor(&case["b"]));
        let ways = match name {
            "a @ b" => [a.matmul(&b), a.t().matmul_tn(&b), a.matmul_nt(&b.t())],
            "a.T @ b" => [a.matmul_tn(&b), a.t().matmul(&b), a.t().matmul_nt(&b.t())],
            "a @ b.T" => [a.matmul_nt(&b), a.matmul(&b.t()), a.t().matmul_tn(&b.t())],
            "a.T @ b.T" => [a.t().matmul(&b.t()), a.matmul_tn(&b.t()), a.t().matmul_nt(&b)],
            other => panic!("no product {other}"),
        };
        for result in ways {
            assert_close(&result, &case["result"], &format!("{name} of {:?} and {:?}", a.shape(), b.shape()));
        }
        names.push(name);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 4);
}

#[test]
fn products() {
    check_products::<f64>();
    check_products::<f32>();
}

#[test]
fn nothing_in_the_file_is_left_out() {
    let goldens = goldens();
    let mut names: Vec<&str> = goldens.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["argmax_ties", "broadcasting", "made_with", "matmul", "reductions", "transposes"]);
}
