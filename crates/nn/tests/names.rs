//! Layers with names of their own: in the names of weights, patterns, summaries and messages, and which names are refused.

use mlp_autograd::Tape;
use mlp_nn::{
    Activation, Concat, Dense, Dropout, Embedding, Flatten, Layer, LayerNorm, Limits, Network, NnError, Pass,
    Predictor, Residual, Sequential, Stack,
};
use mlp_tensor::{Rng, Tensor};

/// A network in which some layers have names, also inside of others.
fn named() -> Sequential {
    let block = Stack::new().add_named("inner", Dense::new(4).activation(Activation::Tanh)).add(LayerNorm::new());
    let branches = [Stack::new(), Stack::new().add_named("inner", Dense::new(2).without_bias())];
    Sequential::new(4)
        .add_named("block one", Residual::new(block))
        .add(Concat::new(branches))
        .add_named("head", Dense::new(3).activation(Activation::Softmax))
}

/// The same layers without names.
fn unnamed() -> Sequential {
    let block = Stack::new().add(Dense::new(4).activation(Activation::Tanh)).add(LayerNorm::new());
    let branches = [Stack::new(), Stack::new().add(Dense::new(2).without_bias())];
    Sequential::new(4)
        .add(Residual::new(block))
        .add(Concat::new(branches))
        .add(Dense::new(3).activation(Activation::Softmax))
}

#[test]
fn weights_are_found_by_the_names_of_their_layers() {
    let mut network: Network<f64> = named().init(1).unwrap();
    let names: Vec<&str> = network.parameters().iter().map(mlp_nn::Parameter::name).collect();
    let expected = [
        "block one.inner.weight",
        "block one.inner.bias",
        "block one.layers.1.weight",
        "block one.layers.1.bias",
        "layers.1.branches.1.inner.weight",
        "head.weight",
        "head.bias",
    ];
    assert_eq!(names, expected);
    assert_eq!(network.tensor("head.weight").unwrap().shape(), [6, 3]);
    assert_eq!(network.freeze("head.*"), Ok(2));
    assert_eq!(network.freeze("block one.*"), Ok(4));
    assert_eq!(network.trainable_parameters(), 4 * 2);
    assert!(network.tensor("layers.2.weight").is_err());
}

#[test]
fn a_name_changes_nothing_that_is_computed() {
    let [named, unnamed]: [Network<f64>; 2] = [named(), unnamed()].map(|network| network.init(1).unwrap());
    let x = Tensor::normal([9, 4], 0.0, 1.0, &mut Rng::new(2));
    assert!(named.predict(&x).unwrap().bit_eq(&unnamed.predict(&x).unwrap()));
    assert!(Predictor::new(&named).predict(&x).unwrap().bit_eq(&unnamed.predict(&x).unwrap()));
    let logits = |network: &Network<f64>| {
        let tape = Tape::new();
        let x = tape.constant(x.clone());
        network.forward_before_activation(&network.variables(&tape), x, &mut Pass::inference()).value()
    };
    assert!(logits(&named).bit_eq(&logits(&unnamed)));
    assert_eq!(named.architecture().output_activation(), &Activation::Softmax);
    assert_eq!(named.multiplications_per_row(), unnamed.multiplications_per_row());
    assert_ne!(named.architecture(), unnamed.architecture());
}

#[test]
fn summaries_and_messages_say_the_name() {
    let summary = named().summary().unwrap().to_string();
    let rows: Vec<Vec<&str>> = summary.lines().map(|line| line.split("  ").map(str::trim).collect()).collect();
    assert!(rows.iter().any(|row| row[0] == "head" && row.contains(&"Dense (softmax)")), "{summary}");
    assert!(rows.iter().any(|row| row[0] == "block one.inner" && row.contains(&"Dense (tanh)")), "{summary}");
    let network: Network = named().init(1).unwrap();
    let error = network.predict(&Tensor::zeros([1, 5])).unwrap_err().to_string();
    assert!(error.starts_with("block one (Residual) expects rows of 4 features"), "{error}");
    let error = Sequential::new(4).add_named("out", Dense::new(0)).check().unwrap_err().to_string();
    assert_eq!(error, "out (Dense): units is 0, but must be at least 1");
    let table = Sequential::new(1).add_named("color", Embedding::new(3, 2)).add(Flatten::new());
    let error = table.init::<f32>(0).unwrap().predict(&Tensor::from([[3.0]])).unwrap_err().to_string();
    assert_eq!(error, "color (Embedding): row 0, column 0 is 3, but must be a whole number from 0 to 2");
    let work = || {
        let tape = Tape::<f32>::new();
        let mut variables = network.variables(&tape);
        variables[0] = tape.variable(Tensor::zeros([5, 4]));
        network.forward(&variables, tape.constant(Tensor::zeros([2, 4])), &mut Pass::inference());
    };
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.ends_with("(in block one (Residual) > inner (Dense))"), "{message}");
}

