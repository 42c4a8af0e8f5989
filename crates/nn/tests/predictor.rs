//! The frozen predictor against the network's forward on a tape, which is proven against PyTorch in `goldens.rs`.

use mlp_autograd::Tape;
use mlp_nn::{
    Activation, AlphaDropout, BatchNorm, Concat, Dense, Dropout, Embedding, Flatten, GaussianDropout, GaussianNoise,
    Glu, GroupNorm, Layer, LayerNorm, Network, NnError, Output, OutputFunction, Pass, Predictor, Prelu, Residual,
    RmsNorm, SelectColumns, Sequential, Stack, Task, WeightNorm,
};
use mlp_tensor::{Element, Rng, Tensor};

const ACTIVATIONS: [Activation; 5] =
    [Activation::Identity, Activation::Relu, Activation::Sigmoid, Activation::Tanh, Activation::Softmax];

/// A network of one to four layers of odd widths, with weights and biases drawn by `rng`.
fn random_network<E: Element>(rng: &mut Rng) -> Network<E> {
    let mut pick = |n: usize| rng.next_u64() as usize % n;
    let widths = [1, 3, 7, 10, 16, 33, 64, 65, 130];
    let input = widths[pick(widths.len())];
    let mut architecture = if pick(4) == 0 { Sequential::with_input_shape([3, input]) } else { Sequential::new(input) };
    for _ in 0..1 + pick(4) {
        let units = widths[pick(widths.len())];
        // A softmax over one value is refused.
        let of = |activation: &Activation| match activation {
            Activation::Softmax if units == 1 => Activation::Sigmoid,
            other => other.clone(),
        };
        let dense = Dense::new(units).activation(of(&ACTIVATIONS[pick(5)]));
        architecture = architecture.add(if pick(3) == 0 { dense.without_bias() } else { dense });
        match pick(4) {
            0 => architecture = architecture.add(Dropout::new(0.5)),
            1 => architecture = architecture.add(of(&ACTIVATIONS[pick(5)])),
            _ => {}
        }
    }
    with_random_biases(&architecture, rng)
}

fn with_random_biases<E: Element>(architecture: &Sequential, rng: &mut Rng) -> Network<E> {
    let mut network: Network<E> = architecture.init(rng.next_u64()).unwrap();
    for mut parameter in network.parameters_mut().filter(|parameter| parameter.name().ends_with("bias")) {
        let value = Tensor::normal(parameter.value().shape(), 0.0, 1.0, rng);
        parameter.set_value(value);
    }
    network
}

/// `rows` rows that fit the network.
fn random_rows<E: Element>(network: &Network<E>, rows: usize, rng: &mut Rng) -> Tensor<E> {
    Tensor::normal([&[rows], network.architecture().input_shape()].concat(), 0.0, 1.0, rng)
}

/// What the network gives on a tape.
fn on_a_tape<E: Element>(network: &Network<E>, x: &Tensor<E>) -> Tensor<E> {
    let tape = Tape::no_record();
    network.forward(&network.variables(&tape), tape.constant(x.clone()), &mut Pass::inference()).value()
}

fn one_by_one<E: Element>(predictor: &Predictor<E>, x: &Tensor<E>) -> Vec<E> {
    let mut out = vec![E::zero(); x.rows() * predictor.output_features()];
    for (row, out) in out.chunks_mut(predictor.output_features()).enumerate() {
        predictor.predict_row(x.row(row), out).unwrap();
    }
    out
}

#[track_caller]
fn assert_close<E: Element>(found: &Tensor<E>, expected: &Tensor<E>, tolerance: f64, what: &dyn std::fmt::Debug) {
    assert_eq!(found.shape(), expected.shape(), "{what:?}");
    for (f, e) in found.as_slice().iter().zip(expected.as_slice()) {
        let (f, e) = (f.as_f64(), e.as_f64());
        assert!((f - e).abs() <= tolerance * e.abs().max(1.0), "{f:e} where the network gives {e:e}: {what:?}");
    }
}

