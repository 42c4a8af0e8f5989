//! Every layer there is: against PyTorch and Keras (`goldens/layers.py` wrote `goldens/layers.json`), against central
//! differences, and with batches of no rows and of one.

#[path = "common/layers.rs"]
mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Case, cases, kinds};
use mlp_autograd::{GradcheckError, Tape, Var, gradcheck, gradgradcheck};
use mlp_nn::*;
use mlp_tensor::{Element, Rng, Tensor};
use serde_json::Value;

fn goldens() -> Value {
    serde_json::from_str(include_str!("goldens/layers.json")).unwrap()
}

/// A nested list of numbers as a tensor.
fn tensor<E: Element>(value: &Value) -> Tensor<E> {
    fn numbers(value: &Value, out: &mut Vec<f64>) {
        match value {
            Value::Array(values) => values.iter().for_each(|v| numbers(v, out)),
            number => out.push(number.as_f64().unwrap()),
        }
    }
    let (mut shape, mut level) = (Vec::new(), value);
    while let Value::Array(values) = level {
        shape.push(values.len());
        level = &values[0];
    }
    let mut data = Vec::new();
    numbers(value, &mut data);
    Tensor::from_vec(data.into_iter().map(E::from_f64).collect(), shape)
}

fn named<E: Element>(value: &Value) -> BTreeMap<String, Tensor<E>> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(name, value)| (format!("layers.0.{name}"), tensor(value))).collect()
}

/// Each value to `tolerance`, relative to the larger of itself and `floor`.
#[track_caller]
fn assert_close<E: Element>(found: &Tensor<E>, expected: &Value, (tolerance, floor): (f64, f64), what: &str) {
    let (expected, found) = (tensor::<f64>(expected), found.cast::<f64>());
    assert_eq!(found.shape(), expected.shape(), "{what}");
    for (&f, &e) in found.as_slice().iter().zip(expected.as_slice()) {
        assert!((f - e).abs() <= tolerance * e.abs().max(floor), "{what}: {f:e} where {e:e} is right");
    }
}

fn pass<'t, E: Element>(training: bool) -> Pass<'t, E> {
    if training { Pass::training(Rng::new(5)) } else { Pass::inference() }
}

/// The layers that draw numbers in training, and so are not in the goldens as they stand.
const RANDOM: [&str; 4] = ["dropout", "alpha_dropout", "gaussian_noise", "gaussian_dropout"];

#[test]
fn the_table_holds_every_kind_of_layer() {
    let (in_table, all) = kinds();
    assert_eq!(in_table, all);
}

/// A small number of batches as `BatchNorm` has it, in two digits.
fn counted<E: Element>(batches: f64) -> Tensor<E> {
    Tensor::from([0.0, batches].map(E::from_f64))
}

