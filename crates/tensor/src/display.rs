//! How a tensor is printed.

use std::fmt;

use crate::{Element, Tensor};

impl<E: Element> fmt::Display for Tensor<E> {
    /// The numbers in nested brackets, long axes shortened; a precision (`{:.3}`) applies to each number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.view(), f)
    }
}

impl<E: Element> fmt::Debug for Tensor<E> {
    /// The type, the shape and the numbers, long axes shortened.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor<{}>{:?} {}", E::NAME, self.shape(), self.view())
    }
}
