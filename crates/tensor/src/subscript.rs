//! Single values by their index: `t[[i, j]]`.

use std::ops::{Index, IndexMut};

use crate::{Element, Tensor};

impl<E: Element> Tensor<E> {
    /// Where the value at `index` stands in memory.
    #[track_caller]
    #[inline]
    fn place(&self, index: &[usize]) -> usize {
        let within = index.len() == self.ndim() && index.iter().zip(self.shape()).all(|(i, length)| i < length);
        assert!(within, "index: no index {index:?} in a tensor of shape {:?}", self.shape());
        index.iter().zip(self.shape()).fold(0, |place, (&i, &length)| place * length + i)
    }
}

/// The value at an index, which has one number for each axis.
///
/// ```
/// use mlp_tensor::tensor;
///
/// let mut t = tensor![[1.0, 2.0], [3.0, 4.0]];
/// t[[0, 1]] += 10.0;
/// assert_eq!(t[[0, 1]], 12.0);
/// ```
impl<E: Element> Index<&[usize]> for Tensor<E> {
    type Output = E;

    /// # Panics
    /// If the index lies outside of the shape.
    #[track_caller]
    #[inline]
    fn index(&self, index: &[usize]) -> &E {
        &self.as_slice()[self.place(index)]
    }
}

impl<E: Element> IndexMut<&[usize]> for Tensor<E> {
    /// Copies the values first if they are shared with another tensor.
    ///
    /// # Panics
    /// If the index lies outside of the shape.
    #[track_caller]
    #[inline]
    fn index_mut(&mut self, index: &[usize]) -> &mut E {
        let place = self.place(index);
        &mut self.as_mut_slice()[place]
    }
}

impl<E: Element, const N: usize> Index<[usize; N]> for Tensor<E> {
    type Output = E;

    #[track_caller]
    #[inline]
    fn index(&self, index: [usize; N]) -> &E {
        &self[index.as_slice()]
    }
}

impl<E: Element, const N: usize> IndexMut<[usize; N]> for Tensor<E> {
    #[track_caller]
    #[inline]
    fn index_mut(&mut self, index: [usize; N]) -> &mut E {
        &mut self[index.as_slice()]
    }
}

/// The value at an index of a tensor of rank 1.
impl<E: Element> Index<usize> for Tensor<E> {
    type Output = E;

    #[track_caller]
    #[inline]
    fn index(&self, index: usize) -> &E {
        &self[[index]]
    }
}

impl<E: Element> IndexMut<usize> for Tensor<E> {
    #[track_caller]
    #[inline]
    fn index_mut(&mut self, index: usize) -> &mut E {
        &mut self[[index]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_and_written_at_their_index() {
        let mut t = Tensor::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let before = t.clone();
        assert_eq!((t[[0, 2]], t[[1, 0]], t[&[1, 1][..]]), (3.0, 4.0, 5.0));
        t[[1, 2]] = 9.0;
        t[vec![0, 0].as_slice()] -= 1.0;
        assert_eq!(t, Tensor::from([[0.0, 2.0, 3.0], [4.0, 5.0, 9.0]]));
        assert_eq!(before[[1, 2]], 6.0);
        let mut v = Tensor::from([1.0_f64, 2.0]);
        v[1] *= 4.0;
        assert_eq!((v[0], v[1], Tensor::scalar(7.0_f64)[[]]), (1.0, 8.0, 7.0));
    }
}
