//! Activations.

use std::collections::BTreeSet;

use mlp_autograd::{Tape, Var, gradcheck, gradgradcheck};
use mlp_nn::{Activation, Dense, Sequential};
use mlp_tensor::{Element, Rng, Tensor};
use serde_json::Value;

use crate::common::{assert_close, built_in, input, read, tensor, variant};

fn goldens() -> Value {
    serde_json::from_str(include_str!("../goldens/activations.json")).unwrap()
}

fn agrees<E: Element>(tolerance: f64) {
    let goldens = &goldens()["torch"];
    for case in goldens["cases"].as_array().unwrap() {
        let activation: Activation = read(case, "activation");
        let (what, tolerance) = (activation.to_string(), (tolerance, 1.0));
        let tape = Tape::<E>::new();
        let x = tape.variable(input(&goldens["input"]));
        let y = activation.forward(x);
        assert_close(&y.value(), &case["output"], tolerance, &what);
        let gradient = y.backward_from(&tensor(&goldens["upstream"])).wrt(x);
        assert_close(&gradient, &case["gradient"], tolerance, &format!("{what}, gradient"));
        let weighed = (y * tape.constant(tensor(&goldens["upstream"]))).sum();
        let [recorded] = tape.gradient_recorded(weighed, [x])[..] else { panic!("one gradient for one input") };
        assert_close(&recorded.value(), &case["gradient"], tolerance, &format!("{what}, gradient recorded"));
        let second = tape.gradient(recorded.sum(), [x]).remove(0);
        assert_close(&second, &case["second"], tolerance, &format!("{what}, second derivative"));
        let x = tape.variable(tensor(&goldens["kinks"]));
        let y = activation.forward(x);
        let (case, what) = (&case["at_kinks"], format!("{what} at kinks"));
        assert_close(&y.value(), &case["output"], tolerance, &what);
        let gradient = y.backward_from(&Tensor::ones(x.shape())).wrt(x);
        assert_close(&gradient, &case["gradient"], tolerance, &what);
    }
}

#[test]
fn every_activation_agrees_with_its_first_and_second_derivatives() {
    agrees::<f64>(1e-10);
    agrees::<f32>(1e-5);
    let goldens = goldens();
    let cases = goldens["torch"]["cases"].as_array().unwrap();
    let checked: BTreeSet<String> = cases.iter().map(|case| variant(&case["activation"])).collect();
    assert_eq!(checked, built_in::<Activation>());
    println!("{} activations checked", checked.len());
}

/// Every activation with PyTorch's settings, from the goldens.
fn all() -> Vec<Activation> {
    goldens()["torch"]["cases"].as_array().unwrap().iter().map(|case| read(case, "activation")).collect()
}

/// Whether a loss of signs takes an activation agrees with the values that it has.
#[test]
fn the_signs_of_every_activation_are_known() {
    let edges = [
        Activation::LeakyRelu { negative_slope: 0.0 },
        Activation::LeakyRelu { negative_slope: -1.0 },
        Activation::HardTanh { low: 0.0, high: 2.0 },
        Activation::HardTanh { low: -2.0, high: 0.0 },
    ];
    for activation in all().into_iter().chain(edges) {
        let tape = Tape::<f64>::no_record();
        let x = Tensor::linspace(-6.0, 6.0, 241).reshape([120 + 121, 1]);
        let x = tape.constant(Tensor::stack(&[&x, &Tensor::zeros([241, 1])], 1).reshape([241, 2]));
        let y = activation.forward(x).value();
        let both = y.iter().any(|&v| v < 0.0) && y.iter().any(|&v| v > 0.0);
        assert_eq!(mlp_nn::Loss::Hinge.check_activation(&activation).is_ok(), both, "{activation}");
    }
}