fn check_goldens<E: Element>(tolerance: f64) -> usize {
    let (goldens, cases) = (goldens(), cases());
    let mut names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    let mut checked = 0;
    for golden in goldens["cases"].as_array().unwrap() {
        let name = golden["name"].as_str().unwrap();
        names.remove(name);
        let case = cases.iter().find(|case| case.name == name).unwrap_or_else(|| panic!("{name} is not in the table"));
        let mut state: BTreeMap<String, Tensor<E>> = named(&golden["parameters"]);
        let mut buffers = golden["buffers"].clone();
        if let Some(count) = buffers.as_object_mut().and_then(|buffers| buffers.remove("batches")) {
            state.insert("layers.0.batches".to_owned(), counted(count.as_f64().unwrap()));
        }
        state.extend(named(&buffers));
        let network = Network::from_state(case.network(), state).unwrap();
        let modes = golden["training"].as_bool().map_or(vec![true, false], |mode| vec![mode]);
        let batches = golden["batches"].as_array().unwrap();
        for (batch, &training) in batches.iter().flat_map(|batch| modes.iter().map(move |mode| (batch, mode))) {
            let kind = batch["kind"].as_str().unwrap();
            let what = format!("{name}, {kind}, {} {}", if training { "training" } else { "inference" }, E::NAME);
            let x = tensor::<f64>(&batch["x"]).map(|v| match E::from_f64(v).as_f64() {
                // A denormal f64 is 0 in f32; the least f32 behaves as it does.
                0.0 if v != 0.0 => E::min_positive_value().as_f64().copysign(v),
                _ => v,
            });
            let x: Tensor<E> = x.cast();
            // Where numbers are large, their sums lose in absolute terms what they have in relative ones.
            let exact = |expected: &Value| {
                let largest = tensor::<f64>(expected).abs().max();
                (tolerance, if kind == "extreme" && E::BYTES == 4 { largest.clamp(1.0, 1e4) } else { 1.0 })
            };
            let tape = Tape::new();
            let (variables, x) = (network.variables(&tape), tape.variable(x));
            let mut pass = pass(training);
            let y = network.forward(&variables, x, &mut pass);
            assert_close(&y.value(), &batch["output"], exact(&batch["output"]), &what);
            let gradients = y.backward_from(&tensor(&batch["upstream"]));
            for (parameter, &variable) in network.parameters().iter().zip(&variables) {
                let expected = &batch["gradients"][parameter.name().strip_prefix("layers.0.").unwrap()];
                assert_close(
                    &gradients.wrt(variable),
                    expected,
                    exact(expected),
                    &format!("{what}: {}", parameter.name()),
                );
            }
            if !batch["x_gradient"].is_null() {
                let expected = &batch["x_gradient"];
                assert_close(&gradients.wrt(x), expected, exact(expected), &format!("{what}: gradient of x"));
            }
            let mut after = network.clone();
            after.apply_updates(&pass.into_updates());
            for buffer in after.buffers() {
                let (name, what) =
                    (buffer.name().strip_prefix("layers.0.").unwrap(), format!("{what}: {}", buffer.name()));
                match batch["buffers"][name].as_f64() {
                    Some(count) => assert_eq!(buffer.value(), &counted(count), "{what}"),
                    None => {
                        assert_close(buffer.value(), &batch["buffers"][name], exact(&batch["buffers"][name]), &what);
                    }
                }
            }
            checked += 1;
        }
    }
    let others = ["dense_penalties", "concat_table", "named"];
    names.retain(|name| !RANDOM.contains(name) && !others.contains(name));
    assert!(names.is_empty(), "{names:?} are not in the goldens");
    checked
}

#[test]
fn layers_agree_with_pytorch_forward_backward_and_in_their_statistics() {
    let checked = check_goldens::<f64>(1e-10) + check_goldens::<f32>(1e-5);
    println!("{checked} batches checked");
}

/// A network as a function of its weights, and of its input where that is not fixed.
struct Run<'a> {
    network: &'a Network<f64>,
    weights: usize,
    x: &'a Tensor<f64>,
    training: bool,
}

impl Run<'_> {
    /// The output plus the penalties of the pass.
    fn on<'t>(&self, tape: &'t Tape<f64>, v: &[Var<'t, f64>]) -> Var<'t, f64> {
        let x = v.get(self.weights).copied().unwrap_or_else(|| tape.constant(self.x.clone()));
        let mut pass = pass(self.training);
        let y = self.network.forward(&v[..self.weights], x, &mut pass);
        pass.penalty().map_or(y, |penalty| y + penalty)
    }
}

/// A network with weights that are nowhere special, its weights, and an input.
fn at_random(case: &Case, rows: usize) -> (Network<f64>, Vec<Tensor<f64>>, Tensor<f64>) {
    let mut network = case.network().init::<f64>(3).unwrap();
    let rng = &mut Rng::new(4);
    for mut parameter in network.parameters_mut() {
        let value = Tensor::uniform(parameter.value().shape(), 0.3, 0.9, rng);
        parameter.set_value(value.map(|v: f64| if (v * 1e4) as i64 % 2 == 0 { v } else { -v }));
    }
    let weights = network.parameters().iter().map(|p| p.value().clone()).collect();
    (network, weights, case.input(rows, 2))
}

/// First derivatives, or second ones, of a layer by its weights and, where they are no categories, by its inputs.
fn check(case: &Case, training: bool, second: bool) -> Result<(), GradcheckError> {
    let (network, mut inputs, x) = at_random(case, 4);
    let weights = inputs.len();
    if case.categories.is_empty() {
        inputs.push(x.clone());
    }
    let run = Run { network: &network, weights, x: &x, training };
    if second {
        gradgradcheck(|tape, v| run.on(tape, v), &inputs)
    } else {
        gradcheck(|tape, v| run.on(tape, v), &inputs)
    }
}

#[test]
fn every_layer_passes_gradcheck_in_training_and_at_inference() {
    every_layer_passes(false);
}

