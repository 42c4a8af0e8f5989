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
    let values = value["data"].as_array().unwrap().iter().map(|v| E::from_f64(number(v)));
    Tensor::from_vec(values.collect(), whole(&value["shape"]))
}

/// A number, or one of those that JSON does not have.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

/// Whether the bits are the same, but for what kind of NaN it is.
#[track_caller]
fn assert_same<E: Element>(found: &Tensor<E>, expected: &Value, what: &str) {
    let expected: Tensor<E> = tensor(expected);
    assert_eq!(found.shape(), expected.shape(), "the shape of {what}");
    let same = |(a, b): (&E, &E)| a == b || (a.is_nan() && b.is_nan());
    assert!(found.as_slice().iter().zip(expected.as_slice()).all(same), "{what}: {found} for {expected}");
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
        let same = found.as_f64() == expected || (found.is_nan() && expected.is_nan());
        assert!(
            same || difference <= E::TOLERANCE * expected.abs().max(1.0),
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
        if axes.len() == x.ndim() && !keep {
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

fn check_statistics<E: Tolerance>() {
    let golden = &goldens()["statistics"];
    let x: Tensor<E> = tensor(&golden["x"]);
    for case in cases(&golden["cases"], 12) {
        let [axis, ddof] = ["axis", "ddof"].map(|name| case[name].as_u64().unwrap() as usize);
        let what = format!("along {axis} with ddof {ddof}");
        assert_close(&x.var_axis(axis, ddof), &case["var"], &format!("variance {what}"));
        assert_close(&x.std_axis(axis, ddof), &case["std"], &format!("deviation {what}"));
        assert_close(&x.var_axes(&[axis], ddof, false), &case["var"], &format!("variance {what}"));
    }
    assert_close(&Tensor::from([x.var(), x.std()]), &golden["all"], "variance and deviation");
    let same: Tensor<E> = tensor(&golden["same"]["x"]);
    for (ddof, expected) in cases(&golden["same"]["var"], 4).iter().enumerate() {
        assert_same(&same.var_axis(0, ddof), expected, &format!("variance of equal values with ddof {ddof}"));
    }
    for axis in [0, 1] {
        assert_close(&x.softmax(axis), &golden["softmax"][axis], "softmax");
        assert_close(&x.min_axis(axis), &golden["min"][axis], "min");
        assert_eq!(x.argmin(axis), whole(&golden["argmin"][axis]));
    }
}

#[test]
fn statistics() {
    check_statistics::<f64>();
    check_statistics::<f32>();
}

fn check_comparisons<E: Element>() {
    let goldens = goldens();
    for case in cases(&goldens["comparisons"], 5) {
        let (a, b): (Tensor<E>, Tensor<E>) = (tensor(&case["a"]), tensor(&case["b"]));
        let results = [
            ("gt", a.gt(&b)),
            ("ge", a.ge(&b)),
            ("lt", a.lt(&b)),
            ("le", a.le(&b)),
            ("eq", a.eq(&b)),
            ("ne", a.ne(&b)),
        ];
        for (name, result) in results {
            assert_same(&result, &case[name], name);
        }
        assert_same(&Tensor::where_(&a.gt(&b), &a, &b), &case["where"], "where");
        assert_eq!(a.allclose(&b, 1e-5, 1e-8), case["allclose"]);
        if b.ndim() == 0 {
            assert_same(&a.gt(b.item()), &case["gt"], "gt of a number");
        }
    }
}

#[test]
fn comparisons() {
    check_comparisons::<f64>();
    check_comparisons::<f32>();
}

#[test]
fn closeness() {
    for case in cases(&goldens()["closeness"], 13) {
        let (a, b): (Tensor<f64>, Tensor<f64>) = (tensor(&case["a"]), tensor(&case["b"]));
        let close = a.allclose(&b, number(&case["rtol"]), number(&case["atol"]));
        assert_eq!(close, case["close"], "{case}");
    }
}

fn check_sorting<E: Element>() {
    for case in cases(&goldens()["sorting"], 8) {
        let (x, axis): (Tensor<E>, _) = (tensor(&case["x"]), case["axis"].as_u64().unwrap() as usize);
        assert_same(&x.sort(axis), &case["sort"], "sort");
        assert_eq!(x.argsort(axis), whole(&case["argsort"]["data"]));
        assert_same(&x.unique(), &case["unique"], "unique");
    }
}

#[test]
fn sorting() {
    check_sorting::<f64>();
    check_sorting::<f32>();
}

fn check_ranges<E: Tolerance>() {
    let golden = &goldens()["ranges"];
    let arguments = |case: &Value| [0, 1, 2].map(|i| number(&case["arguments"][i]));
    for case in cases(&golden["arange"], 6) {
        let [start, stop, step] = arguments(case);
        assert_close(
            &Tensor::<E>::arange(start, stop, step),
            &case["result"],
            &format!("arange {}", case["arguments"]),
        );
    }
    for case in cases(&golden["linspace"], 7) {
        let [start, stop, n] = arguments(case);
        let found = Tensor::<E>::linspace(start, stop, n as usize);
        assert_close(&found, &case["result"], &format!("linspace {}", case["arguments"]));
    }
}

#[test]
fn ranges() {
    check_ranges::<f64>();
    check_ranges::<f32>();
}

#[test]
fn parts() {
    let golden = &goldens()["parts"];
    let x: Tensor<f64> = tensor(&golden["x"]);
    let axis = |case: &Value| case["axis"].as_u64().unwrap() as usize;
    for case in cases(&golden["split"], 5) {
        let parts = match case["cuts"].as_u64() {
            Some(n) => x.split(n as usize, axis(case)),
            None => x.split(whole(&case["cuts"]).as_slice(), axis(case)),
        };
        let expected = cases(&case["parts"], parts.len());
        parts.iter().zip(expected).for_each(|(part, expected)| assert_same(part, expected, "split"));
    }
    for case in cases(&golden["repeat"], 3) {
        let n = case["n"].as_u64().unwrap() as usize;
        assert_same(&x.repeat(n, axis(case)), &case["result"], "repeat");
        assert_same(&x.tile(n, axis(case)), &case["tile"], "tile");
    }
    for case in cases(&golden["expand_dims"], 3) {
        assert_eq!(x.unsqueeze(axis(case)).shape(), whole(&case["shape"]));
    }
    for case in cases(&golden["reshape"], 4) {
        let shape: Vec<isize> =
            case["shape"].as_array().unwrap().iter().map(|v| v.as_i64().unwrap() as isize).collect();
        assert_eq!(x.reshape(shape).shape(), whole(&case["result"]));
    }
    assert_same(&tensor::<f32>(&golden["round"]["x"]).round(), &golden["round"]["result"], "round");
}

#[test]
fn nothing_in_the_file_is_left_out() {
    let goldens = goldens();
    let mut names: Vec<&str> = goldens.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let tested = [
        "argmax_ties",
        "broadcasting",
        "closeness",
        "comparisons",
        "made_with",
        "matmul",
        "parts",
        "ranges",
        "reductions",
        "sorting",
        "statistics",
        "transposes",
    ];
    assert_eq!(names, tested);
}