fn exact<E: Element>(tolerance: f64, smallest: f64) {
    let goldens = &goldens()["exact"];
    for case in goldens["cases"].as_array().unwrap() {
        let tape = Tape::<E>::new();
        let x = tape.variable(tensor(&goldens["x"]));
        let (what, y) = match variant(&case["activation"]).as_str() {
            "ln_cosh" => ("ln_cosh".to_owned(), x.ln_cosh()),
            _ => {
                let activation: Activation = read(case, "activation");
                (activation.to_string(), activation.forward(x))
            }
        };
        // Values to all their digits, however small, but for denormal ones; slopes to as many digits behind the point.
        assert_close(&y.value(), &case["value"], (tolerance, smallest / tolerance), &what);
        let slope = y.backward_from(&Tensor::ones(x.shape())).wrt(x);
        assert_close(&slope, &case["slope"], (tolerance, 1.0), &format!("{what}, slope"));
    }
}

#[test]
fn tails_have_all_their_digits() {
    exact::<f64>(1e-12, f64::MIN_POSITIVE);
    exact::<f32>(1e-5, f32::MIN_POSITIVE.into());
}

/// At the ends of the number line and far from 0, values and slopes are what the limits are: no NaN. The slopes are the
/// same whether they are recorded or not.
fn at_infinity<E: Element>() {
    let ends = [E::neg_infinity(), E::min_value(), E::max_value(), E::infinity()];
    let far = [-1e20, -700.0, -20.0, 20.0, 700.0, 1e20].map(E::from_f64);
    for activation in all() {
        if matches!(activation, Activation::Softmax | Activation::LogSoftmax) {
            continue;
        }
        let tape = Tape::<E>::new();
        let x = tape.variable(Tensor::from(ends));
        let y = activation.forward(x);
        let slope = y.backward_from(&Tensor::ones([4])).wrt(x);
        for value in y.value().as_slice().iter().chain(slope.as_slice()) {
            assert!(!value.is_nan(), "{activation}: {:?}, slopes {slope:?}", y.value());
        }
        for x in [Tensor::from(ends), Tensor::from(far)].map(|x| tape.variable(x)) {
            let y = activation.forward(x).sum();
            let (slope, recorded) = (y.backward().wrt(x), tape.gradient_recorded(y, [x])[0].value());
            // A tail far below 1e-30 is no slope to speak of.
            assert!(recorded.allclose(&slope, 1e-5, 1e-30), "{activation}: slopes {slope:?}, recorded {recorded:?}");
        }
        // Nothing but straight lines leaves the finite numbers.
        assert!(slope.all_finite(), "{activation}: slopes {slope:?}");
        let (far, farther) = (y.value().as_slice()[2], y.value().as_slice()[3]);
        assert!(far == farther || farther.is_infinite() && far > E::from_f64(1e30), "{activation}: {:?}", y.value());
        let nan = activation.forward(tape.constant(Tensor::scalar(E::nan()).reshape([1])));
        assert!(nan.value().as_slice()[0].is_nan(), "{activation}");
    }
}

#[test]
fn infinities_give_limits_and_nan_stays() {
    at_infinity::<f64>();
    at_infinity::<f32>();
}

#[test]
fn empty_batches_and_single_rows() {
    for activation in all() {
        let tape = Tape::<f32>::new();
        let none = tape.variable(Tensor::zeros([0, 5]));
        let y = activation.forward(none);
        assert_eq!(y.shape(), [0, 5], "{activation}");
        assert_eq!(y.backward_from(&Tensor::zeros([0, 5])).wrt(none).shape(), [0, 5]);
        // A row by itself has the bits that it has among others, whatever its place in a vector.
        let rows = Tensor::normal([7, 5], 0.0, 3.0, &mut Rng::new(1));
        let together = activation.forward(tape.constant(rows.clone())).value();
        for row in 0..7 {
            let alone = activation.forward(tape.constant(rows.slice(0, row..row + 1))).value();
            assert!(alone.bit_eq(&together.slice(0, row..row + 1)), "{activation}, row {row}");
        }
    }
}

#[test]
fn every_activation_passes_gradcheck_and_gradgradcheck() {
    let x = [Tensor::from([[-7.3, -2.6, -0.7, 0.3], [1.2, 2.7, 4.4, 8.1]])];
    for activation in all() {
        let checked = gradcheck(|_, x| activation.forward(x[0]), &x)
            .and_then(|()| gradgradcheck(|_, x| activation.forward(x[0]), &x));
        if let Err(error) = checked {
            panic!("{activation}: {error}");
        }
    }
    println!("{} activations checked to the second derivative", all().len());
}