#[test]
fn every_layer_passes_gradgradcheck_in_training_and_at_inference() {
    every_layer_passes(true);
}

fn every_layer_passes(second: bool) {
    let mut checked = 0;
    for case in cases() {
        for training in [true, false] {
            if let Err(error) = check(&case, training, second) {
                panic!("{}, {}: {error}", case.name, if training { "training" } else { "inference" });
            }
            checked += 1;
        }
    }
    println!("{checked} checks of {} derivatives", if second { "second" } else { "first" });
}

#[test]
fn no_rows_and_one_row_go_through_every_layer() {
    for case in cases() {
        let network = case.network().init::<f32>(1).unwrap();
        for (rows, training) in [(0, true), (0, false), (1, true), (1, false)] {
            let tape = Tape::new();
            let (variables, x) = (network.variables(&tape), tape.variable(case.input(rows, 7)));
            let y = network.forward(&variables, x, &mut pass(training));
            let what = format!("{}, {rows} rows", case.name);
            assert_eq!(y.shape(), [&[rows], network.output_shape()].concat(), "{what}");
            assert!(y.value().all_finite(), "{what}");
            let gradients = y.backward_from(&Tensor::ones(y.shape()));
            assert!(variables.iter().all(|&v| gradients.wrt(v).all_finite()), "{what}");
        }
    }
}

/// The output of a layer in training for many rows of the same values, and the gradient of its sum.
fn many<E: Element>(layer: impl Into<Layer>, row: &Tensor<E>) -> (Tensor<E>, Tensor<E>) {
    let network = Sequential::new(row.len()).add(layer).init::<E>(0).unwrap();
    let tape = Tape::new();
    let x = tape.variable(row.broadcast_to([20_000, row.len()]));
    let y = network.forward(&[], x, &mut Pass::training(Rng::new(1)));
    (y.value(), y.sum().backward().wrt(x))
}

#[test]
fn alpha_dropout_makes_of_a_value_what_pytorch_makes_of_it() {
    let golden = &goldens()["alpha_dropout"];
    let row: Tensor<f64> = tensor(&golden["x"]);
    let [kept, dropped]: [Tensor<f64>; 2] = ["kept", "dropped"].map(|key| tensor(&golden[key]));
    let slope = golden["slope"].as_f64().unwrap();
    let (y, gradient) = many(AlphaDropout::new(golden["rate"].as_f64().unwrap()), &row);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-10;
    let mut count = 0;
    for (index, (&y, &g)) in y.as_slice().iter().zip(gradient.as_slice()).enumerate() {
        if g == 0.0 {
            assert!(close(y, dropped.as_slice()[index % row.len()]), "{y}");
            count += 1;
        } else {
            assert!(close(y, kept.as_slice()[index % row.len()]) && close(g, slope), "{y} {g}");
        }
    }
    assert!((f64::from(count) / 100_000.0 - 0.3).abs() < 0.01, "{count} of 100,000 dropped");
}

/// Mean and standard deviation of every column.
fn moments(y: &Tensor<f64>) -> Vec<(f64, f64)> {
    let (mean, std) = (y.mean_axes(&[0], false), y.var_axes(&[0], 1, false).sqrt());
    mean.as_slice().iter().copied().zip(std.as_slice().iter().copied()).collect()
}

/// Noise of deviation 0.5 is added; dropout of rate 0.2 multiplies by noise of deviation √(0.2 / 0.8) = 0.5 around 1.
#[test]
fn noise_has_the_moments_that_it_should() {
    let row = Tensor::from([-2.0, 0.0, 3.0]);
    let (y, gradient) = many(GaussianNoise::new(0.5), &row);
    assert_eq!(gradient, Tensor::ones([20_000, 3]));
    for ((mean, std), &x) in moments(&y).into_iter().zip(row.as_slice()) {
        assert!((mean - x).abs() < 0.015 && (std - 0.5).abs() < 0.01, "{x}: {mean} {std}");
    }
    let (y, gradient) = many(GaussianDropout::new(0.2), &row);
    for ((mean, std), &x) in moments(&y).into_iter().zip(row.as_slice()) {
        assert!((mean - x).abs() < 0.04 && (std - 0.5 * x.abs()).abs() < 0.03, "{x}: {mean} {std}");
    }
    assert_eq!(gradient * row.broadcast_to([20_000, 3]), y);
}

