//! The guide page for those who know Keras or PyTorch names everything that there is, and nothing else.

use std::collections::BTreeSet;

use mlp_nn::{Activation, Constraint, Initializer, Loss};
use serde::de::DeserializeOwned;

use crate::common::built_in;

const PAGE: &str = include_str!("../../../../docs/guide/from_keras_and_pytorch.md");

/// `gelu_tanh` as `GeluTanh`.
fn in_rust(name: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').map(capital).collect()
}

/// Checks the words that begin with a capital letter behind `Activation::` and the like.
fn page_names_all<T: DeserializeOwned + std::fmt::Debug>(kind: &str) {
    let start = format!("{kind}::");
    let behind = PAGE.split(start.as_str()).skip(1);
    let words = behind.map(|after| after.chars().take_while(|c| c.is_alphanumeric()).collect::<String>());
    let found: BTreeSet<String> = words.filter(|word| word.starts_with(char::is_uppercase)).collect();
    let expected: BTreeSet<String> = built_in::<T>().iter().map(|name| in_rust(name)).collect();
    assert_eq!(found, expected, "{kind}");
}

#[test]
fn the_page_names_everything_and_nothing_else() {
    page_names_all::<Activation>("Activation");
    page_names_all::<Loss>("Loss");
    page_names_all::<Initializer>("Initializer");
    page_names_all::<Constraint>("Constraint");
}

#[test]
fn the_page_names_the_traits_of_parts_of_ones_own() {
    let kinds = ["Layer", "Activation", "Loss", "Initializer", "Regularizer", "Constraint"];
    for name in kinds.map(|kind| format!("`mlp::nn::Custom{kind}`")) {
        assert!(PAGE.contains(&name), "{name}");
    }
}
