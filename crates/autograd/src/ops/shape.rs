//! Shapes: reshaping, transposing, cutting and joining.

use std::ops::{Bound, Range, RangeBounds};

use mlp_tensor::{Cuts, Element, Length, Tensor};

use crate::{Op, OpContext, Var};

/// Another shape for the same values in the same order.
#[derive(Debug)]
struct Reshape;

impl<E: Element> Op<E> for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad.reshape(ctx.input(0).shape()))]
    }
}

/// Values repeated along axes: the walk sums the gradient back over them.
#[derive(Debug)]
struct BroadcastTo;

impl<E: Element> Op<E> for BroadcastTo {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }
    fn backward<'t>(&self, _: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
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
    fn backward<'t>(&self, _: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad.t())]
    }
}

/// The axes in another order: the gradient's go back.
#[derive(Debug)]
struct Permute {
    order: Vec<usize>,
}

impl<E: Element> Op<E> for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }
    fn backward<'t>(&self, _: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let mut back = vec![0; self.order.len()];
        self.order.iter().enumerate().for_each(|(to, &from)| back[from] = to);
        vec![Some(grad.permute(&back))]
    }
}

/// Some indices of an axis: the gradient of the others is 0.
#[derive(Debug)]
struct Cut {
    axis: usize,
    range: Range<usize>,
}

impl<E: Element> Op<E> for Cut {
    fn name(&self) -> &'static str {
        "slice"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let length = ctx.input(0).shape()[self.axis];
        vec![Some(grad.pad(self.axis, self.range.start, length - self.range.end))]
    }
}

/// Zeros around the values along an axis: they are constants.
#[derive(Debug)]
struct Pad {
    axis: usize,
    before: usize,
}

impl<E: Element> Op<E> for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let length = ctx.input(0).shape()[self.axis];
        vec![Some(grad.slice(self.axis, self.before..self.before + length))]
    }
}

/// Several values one after the other: the gradient is cut as they were joined.
#[derive(Debug)]
struct Concatenate {
    axis: usize,
    count: usize,
}

impl<E: Element> Op<E> for Concatenate {
    fn name(&self) -> &'static str {
        "concatenate"
    }
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        let mut end = 0;
        let mut part = |index: usize| {
            let start = end;
            end += ctx.input(index).shape()[self.axis];
            ctx.needs_input_grad(index).then(|| grad.slice(self.axis, start..end))
        };
        (0..self.count).map(&mut part).collect()
    }
}

