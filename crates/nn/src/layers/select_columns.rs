//! Some columns of a table.

use mlp_autograd::Var;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::{Kind, Source};
use crate::predictor::{Freezer, Frozen, Step};
use crate::{NnError, Pass, Plan, Weights};

/// Some columns of a table, in the order given; a column may be named more than once.
///
/// It feeds the branches of a [`Concat`](super::Concat) from one table of numbers and categories:
///
/// ```
/// use mlp_nn::{Concat, Dense, Embedding, Flatten, Network, SelectColumns, Sequential, Stack};
/// use mlp_tensor::Tensor;
///
/// // Three numbers, and in column 3 one of ten categories.
/// let network = Sequential::new(4)
///     .add(Concat::new([
///         Stack::new().add(SelectColumns::new(0..3)),
///         Stack::new().add(SelectColumns::new([3])).add(Embedding::new(10, 5)).add(Flatten::new()),
///     ]))
///     .add(Dense::new(1));
/// let network: Network = network.init(1)?;
/// assert_eq!(network.predict(&Tensor::from([[0.5, -1.0, 2.0, 7.0]]))?.shape(), [1, 1]);
/// let error = network.predict(&Tensor::from([[0.5, -1.0, 2.0, 10.0]])).unwrap_err();
/// assert!(error.to_string().contains("row 0, column 3 is 10, but must be a whole number from 0 to 9"));
/// # Ok::<(), mlp_nn::NnError>(())
/// ```
///
/// # Shapes
/// `[n, features]` becomes `[n, columns]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SelectColumns {
    /// The columns, counted from 0; at least one.
    pub columns: Vec<usize>,
}

impl SelectColumns {
    /// The columns given, such as `0..3` or `[3]`.
    pub fn new(columns: impl IntoIterator<Item = usize>) -> Self {
        Self { columns: columns.into_iter().collect() }
    }
}

impl Kind for SelectColumns {
    fn name(&self) -> &str {
        "SelectColumns"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.require(!self.columns.is_empty(), "the number of columns", 0.0, "at least 1")?;
        let &[features] = input else { return Err(plan.refuse(input, "only tables have columns; add Flatten")) };
        match self.columns.iter().find(|&&column| column >= features) {
            Some(column) => Err(plan.refuse(input, format!("there is no column {column}"))),
            None => {
                plan.entries(self.columns.len())?;
                plan.select_columns(&self.columns);
                Ok(vec![self.columns.len()])
            }
        }
    }

    fn forward<'t, E: Element>(&self, _: &mut Weights<'_, 't, E>, x: Var<'t, E>, _: &mut Pass<'t, E>) -> Var<'t, E> {
        let first = self.columns[0];
        if self.columns.iter().enumerate().all(|(index, &column)| column == first + index) {
            return x.slice(1, first..first + self.columns.len());
        }
        x.t().select_rows(&self.columns).t()
    }

    fn source(&self) -> Source {
        Source::Input
    }

    fn freeze<E: Element>(&self, own: &mut Freezer<'_, E>) -> Frozen<E> {
        Frozen::step(Selected { features: own.input[0], columns: self.columns.clone() })
    }

    fn detail(&self) -> String {
        format!("{} columns", self.columns.len())
    }
}

/// The layer at inference.
#[derive(Debug)]
struct Selected {
    /// The number of columns that there are.
    features: usize,
    columns: Vec<usize>,
}

impl<E: Element> Step<E> for Selected {
    fn width(&self) -> usize {
        self.columns.len()
    }

    fn run(&self, _: usize, x: &[E], out: &mut [E], _: &mut [E]) {
        for (x, out) in x.chunks_exact(self.features).zip(out.chunks_exact_mut(self.columns.len())) {
            out.iter_mut().zip(&self.columns).for_each(|(out, &column)| *out = x[column]);
        }
    }
}