/// A row has the same bits on every path: in a table and alone, by a predictor that is kept and by one for the call, and on
/// any number of threads.
#[track_caller]
fn assert_one_set_of_bits<E: Element>(network: &Network<E>, x: &Tensor<E>) {
    let predictor = Predictor::new(network);
    let expected = predictor.predict(x).unwrap();
    let check =
        |found: &Tensor<E>, what: &str| assert!(found.bit_eq(&expected), "{what}: {:?}", network.architecture());
    check(&network.predict(x).unwrap(), "Network::predict");
    check(&Tensor::from_vec(one_by_one(&predictor, x), expected.shape()), "predict_row");
    for row in 0..x.rows().min(5) {
        let alone = network.predict(&x.slice(0, row..row + 1)).unwrap();
        assert!(alone.bit_eq(&expected.slice(0, row..row + 1)), "row {row} alone: {:?}", network.architecture());
    }
    for rows in [1, 3, 7, 8, 40] {
        let predictor = Predictor::for_rows(network, rows);
        check(&predictor.predict(x).unwrap(), "a predictor for some rows");
    }
}

fn check_random_networks<E: Element>(tolerance: f64) {
    for seed in 0..150 {
        let rng = &mut Rng::new(seed);
        let network = random_network::<E>(rng);
        let predictor = Predictor::new(&network);
        for rows in [0, 1, 2, 5, 33] {
            let x = random_rows(&network, rows, rng);
            let found = predictor.predict(&x).unwrap();
            assert_close(&found, &on_a_tape(&network, &x), tolerance, network.architecture());
            assert_one_set_of_bits(&network, &x);
        }
    }
}

#[test]
fn predictions_are_the_networks() {
    check_random_networks::<f64>(1e-12);
    check_random_networks::<f32>(1e-5);
}

/// Rows of up to 3,000 values.
fn check_functions<E: Element>() {
    let rng = &mut Rng::new(8);
    for activation in ACTIVATIONS {
        for width in (2..40).chain([100, 1024, 1025, 3000]) {
            let network: Network<E> = Sequential::new(width).add(activation.clone()).init(0).unwrap();
            let x = random_rows(&network, 7, rng);
            let bits_are_the_same = network.predict(&x).unwrap().bit_eq(&on_a_tape(&network, &x));
            assert!(bits_are_the_same, "{activation:?} of {width} values");
        }
    }
}

#[test]
fn functions_have_the_bits_that_they_have_on_a_tape() {
    check_functions::<f32>();
    check_functions::<f64>();
}

#[test]
fn every_number_of_rows_and_units_is_covered() {
    for units in 1..70 {
        let rng = &mut Rng::new(units as u64);
        let network: Network<f64> = with_random_biases(&Sequential::new(5).add(Dense::new(units)), rng);
        let x = random_rows(&network, units % 9, rng);
        let found = Predictor::new(&network).predict(&x).unwrap();
        assert_close(&found, &on_a_tape(&network, &x), 1e-12, &units);
        assert_one_set_of_bits(&network, &x);
    }
}

/// An activation without a dense layer before it, a second activation after one, and nothing but dropout.
#[test]
fn layers_without_a_step_of_their_own_run_as_they_do_in_the_network() {
    let stacks: [&[Layer]; 6] = [
        &[Dense::new(3).into(), Flatten::new().into(), Activation::Softmax.into()],
        &[Dense::new(3).into(), Activation::LogSoftmax.into(), Activation::Softmax.into()],
        &[Activation::Tanh.into(), Dense::new(6).into(), Activation::Relu.into(), Activation::Softmax.into()],
        &[Activation::Softmax.into()],
        &[Dropout::new(0.5).into()],
        &[Dropout::new(0.5).into(), Activation::Sigmoid.into(), Dropout::new(0.5).into(), Dense::new(2).into()],
    ];
    for stack in stacks {
        let rng = &mut Rng::new(3);
        let architecture = stack.iter().cloned().fold(Sequential::with_input_shape([5, 4]), Sequential::add);
        let network: Network<f64> = with_random_biases(&architecture, rng);
        let predictor = Predictor::new(&network);
        let x = random_rows(&network, 7, rng);
        let found = predictor.predict(&x).unwrap();
        assert_close(&found, &on_a_tape(&network, &x), 1e-12, &stack);
        assert_one_set_of_bits(&network, &x);
    }
}

