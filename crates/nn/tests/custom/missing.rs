//! Each kind of part, missing from the registry: what does not need it works, and what needs it says what is missing.

use mlp_autograd::Tape;
use mlp_nn::{Activation, Dense, Network, NnError, Pass, Predictor, Sequential, Stack, WeightNorm};
use mlp_tensor::{Element, Rng, Tensor};

use crate::own::{Corridor, KINDS, Knobs, Pull, Scale, Spread, Wave, network, read, registry_without, rows};

/// [`network`] as a file has it, opened without the part `name`, and its state.
fn opened_without<E: Element>(name: &str) -> (Sequential, Network<E>) {
    (read(&network()).open(&registry_without(name)).unwrap(), network().init(3).unwrap())
}

fn how_to_register(name: &str) -> String {
    let (kind, _) = KINDS.iter().find(|(_, known)| *known == name).unwrap();
    format!(
        "the {} \"{name}\" is not part of this library; if it is yours, register it, by \
         Registry::new().register::<{kind}>(\"{name}\", ..), and load the file with that registry",
        kind.to_lowercase()
    )
}

/// A layer or an activation: no network.
#[track_caller]
fn is_no_network<E: Element>(name: &str, layer: &str) {
    let (description, whole) = opened_without::<E>(name);
    let expected = format!("{layer}: {}", how_to_register(name));
    let refused = |error: NnError| {
        assert!(matches!(error, NnError::MissingIn { .. }), "{error}");
        assert_eq!(error.to_string(), expected);
    };
    refused(description.check().unwrap_err());
    refused(description.init::<E>(3).unwrap_err());
    refused(Network::from_state(description, whole.state()).unwrap_err());
}

#[test]
fn a_network_without_a_layer_is_refused_by_path_and_name() {
    is_no_network::<f32>("scale", "layers.2 (scale)");
    is_no_network::<f64>("scale", "layers.2 (scale)");
}

#[test]
fn a_network_without_an_activation_is_refused_by_path_and_name() {
    is_no_network::<f32>("wave", "layers.1 (Dense)");
    is_no_network::<f64>("wave", "layers.1 (Dense)");
}

#[test]
fn a_part_that_is_missing_inside_of_layers_is_named_by_its_path() {
    let wave = || Stack::new().add(WeightNorm::new(Dense::new(3).activation(Wave(Knobs::new(1.0)))));
    let nested = Sequential::new(3).add(mlp_nn::Residual::new(Stack::new().add(mlp_nn::Concat::new([wave()]))));
    let error = read(&nested).check().unwrap_err().to_string();
    let expected = "layers.0.layers.0.branches.0.layers.0 (WeightNorm): the activation \"wave\" is not part of";
    assert!(error.starts_with(expected), "{error}");
    // As a layer by itself.
    let alone = read(&Sequential::new(3).add(Activation::from(Wave(Knobs::new(1.0))))).check().unwrap_err().to_string();
    assert!(alone.starts_with("layers.0 (Activation): the activation \"wave\""), "{alone}");
}

fn predicts_what_it_did<E: Element>(name: &str) -> Network<E> {
    let (description, whole) = opened_without::<E>(name);
    let network = Network::from_state(description, whole.state()).unwrap();
    let expected = whole.predict(&rows()).unwrap();
    assert!(network.predict(&rows()).unwrap().bit_eq(&expected), "{name}");
    let frozen = [&network, &whole].map(|network| Predictor::new(network).predict(&rows()).unwrap());
    assert!(frozen[0].bit_eq(&frozen[1]), "{name}");
    network
}

#[test]
fn first_weights_need_the_initializer_and_nothing_else_does() {
    fn check<E: Element>() {
        let network = predicts_what_it_did::<E>("spread");
        let error = network.architecture().init::<E>(0).unwrap_err();
        assert!(matches!(error, NnError::Missing(_)), "{error}");
        assert_eq!(error.to_string(), how_to_register("spread"));
        assert_eq!(network.architecture().check(), Ok(()));
        assert_eq!(network.check_trainable(), Ok(()));
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn training_needs_regularizers_and_constraints_and_predictions_do_not() {
    fn check<E: Element>() {
        for name in ["pull", "corridor"] {
            let network = predicts_what_it_did::<E>(name);
            let error = network.check_trainable().unwrap_err();
            assert!(matches!(error, NnError::Missing(_)), "{error}");
            assert_eq!(error.to_string(), how_to_register(name));
            // And first weights can be drawn.
            assert!(network.architecture().init::<E>(0).is_ok(), "{name}");
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Wherever a part may sit, the check finds that it is missing.
#[test]
fn what_training_lacks_is_found_on_every_weight_and_output() {
    let pull = || Pull(Knobs::new(1.0));
    let corridor = || Corridor(Knobs::new(1.0));
    let layers = [
        (Dense::new(2).regularizer(pull()), "pull"),
        (Dense::new(2).bias_regularizer(pull()), "pull"),
        (Dense::new(2).activity_regularizer(pull()), "pull"),
        (Dense::new(2).constraint(corridor()), "corridor"),
        (Dense::new(2).bias_constraint(corridor()), "corridor"),
    ];
    for (layer, name) in layers {
        for inside in [false, true] {
            let described = Sequential::new(2);
            let described = if inside {
                described.add(mlp_nn::Residual::new(Stack::new().add(layer.clone())))
            } else {
                described.add(layer.clone())
            };
            let network: Network = read(&described).init(0).unwrap();
            assert_eq!(network.check_trainable().unwrap_err().to_string(), how_to_register(name));
            assert!(network.predict(&Tensor::ones([3, 2])).is_ok(), "{layer:?}");
            assert!(Predictor::new(&network).predict(&Tensor::ones([3, 2])).is_ok(), "{layer:?}");
        }
    }
}

#[test]
#[should_panic(expected = "the regularizer \"pull\" is not part of this library")]
fn training_without_the_penalty_on_outputs_is_a_mistake() {
    let described = Sequential::new(2).add(Dense::new(2).activity_regularizer(Pull(Knobs::new(1.0))));
    let network: Network = read(&described).init(0).unwrap();
    let tape = Tape::new();
    let x = tape.constant(Tensor::ones([1, 2]));
    let _ = network.forward(&network.variables(&tape), x, &mut Pass::training(Rng::new(0)));
}

#[test]
#[should_panic(expected = "the regularizer \"pull\" is not part of this library")]
fn a_penalty_that_is_missing_is_not_nothing() {
    let described = Sequential::new(2).add(Dense::new(2).regularizer(Pull(Knobs::new(1.0))));
    let _ = read(&described).init::<f32>(0).unwrap().penalty();
}

#[test]
#[should_panic(expected = "the constraint \"corridor\" is not part of this library")]
fn a_limit_that_is_missing_is_not_none() {
    let described = Sequential::new(2).add(Dense::new(2).constraint(Corridor(Knobs::new(1.0))));
    read(&described).init::<f32>(0).unwrap().constrain();
}

#[test]
fn without_any_registry_everything_is_missing_and_still_described() {
    let description = read(&network());
    assert_eq!(description.clone().open(&mlp_nn::registry::Registry::new()).unwrap(), network());
    let text = serde_json::to_string(&description).unwrap();
    assert_eq!(text, serde_json::to_string(&network()).unwrap(), "what is not opened is written again as it was");
    let described =
        Sequential::new(3).add(Scale(Knobs::new(1.0))).add(Dense::new(1).initializer(Spread(Knobs::new(1.0))));
    let message = read(&described).summary().unwrap_err().to_string();
    assert!(message.starts_with("layers.0 (scale): the layer \"scale\""), "{message}");
}
