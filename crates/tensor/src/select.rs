//! One of two values, by a mask.

use crate::broadcast::Walk;
use crate::simd::vectorize;
use crate::tensor::expect_count;
use crate::{Element, Operand, Tensor, broadcast_shape};

impl<E: Element> Tensor<E> {
    /// The values at which `mask` is not 0, in row-major order: a vector, as PyTorch's `masked_select` and NumPy's
    /// `a[mask]`. A mask is made by a comparison, such as [`Tensor::gt`].
    ///
    /// ```
    /// use mlp_tensor::tensor;
    ///
    /// let x = tensor![[-4.0, 9.0], [0.0, 16.0]];
    /// assert_eq!(x.masked_select(&x.gt(0.0)), tensor![9.0, 16.0]);
    /// ```
    ///
    /// # Panics
    /// If the mask has another shape.
    #[track_caller]
    pub fn masked_select(&self, mask: &Self) -> Self {
        assert!(
            mask.shape() == self.shape(),
            "masked_select: a mask of shape {:?} for a tensor of shape {:?}",
            mask.shape(),
            self.shape()
        );
        self.iter().zip(mask).filter(|(_, m)| **m != E::zero()).map(|(v, _)| *v).collect()
    }

    /// `a` where `mask` is not 0, and `b` where it is, with all three broadcast against each other: PyTorch's and
    /// NumPy's `where(mask, a, b)`. `a` and `b` are tensors or numbers. A mask is made by a comparison, such as
    /// [`Tensor::gt`]; NaN is not 0. The value that is not chosen takes no part, whatever it is.
    ///
    /// ```
    /// use mlp_tensor::{Tensor, tensor};
    ///
    /// let x = tensor![-4.0, 9.0];
    /// assert_eq!(Tensor::where_(&x.gt(0.0), x.sqrt(), 0.0), tensor![0.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast, or to one that is too large.
    #[track_caller]
    pub fn where_(mask: &Self, a: impl Operand<E>, b: impl Operand<E>) -> Self {
        let (a, other) = (a.into_tensor(), b.into_tensor());
        let common = broadcast_shape(a.shape(), other.shape());
        let Some(shape) = common.and_then(|common| broadcast_shape(&common, mask.shape())) else {
            panic!(
                "where_: mask {:?} and shapes {:?} and {:?} do not broadcast",
                mask.shape(),
                a.shape(),
                other.shape()
            );
        };
        expect_count("where_", &shape);
        let mut out = if a.shape() == shape { a } else { a.broadcast_to(&shape) };
        let walk = Walk::new(&shape, [mask.shape(), other.shape()]);
        let (mask, other, lane) = (mask.as_slice(), other.as_slice(), walk.lane);
        let [mask_step, other_step] = walk.steps;
        let mut lanes = out.as_mut_slice().chunks_exact_mut(lane.max(1));
        vectorize(
            #[inline(always)]
            || {
                walk.for_each_lane(
                    #[inline(always)]
                    |[i, j]| {
                        let Some(out) = lanes.next() else { return };
                        match (mask_step, other_step) {
                            (1, 1) => {
                                let pairs = mask[i..i + lane].iter().zip(&other[j..j + lane]);
                                out.iter_mut().zip(pairs).for_each(|(out, (&m, &other))| {
                                    *out = if m == E::zero() { other } else { *out };
                                });
                            }
                            (1, _) => {
                                let other = other[j];
                                out.iter_mut().zip(&mask[i..i + lane]).for_each(|(out, &m)| {
                                    *out = if m == E::zero() { other } else { *out };
                                });
                            }
                            _ if mask[i] != E::zero() => {}
                            (_, 1) => out.copy_from_slice(&other[j..j + lane]),
                            _ => out.fill(other[j]),
                        }
                    },
                );
            },
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
        assert_eq!(Tensor::where_(&mask, &a, &b), Tensor::from([[10.0, f32::INFINITY], [3.0, 4.0]]));
    }

    #[test]
    fn masks_and_values_of_every_shape() {
        let a = Tensor::from([[1.0_f64, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let shapes: [&[usize]; 6] = [&[], &[3], &[1, 3], &[2, 1], &[2, 3], &[2, 2, 3]];
        for mask_shape in shapes {
            for other_shape in shapes {
                let count = |shape: &[usize]| shape.iter().product::<usize>();
                let mask = Tensor::from_vec((0..count(mask_shape)).map(|i| (i % 2) as f64).collect(), mask_shape);
                let other = Tensor::from_vec((0..count(other_shape)).map(|i| -(i as f64)).collect(), other_shape);
                // The same in arithmetic.
                let expected = &a * &mask + &other * &(-&mask + 1.0);
                assert_eq!(Tensor::where_(&mask, &a, &other), expected, "{mask_shape:?} {other_shape:?}");
            }
        }
        let nothing = Tensor::<f64>::zeros([0, 3]);
        assert_eq!(Tensor::where_(&a.slice(0, 0..1), &nothing, &nothing), nothing);
        assert_eq!(Tensor::where_(&Tensor::from([1.0_f32, 0.0]), 5.0, 6.0), Tensor::from([5.0, 6.0]));
        assert_eq!(Tensor::where_(&Tensor::from([f64::NAN]), Tensor::scalar(1.0), 2.0), Tensor::from([1.0]));
    }
}