/// One network of every layer that there is but a user's own, and activations with and without a form in place.
#[test]
fn every_layer_is_predicted() {
    let inner = || Stack::new().add(Dense::new(8).activation(Activation::Gelu)).add(BatchNorm::new());
    let architecture = Sequential::new(6)
        .add(Concat::new([
            Stack::new().add(SelectColumns::new([0])).add(Embedding::new(4, 5)).add(Flatten::new()),
            Stack::new().add(SelectColumns::new([1, 2, 3, 4, 5])),
        ]))
        .add(Dense::new(16).activation(Activation::elu()))
        .add(GaussianNoise::new(0.5))
        .add(Glu::new())
        .add(Residual::new(inner()))
        .add(LayerNorm::new())
        .add(GaussianDropout::new(0.5))
        .add(WeightNorm::new(Dense::new(8).activation(Activation::Relu)))
        .add(GroupNorm::new(2))
        .add(AlphaDropout::new(0.5))
        .add(Prelu::new())
        .add(RmsNorm::new())
        .add(Residual::new(inner()))
        .add(Dense::new(3))
        .add(Activation::LogSoftmax);
    let rng = &mut Rng::new(2);
    let network: Network<f64> = with_random_biases(&architecture, rng);
    let predictor = Predictor::new(&network);
    let mut x = random_rows(&network, 70, rng);
    for row in 0..70 {
        x.as_mut_slice()[6 * row] = (row % 4) as f64;
    }
    let found = predictor.predict(&x).unwrap();
    assert_close(&found, &on_a_tape(&network, &x), 1e-12, &predictor);
    assert_one_set_of_bits(&network, &x);
    assert_one_set_of_bits(&network.cast::<f32>().unwrap(), &x.cast());
    x.as_mut_slice()[6 * 50] = 4.0;
    assert_eq!(predictor.predict(&x).unwrap_err(), network.predict(&x).unwrap_err());
    assert!(matches!(predictor.predict(&x), Err(NnError::Category { row: 50, column: 0, .. })));

    let table = Sequential::with_input_shape([3, 4]).add(Dense::new(5)).add(Flatten::new()).add(Dense::new(2));
    let network: Network<f64> = with_random_biases(&table, rng);
    let x = random_rows(&network, 6, rng);
    assert_close(&Predictor::new(&network).predict(&x).unwrap(), &on_a_tape(&network, &x), 1e-12, &table);
    assert_one_set_of_bits(&network, &x);
}

/// Rows of two axes joined along the last, blocks inside of blocks, and a block that ends in an activation.
#[test]
fn blocks_inside_of_blocks_are_predicted() {
    let inner = Stack::new().add(Dense::new(5).activation(Activation::Tanh)).add(Dense::new(4));
    let block = Stack::new().add(Residual::new(inner.clone())).add(Activation::Relu).add(Dropout::new(0.5));
    let branches = [Stack::new(), block, Stack::new().add(Residual::new(Stack::new().add(Dropout::new(0.5)))), inner];
    let architecture = Sequential::with_input_shape([3, 4])
        .add(Concat::new(branches))
        .add(Activation::Sigmoid)
        .add(Concat::new([Stack::new().add(Concat::new([Stack::new(), Stack::new()]))]))
        .add(Flatten::new())
        .add(Dense::new(2));
    let rng = &mut Rng::new(8);
    let network: Network<f64> = with_random_biases(&architecture, rng);
    let x = random_rows(&network, 45, rng);
    assert_close(&network.predict(&x).unwrap(), &on_a_tape(&network, &x), 1e-12, &architecture);
    assert_one_set_of_bits(&network, &x);
    assert_one_set_of_bits(&network.cast::<f32>().unwrap(), &x.cast());
    for (_, compact) in compact(&Predictor::new(&network)) {
        let found = compact.predict(&x).unwrap();
        assert_close(&found, &on_a_tape(&network, &x), 5e-2, &architecture);
        assert!(!found.bit_eq(&network.predict(&x).unwrap()));
        let alone = one_by_one(&compact, &x);
        assert!(Tensor::from_vec(alone, found.shape()).bit_eq(&found));
    }
}

