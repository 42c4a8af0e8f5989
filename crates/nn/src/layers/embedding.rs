//! Vectors for categories.

use mlp_autograd::Var;
use mlp_registry::{OpenError, Registry};
use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use super::Kind;
use super::columns::category;
use crate::predictor::{Freezer, Frozen, Step};
use crate::{Constraint, Initializer, NnError, ParameterSpec, Pass, Plan, Regularizer, Weights};

/// A vector for every category: y is the row of W that x names, for every category number x in X.
///
/// It reads columns of the network's input, through [`SelectColumns`](super::SelectColumns) and
/// [`Flatten`](super::Flatten) if need be; all of them share one table. A number that is not a category is an error of
/// [`Network::check_input`](crate::Network::check_input) and of all that takes input from outside. A scaler in front of
/// the network would make such columns unreadable.
///
/// # Shapes
/// X `[n, c]`, whole numbers from 0 to `categories` - 1; W (`weight`) `[categories, dim]`; Y `[n, c, dim]`. Follow it
/// with [`Flatten`](super::Flatten) for rows of c · dim numbers.
///
/// W starts as PyTorch's does, normal with deviation 1; Keras draws it uniformly between ±0.05.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Embedding {
    /// The number of categories, at least 1.
    pub categories: usize,
    /// The length of a category's vector, at least 1.
    pub dim: usize,
    /// How W starts; normal with mean 0 and deviation 1 by default.
    pub initializer: Initializer,
    /// The penalty on W; none by default.
    pub regularizer: Option<Regularizer>,
    /// The limit on W; none by default.
    pub constraint: Option<Constraint>,
}

impl Embedding {
    /// A vector of length `dim` for each of `categories`.
    pub fn new(categories: usize, dim: usize) -> Self {
        let initializer = Initializer::Normal { mean: 0.0, std: 1.0 };
        Self { categories, dim, initializer, regularizer: None, constraint: None }
    }

    /// Draws the first vectors by `initializer`.
    #[must_use]
    pub fn initializer(self, initializer: impl Into<Initializer>) -> Self {
        Self { initializer: initializer.into(), ..self }
    }

    /// Adds a penalty on the vectors to the loss.
    #[must_use]
    pub fn regularizer(self, regularizer: impl Into<Regularizer>) -> Self {
        Self { regularizer: Some(regularizer.into()), ..self }
    }

    /// Brings the vectors back within a limit after each step. Norms are those of the columns of W.
    #[must_use]
    pub fn constraint(self, constraint: impl Into<Constraint>) -> Self {
        Self { constraint: Some(constraint.into()), ..self }
    }
}

impl Kind for Embedding {
    fn name(&self) -> &str {
        "Embedding"
    }

    fn open_parts(&mut self, registry: &Registry) -> Result<(), OpenError> {
        self.initializer.open(registry)?;
        self.regularizer.iter_mut().try_for_each(|regularizer| regularizer.open(registry))?;
        self.constraint.iter_mut().try_for_each(|constraint| constraint.open(registry))
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.require(self.categories > 0, "categories", self.categories as f64, "at least 1")?;
        plan.require(self.dim > 0, "dim", self.dim as f64, "at least 1")?;
        plan.read_categories(input, self.categories)?;
        let weight = ParameterSpec::new("weight", [self.categories, self.dim], self.initializer.clone());
        plan.parameter(weight.with(self.regularizer.clone(), self.constraint.clone()))?;
        Ok([input, &[self.dim]].concat())
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        _: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let (weight, x) = (weights.parameter(), x.value());
        let categories: Vec<usize> =
            x.as_slice().iter().map(|&value| expect_category(value, self.categories)).collect();
        weight.select_rows(&categories).reshape([x.shape(), &[self.dim]].concat())
    }

    fn multiplications(&self, _: &[usize], _: usize) -> usize {
        // Rows of the table are copied.
        0
    }

    fn freeze<E: Element>(&self, own: &mut Freezer<'_, E>) -> Frozen<E> {
        Frozen::step(Looked { weight: own.parameters[0].value().clone(), width: own.output.iter().product() })
    }

    fn detail(&self) -> String {
        format!("{} categories", self.categories)
    }
}

/// The layer at inference.
#[derive(Debug)]
struct Looked<E: Element> {
    weight: Tensor<E>,
    width: usize,
}

impl<E: Element> Step<E> for Looked<E> {
    fn width(&self) -> usize {
        self.width
    }

    fn run(&self, _: usize, x: &[E], out: &mut [E], _: &mut [E]) {
        for (&value, out) in x.iter().zip(out.chunks_exact_mut(self.weight.row_len())) {
            out.copy_from_slice(self.weight.row(expect_category(value, self.weight.rows())));
        }
    }
}

/// The category that a value stands for. What comes from outside was checked.
#[track_caller]
fn expect_category<E: Element>(value: E, categories: usize) -> usize {
    match category(value, categories) {
        Some(category) => category,
        None => panic!("Embedding: {value} is not one of {categories} categories"),
    }
}
