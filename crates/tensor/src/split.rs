//! A tensor cut into parts, and parts repeated.

use ndarray::IxDyn;

use crate::memory::room;
use crate::tensor::expect_count;
use crate::{Element, Tensor};

/// Where [`Tensor::split`] cuts: into how many parts of the same length (a `usize`), or at which indices (an array or a
/// slice of `usize`).
pub trait Cuts {
    /// The indices along an axis of this length, or None if it does not divide.
    #[doc(hidden)]
    fn cuts(&self, length: usize) -> Option<Vec<usize>>;
}

impl Cuts for usize {
    fn cuts(&self, length: usize) -> Option<Vec<usize>> {
        let part = length.checked_div(*self).filter(|part| part * self == length)?;
        Some((1..*self).map(|index| index * part).collect())
    }
}

impl Cuts for &[usize] {
    fn cuts(&self, length: usize) -> Option<Vec<usize>> {
        let ends_within = self.last().is_none_or(|&last| last <= length);
        (self.is_sorted() && ends_within).then(|| self.to_vec())
    }
}

impl<const N: usize> Cuts for [usize; N] {
    fn cuts(&self, length: usize) -> Option<Vec<usize>> {
        self.as_slice().cuts(length)
    }
}

impl<E: Element> Tensor<E> {
    /// The parts of the tensor along `axis`, as NumPy's `split`: `t.split(3, 0)` are three parts of the same length,
    /// `t.split([2, 5], 0)` the parts before 2, from 2 to before 5, and from 5 on. [`Tensor::concatenate`] joins them again.
    ///
    /// ```
    /// use mlp_tensor::tensor;
    ///
    /// let t = tensor![1.0, 2.0, 3.0, 4.0];
    /// assert_eq!(t.split(2, 0), [tensor![1.0, 2.0], tensor![3.0, 4.0]]);
    /// assert_eq!(t.split([1], 0), [tensor![1.0], tensor![2.0, 3.0, 4.0]]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, it does not divide into so many parts, or the indices do not ascend within it.
    #[track_caller]
    pub fn split(&self, parts: impl Cuts, axis: usize) -> Vec<Self> {
        self.check_axis("split", axis);
        let length = self.shape()[axis];
        let Some(cuts) = parts.cuts(length) else {
            panic!(
                "split: axis {axis} of shape {:?} is cut into parts of one length or at ascending indices within it",
                self.shape()
            )
        };
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([length]);
        starts.zip(ends).map(|(start, end)| self.slice(axis, start..end)).collect()
    }

    /// Every index along `axis` `n` times, one after the other, as NumPy's `repeat` and PyTorch's `repeat_interleave`:
    /// 1, 2 becomes 1, 1, 2, 2. To repeat the whole tensor use [`Tensor::tile`].
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn repeat(&self, n: usize, axis: usize) -> Self {
        self.check_axis("repeat", axis);
        let [_, _, inner] = self.around(axis);
        self.repeat_blocks("repeat", n, axis, inner)
    }

    /// The whole tensor `n` times one after the other along `axis`: 1, 2 becomes 1, 2, 1, 2.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn tile(&self, n: usize, axis: usize) -> Self {
        self.check_axis("tile", axis);
        let [_, length, inner] = self.around(axis);
        self.repeat_blocks("tile", n, axis, length * inner)
    }

    /// Every block of `size` values `n` times, which makes `axis` that much longer.
    #[track_caller]
    fn repeat_blocks(&self, op: &str, n: usize, axis: usize, size: usize) -> Self {
        let mut shape = self.shape().to_vec();
        shape[axis] = shape[axis].saturating_mul(n);
        let mut data = room(expect_count(op, &shape));
        for block in self.as_slice().chunks_exact(size.max(1)) {
            (0..n).for_each(|_| data.extend_from_slice(block));
        }
        Self::from_parts(data, IxDyn(&shape))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_joined_again_are_the_tensor() {
        let t = Tensor::<f32>::arange(0.0, 12.0, 1.0).reshape([2, 6]);
        let parts = t.split(3, 1);
        assert_eq!(parts[1], Tensor::from([[2.0, 3.0], [8.0, 9.0]]));
        assert_eq!(Tensor::concatenate(&parts.iter().collect::<Vec<_>>(), 1), t);
        let widths = |parts: Vec<Tensor>| parts.iter().map(|part| part.shape()[1]).collect::<Vec<_>>();
        assert_eq!(widths(t.split([1, 1, 4], 1)), [1, 0, 3, 2]);
        assert_eq!(widths(t.split([0, 6].as_slice(), 1)), [0, 6, 0]);
        assert_eq!(widths(t.split([0_usize; 0], 1)), [6]);
        assert_eq!(widths(t.split(1, 1)), [6]);
        assert_eq!(widths(Tensor::zeros([2, 0]).split(2, 1)), [0, 0]);
    }

    #[test]
    fn repeating_and_tiling_differ() {
        let t = Tensor::from([[1.0_f64, 2.0], [3.0, 4.0]]);
        assert_eq!(t.repeat(2, 0), Tensor::from([[1.0, 2.0], [1.0, 2.0], [3.0, 4.0], [3.0, 4.0]]));
        assert_eq!(t.repeat(2, 1), Tensor::from([[1.0, 1.0, 2.0, 2.0], [3.0, 3.0, 4.0, 4.0]]));
        assert_eq!(t.tile(2, 0), Tensor::from([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [3.0, 4.0]]));
        assert_eq!(t.tile(2, 1), Tensor::from([[1.0, 2.0, 1.0, 2.0], [3.0, 4.0, 3.0, 4.0]]));
        assert_eq!((t.repeat(0, 1).shape(), t.tile(0, 0).shape()), (&[2, 0][..], &[0, 2][..]));
        assert_eq!(Tensor::<f32>::zeros([0, 3]).repeat(2, 0).shape(), [0, 3]);
        assert_eq!(Tensor::<f32>::zeros([3, 0]).tile(2, 0).shape(), [6, 0]);
    }
}