fn wide<E: Element>() -> (Network<E>, Tensor<E>) {
    let rng = &mut Rng::new(11);
    let architecture = Sequential::new(100)
        .add(Dense::new(150).activation(Activation::Relu))
        .add(Dense::new(10).activation(Activation::Softmax));
    let network = with_random_biases(&architecture, rng);
    let x = random_rows(&network, 500, rng);
    (network, x)
}

#[test]
fn threads_share_a_predictor_and_get_the_same_bits() {
    let (network, x) = wide::<f32>();
    let predictor = Predictor::new(&network);
    let expected = predictor.predict(&x).unwrap();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| one_by_one(&predictor, &x))).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), expected.as_slice());
        }
    });
    for threads in 1..=4 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.install(|| predictor.predict(&x)).unwrap().bit_eq(&expected), "{threads} threads");
    }
}

#[test]
fn further_training_does_not_change_a_predictor() {
    let (mut network, x) = wide::<f32>();
    let predictor = Predictor::new(&network);
    let before = predictor.predict(&x).unwrap();
    network.parameters_mut().next().unwrap().values_mut().fill(0.0);
    assert!(predictor.predict(&x).unwrap().bit_eq(&before));
}

#[test]
fn what_does_not_fit_is_an_error_and_leaves_the_output() {
    let (network, mut x) = wide::<f32>();
    let predictor = Predictor::new(&network);
    let mut out = [7.0; 10];
    let row = |row: &[f32], out: &mut [f32]| predictor.predict_row(row, out);
    let length = |what, expected, found| Err(NnError::RowLength { what, expected, found });
    assert_eq!(row(&[0.0; 99], &mut out), length("input", 100, 99));
    assert_eq!(row(&[], &mut out), length("input", 100, 0));
    assert_eq!(row(&[0.0; 100], &mut out[1..]), length("output", 10, 9));
    assert_eq!(predictor.predict(&Tensor::zeros([2, 5])), network.predict(&Tensor::zeros([2, 5])));
    assert!(matches!(predictor.predict(&Tensor::zeros([100])), Err(NnError::InputShape { .. })));
    // The first of two bad rows is named, whichever thread is faster.
    for (index, value) in [(100 * 470 + 3, f32::NAN), (100 * 123 + 45, f32::NEG_INFINITY)] {
        x.as_mut_slice()[index] = value;
    }
    let bad = NnError::NotFinite { row: 123, column: 45, value: f64::NEG_INFINITY };
    for _ in 0..10 {
        assert_eq!(predictor.predict(&x), Err(bad.clone()));
    }
    assert!(bad.to_string().contains("-inf in row 123, column 45"), "{bad}");
    let message = row(x.row(470), &mut out).unwrap_err().to_string();
    assert!(message.contains("NaN in row 0, column 3"), "{message}");
    assert_eq!(out, [7.0; 10]);
}

