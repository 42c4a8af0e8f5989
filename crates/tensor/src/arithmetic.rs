//! Addition, subtraction, multiplication and division of tensors and numbers, with broadcasting by NumPy's rules.

use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use ndarray::Dimension;

use crate::broadcast::Walk;
use crate::memory::blank;
use crate::shape::{broadcasts_to, common_shape};
use crate::simd::vectorize;
use crate::tensor::expect_count;
use crate::{Element, Tensor};

impl<E: Element> Tensor<E> {
    /// `f(a, b)` for every pair of values, with both shapes broadcast against each other.
    ///
    /// # Panics
    /// If the shapes do not broadcast, or to one that is too large; the message names `op`.
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
        let Some(shape) = common_shape(self.shape(), other.shape()) else {
            panic!("{op}: shapes {:?} and {:?} do not broadcast", self.shape(), other.shape());
        };
        let walk = Walk::new(shape.slice(), [self.shape(), other.shape()]);
        let len = expect_count(op, shape.slice());
        let (a, b, n) = (self.as_slice(), other.as_slice(), walk.lane.max(1));
        let mut data = blank(len);
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

    /// Replaces every value `a` by `f(a, b)`, where `other`, which has the values `b`, is broadcast to this tensor's shape.
    #[track_caller]
    fn zip_in_place(&mut self, other: &Self, op: &str, f: impl Fn(E, E) -> E) {
        if self.shape() == other.shape() {
            let (to, from) = (self.as_mut_slice(), other.as_slice());
            vectorize(
                #[inline(always)]
                || to.iter_mut().zip(from).for_each(|(a, &b)| *a = f(*a, b)),
            );
            return;
        }
        assert!(
            broadcasts_to(other.shape(), self.shape()),
            "{op}: shape {:?} does not broadcast to {:?}",
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
                            to.zip(&from[j..j + n]).for_each(|(a, &b)| *a = f(*a, b));
                        } else {
                            let b = from[j];
                            to.for_each(|a| *a = f(*a, b));
                        }
                    },
                );
            },
        );
    }
}

/// An operator between tensors and tensors or single numbers, owned or borrowed, and its assigning form, in which the
/// right side is broadcast to the left.
macro_rules! operator {
    ($trait:ident, $method:ident, $name:literal, $op:tt, $assign:ident, $assign_method:ident, $assign_name:literal) => {
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

        operator!(f32, $trait, $method, $op);
        operator!(f64, $trait, $method, $op);

        impl<E: Element> $assign<&Tensor<E>> for Tensor<E> {
            #[track_caller]
            fn $assign_method(&mut self, other: &Tensor<E>) {
                self.zip_in_place(other, $assign_name, |a, b| a $op b);
            }
        }

        impl<E: Element> $assign<Tensor<E>> for Tensor<E> {
            #[track_caller]
            fn $assign_method(&mut self, other: Tensor<E>) {
                self.$assign_method(&other);
            }
        }

        impl<E: Element> $assign<E> for Tensor<E> {
            fn $assign_method(&mut self, other: E) {
                self.map_in_place(|a| a $op other);
            }
        }
    };
    // A number on the left: for each type by itself, as Rust has no such implementations for all types at once.
    ($type:ident, $trait:ident, $method:ident, $op:tt) => {
        impl $trait<&Tensor<$type>> for $type {
            type Output = Tensor<$type>;
            fn $method(self, other: &Tensor<$type>) -> Tensor<$type> {
                other.map(|b| self $op b)
            }
        }

        impl $trait<Tensor<$type>> for $type {
            type Output = Tensor<$type>;
            fn $method(self, other: Tensor<$type>) -> Tensor<$type> {
                self.$method(&other)
            }
        }
    };
}

operator!(Add, add, "add", +, AddAssign, add_assign, "add_assign");
operator!(Sub, sub, "sub", -, SubAssign, sub_assign, "sub_assign");
operator!(Mul, mul, "mul", *, MulAssign, mul_assign, "mul_assign");
operator!(Div, div, "div", /, DivAssign, div_assign, "div_assign");

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
    fn numbers_may_stand_on_the_left() {
        let a = Tensor::from([2.0_f32, 4.0]);
        assert_eq!((1.0 + &a, 1.0 - a.clone()), (Tensor::from([3.0, 5.0]), Tensor::from([-1.0, -3.0])));
        assert_eq!((2.0 * &a, 8.0 / a), (Tensor::from([4.0, 8.0]), Tensor::from([4.0, 2.0])));
        let b = Tensor::from([2.0_f64, 4.0]);
        assert_eq!((1.0 + b.clone(), 1.0 - &b), (Tensor::from([3.0, 5.0]), Tensor::from([-1.0, -3.0])));
        assert_eq!((2.0 * b.clone(), 8.0 / &b), (Tensor::from([4.0, 8.0]), Tensor::from([4.0, 2.0])));
        assert_eq!(1.0 - Tensor::<f32>::zeros([0, 2]), Tensor::zeros([0, 2]));
    }

    #[test]
    fn assigning_operators_take_tensors_and_numbers() {
        let mut t = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
        let before = t.clone();
        t += Tensor::from([10.0, 20.0]);
        assert_eq!(t, Tensor::from([[11.0, 22.0], [13.0, 24.0]]));
        t -= &Tensor::from([[1.0], [3.0]]);
        assert_eq!(t, Tensor::from([[10.0, 21.0], [10.0, 21.0]]));
        t *= 2.0;
        t /= &Tensor::scalar(4.0);
        assert_eq!(t, Tensor::from([[5.0, 10.5], [5.0, 10.5]]));
        t -= 5.0;
        t += 1.0;
        t /= 0.5;
        assert_eq!(t, Tensor::from([[2.0, 13.0], [2.0, 13.0]]));
        t *= &t.clone();
        assert_eq!(t, Tensor::from([[4.0, 169.0], [4.0, 169.0]]));
        assert_eq!(before, Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    }

    #[test]
    #[should_panic(expected = "mul: shapes [2, 3] and [2] do not broadcast")]
    fn shapes_that_do_not_fit_are_both_named() {
        let _ = Tensor::<f32>::zeros([2, 3]) * Tensor::<f32>::zeros([2]);
    }

    #[test]
    #[should_panic(expected = "add_assign: shape [2, 3] does not broadcast to [3]")]
    fn adding_in_place_does_not_widen() {
        let mut t = Tensor::<f32>::zeros([3]);
        t += &Tensor::zeros([2, 3]);
    }
}
