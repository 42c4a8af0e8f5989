//! One of two values, by a mask.

use crate::{Element, Tensor, broadcast_shape};

impl<E: Element> Tensor<E> {
    /// This tensor's value where `mask` is not 0, and `other`'s where it is, with all three broadcast against each
    /// other: PyTorch's `torch.where`. A mask is made by [`Tensor::map`] or [`Tensor::zip_map`].
    ///
    /// ```
    /// use mlp_tensor::Tensor;
    ///
    /// let x = Tensor::from([-4.0_f32, 9.0]);
    /// let positive = x.map(|v| if v > 0.0 { 1.0 } else { 0.0 });
    /// assert_eq!(x.sqrt().select(&positive, &Tensor::scalar(0.0)), Tensor::from([0.0, 3.0]));
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn select(&self, mask: &Self, other: &Self) -> Self {
        let common = broadcast_shape(self.shape(), other.shape());
        let Some(shape) = common.and_then(|common| broadcast_shape(&common, mask.shape())) else {
            panic!(
                "select: shapes {:?} and {:?} and mask {:?} do not broadcast",
                self.shape(),
                other.shape(),
                mask.shape()
            );
        };
        let wide = |t: &Self| if t.shape() == shape { t.clone() } else { t.broadcast_to(&shape) };
        let (mask, mut out) = (wide(mask), wide(self));
        let other = wide(other);
        let triples = out.as_mut_slice().iter_mut().zip(mask.as_slice()).zip(other.as_slice());
        crate::simd::vectorize(
            #[inline(always)]
            || triples.for_each(|((out, &mask), &other)| *out = if mask == E::zero() { other } else { *out }),
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_that_is_not_chosen_takes_no_part() {
        let (a, b) = (Tensor::from([[f32::NAN, 2.0], [3.0, 4.0]]), Tensor::from([10.0, f32::INFINITY]));
        let mask = Tensor::from([[0.0], [-1.0]]);
        assert_eq!(a.select(&mask, &b), Tensor::from([[10.0, f32::INFINITY], [3.0, 4.0]]));
    }
}
