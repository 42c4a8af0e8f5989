//! Losses.

use std::collections::BTreeSet;

use mlp_autograd::{Tape, gradcheck, gradgradcheck};
use mlp_nn::{Activation, Loss, LossOptions, Reduction, TargetKind};
use mlp_tensor::{Element, Rng, Tensor};
use serde_json::Value;

use crate::common::{assert_close, input, read, tensor, variant, variants};

fn goldens() -> Value {
    serde_json::from_str(include_str!("../goldens/losses.json")).unwrap()
}

/// Losses far from 1 are compared by their digits, others by the digits behind the point.
const FLOOR: f64 = 1e-3;

fn agrees<E: Element>(tolerance: f64) {
    let tolerance = (tolerance, FLOOR);
    for (index, case) in goldens()["cases"].as_array().unwrap().iter().enumerate() {
        let loss: Loss = read(case, "loss");
        let what = format!("case {index}, {loss}");
        let tape = Tape::<E>::new();
        let predictions = tape.variable(input(&case["predictions"]));
        let targets = tape.constant(tensor(&case["targets"]));
        let rows = loss.per_row(predictions, targets);
        assert_close(&rows.value(), &case["rows"], tolerance, &what);
        let mean = loss.forward(predictions, targets);
        let expected = tensor::<f64>(&case["rows"]).mean();
        assert_close(&mean.value(), &expected.into(), tolerance, &format!("{what}, mean"));
        for (way, value) in [("rows", rows.mean()), ("mean", mean)] {
            let gradient = value.backward().wrt(predictions);
            assert_close(&gradient, &case["gradient"], (tolerance.0, 1.0), &format!("{what}, gradient by {way}"));
        }
    }
}

#[test]
fn every_loss_agrees_with_its_gradient() {
    agrees::<f64>(1e-10);
    agrees::<f32>(1e-5);
    let goldens = goldens();
    let cases = goldens["cases"].as_array().unwrap();
    let checked: BTreeSet<String> = cases.iter().map(|case| variant(&case["loss"])).collect();
    assert_eq!(checked, variants::<Loss>());
    println!("{} losses checked", checked.len());
}

/// One golden case, with more than one row, of every loss.
fn all() -> Vec<(Loss, Tensor<f64>, Tensor<f64>)> {
    let mut seen = BTreeSet::new();
    let goldens = goldens();
    let cases = goldens["cases"].as_array().unwrap().iter();
    cases
        .filter(|case| seen.insert(variant(&case["loss"])))
        .map(|case| (read(case, "loss"), tensor(&case["predictions"]), tensor(&case["targets"])))
        .collect()
}

#[test]
fn every_loss_passes_gradcheck_and_gradgradcheck() {
    for (loss, predictions, targets) in all() {
        let x = [predictions];
        let checked = gradcheck(|tape, x| loss.per_row(x[0], tape.constant(targets.clone())), &x)
            .and_then(|()| gradcheck(|tape, x| loss.forward(x[0], tape.constant(targets.clone())), &x))
            .and_then(|()| gradgradcheck(|tape, x| loss.per_row(x[0], tape.constant(targets.clone())), &x))
            .and_then(|()| gradgradcheck(|tape, x| loss.forward(x[0], tape.constant(targets.clone())), &x));
        if let Err(error) = checked {
            panic!("{loss}: {error}");
        }
    }
    println!("{} losses checked to the second derivative", all().len());
}

#[test]
fn class_numbers_do_for_one_hot_rows() {
    for case in goldens()["sparse"].as_array().unwrap() {
        let loss: Loss = read(case, "loss");
        let tape = Tape::<f64>::new();
        let predictions = tape.variable(tensor(&case["predictions"]));
        let classes = tape.constant(tensor(&case["classes"]));
        assert_close(&loss.per_row(predictions, classes).value(), &case["rows"], (1e-10, FLOOR), "rows");
        let gradient = loss.forward(predictions, classes).backward().wrt(predictions);
        assert_close(&gradient, &case["gradient"], (1e-10, 1.0), "gradient");
    }
}

fn options<E: Element>(case: &Value) -> LossOptions<E> {
    let (options, given) = (LossOptions::new(), &case["options"]);
    let known = ["sample_weights", "class_weights", "label_smoothing"];
    assert!(given.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())));
    let options = match &given["sample_weights"] {
        Value::Null => options,
        weights => options.sample_weights(tensor(weights)),
    };
    let options = match &given["class_weights"] {
        Value::Null => options,
        weights => options.class_weights(tensor(weights)),
    };
    options.label_smoothing(given["label_smoothing"].as_f64().unwrap_or(0.0))
}