#[test]
fn gains_are_pytorchs() {
    for case in goldens()["gains"].as_array().unwrap() {
        let activation: Activation = read(case, "activation");
        let expected = case["gain"].as_f64().unwrap();
        assert!((activation.gain() - expected).abs() < 1e-15, "{activation}: {} for {expected}", activation.gain());
    }
    assert_eq!(Activation::Gelu.gain(), 1.0);
}

#[test]
fn settings_come_back_from_what_they_are_written_as() {
    for activation in all() {
        let written = serde_json::to_string(&activation).unwrap();
        assert_eq!(serde_json::from_str::<Activation>(&written).unwrap(), activation, "{written}");
    }
}

#[test]
fn settings_out_of_range_are_named() {
    let message = |activation: Activation| {
        let network = Sequential::new(2).add(Dense::new(3).activation(activation.clone())).add(activation);
        network.check().unwrap_err().to_string()
    };
    for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let expected = format!("layers.0 (Dense): alpha is {alpha}, but must be finite and above 0");
        assert_eq!(message(Activation::Elu { alpha }), expected);
        assert_eq!(message(Activation::Celu { alpha }), expected);
    }
    assert!(message(Activation::Softplus { beta: 0.0 }).contains("beta is 0"));
    assert!(message(Activation::LeakyRelu { negative_slope: f64::NAN }).contains("negative_slope is NaN"));
    assert!(message(Activation::HardTanh { low: 1.0, high: 1.0 }).contains("low is 1, but must be below high"));
    let alone = Sequential::new(2).add(Activation::Elu { alpha: -1.0 }).check().unwrap_err().to_string();
    assert!(alone.starts_with("layers.0 (Activation): alpha is -1"), "{alone}");
    for activation in [Activation::leaky_relu(), Activation::elu(), Activation::celu(), Activation::softplus()] {
        Sequential::new(2).add(activation).check().unwrap();
    }
    Sequential::new(2).add(Activation::hard_tanh()).check().unwrap();
}

fn prelu_and_glu<E: Element>(tolerance: f64) {
    let (goldens, tolerance) = (goldens(), (tolerance, 1.0));
    let golden = &goldens["prelu"];
    for case in golden["cases"].as_array().unwrap() {
        let tape = Tape::<E>::new();
        let [x, slope]: [Var<'_, E>; 2] = [&golden["x"], &case["slope"]].map(|value| tape.variable(tensor(value)));
        let y = x.prelu(slope);
        assert_close(&y.value(), &case["output"], tolerance, "prelu");
        let gradients = y.backward_from(&tensor(&golden["upstream"]));
        assert_close(&gradients.wrt(x), &case["gradient"], tolerance, "prelu, gradient");
        assert_close(&gradients.wrt(slope), &case["slope_gradient"], tolerance, "prelu, gradient of the slopes");
    }
    let golden = &goldens["glu"];
    let tape = Tape::<E>::new();
    let x = tape.variable(tensor(&golden["x"]));
    let y = x.glu();
    assert_close(&y.value(), &golden["output"], tolerance, "glu");
    let gradient = y.backward_from(&tensor(&golden["upstream"])).wrt(x);
    assert_close(&gradient, &golden["gradient"], tolerance, "glu, gradient");
}

#[test]
fn prelu_and_glu_agree_with_their_gradients() {
    prelu_and_glu::<f64>(1e-10);
    prelu_and_glu::<f32>(1e-5);
}

#[test]
#[should_panic(expected = "prelu: slopes [2] do not broadcast to the input [4, 3]")]
fn slopes_must_fit() {
    let tape = Tape::<f32>::new();
    let _ = tape.variable(Tensor::zeros([4, 3])).prelu(tape.variable(Tensor::zeros([2])));
}

#[test]
#[should_panic(expected = "glu: the last axis of shape [4, 3] does not have two halves")]
fn halves_must_be_whole() {
    let _ = Tape::<f32>::new().variable(Tensor::zeros([4, 3])).glu();
}