#[test]
fn rows_are_standardized_in_double_precision_first() {
    let (network, _) = wide::<f32>();
    // The mean is so large beside the scale that x · (w / scale) - mean · w / scale in f32 would be noise.
    let (mean, scale) = (vec![1e6; 100], vec![2.0; 100]);
    let standard = Tensor::<f32>::uniform([5, 100], -2.0, 2.0, &mut Rng::new(5)).map(|v| (v * 16.0).round() / 16.0);
    let x = standard.map(|v| v * 2.0 + 1e6);
    let predictor = Predictor::new(&network).standardize(&mean, &scale);
    assert!(predictor.predict(&x).unwrap().bit_eq(&Predictor::new(&network).predict(&standard).unwrap()));

    let tiny = Predictor::new(&network).standardize(&mean, &[1e-30; 100]);
    let error = tiny.predict(&Tensor::full([3, 100], 1e20)).unwrap_err();
    assert_eq!(error, NnError::ScaledFeature { row: 0, column: 0, value: f64::from(1e20_f32), number: "f32" });
    let expected = "the feature in row 0, column 0 (counted from 0) is 100000002004087730000, which is beyond the largest \
                    f32 once it is standardized";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[test]
fn a_scale_that_is_none_is_a_mistake() {
    let network: Network = Sequential::new(2).add(Dense::new(1)).init(0).unwrap();
    for (mean, scale) in [(0.0, 0.0), (0.0, f64::NAN), (0.0, -1.0), (0.0, f64::INFINITY), (f64::NAN, 1.0)] {
        let work = || drop(Predictor::new(&network).standardize(&[0.0, mean], &[1.0, scale]));
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(message.contains(&format!("column 1 has mean {mean} and scale {scale};")), "{message}");
    }
}

#[test]
fn an_output_for_other_rows_is_refused() {
    let network: Network = Sequential::new(2).add(Dense::new(3)).init(0).unwrap();
    let output = Output::new(Task::Regression, OutputFunction::Identity).with_target_scale([0.0; 2], [1.0; 2]);
    let error = Predictor::new(&network).with_output(&output).unwrap_err();
    let expected = "the task is regression: 2 means and 2 scales of targets were given for 3 outputs";
    assert_eq!(error.to_string(), expected);
}

/// Weights count once for each place that they map, and those of a table not at all.
#[test]
fn the_multiplications_of_a_row_by_hand() {
    let count = |network: Sequential| network.init::<f32>(0).unwrap().multiplications_per_row();
    assert_eq!(count(Sequential::new(4).add(Dense::new(10)).add(Dense::new(3))), 4 * 10 + 10 + 10 * 3 + 3);
    assert_eq!(count(Sequential::with_input_shape([512, 64]).add(Dense::new(64).without_bias())), 512 * 64 * 64);
    let norm = WeightNorm::new(Dense::new(3));
    assert_eq!(count(Sequential::with_input_shape([2, 5, 4]).add(norm)), 10 * (4 * 3 + 3 + 3));
    let table = Sequential::new(2).add(Embedding::new(100_000, 16)).add(Flatten::new()).add(Dense::new(1));
    assert_eq!(count(table), 32 + 1);
    let inner = || Stack::new().add(Dense::new(4).without_bias());
    let blocks = Sequential::with_input_shape([3, 4]).add(Residual::new(inner())).add(Concat::new([inner(), inner()]));
    assert_eq!(count(blocks), 3 * 3 * 16);
}

#[test]
#[should_panic(expected = "standardize: 3 means and 100 scales for rows of 100 values")]
fn a_scaler_of_another_width_is_a_mistake() {
    let _ = Predictor::new(&wide::<f32>().0).standardize(&[0.0; 3], &[1.0; 100]);
}

/// More inputs than products add up without cutting the sum: a row by itself, and among others.
#[test]
fn rows_of_very_many_inputs_have_the_same_bits_alone_and_among_others() {
    let network: Network = Sequential::new(5000).add(Dense::new(3)).init(1).unwrap();
    let x = Tensor::normal([20, 5000], 0.0, 1.0, &mut Rng::new(2));
    let full = Predictor::new(&network);
    let others = compact(&full).into_iter().map(|(_, compact)| compact);
    for predictor in others.chain([full.clone(), Predictor::for_rows(&network, 1)]) {
        let among = predictor.predict(&x).unwrap();
        for row in 0..20 {
            let alone = predictor.predict(&x.slice(0, row..row + 1)).unwrap();
            assert!(alone.bit_eq(&among.slice(0, row..row + 1)), "row {row}");
        }
    }
}

/// The predictor with weights in fewer bits.
fn compact<E: Element>(full: &Predictor<E>) -> [(&'static str, Predictor<E>); 2] {
    [("bfloat16", full.clone().bfloat16().unwrap()), ("int8", full.clone().int8().unwrap())]
}

/// The weights as they are kept, by the definition of each: for each its values, in the order of the network's weights.
fn round_weights<E: Element>(network: &mut Network<E>, kind: &str) {
    for mut parameter in network.parameters_mut().filter(|parameter| parameter.name().ends_with("weight")) {
        let columns = parameter.value().row_len();
        let values = parameter.values_mut();
        for column in 0..columns {
            let of_column = || (column..values.len()).step_by(columns);
            let largest = of_column().map(|i| values[i].as_f64().abs()).fold(0.0, f64::max);
            let scale = E::from_f64(largest) / E::from_f64(127.0);
            for i in of_column().collect::<Vec<_>>() {
                let value = values[i].as_f64();
                // The nearest multiple of 2⁻⁷ of the power of two below.
                let step = 2f64.powi(value.abs().log2().floor() as i32 - 7);
                values[i] = match kind {
                    "bfloat16" => E::from_f64((value / step).round_ties_even() * step),
                    _ => E::from_f64((values[i] / scale).as_f64().round_ties_even()) * scale,
                };
            }
        }
    }
}

/// Rounding of weights aside, fewer bits change nothing. As bfloat16 the bits are those of a network of the rounded weights;
/// whole numbers are multiplied by their scale only after they are added up, so that the last digits differ.
fn check_compact<E: Element>(tolerance: f64) {
    let (network, x) = wide::<E>();
    for kind in 0..2 {
        let (name, kept) = compact(&Predictor::new(&network))[kind].clone();
        let (_, shared) = compact(&Predictor::for_rows(&network, 1))[kind].clone();
        let mut rounded = network.clone();
        round_weights(&mut rounded, name);
        let expected = Predictor::new(&rounded);
        for x in [x.clone(), x.map(|v| v * E::from_f64(1e-30)), x.slice(0, 3..10)] {
            let (found, expected) = (kept.predict(&x).unwrap(), expected.predict(&x).unwrap());
            if name == "int8" {
                assert_close(&found, &expected, tolerance, &name);
            }
            assert!(name == "int8" || found.bit_eq(&expected), "{name}");
            assert!(shared.predict(&x).unwrap().bit_eq(&found), "{name}");
            assert!(Tensor::from_vec(one_by_one(&kept, &x), found.shape()).bit_eq(&found), "{name}");
        }
        assert!(!kept.predict(&x).unwrap().bit_eq(&network.predict(&x).unwrap()), "{name}");
    }
}

#[test]
fn weights_in_fewer_bits_compute_as_the_rounded_weights_do() {
    check_compact::<f32>(2e-4);
    check_compact::<f64>(1e-8);
}

/// One dense layer by hand: with bfloat16, 0.1 is 205 · 2⁻¹¹ and 0.04 is 164 · 2⁻¹²; with int8 and scale 0.1 / 127, 0.04 is 51
/// steps (of 50.8).
#[test]
fn one_layer_in_fewer_bits_by_hand() {
    let mut network: Network<f64> = Sequential::new(2).add(Dense::new(1)).init(0).unwrap();
    network.parameters_mut().next().unwrap().set_value(Tensor::from([[0.1], [0.04]]));
    network.parameters_mut().nth(1).unwrap().set_value(Tensor::from([3.0]));
    let [(_, bfloat16), (_, int8)] = compact(&Predictor::new(&network).standardize(&[1.0, 1.0], &[2.0, 2.0]));
    // (3, 5) is standardized to (1, 2).
    let mut out = [0.0];
    bfloat16.predict_row(&[3.0, 5.0], &mut out).unwrap();
    assert_eq!(out, [205.0 / 2048.0 + 2.0 * 164.0 / 4096.0 + 3.0]);
    int8.predict_row(&[3.0, 5.0], &mut out).unwrap();
    assert!((out[0] - ((127.0 + 2.0 * 51.0) * 0.1 / 127.0 + 3.0)).abs() < 1e-14, "{out:?}");
}

/// Dense layers behind a table, in branches and around shortcuts are rounded, what has no step of its own (here a layer norm,
/// a batch norm and a scaled exponential unit) is not: all of it stays near, and a row has the same bits on every path.
#[test]
fn every_layer_is_predicted_with_weights_in_fewer_bits() {
    let inner = || Stack::new().add(Dense::new(16).activation(Activation::Gelu)).add(BatchNorm::new());
    let architecture = Sequential::new(6)
        .add(Concat::new([
            Stack::new().add(SelectColumns::new([0])).add(Embedding::new(4, 5)).add(Flatten::new()),
            Stack::new().add(SelectColumns::new([1, 2, 3, 4, 5])).add(Dense::new(7)),
        ]))
        .add(Dense::new(16).activation(Activation::Selu))
        .add(Residual::new(inner()))
        .add(LayerNorm::new())
        .add(WeightNorm::new(Dense::new(8).activation(Activation::Relu)))
        .add(Dense::new(3))
        .add(Activation::Softmax);
    let rng = &mut Rng::new(2);
    let network: Network<f32> = with_random_biases(&architecture, rng);
    let mut x = random_rows(&network, 70, rng);
    for row in 0..70 {
        x.as_mut_slice()[6 * row] = (row % 4) as f32;
    }
    let expected = on_a_tape(&network, &x);
    for (name, predictor) in compact(&Predictor::new(&network).standardize(&[0.0; 6], &[1.0; 6])) {
        let found = predictor.predict(&x).unwrap();
        assert_close(&found, &expected, 3e-2, &name);
        assert!(!found.bit_eq(&expected));
        assert!(Tensor::from_vec(one_by_one(&predictor, &x), found.shape()).bit_eq(&found), "{name}");
    }
}

#[test]
fn layers_that_are_no_products_keep_their_weights() {
    let rng = &mut Rng::new(6);
    let network: Network = with_random_biases(&Sequential::new(4).add(LayerNorm::new()).add(Prelu::new()), rng);
    let x = random_rows(&network, 20, rng);
    for (name, predictor) in compact(&Predictor::new(&network)) {
        assert!(predictor.predict(&x).unwrap().bit_eq(&network.predict(&x).unwrap()), "{name}");
    }
}

/// Once is enough, and of the other kind they are made of the rounded weights.
#[test]
fn weights_that_are_in_fewer_bits_already_stay_so() {
    let (network, x) = wide::<f32>();
    for (name, once) in compact(&Predictor::new(&network)) {
        let (expected, others) = (once.predict(&x).unwrap(), compact(&once));
        for (other, twice) in others {
            assert_eq!(twice.predict(&x).unwrap().bit_eq(&expected), name == other, "{other} of {name}");
        }
    }
}

#[test]
fn a_weight_without_a_form_in_fewer_bits_is_named() {
    let (mut network, _) = wide::<f64>();
    let error = |network: &Network<f64>| Predictor::new(network).bfloat16().unwrap_err().to_string();
    for (value, shown) in [(1e39, "1000000000000000000000000000000000000000"), (f64::NAN, "NaN")] {
        network.parameters_mut().nth(2).unwrap().values_mut()[10 * 149 + 4] = value;
        let expected = "which has no nearest bfloat16; values must be finite and at most 3.39e38 in size";
        assert_eq!(error(&network), format!("layers.1.weight: the value at [149, 4] is {shown}, {expected}"));
        if value.is_nan() {
            let message = Predictor::new(&network).int8().unwrap_err().to_string();
            let expected =
                "layers.1.weight: the value at [149, 4] is NaN, which has no nearest int8; values must be finite";
            assert_eq!(message, expected);
        } else {
            assert!(Predictor::new(&network).int8().is_ok());
        }
    }
    // g · V / |V| = 100 · 1000 / 1000 of a direction that has such a form has one as well, 1e40 has not.
    let mut network: Network<f64> = Sequential::new(1).add(WeightNorm::new(Dense::new(1))).init(0).unwrap();
    network.parameters_mut().next().unwrap().values_mut()[0] = 1e6;
    network.parameters_mut().nth(1).unwrap().values_mut()[0] = 100.0;
    assert!(Predictor::new(&network).bfloat16().is_ok());
    network.parameters_mut().nth(1).unwrap().values_mut()[0] = 1e40;
    assert!(error(&network).starts_with("the effective weight of layers.0: the value at [0, 0] is 1"));
}
