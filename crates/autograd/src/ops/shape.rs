//! The same values in another shape.

use mlp_tensor::Element;

use crate::{Op, Site, Var};

/// Another shape for the same values in the same order.
#[derive(Debug)]
struct Reshape;

impl<E: Element> Op<E> for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn backward<'t>(&self, site: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad.reshape(site.input(0).shape()))]
    }
}

/// Values repeated along axes: the engine sums the gradient back over them.
#[derive(Debug)]
struct BroadcastTo;

impl<E: Element> Op<E> for BroadcastTo {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }
    fn backward<'t>(&self, _: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad)]
    }
}

/// The transpose of a matrix.
#[derive(Debug)]
struct Transpose;

impl<E: Element> Op<E> for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }
    fn backward<'t>(&self, _: &Site<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad.t())]
    }
}

impl<E: Element> Var<'_, E> {
    /// The same values in another shape.
    ///
    /// # Panics
    /// If the new shape does not hold the same number of values.
    #[track_caller]
    pub fn reshape(self, shape: impl AsRef<[usize]>) -> Self {
        self.tape().push(self.value().reshape(shape), Reshape, &[self])
    }

    /// The values repeated along new axes and axes of length 1 until the shape is `shape`.
    ///
    /// # Panics
    /// If the value does not broadcast to `shape`.
    #[track_caller]
    pub fn broadcast_to(self, shape: impl AsRef<[usize]>) -> Self {
        self.tape().push(self.value().broadcast_to(shape), BroadcastTo, &[self])
    }

    /// The transpose of a matrix.
    ///
    /// # Panics
    /// If the value is not of rank 2.
    #[track_caller]
    pub fn t(self) -> Self {
        self.tape().push(self.value().t(), Transpose, &[self])
    }
}
