//! The numbers that a tensor can hold.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{AddAssign, DivAssign, MulAssign, SubAssign};

use num_traits::Float;

use crate::linalg::Products;
use crate::math::Functions;
use crate::memory::Shelf;
use crate::simd::Vectors;
use crate::{Pool, Rng};

/// A number that a [`Tensor`](crate::Tensor) can hold: `f32` or `f64`.
///
/// `f32` is the default everywhere: it is what networks train in. `f64` is for gradient checks and for scientific
/// work. The trait is sealed.
pub trait Element:
    Functions
    + Products
    + Vectors
    + Float
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
    + Default
    + Debug
    + Display
    + Send
    + Sync
    + 'static
{
    /// The name of the type, as it stands in files and messages: `f32` or `f64`.
    const NAME: &'static str;

    /// The number of bytes of one value.
    const BYTES: usize;

    /// The nearest value to `value`.
    fn from_f64(value: f64) -> Self;

    /// The same value, in double precision.
    fn as_f64(self) -> f64;

    #[doc(hidden)]
    fn round_to_even(self) -> Self;

    #[doc(hidden)]
    fn bits(self) -> u64;

    /// Writes the value's little-endian bytes to the end of `out`.
    fn write_le(self, out: &mut Vec<u8>);

    /// The value whose little-endian bytes are `bytes`.
    ///
    /// # Panics
    /// If `bytes` does not hold exactly [`Element::BYTES`] bytes.
    fn read_le(bytes: &[u8]) -> Self;

    #[doc(hidden)]
    fn shelf(pool: &mut Pool) -> &mut Shelf<Self>;

    /// A number drawn uniformly from [0, 1): in `f64` [`Rng::uniform`], in `f32` the highest 24 of 64 bits times 2⁻²⁴.
    fn sample_uniform(rng: &mut Rng) -> Self;

    /// A number drawn from the standard normal distribution: [`Rng::normal`], rounded to the type.
    fn sample_normal(rng: &mut Rng) -> Self;
}

macro_rules! element {
    ($type:ident, $bytes:literal, $uniform:ident) => {
        impl Element for $type {
            const NAME: &'static str = stringify!($type);
            const BYTES: usize = $bytes;

            #[inline]
            fn from_f64(value: f64) -> Self {
                value as $type
            }

            #[inline]
            fn as_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline]
            fn round_to_even(self) -> Self {
                self.round_ties_even()
            }

            #[inline]
            fn bits(self) -> u64 {
                self.to_bits().into()
            }

            #[inline]
            fn write_le(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            #[inline]
            fn read_le(bytes: &[u8]) -> Self {
                let mut array = [0; $bytes];
                array.copy_from_slice(bytes);
                Self::from_le_bytes(array)
            }

            fn shelf(pool: &mut Pool) -> &mut Shelf<Self> {
                &mut pool.$type
            }

            #[inline]
            fn sample_uniform(rng: &mut Rng) -> Self {
                rng.$uniform()
            }

            #[inline]
            fn sample_normal(rng: &mut Rng) -> Self {
                rng.normal() as $type
            }
        }
    };
}

element!(f32, 4, uniform_f32);
element!(f64, 8, uniform);
