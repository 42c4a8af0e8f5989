//! Penalties on outputs, and constraints.

use std::collections::BTreeSet;

use mlp_autograd::{Tape, gradcheck};
use mlp_nn::{Constraint, Regularizer};
use mlp_tensor::{Element, Rng, Tensor};
use serde_json::Value;

use crate::common::{assert_close, built_in, read, tensor, variant};

fn goldens() -> Value {
    serde_json::from_str(include_str!("../goldens/losses.json")).unwrap()
}

#[test]
fn penalties_of_outputs_are_keras() {
    let golden = &goldens()["penalties_of_outputs"];
    for case in golden["cases"].as_array().unwrap() {
        let regularizer = Regularizer::l1_l2(case["l1"].as_f64().unwrap(), case["l2"].as_f64().unwrap());
        let tape = Tape::<f64>::new();
        let y = tape.variable(tensor(&golden["output"]));
        let penalty = regularizer.of_output(y);
        assert_close(&penalty.value(), &case["value"], (1e-10, 0.0), "value");
        assert_close(&penalty.backward().wrt(y), &case["gradient"], (1e-10, 0.0), "gradient");
    }
    let regularizer = Regularizer::l1_l2(0.3, 0.2);
    gradcheck(|_, x| regularizer.of_output(x[0]), &[Tensor::from([[1.0, -2.0], [0.5, 3.0]])]).unwrap();
    let tape = Tape::<f32>::new();
    assert_eq!(regularizer.of_output(tape.variable(Tensor::zeros([0, 3]))).value().item(), 0.0);
}

fn agrees<E: Element>(tolerance: f64) {
    let golden = &goldens()["constraints"];
    for case in golden["cases"].as_array().unwrap() {
        let constraint: Constraint = read(case, "constraint");
        for key in ["weight", "bias"] {
            let mut weight: Tensor<E> = tensor(&golden[key]);
            constraint.apply(&mut weight);
            assert_close(&weight, &case[key], (tolerance, 0.0), &format!("{constraint:?} of a {key}"));
        }
    }
}

#[test]
fn every_constraint_agrees() {
    agrees::<f64>(1e-10);
    agrees::<f32>(1e-5);
    let goldens = goldens();
    let cases = goldens["constraints"]["cases"].as_array().unwrap();
    let checked: BTreeSet<String> = cases.iter().map(|case| variant(&case["constraint"])).collect();
    assert_eq!(checked, built_in::<Constraint>());
}

#[test]
fn what_is_within_the_limit_keeps_its_bits() {
    let weight: Tensor<f32> = Tensor::uniform([5, 4], 0.0, 0.3, &mut Rng::new(1));
    let min_max = Constraint::MinMaxNorm { min: 0.0, max: 1.0, rate: 0.5 };
    for constraint in [Constraint::MaxNorm { max: 1.0 }, Constraint::NonNegative, min_max] {
        let mut after = weight.clone();
        constraint.apply(&mut after);
        assert!(after.bit_eq(&weight), "{constraint:?}");
    }
    let mut zeros = Tensor::<f32>::zeros([3, 2]);
    Constraint::UnitNorm.apply(&mut zeros);
    assert_eq!(zeros, Tensor::zeros([3, 2]));
    let mut nothing = Tensor::<f32>::zeros([0, 2]);
    Constraint::UnitNorm.apply(&mut nothing);
    assert_eq!(nothing.shape(), [0, 2]);
}

#[test]
fn settings_out_of_range_are_named() {
    let message = |constraint: Constraint| constraint.check::<f64>("layers.0 (Dense)").unwrap_err().to_string();
    let expected = "layers.0 (Dense): max is -1, but must be finite and 0 or more";
    assert_eq!(message(Constraint::MaxNorm { max: -1.0 }), expected);
    assert!(
        message(Constraint::MinMaxNorm { min: 2.0, max: 1.0, rate: 1.0 })
            .contains("max is 1, but must be at least min")
    );
    assert!(message(Constraint::MinMaxNorm { min: 0.0, max: 1.0, rate: 1.5 }).contains("rate is 1.5"));
    assert!(message(Constraint::MinMaxNorm { min: f64::NAN, max: 1.0, rate: 1.0 }).contains("min is NaN"));
    Constraint::UnitNorm.check::<f64>("").unwrap();
}

#[test]
#[should_panic(expected = "apply: max is 1, but must be at least min")]
fn a_limit_out_of_range_is_not_applied() {
    Constraint::MinMaxNorm { min: 2.0, max: 1.0, rate: 1.0 }.apply(&mut Tensor::<f32>::ones([2, 2]));
}
