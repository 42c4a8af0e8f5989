//! What a model is to predict.

use mlp_tensor::{Element, Tensor};

/// The targets of some rows: a tensor with one row each, or class numbers. Everywhere that targets are taken, `&y`
/// does for a `Tensor`, a `Vec<usize>` or an array.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a, E: Element = f32> {
    /// `[n, k]`: numbers to predict, or the probability of every class (one-hot, as a rule). `[n]` does for one
    /// number a row.
    Values(&'a Tensor<E>),
    /// The number of every row's class, counted from 0.
    Classes(&'a [usize]),
}

impl<'a, E: Element> From<&'a Tensor<E>> for Targets<'a, E> {
    fn from(values: &'a Tensor<E>) -> Self {
        Self::Values(values)
    }
}

impl<'a, E: Element> From<&'a [usize]> for Targets<'a, E> {
    fn from(classes: &'a [usize]) -> Self {
        Self::Classes(classes)
    }
}

impl<'a, E: Element> From<&'a Vec<usize>> for Targets<'a, E> {
    fn from(classes: &'a Vec<usize>) -> Self {
        Self::Classes(classes)
    }
}

impl<'a, E: Element, const N: usize> From<&'a [usize; N]> for Targets<'a, E> {
    fn from(classes: &'a [usize; N]) -> Self {
        Self::Classes(classes)
    }
}
