//! Loops compiled for the instruction sets of newer processors, chosen at run time.
//!
//! A program compiled with default settings may use only what every processor of its kind has: on `x86-64` that is
//! SSE2, four `f32` at a time. [`vectorize`] compiles a loop for AVX2 with FMA (eight at a time) and for AVX-512 (sixteen)
//! as well and runs the widest version that the processor has.

use pulp::{Simd, WithSimd};

/// Runs `kernel`, compiled for the widest vectors that this processor has.
///
/// Mark what the kernel calls as `#[inline(always)]`: only what is inlined is compiled for the wider vectors. The
/// arithmetic is the same in every version (Rust neither fuses nor reorders floating-point operations by itself), so
/// the result does not depend on the processor.
///
/// ```
/// let mut values = vec![1.0_f32; 1000];
/// mlp_tensor::simd::vectorize(
///     #[inline(always)]
///     || {
///         for v in &mut values {
///             *v = *v * 2.0 + 1.0;
///         }
///     },
/// );
/// assert!(values.iter().all(|&v| v == 3.0));
/// ```
#[inline]
pub fn vectorize<R>(kernel: impl FnOnce() -> R) -> R {
    dispatch(kernel)
}

/// Runs `work` with the widest vectors that this processor has, or in a test with those that it has chosen.
#[inline(always)]
pub(crate) fn dispatch<W: WithSimd>(work: W) -> W::Output {
    #[cfg(test)]
    if let Some(arch) = tests::CHOSEN.get() {
        return arch.dispatch(work);
    }
    pulp::Arch::new().dispatch(work)
}

/// Whether vectors are multiplied and added in one instruction and one rounding here. Where they are not, `mul_add` of a
/// single number is slow, and rounds once where vectors round twice.
pub fn fuses() -> bool {
    cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) && !matches!(pulp::Arch::new(), pulp::Arch::Scalar)
}

/// Vectors of one type of numbers, as wide as the processor has them: what [`pulp::Simd`] has for each type by another
/// name.
#[doc(hidden)]
pub trait Vectors: Copy {
    /// The vector.
    type Vector<S: Simd>: Copy;

    /// The number of values of a vector.
    #[inline(always)]
    fn lanes<S: Simd>() -> usize {
        size_of::<Self::Vector<S>>() / size_of::<Self>()
    }

    /// The whole vectors of `values`.
    fn vectors<S: Simd>(values: &[Self]) -> &[Self::Vector<S>];

    /// The same, to be written to.
    fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [Self::Vector<S>];

    /// A vector of `value` alone.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;

    /// a + b.
    fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;

    /// a · b + c, in one rounding where the processor has an instruction for it, and in two where not.
    fn multiply_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
}

macro_rules! vectors {
    ($type:ident, $vector:ident, $of:ident, $of_mut:ident, $splat:ident, $add:ident, $mul_add:ident) => {
        impl Vectors for $type {
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn vectors<S: Simd>(values: &[Self]) -> &[S::$vector] {
                S::$of(values).0
            }

            #[inline(always)]
            fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [S::$vector] {
                S::$of_mut(values).0
            }

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }

            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$add(a, b)
            }

            #[inline(always)]
            fn multiply_add<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$mul_add(a, b, c)
            }
        }
    };
}

vectors!(f32, f32s, as_simd_f32s, as_mut_simd_f32s, splat_f32s, add_f32s, mul_add_e_f32s);
vectors!(f64, f64s, as_simd_f64s, as_mut_simd_f64s, splat_f64s, add_f64s, mul_add_e_f64s);

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    use pulp::Arch;

    thread_local! {
        pub(crate) static CHOSEN: Cell<Option<Arch>> = const { Cell::new(None) };
    }

    /// What `work` gives with each set of vectors that this processor has, the widest first, and by name.
    pub(crate) fn with_each<R>(work: impl Fn() -> R) -> Vec<(String, R)> {
        let widest = Arch::new();
        let mut all = vec![widest, Arch::Scalar];
        #[cfg(target_arch = "x86_64")]
        if let (Arch::V4(_), Some(narrower)) = (widest, pulp::x86::V3::try_new()) {
            all.insert(1, Arch::V3(narrower));
        }
        let run = |arch: Arch| {
            CHOSEN.set(Some(arch));
            let result = (format!("{arch:?}"), work());
            CHOSEN.set(None);
            result
        };
        all.into_iter().map(run).collect()
    }
}