#[test]
fn names_that_would_be_mistaken_are_refused() {
    let message = |network: Sequential| network.check().unwrap_err().to_string();
    let one = |name: &str| message(Sequential::new(2).add(Dense::new(2)).add_named(name, Dense::new(2)));
    let what = "layers.1 (Dense): the name";
    assert_eq!(one(""), format!("{what} \"\" is empty; choose another, or add the layer without a name"));
    assert_eq!(one("layers"), format!("{what} \"layers\" is that of layers without a name; choose another"));
    let dot = "holds a dot, which separates the names in a path; choose another";
    for name in ["a.b", ".", "layers.0"] {
        assert_eq!(one(name), format!("{what} {name:?} {dot}"));
    }
    assert!(one("h*").starts_with(&format!("{what} \"h*\" holds an asterisk")));
    for name in ["\u{1b}[2J", "a\nb", "\"", "it's", "a\\", "\u{202e}x", "\u{200b}"] {
        let found = one(name);
        assert!(found.contains("holds a quote, a backslash, or a character that cannot be printed"), "{found}");
        assert!(!found.contains(['\u{1b}', '\n', '\u{202e}', '\u{200b}']), "{found:?}");
    }
    let twice = "the name \"a\" is that of two layers of one stack; give each its own";
    let network = Sequential::new(2).add_named("a", Dense::new(2)).add_named("a", Dense::new(2));
    assert_eq!(message(network), format!("layers.1 (Dense): {twice}"));
    let stack = Stack::new().add_named("a", Dense::new(2)).add(Dense::new(2)).add_named("a", Dense::new(2));
    let network = Sequential::new(2).add_named("a", Residual::new(stack));
    assert_eq!(message(network), format!("a.layers.2 (Dense): {twice}"));
    let two_names = mlp_nn::Named::new("a", mlp_nn::Named::new("b", Dense::new(2)));
    assert!(message(Sequential::new(2).add(two_names)).contains("the name \"b\" is a second one of the same layer"));

    // Stacks side by side, and letters of any language.
    let stack = || Stack::new().add_named("größe 大", Dense::new(2));
    let network = Sequential::new(2).add(Concat::new([stack(), stack()])).add_named("größe 大", Dense::new(2));
    assert_eq!(network.check(), Ok(()));
}

#[test]
fn a_long_name_is_refused_within_limits() {
    let network = |length: usize| Sequential::new(2).add_named("x".repeat(length), Dense::new(2));
    // With `.weight` behind it.
    assert_eq!(network(249).check_within(&Limits::default()), Ok(()));
    let error = network(250).check_within(&Limits::default()).unwrap_err();
    assert!(matches!(error, NnError::Limit { setting: "name", found: 257, most: 256, .. }), "{error}");
    assert_eq!(network(5000).check(), Ok(()));
}

#[test]
fn a_layer_says_its_name_and_its_kind() {
    let network = named();
    let names: Vec<Option<&str>> = network.layers().iter().map(Layer::name).collect();
    assert_eq!(names, [Some("block one"), None, Some("head")]);
    assert_eq!(network.layers()[2].kind(), "Dense");
    assert_eq!(network.layers()[2].to_string(), "Dense (softmax)");
}

#[test]
fn a_layer_is_found_by_the_name_that_it_was_given() {
    let stack = Stack::new().add(Dense::new(5)).add_named("inner", Dropout::new(0.5));
    assert_eq!(stack.layer("inner"), Some(&Layer::from(Dropout::new(0.5))));
    assert_eq!(stack.layer("layers.0"), None);
    let network = Sequential::new(5)
        .add(Dense::new(5))
        .add_named("block", Residual::new(stack.clone()))
        .add_named("head", Dense::new(2).activation(Activation::Tanh));
    let head = network.layer("head").unwrap();
    assert_eq!((head.kind(), head.activation(), head.name()), ("Dense", &Activation::Tanh, None));
    assert_eq!(network.layer("block"), Some(&Layer::from(Residual::new(stack))));
    // Neither a number, nor a layer inside of another, nor a pattern.
    for name in ["layers.0", "inner", "block.inner", "h*", ""] {
        assert_eq!(network.layer(name), None, "{name}");
    }
}
