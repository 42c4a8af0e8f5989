//! Settings that are in range as they are written, and not in the number type that a network computes in.

use mlp_autograd::Tape;
use mlp_nn::{
    Activation, BatchNorm, Constraint, Dense, GaussianNoise, GroupNorm, Initializer, Layer, LayerNorm, Loss,
    LossOptions, Network, Regularizer, RmsNorm, Sequential,
};
use mlp_tensor::{Rng, Tensor};

/// Why a network of the layer is refused in f32, where the description and a network in f64 are not.
#[track_caller]
fn in_f32(layer: impl Into<Layer>) -> String {
    let description = Sequential::new(4).add(layer);
    assert_eq!(description.check(), Ok(()));
    let network = description.init::<f64>(0).unwrap();
    let error = description.init::<f32>(0).unwrap_err();
    assert_eq!(network.cast::<f32>().unwrap_err(), error);
    let state = network.state().into_iter().map(|(name, tensor)| (name, tensor.cast()));
    assert_eq!(Network::<f32>::from_state(description, state.collect()).unwrap_err(), error);
    error.to_string()
}

#[test]
fn an_epsilon_that_is_zero_in_f32_is_refused_there() {
    let rest = "epsilon is 1e-50, but must be finite and above 0 also as f32, which makes it 0";
    assert_eq!(in_f32(BatchNorm::new().epsilon(1e-50)), format!("layers.0 (BatchNorm): {rest}"));
    assert_eq!(in_f32(LayerNorm::new().epsilon(1e-50)), format!("layers.0 (LayerNorm): {rest}"));
    assert_eq!(in_f32(RmsNorm::new().epsilon(1e-50)), format!("layers.0 (RmsNorm): {rest}"));
    assert_eq!(in_f32(GroupNorm::new(2).epsilon(1e-50)), format!("layers.0 (GroupNorm): {rest}"));
    // The least number that f32 has is above 0.
    Sequential::new(4).add(LayerNorm::new().epsilon(1.5e-45)).init::<f32>(0).unwrap();
    assert!(Sequential::new(4).add(LayerNorm::new().epsilon(0.7e-45)).init::<f32>(0).is_err());
}

#[test]
fn settings_of_other_layers_are_those_of_the_number_type() {
    let expected = "layers.0 (BatchNorm): momentum is 1e-50, but must be above 0 and at most 1 also as f32, which \
                    makes it 0";
    assert_eq!(in_f32(BatchNorm::new().momentum(1e-50)), expected);
    let expected = "layers.0 (GaussianNoise): std is 1e39, but must be finite and 0 or more also as f32, which makes \
                    it inf";
    assert_eq!(in_f32(GaussianNoise::new(1e39)), expected);
}

#[test]
fn settings_of_activations_are_those_of_the_number_type() {
    let above_zero = |setting: &str, value: &str| {
        format!("layers.0 (Dense): {setting} is {value}, but must be finite and above 0 also as f32, which makes it 0")
    };
    let message = |activation: Activation| in_f32(Dense::new(2).activation(activation));
    assert_eq!(message(Activation::Celu { alpha: 1e-50 }), above_zero("alpha", "1e-50"));
    assert_eq!(message(Activation::Elu { alpha: 1e-50 }), above_zero("alpha", "1e-50"));
    assert_eq!(message(Activation::Softplus { beta: 1e-300 }), above_zero("beta", "1e-300"));
    let expected = "layers.0 (Dense): negative_slope is -1e39, but must be finite also as f32, which makes it -inf";
    assert_eq!(message(Activation::LeakyRelu { negative_slope: -1e39 }), expected);
    // 1 + 2⁻³⁰ is 1 in f32.
    let expected = "layers.0 (Dense): low is 1, but must be below high also as f32, which makes it 1";
    assert_eq!(message(Activation::HardTanh { low: 1.0, high: 1.0 + 2f64.powi(-30) }), expected);
}

