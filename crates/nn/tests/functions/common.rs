//! Goldens as tensors, and comparisons with them.

use std::collections::BTreeSet;

use mlp_tensor::{Element, Tensor};
use serde::de::DeserializeOwned;
use serde_json::Value;

fn numbers(value: &Value, out: &mut Vec<f64>) {
    match value {
        Value::Array(values) => values.iter().for_each(|v| numbers(v, out)),
        number => out.push(number.as_f64().unwrap()),
    }
}

/// A nested list of numbers as a tensor.
pub(crate) fn tensor<E: Element>(value: &Value) -> Tensor<E> {
    let mut shape = Vec::new();
    let mut level = value;
    while let Value::Array(values) = level {
        shape.push(values.len());
        level = &values[0];
    }
    let mut data = Vec::new();
    numbers(value, &mut data);
    Tensor::from_vec(data.into_iter().map(E::from_f64).collect(), shape)
}

/// In f32, the least number in place of what rounds to 0.
pub(crate) fn input<E: Element>(value: &Value) -> Tensor<E> {
    let exact: Tensor<f64> = tensor(value);
    let least = |v: f64| if v != 0.0 && E::from_f64(v) == E::zero() { 1e-45_f64.copysign(v) } else { v };
    exact.map(least).cast()
}

/// Every number differs from the golden one by at most `tolerance` of it, or of `floor` where it is smaller.
#[track_caller]
pub(crate) fn assert_close<E: Element>(
    found: &Tensor<E>,
    expected: &Value,
    (tolerance, floor): (f64, f64),
    what: &str,
) {
    let expected: Tensor<f64> = tensor(expected);
    let found: Tensor<f64> = found.cast();
    assert_eq!(found.shape(), expected.shape(), "{what}");
    for (index, (&f, &e)) in found.as_slice().iter().zip(expected.as_slice()).enumerate() {
        let close = (f - e).abs() <= tolerance * e.abs().max(floor);
        assert!(close, "{what}, value {index}: {f:e} where it should be {e:e}");
    }
}

/// What a list of goldens holds under `key`.
pub(crate) fn read<T: DeserializeOwned>(case: &Value, key: &str) -> T {
    serde_json::from_value(case[key].clone()).unwrap_or_else(|error| panic!("{key} {}: {error}", case[key]))
}

/// The names of all variants of `T`, from the message with which it refuses one that it does not have.
pub(crate) fn variants<T: DeserializeOwned + std::fmt::Debug>() -> BTreeSet<String> {
    let message = serde_json::from_str::<T>("\"no such name\"").unwrap_err().to_string();
    let names = message.split('`').skip(1).step_by(2).filter(|name| *name != "no such name");
    names.map(str::to_owned).collect()
}

/// The names of all variants of `T` that are the library's own.
pub(crate) fn built_in<T: DeserializeOwned + std::fmt::Debug>() -> BTreeSet<String> {
    let mut names = variants::<T>();
    assert!(names.remove("custom"), "users can bring their own: {names:?}");
    names
}

/// The variant that a value is written as.
pub(crate) fn variant(written: &Value) -> String {
    match written {
        Value::Object(map) => map.keys().next().unwrap().clone(),
        name => name.as_str().unwrap().to_owned(),
    }
}

#[test]
fn variants_are_all_found() {
    #[derive(Debug, serde::Deserialize)]
    enum Three {
        A,
        B { _x: f64 },
        C(#[expect(dead_code, reason = "only the name is asked for")] u8),
    }
    let _ = (Three::A, Three::B { _x: 0.0 });
    assert_eq!(variants::<Three>().into_iter().collect::<Vec<_>>(), ["A", "B", "C"]);
}
