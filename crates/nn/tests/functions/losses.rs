//! Losses.

use std::collections::BTreeSet;

use mlp_autograd::{Tape, gradcheck, gradgradcheck};
use mlp_nn::{Activation, Loss, LossOptions, OutputFunction, TargetKind};
use mlp_tensor::{Element, Rng, Tensor};
use serde_json::Value;

use crate::common::{assert_close, built_in, input, read, tensor, variant};

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
    assert_eq!(checked, built_in::<Loss>());
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

/// Worked by hand, and the mean of the rows of every golden case.
#[test]
fn the_value_of_plain_tensors_is_the_mean_over_the_rows() {
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    let (x, t) = (Tensor::from([[1.0, -2.0], [0.5, 3.0]]), Tensor::from([[0.0, 1.0], [1.0, 0.0]]));
    // ((1 + 9) / 2 + (0.25 + 9) / 2) / 2 and ((1 + 3) / 2 + (0.5 + 3) / 2) / 2.
    close(Loss::MeanSquaredError.value(&x, &t), 4.8125);
    close(Loss::MeanAbsoluteError.value(&x, &t), 1.875);
    // (2 + 3) / 2 and (0.5 + 4) / 2.
    close(Loss::Hinge.value(&x, &t), 2.375);
    // Logits 0 and ln 3: ln 2, and -ln 3/4.
    let (x, t) = (Tensor::from([[0.0], [3_f64.ln()]]), Tensor::from([0.0, 1.0]).reshape([2, 1]));
    close(Loss::BinaryCrossEntropy.value(&x, &t), (2_f64.ln() + (4.0 / 3_f64).ln()) / 2.0);
    // Class numbers: probabilities 1/4 and 3/4 of the second class.
    let x = Tensor::from([[3_f64.ln(), 0.0], [0.0, 3_f64.ln()]]);
    close(Loss::CategoricalCrossEntropy.value(&x, &Tensor::from([1.0, 1.0])), (4_f64.ln() + (4.0 / 3_f64).ln()) / 2.0);
    for case in goldens()["cases"].as_array().unwrap() {
        let loss: Loss = read(case, "loss");
        let found = loss.value(&input::<f64>(&case["predictions"]), &tensor(&case["targets"]));
        let expected = tensor::<f64>(&case["rows"]).mean();
        assert!((found - expected).abs() <= 1e-10 * expected.abs().max(1.0), "{loss}: {found} is not {expected}");
    }
    assert!(Loss::MeanSquaredError.value(&Tensor::<f32>::zeros([0, 1]), &Tensor::zeros([0, 1])).is_nan());
}