#[test]
fn settings_on_weights_are_those_of_the_number_type() {
    let dense = || Dense::new(4);
    let infinite = |setting: &str, value: &str, expected: &str| {
        format!("layers.0 (Dense): {setting} is {value}, but must be {expected} also as f32, which makes it inf")
    };
    // The gradient is 2 · l2 · w, and f32 ends at 3.4e38.
    assert_eq!(in_f32(dense().regularizer(Regularizer::l2(2e38))), infinite("2 · l2", "4e38", "finite"));
    Sequential::new(4).add(dense().regularizer(Regularizer::l2(1.7e38))).init::<f32>(0).unwrap();
    let found = in_f32(dense().activity_regularizer(Regularizer::l1(1e39)));
    assert_eq!(found, infinite("l1", "1e39", "finite and 0 or more"));
    let found = in_f32(dense().initializer(Initializer::Normal { mean: 0.0, std: 1e39 }));
    assert_eq!(found, infinite("std", "1e39", "finite and 0 or more"));
    let found = in_f32(dense().constraint(Constraint::MinMaxNorm { min: 1e39, max: 1e40, rate: 1.0 }));
    assert_eq!(found, infinite("min", "1e39", "finite and 0 or more"));
    // 2 · 1e308 is beyond f64 as well.
    let error = Sequential::new(4).add(dense().regularizer(Regularizer::l2(1e308))).check().unwrap_err();
    assert_eq!(error.to_string(), "layers.0 (Dense): 2 · l2 is inf, but must be finite");
}

#[test]
fn settings_of_losses_are_those_of_the_number_type() {
    let message = |loss: Loss| {
        assert_eq!(loss.check::<f64>(), Ok(()));
        loss.check::<f32>().unwrap_err().to_string()
    };
    let expected = "loss (Huber loss with delta 1e-50): delta is 1e-50, but must be finite and above 0 also as f32, \
                    which makes it 0";
    assert_eq!(message(Loss::Huber { delta: 1e-50 }), expected);
    let expected = "q is 0.9999999999, but must be above 0 and below 1 also as f32, which makes it 1";
    assert!(message(Loss::Quantile { q: 0.999_999_999_9 }).ends_with(expected));
    assert!(message(Loss::CategoricalFocal { gamma: 2.0, alpha: 1e-50 }).contains("alpha is 1e-50"));
    assert!(message(Loss::BinaryFocal { gamma: 1e39, alpha: None }).contains("gamma is 1e39"));
}

#[test]
fn class_weights_are_those_of_the_number_type() {
    let options = LossOptions::new().class_weights([1.0, 1e39]);
    assert_eq!(options.check::<f64>(&Loss::CategoricalCrossEntropy, 2), Ok(()));
    let error = options.check::<f32>(&Loss::CategoricalCrossEntropy, 2).unwrap_err().to_string();
    let expected = "loss (categorical cross-entropy): a class weight is 1e39, but must be finite and 0 or more also as \
                    f32, which makes it inf";
    assert_eq!(error, expected);
}

/// All four have the same check.
#[test]
fn a_part_by_itself_is_checked_under_the_name_that_it_is_given() {
    let (activation, initializer) = (Activation::Celu { alpha: 1e-50 }, Initializer::Constant { value: 1e39 });
    let (regularizer, constraint) = (Regularizer::l1_l2(1e39, 0.0), Constraint::MaxNorm { max: 1e39 });
    let in_f64 = [activation.check::<f64>(""), initializer.check::<f64>("")];
    assert_eq!(in_f64, [Ok(()), Ok(())]);
    assert_eq!([regularizer.check::<f64>(""), constraint.check::<f64>("")], [Ok(()), Ok(())]);
    let zero = "also as f32, which makes it 0";
    let infinite = "also as f32, which makes it inf";
    let cases = [
        (
            activation.check::<f32>("the first"),
            format!("the first: alpha is 1e-50, but must be finite and above 0 {zero}"),
        ),
        (initializer.check::<f32>("w"), format!("w: value is 1e39, but must be finite {infinite}")),
        (regularizer.check::<f32>("w"), format!("w: l1 is 1e39, but must be finite and 0 or more {infinite}")),
        (constraint.check::<f32>("w"), format!("w: max is 1e39, but must be finite and 0 or more {infinite}")),
    ];
    for (checked, expected) in cases {
        assert_eq!(checked.unwrap_err().to_string(), expected);
    }
}

#[test]
#[should_panic(expected = "loss (Huber loss with delta -1): delta is -1, but must be finite and above 0")]
fn a_loss_with_a_setting_out_of_range_names_it() {
    let tape = Tape::<f32>::new();
    let x = tape.variable(Tensor::ones([2, 1]));
    let _ = Loss::Huber { delta: -1.0 }.forward(x, x);
}

#[test]
#[should_panic(expected = "draw: std is -1, but must be finite and 0 or more")]
fn an_initializer_with_a_setting_out_of_range_names_it() {
    let _ = Initializer::Sparse { sparsity: 0.5, std: -1.0 }.draw::<f32>(&[2, 2], &mut Rng::new(0));
}