#[test]
fn a_penalty_on_activity_is_keras_one() {
    let golden = &goldens()["activity"];
    let layer = Dense::new(3).activation(Activation::Tanh).activity_regularizer(Regularizer::l1_l2(0.125, 0.25));
    let state = ["weight", "bias"].map(|key| (format!("layers.0.{key}"), tensor::<f64>(&golden[key])));
    let network = Network::from_state(Sequential::new(4).add(layer), state.into()).unwrap();
    for before_activation in [false, true] {
        let tape = Tape::new();
        let (variables, x) = (network.variables(&tape), tape.constant(tensor(&golden["x"])));
        let mut pass = Pass::training(Rng::new(0));
        if before_activation {
            network.forward_before_activation(&variables, x, &mut pass);
        } else {
            network.forward(&variables, x, &mut pass);
        }
        let penalty = pass.penalty().unwrap();
        assert_close(&penalty.value(), &golden["value"], (1e-10, 0.0), "value");
        let gradients = penalty.backward();
        for (&variable, key) in variables.iter().zip(["weight_gradient", "bias_gradient"]) {
            assert_close(&gradients.wrt(variable), &golden[key], (1e-10, 0.0), key);
        }
    }
}

#[test]
fn weight_norm_starts_as_the_dense_layer() {
    let dense = Dense::new(3).activation(Activation::Tanh);
    let plain = Sequential::new(4).add(dense.clone()).init::<f64>(6).unwrap();
    let taken_apart = Sequential::new(4).add(WeightNorm::new(dense)).init::<f64>(6).unwrap();
    let x = Tensor::normal([5, 4], 0.0, 1.0, &mut Rng::new(1));
    let difference = plain.predict(&x).unwrap() - taken_apart.predict(&x).unwrap();
    assert!(difference.abs().max() < 1e-12, "{difference}");
}

#[test]
fn paths_reach_into_blocks_and_summaries_show_them() {
    let inner = Stack::new().add(Dense::new(4).activation(Activation::Relu)).add(Dense::new(4));
    let branches = [Stack::new(), Stack::new().add(Residual::new(inner)).add(Dense::new(2).without_bias())];
    let network = Sequential::new(4).add(Concat::new(branches)).add(Dense::new(1));
    let names: Vec<String> = network.init::<f32>(0).unwrap().state().into_keys().collect();
    let expected = [
        "layers.0.branches.1.layers.0.layers.0.bias",
        "layers.0.branches.1.layers.0.layers.0.weight",
        "layers.0.branches.1.layers.0.layers.1.bias",
        "layers.0.branches.1.layers.0.layers.1.weight",
        "layers.0.branches.1.layers.1.weight",
        "layers.1.bias",
        "layers.1.weight",
    ];
    assert_eq!(names, expected);
    let expected = "\
layer                                 kind          output shape  parameters
----------------------------------------------------------------------------
layers.0                              Concat        [n, 6]                 0
layers.0.branches.1.layers.0          Residual      [n, 4]                 0
layers.0.branches.1.layers.0.layers.0  Dense (relu)  [n, 4]                20
layers.0.branches.1.layers.0.layers.1  Dense         [n, 4]                20
layers.0.branches.1.layers.1          Dense         [n, 2]                 8
layers.1                              Dense         [n, 1]                 7
total parameters: 55";
    let spaces = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let found: Vec<_> = network.summary().unwrap().to_string().lines().skip(2).flat_map(spaces).collect();
    assert_eq!(found, expected.lines().skip(2).flat_map(spaces).collect::<Vec<_>>());
}

