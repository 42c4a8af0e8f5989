//! Described, written, read, and opened through one registry.

use mlp_autograd::Tape;
use mlp_nn::registry::{Registry, Settings};
use mlp_nn::{
    Activation, Constraint, Dense, Initializer, Layer, Network, Pass, Predictor, Regularizer, Sequential, Stack,
};
use mlp_tensor::{Element, Rng, Tensor};
use serde_json::Value;

use crate::own::{Corridor, KINDS, Knobs, Pull, Scale, Spread, Wave, network, read, registry_without, rows};

/// The loss's penalties and the gradients of everything in one step of training.
fn step<E: Element>(network: &Network<E>) -> Vec<Tensor<E>> {
    let tape = Tape::new();
    let variables = network.variables(&tape);
    let mut pass = Pass::training(Rng::new(1));
    let y = network.forward(&variables, tape.constant(rows()), &mut pass);
    let loss = y.square().mean() + pass.penalty().unwrap();
    let gradients = loss.backward();
    let mut found: Vec<Tensor<E>> = variables.iter().map(|&v| gradients.wrt(v)).collect();
    found.push(loss.value());
    for parameter in network.parameters() {
        found.extend(parameter.regularizer().map(|regularizer| regularizer.gradient(parameter.value())));
    }
    found
}

fn comes_back<E: Element>() {
    let described = network();
    let before: Network<E> = described.init(3).unwrap();
    let written = read(&described);
    assert_eq!(written, described, "names and settings are all there is to compare");
    let opened = written.open(&registry_without("nothing")).unwrap();
    assert_eq!(opened, described);

    let same_bits = |after: &Network<E>| {
        let (found, expected) = (after.predict(&rows()).unwrap(), before.predict(&rows()).unwrap());
        assert!(expected.all_finite() && found.bit_eq(&expected), "{found} for {expected}");
        let frozen = [&before, after].map(|network| Predictor::new(network).predict(&rows()).unwrap());
        assert!(frozen[0].bit_eq(&frozen[1]));
        assert!(step(&before).iter().zip(step(after)).all(|(a, b)| a.bit_eq(&b)));
        assert_eq!(before.penalty().to_bits(), after.penalty().to_bits());
        let [limited, expected] = [after, &before].map(|network| {
            let mut network = network.clone();
            network.constrain();
            network.state()
        });
        assert_ne!(expected, before.state(), "the limits are felt");
        assert!(expected.iter().all(|(name, value)| limited[name].bit_eq(value)));
        assert_eq!(after.check_trainable(), Ok(()));
    };
    same_bits(&Network::from_state(opened.clone(), before.state()).unwrap());
    // First weights as well, which only the initializers know.
    same_bits(&opened.init(3).unwrap());
}

#[test]
fn a_network_of_own_parts_comes_back_to_the_same_bits() {
    comes_back::<f32>();
    comes_back::<f64>();
}

#[test]
fn settings_of_every_type_survive_a_file_bit_for_bit() {
    let text = serde_json::to_string(&network()).unwrap();
    let mut found = 0;
    let mut search = |value: &Value| {
        if let Some(name) = value["name"].as_str() {
            assert!(KINDS.iter().any(|(_, known)| *known == name), "{name}");
            let settings: Settings = serde_json::from_value(value["settings"].clone()).unwrap();
            let factor = settings.number("factor").unwrap();
            assert_eq!(settings, Knobs::new(factor).settings());
            assert_eq!(settings.number("unknown").unwrap().to_bits(), (-0.0_f64).to_bits());
            found += 1;
        }
    };
    fn walk(value: &Value, search: &mut impl FnMut(&Value)) {
        search(value);
        match value {
            Value::Array(values) => values.iter().for_each(|value| walk(value, search)),
            Value::Object(map) => map.values().for_each(|value| walk(value, search)),
            _ => {}
        }
    }
    walk(&serde_json::from_str(&text).unwrap(), &mut search);
    assert_eq!(found, 24, "{text}");
}