fn agrees_with_options<E: Element>(tolerance: f64) {
    for (index, case) in goldens()["with_options"].as_array().unwrap().iter().enumerate() {
        let loss: Loss = read(case, "loss");
        let what = format!("case {index}, {loss}, {}", case["options"]);
        let tape = Tape::<E>::new();
        let predictions = tape.variable(tensor(&case["predictions"]));
        let targets = tape.constant(tensor(&case["targets"]));
        let options: LossOptions<E> = options(case);
        let key = if case["mean"].is_null() { "sum" } else { "mean" };
        let reduction = if key == "sum" { Reduction::Sum } else { Reduction::Mean };
        let value = loss.forward_with(predictions, targets, &options.clone().reduction(reduction));
        assert_close(&value.value(), &case[key], (tolerance, FLOOR), &what);
        let gradient = value.backward().wrt(predictions);
        assert_close(&gradient, &case["gradient"], (tolerance, 1.0), &format!("{what}, gradient"));
        // The three reductions are those of the same rows.
        let reduce = |to| loss.forward_with(predictions, targets, &options.clone().reduction(to)).value();
        let rows = reduce(Reduction::None);
        assert_eq!(rows.shape(), [predictions.shape()[0]]);
        let close = |a: E, b: E| (a - b).abs().as_f64() < tolerance * a.abs().as_f64();
        assert!(close(reduce(Reduction::Sum).item(), rows.sum()), "{what}");
        assert!(close(reduce(Reduction::Mean).item(), rows.mean()), "{what}");
        if let Some(divides_by) = case["torch_divides_by"].as_f64() {
            // How PyTorch's weighted mean comes from the sum.
            let mean = value.value().item().as_f64() / divides_by;
            assert!((mean - case["torch_mean"].as_f64().unwrap()).abs() < tolerance, "{what}");
        }
    }
}

#[test]
fn weights_and_label_smoothing_agree() {
    agrees_with_options::<f64>(1e-10);
    agrees_with_options::<f32>(1e-5);
}

#[test]
fn empty_batches_have_no_rows_and_their_mean_is_no_number() {
    for (loss, predictions, targets) in all() {
        let tape = Tape::new();
        let predictions = tape.variable(predictions.slice(0, 0..0));
        let targets = tape.constant(targets.slice(0, 0..0));
        assert_eq!(loss.per_row(predictions, targets).shape(), [0], "{loss}");
        let mean = loss.forward(predictions, targets);
        assert!(mean.value().item().is_nan(), "{loss}: as in PyTorch");
        assert!(mean.backward().wrt(predictions).is_empty(), "{loss}");
        let sum = loss.forward_with(predictions, targets, &LossOptions::new().reduction(Reduction::Sum));
        assert_eq!(sum.value().item(), 0.0, "{loss}");
    }
}

/// Predictions of every size: none gives NaN, nor does its gradient.
fn never_nan<E: Element>() {
    let large = [0.0, 1e-45, 1.0, 30.0, 100.0, 1e3, 1e4];
    let numbers: Vec<f64> = large.iter().flat_map(|&v| [v, -v]).collect();
    for (loss, _, targets) in all() {
        let targets: Tensor<E> = targets.cast();
        let k = targets.row_len();
        let width = if loss == Loss::GaussianNll { 2 * k } else { k };
        let probabilities = loss.before(Activation::Softmax).is_some()
            || loss.before(Activation::Sigmoid).is_some()
            || matches!(loss, Loss::KlDivergence | Loss::Poisson);
        let mut rng = Rng::new(3);
        for round in 0..200 {
            let mut predictions = Tensor::<E>::zeros([targets.rows(), width]);
            for value in predictions.as_mut_slice() {
                *value = if probabilities {
                    // Rounded to 0 and to 1, as a sigmoid or a softmax does.
                    E::from_f64([0.0, 1.0, 0.5, 1e-30, 1e-45][rng.below(5)])
                } else {
                    E::from_f64(numbers[rng.below(numbers.len())])
                };
            }
            let tape = Tape::new();
            let predictions = tape.variable(predictions);
            let rows = loss.per_row(predictions, tape.constant(targets.clone()));
            let found = rows.value();
            assert!(!found.as_slice().iter().any(|v| v.is_nan()), "{loss}, round {round}: {found} of {predictions:?}");
            if found.all_finite() {
                let gradient = rows.mean().backward().wrt(predictions);
                let nan = gradient.as_slice().iter().any(|v| v.is_nan());
                assert!(!nan, "{loss}, round {round}: gradient {gradient} of {predictions:?}");
            }
        }
    }
}

#[test]
fn finite_predictions_never_give_nan() {
    never_nan::<f64>();
    never_nan::<f32>();
}

/// From probabilities and from logits is the same, where probabilities do not round to 0 and 1.
#[test]
fn a_loss_before_its_activation_is_the_same_loss() {
    let mut pairs = 0;
    for (loss, _, targets) in all() {
        for activation in [Activation::Sigmoid, Activation::Softmax] {
            let Some(before) = loss.before(activation) else { continue };
            pairs += 1;
            let tape = Tape::new();
            let logits = tape.variable(Tensor::normal(targets.shape(), 0.0, 2.0, &mut Rng::new(5)));
            let targets = tape.constant(targets.clone());
            let (one, other) = (before.per_row(logits, targets), loss.per_row(activation.forward(logits), targets));
            let difference = (one.value() - other.value()).abs().max();
            assert!(difference < 1e-12, "{loss}: {difference}");
            let [one, other] = [one, other].map(|rows| rows.sum().backward().wrt(logits));
            let difference = (one - other).abs().max();
            assert!(difference < 1e-12, "{loss}, gradient: {difference}");
        }
    }
    assert_eq!(pairs, 4);
    assert_eq!(Loss::MeanSquaredError.before(Activation::Softmax), None);
}