#[test]
fn layers_that_cannot_follow_each_other_are_named_with_their_shapes() {
    let message = |row: &[usize], layer: Layer| {
        Sequential::with_input_shape(row).add(Dense::new(4)).add(layer).check().unwrap_err().to_string()
    };
    let stack = || Stack::new();
    let cases: [(&[usize], Layer, &str); 8] = [
        (&[4], GroupNorm::new(3).into(), "layers.1 (GroupNorm) cannot take rows of shape [4]: 3 groups do not divide"),
        (
            &[2],
            Residual::new(stack().add(Dense::new(3))).into(),
            "layers.1 (Residual) cannot take rows of shape [4]: its",
        ),
        (&[2], Residual::new(stack()).into(), "layers.1 (Residual): the number of layers is 0, but must be at least 1"),
        (&[2], Concat::new([]).into(), "layers.1 (Concat): the number of branches is 0"),
        (
            &[2],
            SelectColumns::new([1, 4]).into(),
            "layers.1 (SelectColumns) cannot take rows of shape [4]: there is no column 4",
        ),
        (&[3, 2], SelectColumns::new([1]).into(), "rows of shape [3, 4]: only tables have columns; add Flatten"),
        (&[2], Embedding::new(3, 2).into(), "layers.1 (Embedding) cannot take rows of shape [4]: it reads categories"),
        (
            &[2],
            Concat::new([stack(), stack().add(Residual::new(stack().add(GroupNorm::new(5))))]).into(),
            "layers.1.branches.1.layers.0.layers.0 (GroupNorm) cannot take rows of shape [4]",
        ),
    ];
    for (row, layer, expected) in cases {
        let found = message(row, layer);
        assert!(found.contains(expected), "{expected:?} is not in {found:?}");
    }
    let uneven = Sequential::with_input_shape([2, 3]).add(Concat::new([stack(), stack().add(Flatten::new())]));
    let found = uneven.check().unwrap_err().to_string();
    assert!(found.contains("branch 1 gives rows of shape [6]") && found.contains("[2, 3]"), "{found}");
    let odd = Sequential::new(5).add(Glu::new()).check().unwrap_err().to_string();
    assert!(odd.contains("layers.0 (GLU) cannot take rows of shape [5]"), "{odd}");
}

#[test]
fn settings_of_every_layer_are_checked() {
    let bad: Vec<(Layer, &str)> = vec![
        (AlphaDropout::new(1.0).into(), "(AlphaDropout): rate is 1"),
        (GaussianDropout::new(-0.1).into(), "(GaussianDropout): rate is -0.1"),
        (GaussianNoise::new(f64::INFINITY).into(), "(GaussianNoise): std is inf"),
        (BatchNorm::new().momentum(0.0).into(), "(BatchNorm): momentum is 0"),
        (BatchNorm::new().epsilon(0.0).into(), "(BatchNorm): epsilon is 0"),
        (LayerNorm::new().epsilon(f64::NAN).into(), "(LayerNorm): epsilon is NaN"),
        (RmsNorm::new().epsilon(-1.0).into(), "(RmsNorm): epsilon is -1"),
        (GroupNorm::new(0).into(), "(GroupNorm): groups is 0"),
        (WeightNorm::new(Dense::new(0)).into(), "(WeightNorm): units is 0"),
        (Embedding::new(0, 2).into(), "(Embedding): categories is 0"),
        (Embedding::new(2, 0).into(), "(Embedding): dim is 0"),
        (SelectColumns::new([]).into(), "(SelectColumns): the number of columns is 0"),
        (Prelu::new().initializer(Initializer::Constant { value: f64::NAN }).into(), "(PReLU): value is NaN"),
        (Dense::new(1).activation(Activation::Elu { alpha: 0.0 }).into(), "(Dense): alpha is 0"),
        (Dense::new(1).activity_regularizer(Regularizer::l1(-1.0)).into(), "(Dense): l1 is -1"),
        (Dense::new(1).constraint(Constraint::MaxNorm { max: -1.0 }).into(), "(Dense): max is -1"),
        (common::Sine { frequency: f64::NAN }.into(), "(Sine): frequency is NaN"),
    ];
    for (layer, expected) in bad {
        let found = Sequential::new(4).add(layer).check().unwrap_err().to_string();
        assert!(found.contains(expected), "{expected:?} is not in {found:?}");
    }
}

#[test]
fn numbers_that_are_no_categories_are_named_by_row_column_and_value() {
    let network = Sequential::new(4)
        .add(SelectColumns::new([3, 1]))
        .add(Concat::new([Stack::new().add(SelectColumns::new([0])).add(Embedding::new(10, 2)).add(Flatten::new())]))
        .init::<f32>(0)
        .unwrap();
    for (value, shown) in [(10.0, "10"), (-1.0, "-1"), (2.5, "2.5"), (f32::NAN, "NaN")] {
        let mut x = Tensor::<f32>::zeros([3, 4]);
        x.as_mut_slice()[2 * 4 + 3] = value;
        let found = network.check_input(&x).unwrap_err().to_string();
        if value.is_finite() {
            assert_eq!(network.predict(&x), network.check_input(&x).map(|()| x));
        }
        let expected = format!(
            "layers.1.branches.0.layers.1 (Embedding): row 2, column 3 is {shown}, but must be a whole number from 0 to 9"
        );
        assert_eq!(found, expected);
    }
    assert!(network.predict(&Tensor::full([3, 4], 9.0)).is_ok());
}