/// One part of each kind as a file has it, and what is wrong with the constructor.
#[test]
fn a_constructor_that_refuses_or_forgets_is_an_error() {
    let message = |network: Sequential, registry: Registry| read(&network).open(&registry).unwrap_err().to_string();
    let alone = || Sequential::new(3);
    // The constructors refuse factors up to 0.
    let bad = || Knobs::new(-1.0);
    let networks = [
        ("layer \"scale\"", alone().add(Scale(bad()))),
        ("activation \"wave\"", alone().add(Activation::from(Wave(bad())))),
        ("initializer \"spread\"", alone().add(Dense::new(1).initializer(Spread(bad())))),
        ("regularizer \"pull\"", alone().add(Dense::new(1).activity_regularizer(Pull(bad())))),
        ("constraint \"corridor\"", alone().add(Dense::new(1).bias_constraint(Corridor(bad())))),
    ];
    for (part, network) in networks {
        let expected = format!("the {part} cannot be made from its settings: `factor` must be above 0");
        assert_eq!(message(network, registry_without("nothing")), expected);
    }

    let forgets = |settings: &Settings| Knobs::new(settings.number("factor").unwrap_or(1.0) + 1.0);
    let registry = Registry::new()
        .register::<Layer>("scale", move |s| Ok(Scale(forgets(s)).into()))
        .register::<Activation>("wave", move |s| Ok(Wave(forgets(s)).into()))
        .register::<Initializer>("spread", move |s| Ok(Spread(forgets(s)).into()))
        .register::<Regularizer>("pull", move |s| Ok(Pull(forgets(s)).into()))
        .register::<Constraint>("corridor", move |s| Ok(Corridor(forgets(s)).into()));
    let good = || Knobs::new(1.0);
    let networks = [
        ("layer \"scale\"", alone().add(Scale(good()))),
        ("activation \"wave\"", alone().add(Dense::new(1).activation(Wave(good())))),
        ("initializer \"spread\"", alone().add(Dense::new(1).initializer(Spread(good())))),
        ("regularizer \"pull\"", alone().add(Dense::new(1).regularizer(Pull(good())))),
        ("constraint \"corridor\"", alone().add(Dense::new(1).constraint(Corridor(good())))),
    ];
    for (part, network) in networks {
        let found = message(network, registry.clone());
        let start = format!("the {part} cannot be made from its settings: the registered constructor made");
        assert!(found.starts_with(&start), "{found}");
        assert!(found.contains("factor 2") && found.contains("factor 1"), "{found}");
    }
}

/// A constructor that makes a part of the library's, or of another name.
#[test]
fn a_constructor_of_another_part_is_an_error() {
    let registry = Registry::new().register::<Activation>("wave", |_| Ok(Activation::Relu));
    let found =
        read(&Sequential::new(3).add(Activation::from(Wave(Knobs::new(1.0))))).open(&registry).unwrap_err().to_string();
    assert!(found.contains("the registered constructor made Relu where the file has Custom(wave"), "{found}");
}

#[test]
fn own_parts_go_wherever_those_of_the_library_go() {
    let stack = Stack::new().add(Scale(Knobs::new(1.0))).add(Activation::from(Wave(Knobs::new(1.0))));
    assert_eq!(stack.layers()[0].kind(), "scale");
    assert_eq!(stack.layers()[1].activation(), &Activation::from(Wave(Knobs::new(1.0))));
    let network: Network = Sequential::new(3).add(Scale(Knobs::new(1.0))).init(0).unwrap();
    assert_eq!(network.parameters()[0].name(), "layers.0.s");
    let summary = network.summary().to_string();
    assert!(summary.contains("scale"), "{summary}");
    // Names and settings decide what is equal.
    assert_ne!(Activation::from(Wave(Knobs::new(1.0))), Activation::from(Wave(Knobs::new(2.0))));
    assert_ne!(Activation::from(Wave(Knobs::new(1.0))), Activation::Relu);
}

fn opens_twice<E: Element>() {
    // What is open already stays, also with a registry that knows another part of the name.
    let other = Registry::new().register::<Activation>("wave", |_| Ok(Wave(Knobs::new(7.0)).into()));
    let description = Sequential::new(3).add(Dense::new(2).activation(Wave(Knobs::new(1.0))));
    let (once, twice) = (description.clone(), description.open(&other).unwrap());
    let x = Tensor::<E>::ones([2, 3]);
    let [once, twice] = [once, twice].map(|d| d.init::<E>(1).unwrap().predict(&x).unwrap());
    assert!(once.bit_eq(&twice));
}

#[test]
fn what_is_open_is_not_made_again() {
    opens_twice::<f32>();
    opens_twice::<f64>();
}
