//! Addition, subtraction, multiplication and division, with broadcasting by NumPy's rules.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use ndarray::{Dimension, IxDyn};

use crate::broadcast::Walk;
use crate::memory::blank;
use crate::shape::broadcast_shape;
use crate::simd::vectorize;
use crate::{Element, Tensor};

impl<E: Element> Tensor<E> {
    /// `f(a, b)` for every pair of values, with both shapes broadcast against each other.
    ///
    /// # Panics
    /// If the shapes do not broadcast; the message names `op`.
    #[track_caller]
    pub fn zip_map(&self, other: &Self, op: &str, f: impl Fn(E, E) -> E) -> Self {
        if self.shape() == other.shape() {
            let pairs = self.as_slice().iter().zip(other.as_slice());
            let mut data = blank(self.len());
            let to = &mut data[..];
            vectorize(
                #[inline(always)]
                || {
                    for (to, (&a, &b)) in to.iter_mut().zip(pairs) {
                        *to = f(a, b);
                    }
                },
            );
            return Self::from_parts(data, self.dim().clone());
        }
        let Some(shape) = broadcast_shape(self.shape(), other.shape()) else {
            panic!("{op}: shapes {:?} and {:?} do not broadcast", self.shape(), other.shape());
        };
        let walk = Walk::new(&shape, [self.shape(), other.shape()]);
        let shape = IxDyn(&shape);
        let (a, b, n) = (self.as_slice(), other.as_slice(), walk.lane.max(1));
        let mut data = blank(shape.size());
        let mut lanes = data.chunks_exact_mut(n);
        vectorize(
            #[inline(always)]
            || {
                walk.for_each_lane(
                    #[inline(always)]
                    |[i, j]| {
                        let Some(to) = lanes.next() else { return };
                        match walk.steps {
                            [1, 1] => {
                                let pairs = a[i..i + n].iter().zip(&b[j..j + n]);
                                to.iter_mut().zip(pairs).for_each(|(to, (&a, &b))| *to = f(a, b));
                            }
                            [1, _] => {
                                let b = b[j];
                                to.iter_mut().zip(&a[i..i + n]).for_each(|(to, &a)| *to = f(a, b));
                            }
                            [_, 1] => {
                                let a = a[i];
                                to.iter_mut().zip(&b[j..j + n]).for_each(|(to, &b)| *to = f(a, b));
                            }
                            // Where neither moves there is one value.
                            _ => to[0] = f(a[i], b[j]),
                        }
                    },
                );
            },
        );
        Self::from_parts(data, shape)
    }

    /// Adds `other`, which must broadcast to this tensor's shape, in place.
    ///
    /// # Panics
    /// If `other` does not broadcast to this tensor's shape.
    #[track_caller]
    pub fn add_in_place(&mut self, other: &Self) {
        if self.shape() == other.shape() {
            let (to, from) = (self.as_mut_slice(), other.as_slice());
            vectorize(
                #[inline(always)]
                || to.iter_mut().zip(from).for_each(|(a, &b)| *a += b),
            );
            return;
        }
        assert!(
            broadcast_shape(self.shape(), other.shape()).is_some_and(|common| common == self.shape()),
            "add_in_place: shape {:?} does not broadcast to {:?}",
            other.shape(),
            self.shape()
        );
        let walk = Walk::new(self.shape(), [self.shape(), other.shape()]);
        let (to, from, n) = (self.as_mut_slice(), other.as_slice(), walk.lane);
        vectorize(
            #[inline(always)]
            || {
                walk.for_each_lane(
                    #[inline(always)]
                    |[i, j]| {
                        let to = to[i..i + n].iter_mut();
                        if walk.steps[1] == 1 {
                            to.zip(&from[j..j + n]).for_each(|(a, &b)| *a += b);
                        } else {
                            to.for_each(|a| *a += from[j]);
                        }
                    },
                );
            },
        );
    }
}

/// An operator between tensors and tensors or single numbers, owned or borrowed.
macro_rules! operator {
    ($trait:ident, $method:ident, $name:literal, $op:tt) => {
        impl<E: Element> $trait<&Tensor<E>> for &Tensor<E> {
            type Output = Tensor<E>;
            #[track_caller]
            fn $method(self, other: &Tensor<E>) -> Tensor<E> {
                self.zip_map(other, $name, |a, b| a $op b)
            }
        }

        impl<E: Element> $trait<Tensor<E>> for Tensor<E> {
            type Output = Tensor<E>;
            #[track_caller]
            fn $method(self, other: Tensor<E>) -> Tensor<E> {
                (&self).$method(&other)
            }
        }

        impl<E: Element> $trait<&Tensor<E>> for Tensor<E> {
            type Output = Tensor<E>;
            #[track_caller]
            fn $method(self, other: &Tensor<E>) -> Tensor<E> {
                (&self).$method(other)
            }
        }

        impl<E: Element> $trait<Tensor<E>> for &Tensor<E> {
            type Output = Tensor<E>;
            #[track_caller]
            fn $method(self, other: Tensor<E>) -> Tensor<E> {
                self.$method(&other)
            }
        }

        impl<E: Element> $trait<E> for &Tensor<E> {
            type Output = Tensor<E>;
            fn $method(self, other: E) -> Tensor<E> {
                self.map(|a| a $op other)
            }
        }

        impl<E: Element> $trait<E> for Tensor<E> {
            type Output = Tensor<E>;
            fn $method(self, other: E) -> Tensor<E> {
                (&self).$method(other)
            }
        }
    };
}

operator!(Add, add, "add", +);
operator!(Sub, sub, "sub", -);
operator!(Mul, mul, "mul", *);
operator!(Div, div, "div", /);

impl<E: Element> Neg for &Tensor<E> {
    type Output = Tensor<E>;
    fn neg(self) -> Tensor<E> {
        self.map(|a| -a)
    }
}

impl<E: Element> Neg for Tensor<E> {
    type Output = Tensor<E>;
    fn neg(self) -> Tensor<E> {
        -&self
    }
}

impl<E: Element> AddAssign<&Tensor<E>> for Tensor<E> {
    #[track_caller]
    fn add_assign(&mut self, other: &Tensor<E>) {
        self.add_in_place(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_work_on_tensors_and_numbers() {
        let a = Tensor::from([1.0_f32, 2.0]);
        let b = Tensor::from([[10.0_f32], [20.0]]);
        assert_eq!(&a + &b, Tensor::from([[11.0, 12.0], [21.0, 22.0]]));
        assert_eq!(&a * 3.0, Tensor::from([3.0, 6.0]));
        assert_eq!(-a.clone() - 1.0, Tensor::from([-2.0, -3.0]));
        let mut sum = Tensor::from([[1.0_f32, 1.0], [2.0, 2.0]]);
        sum += &a;
        assert_eq!(sum, Tensor::from([[2.0, 3.0], [3.0, 4.0]]));
    }

    #[test]
    #[should_panic(expected = "mul: shapes [2, 3] and [2] do not broadcast")]
    fn shapes_that_do_not_fit_are_both_named() {
        let _ = Tensor::<f32>::zeros([2, 3]) * Tensor::<f32>::zeros([2]);
    }

    #[test]
    #[should_panic(expected = "add_in_place: shape [2, 3] does not broadcast to [3]")]
    fn adding_in_place_does_not_widen() {
        Tensor::<f32>::zeros([3]).add_in_place(&Tensor::zeros([2, 3]));
    }
}