#[test]
fn frozen_weights_have_no_gradient_and_are_not_constrained() {
    let layer = Dense::new(3).constraint(Constraint::MaxNorm { max: 0.1 });
    let mut network = Sequential::new(4).add(layer.clone()).add(layer).init::<f64>(1).unwrap();
    network.freeze("layers.0.*").unwrap();
    let before = network.state();
    network.constrain();
    let after = network.state();
    assert_eq!(after["layers.0.weight"], before["layers.0.weight"]);
    assert_ne!(after["layers.1.weight"], before["layers.1.weight"]);
    let norms = after["layers.1.weight"].norm_axes(2.0, &[0], false);
    assert!((&norms - 0.1).abs().max() < 1e-12, "{norms}");
}

/// Through serde, as through a file: every layer is known again by its name, and a user's by its constructor.
#[test]
fn every_description_comes_back_by_name() {
    for case in cases() {
        let text = serde_json::to_string(&case.network()).unwrap();
        let read: Sequential = serde_json::from_str(&text).unwrap();
        let network = read.clone().open(&common::registry()).unwrap();
        assert_eq!(network, case.network(), "{text}");
        assert_eq!(network.check(), Ok(()), "{text}");
        let known = read.check().is_ok();
        assert_eq!(known, case.name != "custom", "{text}");
    }
}

/// Of a million rows, in single precision: one number added after the other would be 1 % off.
#[test]
fn the_gradient_of_a_bias_is_right_over_a_million_rows() {
    let network = Sequential::new(1).add(Dense::new(2)).init::<f32>(0).unwrap();
    let tape = Tape::new();
    let variables = network.variables(&tape);
    let x = tape.constant(Tensor::ones([1_000_000, 1]));
    let y = network.forward(&variables, x, &mut Pass::training(Rng::new(0)));
    let gradient = (y * 0.1).sum().backward().wrt(variables[1]);
    for &found in gradient.as_slice() {
        assert!((f64::from(found) / 1e5 - 1.0).abs() < 1e-6, "{found}");
    }
}

/// A column of 0.1, and one of 1000 with every other value 1/8 below and above it, both of which are numbers of single
/// precision. A value far from 0 must not cost the digits of its spread.
#[test]
fn the_statistics_of_a_batch_are_right_over_a_million_rows() {
    const ROWS: usize = 1_000_000;
    let layer = BatchNorm::new().momentum(1.0).epsilon(1e-6).without_affine();
    let mut network = Sequential::new(2).add(layer).init::<f32>(0).unwrap();
    let values = (0..ROWS).flat_map(|row| [0.1, if row % 2 == 0 { 999.875 } else { 1000.125 }]);
    let x = Tensor::from_vec(values.collect(), [ROWS, 2]);
    let tape = Tape::new();
    let mut pass = Pass::training(Rng::new(0));
    let y = network.forward(&network.variables(&tape), tape.constant(x), &mut pass).value();
    network.apply_updates(&pass.into_updates());
    let near = |found: f32, expected: f64, tolerance: f64| {
        assert!((f64::from(found) - expected).abs() <= tolerance, "{found} is not {expected}");
    };
    let mean = network.tensor("layers.0.running_mean").unwrap().as_slice();
    near(mean[0], 0.1, 1e-7);
    near(mean[1], 1000.0, 1e-4);
    let variance = network.tensor("layers.0.running_var").unwrap().as_slice();
    near(variance[0], 0.0, 1e-12);
    // 1/64 · n / (n - 1)
    near(variance[1], 0.015_625 * 1e6 / 999_999.0, 0.015_625 * 1e-5);
    // ∓ 0.125 / √(1/64 + 1e-6)
    let expected = 0.125 / (0.015_625_f64 + 1e-6).sqrt();
    for row in [0, 1, ROWS / 2, ROWS - 2, ROWS - 1] {
        near(y[[row, 0]], 0.0, 1e-3);
        near(y[[row, 1]], if row % 2 == 0 { -expected } else { expected }, 1e-3);
    }
}