impl<E: Element> Var<'_, E> {
    /// The same values in another shape. One length may be -1: that which is left.
    ///
    /// # Panics
    /// If the new shape does not hold the same number of values, or more than one length is below 0.
    #[track_caller]
    pub fn reshape<L: Length>(self, shape: impl AsRef<[L]>) -> Self {
        self.tape().push(self.value().reshape(shape), Reshape, &[self])
    }

    /// All values along one axis, in row-major order.
    pub fn flatten(self) -> Self {
        self.tape().push(self.value().flatten(), Reshape, &[self])
    }

    /// The same values without `axis`, which has length 1.
    ///
    /// # Panics
    /// If there is no such axis or its length is not 1.
    #[track_caller]
    pub fn squeeze(self, axis: usize) -> Self {
        self.tape().push(self.value().squeeze(axis), Reshape, &[self])
    }

    /// The same values with a new axis of length 1 at `axis`.
    ///
    /// # Panics
    /// If `axis` is beyond the end.
    #[track_caller]
    pub fn unsqueeze(self, axis: usize) -> Self {
        self.tape().push(self.value().unsqueeze(axis), Reshape, &[self])
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

    /// The axes in another order: axis `i` of the result is axis `order[i]` of this value.
    ///
    /// # Panics
    /// If `order` does not name every axis once.
    #[track_caller]
    pub fn permute(self, order: &[usize]) -> Self {
        self.tape().push(self.value().permute(order), Permute { order: order.to_vec() }, &[self])
    }

    /// The indices `range` of `axis`: `..`, `2..`, `..5`, `2..5` or `2..=4`.
    ///
    /// # Panics
    /// If there is no such axis or the range goes past its end.
    #[track_caller]
    pub fn slice(self, axis: usize, range: impl RangeBounds<usize>) -> Self {
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        self.cut(self.value().slice(axis, range), axis, start)
    }

    /// The parts along `axis`: so many of the same length, or those between the indices given, as in [`Tensor::split`].
    ///
    /// # Panics
    /// If there is no such axis, it does not divide into so many parts, or the indices do not ascend within it.
    #[track_caller]
    pub fn split(self, parts: impl Cuts, axis: usize) -> Vec<Self> {
        let mut end = 0;
        let parts = self.value().split(parts, axis).into_iter();
        let part = |part: Tensor<E>| {
            let start = end;
            end += part.shape()[axis];
            self.cut(part, axis, start)
        };
        parts.map(part).collect()
    }

    /// Puts a part of this value on the tape, the indices of `axis` from `start` on.
    fn cut(self, part: Tensor<E>, axis: usize, start: usize) -> Self {
        let range = start..start + part.shape()[axis];
        self.tape().push(part, Cut { axis, range }, &[self])
    }

    /// Zeros put before and after the values along `axis`, `before` and `after` many.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn pad(self, axis: usize, before: usize, after: usize) -> Self {
        self.tape().push(self.value().pad(axis, before, after), Pad { axis, before }, &[self])
    }

    /// The values one after the other along `axis`.
    ///
    /// # Panics
    /// If there are none, their shapes differ on another axis, or they belong to different tapes.
    #[track_caller]
    pub fn concatenate(parts: &[Self], axis: usize) -> Self {
        let values: Vec<_> = parts.iter().map(|part| part.value()).collect();
        let joined = Tensor::concatenate(&values.iter().collect::<Vec<_>>(), axis);
        parts[0].tape().push(joined, Concatenate { axis, count: parts.len() }, parts)
    }

    /// The values, which have one shape, side by side along a new axis at `axis`.
    ///
    /// # Panics
    /// If there are none, their shapes differ, `axis` is beyond the end, or they belong to different tapes.
    #[track_caller]
    pub fn stack(parts: &[Self], axis: usize) -> Self {
        let shapes: Vec<_> = parts.iter().map(|part| part.shape()).collect();
        let fits = shapes.first().is_some_and(|first| axis <= first.len() && shapes.iter().all(|s| s == first));
        assert!(fits, "stack: shapes {shapes:?} do not stack along a new axis {axis}");
        let mut widened = shapes[0].clone();
        widened.insert(axis, 1);
        let parts: Vec<_> = parts.iter().map(|part| part.reshape(&widened)).collect();
        Self::concatenate(&parts, axis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tape;

    #[test]
    fn shapes_are_those_of_tensors_and_gradients_find_back() {
        let tape = Tape::<f64>::new();
        let value = Tensor::arange(0.0, 6.0, 1.0).reshape([2, 3]);
        let x = tape.variable(value.clone());
        assert_eq!((x.ndim(), x.len(), x.rows(), x.is_empty()), (2, 6, 2, false));
        let cases = [
            (x.reshape([-1, 2]), value.reshape([-1, 2])),
            (x.flatten(), value.flatten()),
            (x.unsqueeze(1), value.unsqueeze(1)),
            (x.unsqueeze(2).squeeze(2), value.clone()),
            (x.slice(1, 1..), value.slice(1, 1..)),
            (x.slice(1, ..=1), value.slice(1, ..=1)),
            (x.slice(0, ..), value.clone()),
            (x.split(3, 1)[1], value.split(3, 1)[1].clone()),
            (x.split([1], 1)[1], value.split([1], 1)[1].clone()),
        ];
        for (y, expected) in cases {
            assert_eq!(y.value(), expected);
            // Each value gets its own as its gradient, and what was cut off 0.
            let gradient = (y * y.detach()).sum().backward().wrt(x);
            let kept = value.map(|v| if expected.as_slice().contains(&v) { v } else { 0.0 });
            assert_eq!(gradient, kept);
        }
        let quarter = tape.variable(Tensor::scalar(4.0)).recip();
        assert_eq!(quarter.item(), 0.25);
    }
}
