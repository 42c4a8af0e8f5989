//! A layer with a name.

use std::fmt;

use mlp_autograd::Var;
use mlp_registry::{OpenError, Registry};
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::{Kind, Layer, Source, Stack};
use crate::predictor::{Freezer, Frozen};
use crate::{Activation, NnError, Pass, Plan, Regularizer, Weights};

/// A layer that is called by a name where others are called by their place: `hidden` in place of `layers.0`. It computes
/// what the layer does.
///
/// [`Sequential::add_named`](crate::Sequential::add_named) and [`Stack::add_named`] make it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Named {
    /// The name: printable characters without quotes, backslashes, dots and asterisks; not `layers`, and no other layer's
    /// of the same stack.
    pub name: String,
    /// The layer, which must not be a `Named` itself.
    pub layer: Box<Layer>,
}

impl Named {
    /// `layer`, called `name`.
    pub fn new(name: impl Into<String>, layer: impl Into<Layer>) -> Self {
        Self { name: name.into(), layer: Box::new(layer.into()) }
    }
}

/// Why a layer cannot have this name, wherever it stands.
pub(crate) fn problem(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("is empty; choose another, or add the layer without a name"),
        "layers" => Some("is that of layers without a name; choose another"),
        _ if name.contains('.') => Some("holds a dot, which separates the names in a path; choose another"),
        _ if name.contains('*') => {
            Some("holds an asterisk, which stands for any characters in a pattern; choose another")
        }
        // A file may name a layer, and the name ends up on a terminal.
        _ if !name.escape_debug().eq(name.chars()) => {
            Some("holds a quote, a backslash, or a character that cannot be printed; choose another")
        }
        _ => None,
    }
}

/// What a layer is called within its stack.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// It has a name.
    Named(&'a str),
    /// It has a number.
    Number(usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Number(index) => write!(f, "layers.{index}"),
        }
    }
}

impl Kind for Named {
    fn name(&self) -> &str {
        self.layer.kind()
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        match self.layer.name() {
            Some(second) => Err(plan.bad_name(second, "is a second one of the same layer; leave one of them out")),
            None => self.layer.plan(input, plan),
        }
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        self.layer.compute(weights, x, pass)
    }

    fn freeze<E: Element>(&self, own: &mut Freezer<'_, E>) -> Frozen<E> {
        self.layer.freeze(own)
    }

    fn activation(&self) -> &Activation {
        self.layer.activation()
    }

    fn multiplications(&self, input: &[usize], weights: usize) -> usize {
        self.layer.multiplications(input, weights)
    }

    fn source(&self) -> Source {
        self.layer.source()
    }

    fn activity_regularizer(&self) -> Option<&Regularizer> {
        self.layer.activity_regularizer()
    }

    fn detail(&self) -> String {
        self.layer.detail()
    }

    fn open_parts(&mut self, registry: &Registry) -> Result<(), OpenError> {
        self.layer.open_parts(registry)
    }

    fn stacks(&self) -> &[Stack] {
        self.layer.stacks()
    }

    fn stacks_mut(&mut self) -> &mut [Stack] {
        self.layer.stacks_mut()
    }
}
