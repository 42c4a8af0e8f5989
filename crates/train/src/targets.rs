//! What a model is to predict.

use std::sync::Arc;

use mlp_tensor::{Element, Tensor};

/// The targets of some rows: a tensor with one row each, or class numbers, and if need be how much each row counts.
///
/// Everywhere that targets are taken, `&y` does for a `Tensor`, a `Vec<usize>` or an array, and `(&y, &weights)` for
/// these with a weight for every row. Weights follow their rows, however they are shuffled or split.
#[derive(Clone, Debug)]
pub struct Targets<E: Element = f32> {
    pub(crate) values: Values<E>,
    pub(crate) weights: Option<Tensor<E>>,
}

/// What is to be predicted.
#[derive(Clone, Debug)]
pub(crate) enum Values<E: Element> {
    Tensor(Tensor<E>),
    Classes(Arc<[usize]>),
}

impl<E: Element> Targets<E> {
    /// `[n, k]`: numbers to predict, or the probability of every class (usually one-hot). `[n]` does for one number a row.
    pub fn values(values: Tensor<E>) -> Self {
        Self { values: Values::Tensor(values), weights: None }
    }

    /// The number of every row's class, counted from 0.
    pub fn classes(classes: impl Into<Arc<[usize]>>) -> Self {
        Self { values: Values::Classes(classes.into()), weights: None }
    }

    /// With a weight for every row `[n]`, 0 or more, and not all of them 0: a factor of the row's loss, and how much it counts
    /// in metrics. The loss divides by the number of rows, as in Keras, metrics by the sum of the weights, as in scikit-learn.
    #[must_use]
    pub fn with_sample_weights(self, weights: &Tensor<E>) -> Self {
        Self { weights: Some(weights.clone()), ..self }
    }
}

impl<E: Element> From<&Tensor<E>> for Targets<E> {
    fn from(values: &Tensor<E>) -> Self {
        Self::values(values.clone())
    }
}

impl<E: Element> From<Tensor<E>> for Targets<E> {
    fn from(values: Tensor<E>) -> Self {
        Self::values(values)
    }
}

impl<E: Element> From<&[usize]> for Targets<E> {
    fn from(classes: &[usize]) -> Self {
        Self::classes(classes)
    }
}

impl<E: Element> From<&Vec<usize>> for Targets<E> {
    fn from(classes: &Vec<usize>) -> Self {
        Self::classes(classes.as_slice())
    }
}

impl<E: Element> From<Vec<usize>> for Targets<E> {
    fn from(classes: Vec<usize>) -> Self {
        Self::classes(classes)
    }
}

impl<E: Element, const N: usize> From<&[usize; N]> for Targets<E> {
    fn from(classes: &[usize; N]) -> Self {
        Self::classes(classes.as_slice())
    }
}

impl<E: Element, T: Into<Targets<E>>> From<(T, &Tensor<E>)> for Targets<E> {
    fn from((targets, weights): (T, &Tensor<E>)) -> Self {
        targets.into().with_sample_weights(weights)
    }
}