#[test]
fn settings_come_back_and_wrong_ones_are_named() {
    for (loss, ..) in all() {
        let written = serde_json::to_string(&loss).unwrap();
        assert_eq!(serde_json::from_str::<Loss>(&written).unwrap(), loss, "{written}");
        loss.check().unwrap();
    }
    let message = |loss: Loss| loss.check().unwrap_err().to_string();
    let expected = "loss (Huber loss with delta 0): delta is 0, but must be finite and above 0";
    assert_eq!(message(Loss::Huber { delta: 0.0 }), expected);
    for q in [0.0, 1.0, f64::NAN] {
        assert!(message(Loss::Quantile { q }).contains(&format!("q is {q}, but must be above 0 and below 1")));
    }
    assert!(message(Loss::BinaryFocal { gamma: -1.0, alpha: None }).contains("gamma is -1"));
    assert!(message(Loss::BinaryFocalWithLogits { gamma: 2.0, alpha: Some(1.5) }).contains("alpha is 1.5"));
    assert!(message(Loss::CategoricalFocal { gamma: f64::NAN, alpha: 0.25 }).contains("gamma is NaN"));
    assert!(message(Loss::CategoricalFocalWithLogits { gamma: 2.0, alpha: 0.0 }).contains("alpha is 0"));
}

#[test]
fn options_that_do_not_fit_are_named() {
    let message = |options: &LossOptions, loss: Loss| options.check(loss, &[4, 3]).unwrap_err().to_string();
    let (numbers, classes) = (Loss::MeanSquaredError, Loss::CategoricalCrossEntropy);
    let weights = |n: usize| Tensor::ones([n]);
    assert_eq!(
        message(&LossOptions::new().class_weights(weights(3)), numbers),
        "class weights goes with cross-entropy, focal and hinge losses, not with mean squared error"
    );
    assert_eq!(
        message(&LossOptions::new().label_smoothing(0.1), Loss::Hinge),
        "label smoothing goes with cross-entropy and focal losses, not with hinge loss"
    );
    assert!(message(&LossOptions::new().label_smoothing(1.5), classes).contains("label_smoothing is 1.5"));
    assert_eq!(
        message(&LossOptions::new().sample_weights(weights(3)), numbers),
        "the sample weights have shape [3], but must have [4], one each"
    );
    assert!(message(&LossOptions::new().class_weights(weights(2)), classes).contains("class weights have shape [2]"));
    assert!(message(&LossOptions::new().class_weights(weights(3)), Loss::Hinge).contains("must have [2]"));
    for bad in [-1.0, f32::NAN] {
        let options = LossOptions::new().sample_weights(Tensor::from([1.0, bad, 1.0, 1.0]));
        assert!(message(&options, numbers).contains(&format!("sample weights is {bad}")));
    }
}

#[test]
fn kinds_of_targets() {
    assert_eq!(Loss::Huber { delta: 1.0 }.targets(), TargetKind::Numbers);
    assert_eq!(Loss::Poisson.targets(), TargetKind::Counts);
    assert!(Loss::KlDivergence.is_classification());
    assert_eq!(Loss::GaussianNll.target_len(6), Some(3));
    assert_eq!(Loss::GaussianNll.target_len(5), None);
    assert_eq!(Loss::CosineSimilarity.target_len(5), Some(5));
}

#[test]
#[should_panic(expected = "mean absolute error: predictions [4, 3] and targets [4, 1] must have one shape")]
fn shapes_must_agree() {
    let tape = Tape::<f32>::new();
    let _ = Loss::MeanAbsoluteError.forward(tape.variable(Tensor::zeros([4, 3])), tape.constant(Tensor::zeros([4, 1])));
}

#[test]
#[should_panic(expected = "categorical cross-entropy: 3 is not the number of one of 3 classes")]
fn class_numbers_must_be_classes() {
    let tape = Tape::<f32>::new();
    let classes = tape.constant(Tensor::from([0.0, 3.0]));
    let _ = Loss::CategoricalCrossEntropy.forward(tape.variable(Tensor::ones([2, 3])), classes);
}

#[test]
#[should_panic(expected = "the sample weights have shape [3], but must have [2], one each")]
fn options_must_fit() {
    let tape = Tape::<f32>::new();
    let p = tape.variable(Tensor::ones([2, 3]));
    let _ = Loss::MeanSquaredError.forward_with(p, p, &LossOptions::new().sample_weights(Tensor::ones([3])));
}