#[test]
#[should_panic(expected = "mean absolute error: outputs [4, 3] and targets [4, 1] must have one shape")]
fn plain_tensors_must_agree_in_their_shapes() {
    let _ = Loss::MeanAbsoluteError.value(&Tensor::<f32>::zeros([4, 3]), &Tensor::zeros([4, 1]));
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

fn options(case: &Value) -> LossOptions {
    let (options, given) = (LossOptions::new(), &case["options"]);
    let known = ["sample_weights", "class_weights", "label_smoothing"];
    assert!(given.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())));
    let options = match &given["class_weights"] {
        Value::Null => options,
        _ => options.class_weights(read::<Vec<f64>>(given, "class_weights")),
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
        let rows = loss.per_row_with(predictions, targets, &options(case));
        assert_eq!(rows.shape(), [predictions.shape()[0]], "{what}");
        // Weights of samples are factors of the rows.
        let rows = match &case["options"]["sample_weights"] {
            Value::Null => rows,
            weights => rows * tape.constant(tensor(weights)),
        };
        let (key, value) = if case["mean"].is_null() { ("sum", rows.sum()) } else { ("mean", rows.mean()) };
        assert_close(&value.value(), &case[key], (tolerance, FLOOR), &what);
        let gradient = value.backward().wrt(predictions);
        assert_close(&gradient, &case["gradient"], (tolerance, 1.0), &format!("{what}, gradient"));
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
        assert_eq!(loss.per_row(predictions, targets).sum().value().item(), 0.0, "{loss}");
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
        let mut rng = Rng::new(3);
        for round in 0..200 {
            let mut predictions = Tensor::<E>::zeros([targets.rows(), width]);
            for value in predictions.as_mut_slice() {
                *value = E::from_f64(numbers[rng.below(numbers.len())]);
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

/// Through sigmoid, softmax or rates: what the originals compute of an activation's values comes of what is before it.
fn agrees_through_activations<E: Element>(tolerance: f64) {
    for (index, case) in goldens()["through_activation"].as_array().unwrap().iter().enumerate() {
        let (loss, activation): (Loss, Activation) = (read(case, "loss"), read(case, "activation"));
        let what = format!("case {index}, {loss} of {activation}");
        assert_eq!(loss.check_activation(&activation), Ok(()), "{what}");
        let tape = Tape::<E>::new();
        let before = tape.variable(tensor(&case["predictions"]));
        let rows = loss.per_row(loss.input_from(&activation, before), tape.constant(tensor(&case["targets"])));
        assert_close(&rows.value(), &case["rows"], (tolerance, FLOOR), &what);
        let gradient = rows.mean().backward().wrt(before);
        assert_close(&gradient, &case["gradient"], (tolerance, 1.0), &format!("{what}, gradient"));
    }
}

#[test]
fn a_loss_of_a_network_that_ends_in_an_activation_agrees() {
    agrees_through_activations::<f64>(1e-10);
    agrees_through_activations::<f32>(1e-5);
    let goldens = goldens();
    let cases = goldens["through_activation"].as_array().unwrap();
    let checked: BTreeSet<String> = cases.iter().map(|case| variant(&case["loss"])).collect();
    let takes_logits = |(loss, ..): (Loss, _, _)| {
        (loss.function() != OutputFunction::Identity).then(|| variant(&serde_json::to_value(loss).unwrap()))
    };
    assert!(all().into_iter().filter_map(takes_logits).all(|name| checked.contains(&name)), "{checked:?}");
}

#[test]
fn an_activation_that_does_not_fit_a_loss_is_refused_with_advice() {
    let refused = |loss: Loss, activation: Activation| loss.check_activation(&activation).unwrap_err();
    let (softmax, sigmoid) = ("end the network in softmax, or without an activation", "end the network in sigmoid, or");
    assert_eq!(refused(Loss::CategoricalCrossEntropy, Activation::Sigmoid), softmax);
    assert_eq!(refused(Loss::KlDivergence, Activation::LogSoftmax), softmax);
    assert!(refused(Loss::BinaryCrossEntropy, Activation::Softmax).starts_with(sigmoid));
    assert!(refused(Loss::BinaryCrossEntropy, Activation::Softmax).ends_with("use CategoricalCrossEntropy"));
    assert_eq!(refused(Loss::BinaryCrossEntropy, Activation::Relu), format!("{sigmoid} without an activation"));
    assert!(refused(Loss::BinaryFocal { gamma: 2.0, alpha: None }, Activation::Relu).starts_with(sigmoid));
    assert!(refused(Loss::Poisson, Activation::Tanh).contains("end the network in softplus, or without"));
    for (loss, ..) in all() {
        assert_eq!(loss.check_activation(&Activation::Identity), Ok(()), "{loss}");
        if loss.function() == OutputFunction::Identity {
            assert_eq!(loss.check_activation(&Activation::Tanh), Ok(()), "{loss}");
        }
    }
}

/// A score that is never below 0 never says no by a margin, and one that is never above 0 never says yes.
#[test]
fn a_loss_of_signs_wants_scores_on_both_sides_of_0() {
    use Activation as A;

    let hard_tanh = |low, high| A::HardTanh { low, high };
    let never_below = [A::Sigmoid, A::HardSigmoid, A::Softmax, A::softplus(), A::Relu, A::Relu6, hard_tanh(0.0, 1.0)];
    let never_above = [A::LogSigmoid, A::LogSoftmax, hard_tanh(-1.0, 0.0)];
    for loss in [Loss::Hinge, Loss::SquaredHinge] {
        for activation in never_below.iter().chain(&never_above) {
            let advice = loss.check_activation(activation).unwrap_err();
            let expected = "end the network in tanh, or without an activation, or use BinaryCrossEntropy";
            assert!(advice.contains(expected), "{loss}, {activation}: {advice}");
        }
        for activation in [A::Identity, A::Tanh, A::Softsign, hard_tanh(-1.0, 1.0), A::Elu { alpha: 1.0 }] {
            assert_eq!(loss.check_activation(&activation), Ok(()), "{loss}, {activation}");
        }
    }
}

#[test]
#[should_panic(expected = "binary cross-entropy does not fit a network that ends in tanh: end the network in sigmoid")]
fn a_loss_is_not_computed_from_an_activation_that_does_not_fit() {
    let tape = Tape::<f32>::new();
    let _ = Loss::BinaryCrossEntropy.input_from(&Activation::Tanh, tape.variable(Tensor::zeros([1, 1])));
}

/// A rate that rounds to 0 has a finite loss and a finite gradient, also where the count is not 0.
#[test]
fn rates_of_zero_stay_finite() {
    let tape = Tape::<f32>::new();
    let before = tape.variable(Tensor::from([[-1e4], [-1e4]]));
    let targets = tape.constant(Tensor::from([[0.0], [3.0]]));
    for activation in [Activation::Relu, Activation::softplus()] {
        let rows = Loss::Poisson.per_row(Loss::Poisson.input_from(&activation, before), targets);
        let found = rows.value();
        assert!(found.as_slice()[0] < 1e-30, "{activation}: {found}");
        // 3 · 87.3, the logarithm of the smallest normal number.
        assert!((found.as_slice()[1] - 262.009).abs() < 1e-2, "{activation}: {found}");
        assert!(rows.sum().backward().wrt(before).all_finite(), "{activation}");
    }
}

/// The loss of every row and the gradient of their sum.
fn rows_and_gradient<E: Element>(loss: &Loss, x: &Tensor<f64>, t: &Tensor<f64>) -> (Tensor<f64>, Tensor<f64>) {
    let tape = Tape::<E>::new();
    let x = tape.variable(x.cast());
    let rows = loss.per_row(x, tape.constant(t.cast()));
    (rows.value().cast(), rows.sum().backward().wrt(x).cast())
}

fn no_direction<E: Element>(tolerance: f64) {
    let t = Tensor::from([[3.0, 4.0], [3.0, 4.0], [0.0, 0.0], [0.0, 0.0]]);
    let x = Tensor::from([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]);
    let (rows, gradient) = rows_and_gradient::<E>(&Loss::CosineSimilarity, &x, &t);
    for row in [0, 2, 3] {
        assert_eq!((rows[[row]], gradient.row(row)), (0.0, &[0.0, 0.0][..]), "row {row}, {}", E::NAME);
    }
    // cos = 3/5; its derivative by x is (t/|t| - cos · x/|x|) / |x| = (0, 4/5).
    assert!((rows[[1]] + 0.6).abs() < tolerance, "{rows}");
    let expected = Tensor::from([0.0, -0.8]);
    let difference = (gradient.slice(0, 1..2).reshape([2]) - expected).abs().max();
    assert!(difference < tolerance, "{gradient}");
}

#[test]
fn a_prediction_without_a_direction_has_a_cosine_loss_and_a_gradient_of_zero() {
    no_direction::<f64>(1e-15);
    no_direction::<f32>(1e-6);
}

/// In single precision the squares of 1e-30 are 0, those of 1e30 infinite; neither changes a direction.
#[test]
fn tiny_and_large_predictions_have_their_cosine() {
    let x = Tensor::from([[1e-30, -2e-30, 3e-30], [1e30, 2e30, -3e30], [1e-38, 0.0, 1e-38]]);
    let t = Tensor::from([[0.5, 1.0, -2.0], [1e-30, 0.0, 2e-30], [2.0, 0.0, 1.0]]);
    let (rows, gradient) = rows_and_gradient::<f32>(&Loss::CosineSimilarity, &x, &t);
    for row in 0..3 {
        let (x, t) = (x.row(row), t.row(row));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (norm_x, norm_t) = (dot(x, x).sqrt(), dot(t, t).sqrt());
        let cosine = dot(x, t) / (norm_x * norm_t);
        assert!((rows[[row]] + cosine).abs() < 1e-6, "row {row}: {} for {}", rows[[row]], -cosine);
        for ((x, t), found) in x.iter().zip(t).zip(gradient.row(row)) {
            let expected = -(t / norm_t - cosine * x / norm_x) / norm_x;
            let close = (found - expected).abs() <= 1e-5 / norm_x;
            assert!(close && found.is_finite(), "row {row}: gradient {found:e} for {expected:e}");
        }
    }
}

fn divergence_of_saturated_logits<E: Element>() {
    let x = Tensor::from([[1e4, -1e4, 0.0], [-1e4, 1e4, -1e4], [1e4, -1e4, -1e4]]);
    let t = Tensor::from([[0.0, 1.0, 0.0], [0.25, 0.25, 0.5], [1.0, 0.0, 0.0]]);
    let (rows, gradient) = rows_and_gradient::<E>(&Loss::KlDivergence, &x, &t);
    // The softmax is all at one class; Σ t (ln t - ln p), and p - t.
    let expected_rows = [2e4, 0.75 * 2e4 + 0.5 * 0.25_f64.ln() + 0.5 * 0.5_f64.ln(), 0.0];
    let expected = Tensor::from([[1.0, -1.0, 0.0], [-0.25, 0.75, -0.5], [0.0, 0.0, 0.0]]);
    for (found, expected) in rows.as_slice().iter().zip(expected_rows) {
        assert!((found - expected).abs() <= 1e-6 * expected, "{found} for {expected}, {}", E::NAME);
    }
    assert!((&gradient - &expected).abs().max() < 1e-6, "{gradient}, {}", E::NAME);
}

#[test]
fn the_divergence_of_saturated_logits_has_its_gradient() {
    divergence_of_saturated_logits::<f64>();
    divergence_of_saturated_logits::<f32>();
}

#[test]
fn settings_come_back_and_wrong_ones_are_named() {
    for (loss, ..) in all() {
        let written = serde_json::to_string(&loss).unwrap();
        assert_eq!(serde_json::from_str::<Loss>(&written).unwrap(), loss, "{written}");
        loss.check::<f64>().unwrap();
    }
    let message = |loss: Loss| loss.check::<f64>().unwrap_err().to_string();
    let expected = "loss (Huber loss with delta 0): delta is 0, but must be finite and above 0";
    assert_eq!(message(Loss::Huber { delta: 0.0 }), expected);
    for q in [0.0, 1.0, f64::NAN] {
        assert!(message(Loss::Quantile { q }).contains(&format!("q is {q}, but must be above 0 and below 1")));
    }
    assert!(message(Loss::BinaryFocal { gamma: -1.0, alpha: None }).contains("gamma is -1"));
    assert!(message(Loss::BinaryFocal { gamma: 2.0, alpha: Some(1.5) }).contains("alpha is 1.5"));
    assert!(message(Loss::CategoricalFocal { gamma: f64::NAN, alpha: 0.25 }).contains("gamma is NaN"));
    assert!(message(Loss::CategoricalFocal { gamma: 2.0, alpha: 0.0 }).contains("alpha is 0"));
}

#[test]
fn options_that_do_not_fit_are_named() {
    let message = |options: LossOptions, loss: Loss| options.check::<f64>(&loss, 3).unwrap_err().to_string();
    let (numbers, classes) = (Loss::MeanSquaredError, Loss::CategoricalCrossEntropy);
    let weights = |weights: &[f64]| LossOptions::new().class_weights(weights);
    assert_eq!(
        message(weights(&[1.0; 3]), numbers.clone()),
        "mean squared error takes no class weights; only losses for classes do"
    );
    let smooth = LossOptions::new().label_smoothing(0.1);
    for loss in [Loss::Hinge, Loss::SquaredHinge, numbers, Loss::Poisson, Loss::GaussianNll] {
        let expected = format!("{loss} takes no label smoothing; only losses of probabilities do");
        assert_eq!(message(smooth.clone(), loss), expected);
    }
    assert_eq!(smooth.check::<f64>(&classes, 3), Ok(()));
    for share in [1.5, -0.1, f64::NAN] {
        let found = message(LossOptions::new().label_smoothing(share), classes.clone());
        assert!(found.contains(&format!("label_smoothing is {share}, but must be from 0 to 1")), "{found}");
    }
    let expected = "2 class weights were given for 3 classes; give one each";
    assert_eq!(message(weights(&[1.0; 2]), classes.clone()), expected);
    let expected = "3 class weights were given for 2 classes; give one each";
    assert_eq!(message(weights(&[1.0; 3]), Loss::Hinge), expected);
    assert_eq!(message(weights(&[1.0; 3]), Loss::BinaryCrossEntropy), expected);
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let found = message(weights(&[1.0, bad, 1.0]), classes.clone());
        assert!(found.contains(&format!("a class weight is {bad}, but must be finite and 0 or more")), "{found}");
    }
    assert_eq!(weights(&[0.0, 1.0, 2.0]).check::<f64>(&classes, 3), Ok(()));
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
#[should_panic(expected = "mean absolute error: outputs [4, 3] and targets [4, 1] must have one shape")]
fn shapes_must_agree() {
    let tape = Tape::<f32>::new();
    let _ = Loss::MeanAbsoluteError.forward(tape.variable(Tensor::zeros([4, 3])), tape.constant(Tensor::zeros([4, 1])));
}

#[test]
#[should_panic(expected = "categorical cross-entropy: 3 is not a class number from 0 to 2")]
fn class_numbers_must_be_classes() {
    let tape = Tape::<f32>::new();
    let classes = tape.constant(Tensor::from([0.0, 3.0]));
    let _ = Loss::CategoricalCrossEntropy.forward(tape.variable(Tensor::ones([2, 3])), classes);
}

#[test]
#[should_panic(expected = "2 class weights were given for 3 classes; give one each")]
fn options_must_fit() {
    let tape = Tape::<f32>::new();
    let p = tape.variable(Tensor::ones([2, 3]));
    let _ = Loss::CategoricalCrossEntropy.per_row_with(p, p, &LossOptions::new().class_weights([1.0, 2.0]));
}
