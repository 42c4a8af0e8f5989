//! Comparisons of values, as masks: 1 where they hold, 0 where they do not.

use crate::{Element, Tensor, broadcast_shape};

/// What a tensor is compared or combined with: another tensor, which is broadcast, or a number.
pub trait Operand<E: Element> {
    /// The tensor itself, or the number as a tensor of shape `[]`.
    fn into_tensor(self) -> Tensor<E>;
}

impl<E: Element> Operand<E> for E {
    fn into_tensor(self) -> Tensor<E> {
        Tensor::scalar(self)
    }
}

impl<E: Element> Operand<E> for Tensor<E> {
    fn into_tensor(self) -> Tensor<E> {
        self
    }
}

impl<E: Element> Operand<E> for &Tensor<E> {
    fn into_tensor(self) -> Tensor<E> {
        self.clone()
    }
}

/// A mask is a tensor of ones and zeros: masks multiply as "and", [`Tensor::maximum`] is "or", `1.0 - mask` is "not",
/// [`Tensor::count_nonzero`] counts, and [`Tensor::where_`] chooses by them. A comparison with NaN does not hold, except `ne`.
impl<E: Element> Tensor<E> {
    /// 1 where a value is greater than that of `other`, a tensor or a number.
    ///
    /// ```
    /// use mlp_tensor::tensor;
    ///
    /// let x = tensor![-2.0, 0.5, 3.0];
    /// assert_eq!(x.gt(0.0), tensor![0.0, 1.0, 1.0]);
    /// assert_eq!(x.gt(0.0) * x.lt(1.0), tensor![0.0, 1.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn gt(&self, other: impl Operand<E>) -> Self {
        self.compare("gt", other, |a, b| a > b)
    }

    /// 1 where a value is greater than that of `other` or equal to it.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn ge(&self, other: impl Operand<E>) -> Self {
        self.compare("ge", other, |a, b| a >= b)
    }

    /// 1 where a value is less than that of `other`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn lt(&self, other: impl Operand<E>) -> Self {
        self.compare("lt", other, |a, b| a < b)
    }

    /// 1 where a value is less than that of `other` or equal to it.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn le(&self, other: impl Operand<E>) -> Self {
        self.compare("le", other, |a, b| a <= b)
    }

    /// 1 where a value is equal to that of `other`. Whether two tensors are equal as a whole, in shape and values, is what
    /// the operator `==` says.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn eq(&self, other: impl Operand<E>) -> Self {
        self.compare("eq", other, |a, b| a == b)
    }

    /// 1 where a value is not equal to that of `other`, which NaN never is.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn ne(&self, other: impl Operand<E>) -> Self {
        self.compare("ne", other, |a, b| a != b)
    }

    /// 1 where a value is NaN.
    pub fn is_nan(&self) -> Self {
        self.map(|v| if v.is_nan() { E::one() } else { E::zero() })
    }

    /// How many values are not 0; NaN is not. Of a mask, how many hold.
    ///
    /// ```
    /// use mlp_tensor::tensor;
    /// assert_eq!(tensor![-2.0, 0.5, 3.0].gt(0.0).count_nonzero(), 2);
    /// ```
    pub fn count_nonzero(&self) -> usize {
        self.as_slice().iter().filter(|&&v| v != E::zero()).count()
    }

    /// Whether |a - b| ≤ `atol` + `rtol` · |b| for every pair of values of this tensor and `other`, with broadcasting: as in
    /// NumPy, where `rtol` is 1e-5 and `atol` 1e-8 unless said otherwise. NaN is close to nothing, infinity to itself.
    ///
    /// ```
    /// use mlp_tensor::tensor;
    /// assert!(tensor![1.0, 1e-9].allclose(&tensor![1.000001, 0.0], 1e-5, 1e-8));
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn allclose(&self, other: &Self, rtol: f64, atol: f64) -> bool {
        let close = |a: E, b: E| {
            let (a, b) = (a.as_f64(), b.as_f64());
            a == b || (b.is_finite() && (a - b).abs() <= atol + rtol * b.abs())
        };
        if self.shape() == other.shape() {
            return self.as_slice().iter().zip(other.as_slice()).all(|(&a, &b)| close(a, b));
        }
        assert!(
            broadcast_shape(self.shape(), other.shape()).is_some(),
            "allclose: shapes {:?} and {:?} do not broadcast",
            self.shape(),
            other.shape()
        );
        self.compare("allclose", other, close).as_slice().iter().all(|&v| v == E::one())
    }

    #[track_caller]
    fn compare(&self, op: &str, other: impl Operand<E>, holds: impl Fn(E, E) -> bool) -> Self {
        let mask = |a, b| if holds(a, b) { E::one() } else { E::zero() };
        self.zip_map(&other.into_tensor(), op, mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<E: Element>() {
        let t = |values: &[f64]| -> Tensor<E> { values.iter().map(|&v| E::from_f64(v)).collect() };
        let (a, b) = (t(&[1.0, 2.0, 3.0, f64::NAN, f64::NAN]), t(&[2.0, 2.0, 2.0, 0.0, f64::NAN]));
        assert_eq!(a.gt(&b), t(&[0.0, 0.0, 1.0, 0.0, 0.0]));
        assert_eq!(a.ge(b.clone()), t(&[0.0, 1.0, 1.0, 0.0, 0.0]));
        assert_eq!(a.lt(&b), t(&[1.0, 0.0, 0.0, 0.0, 0.0]));
        assert_eq!(a.le(&b), t(&[1.0, 1.0, 0.0, 0.0, 0.0]));
        assert_eq!(a.eq(&b), t(&[0.0, 1.0, 0.0, 0.0, 0.0]));
        assert_eq!(a.ne(&b), t(&[1.0, 0.0, 1.0, 1.0, 1.0]));
        assert_eq!(a.is_nan(), t(&[0.0, 0.0, 0.0, 1.0, 1.0]));
        assert_eq!(a.ge(E::from_f64(2.0)), t(&[0.0, 1.0, 1.0, 0.0, 0.0]));
        assert_eq!(a.ge(Tensor::full([2, 1], E::one())).shape(), [2, 5]);
        assert_eq!(Tensor::scalar(E::one()).eq(E::one()), Tensor::scalar(E::one()));
        assert_eq!(Tensor::<E>::zeros([0, 2]).lt(t(&[1.0, 2.0])).shape(), [0, 2]);
        assert_eq!((a.count_nonzero(), b.count_nonzero(), t(&[0.0, -0.0]).count_nonzero()), (5, 4, 0));
        // Equality as a whole is still what `==` says, also through references.
        let (x, y) = (&t(&[1.0]), &t(&[1.0]));
        assert!(x == y && *x == *y && Some(x) == Some(y) && [x.clone()].contains(y));
    }

    #[test]
    fn comparisons_make_masks() {
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn closeness_is_relative_to_the_right_side() {
        let (a, b) = (Tensor::from([100.0_f64]), Tensor::from([110.0_f64]));
        assert!(a.allclose(&b, 0.0999, 0.0) == (10.0 <= 10.989) && !b.allclose(&a, 0.0999, 0.0));
        assert!(!Tensor::from([f32::NAN]).allclose(&Tensor::from([f32::NAN]), 1.0, 1.0));
        let infinite = Tensor::from([f32::INFINITY, f32::NEG_INFINITY]);
        assert!(infinite.allclose(&infinite, 0.0, 0.0) && !infinite.allclose(&-&infinite, 1.0, 1.0));
        assert!(!Tensor::from([1.0_f32]).allclose(&infinite, 1e-5, 1e-8));
        assert!(Tensor::from([[1.0_f32, 1.0]]).allclose(&Tensor::scalar(1.0), 0.0, 0.0));
        assert!(Tensor::<f32>::zeros([0]).allclose(&Tensor::zeros([0]), 0.0, 0.0));
    }
}
