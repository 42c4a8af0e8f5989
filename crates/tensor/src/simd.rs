//! Loops compiled for the instruction sets of newer processors, chosen at run time.
//!
//! A program compiled with default settings may use only what every processor of its kind has: on `x86-64` that is
//! SSE2, four `f32` at a time. [`vectorize`] compiles a loop for AVX2 with FMA (eight at a time) and for AVX-512 (sixteen)
//! as well and runs the widest version that the processor has.

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
    pulp::Arch::new().dispatch(kernel)
}
