//! The one source of randomness: a generator that is always seeded.

mod draw;
mod functions;
mod lanes;
mod normal;

use lanes::Lanes;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng};

/// A seeded random generator: xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators",
/// 2018).
///
/// The same seed gives the same numbers on every machine and in every later version: files go on from their seeds. So
/// everything that is drawn is defined here, from the generator's 64 bits on, and uses no function whose last digit depends
/// on the machine. There is no generator without a seed, so a program's randomness is always in sight.
///
/// ```
/// use mlp_tensor::Rng;
/// assert_eq!(Rng::new(7).permutation(5), Rng::new(7).permutation(5));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng(Xoshiro256PlusPlus);

impl Rng {
    /// A generator that starts from `seed`: its state is the first four numbers of SplitMix64 (Steele, Lea and Flood, 2014)
    /// from `seed` on, as the authors of xoshiro256++ recommend.
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        let mut bytes = [0; 32];
        for word in bytes.as_chunks_mut::<8>().0 {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            *word = (z ^ (z >> 31)).to_le_bytes();
        }
        Self(Xoshiro256PlusPlus::from_seed(bytes))
    }

    /// A generator for one numbered part of the work (an epoch, a layer, a shard of a batch). It depends only on
    /// `seed` and on the numbers in `path`, not on how much was drawn elsewhere.
    ///
    /// The seed is mixed with each number of the path in turn: the next one is the first draw of the generator that starts
    /// from seed XOR ((number · 9E3779B97F4A7C15₁₆) rotated left by 32), everything modulo 2⁶⁴.
    pub fn stream(seed: u64, path: &[u64]) -> Self {
        // Each number is mixed in through a generator of its own, so that nearby paths have nothing in common.
        Self::new(path.iter().fold(seed, |state, &part| {
            Self::new(state ^ part.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32)).next_u64()
        }))
    }

    /// Sixty-four random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from [0, 1): the highest 53 of 64 bits, times 2⁻⁵³.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * 2f64.powi(-53)
    }

    /// A number from [0, 1) for single precision: the highest 24 of 64 bits, times 2⁻²⁴.
    #[inline]
    pub(crate) fn uniform_f32(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 * 2f32.powi(-24)
    }

    /// A number from the standard normal distribution, by the ziggurat method with 256 layers (Marsaglia and Tsang, 2000;
    /// Doornik, 2005): one draw of 64 bits is enough 98.8 times out of 100.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        normal::sample(self)
    }

    /// An integer from 0 to `n - 1`, each exactly equally likely: the high half of the 128-bit product of 64 bits and
    /// `n`, drawn anew where the low half is below 2⁶⁴ mod n (Lemire, "Fast random integer generation in an interval",
    /// 2019).
    ///
    /// # Panics
    /// If `n` is 0.
    #[inline]
    #[track_caller]
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "below: there is no integer from 0 to below 0");
        // u64, so that 32-bit machines draw the same numbers.
        let n = n as u64;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            let low = product as u64;
            // 2⁶⁴ mod n is below n, so mostly there is nothing to divide.
            if low >= n || low >= n.wrapping_neg() % n {
                return (product >> 64) as usize;
            }
        }
    }

    /// Shuffles `values`, so that every order is equally likely (Fisher and Yates): from the last to the second, each
    /// changes places with one drawn by [`Rng::below`] from those up to itself.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.below(i + 1));
        }
    }

    /// The numbers 0 to `n - 1` in random order, by [`Rng::shuffle`].
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;

    #[test]
    fn a_seed_repeats_and_another_differs() {
        let draw = |seed| Tensor::<f32>::normal([50], 0.0, 1.0, &mut Rng::new(seed));
        assert!(draw(3).bit_eq(&draw(3)));
        assert!(!draw(3).bit_eq(&draw(4)));
    }

    #[test]
    fn streams_of_different_paths_differ() {
        let first = |path: &[u64]| Rng::stream(1, path).next_u64();
        let paths: [&[u64]; 6] = [&[], &[0], &[1], &[0, 0], &[0, 1], &[1, 0]];
        let mut seen: Vec<u64> = paths.iter().map(|p| first(p)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), paths.len());
        assert_eq!(first(&[4, 2]), first(&[4, 2]));
    }

    /// The known first output of xoshiro256++ seeded through `SplitMix64` with 0 (reference C code).
    #[test]
    fn the_generator_is_the_published_one() {
        assert_eq!(Rng::new(0).next_u64(), 5987356902031041503);
    }

    #[test]
    fn choices_come_with_their_probability() {
        for (p, tolerance) in [(0.0, 0.0), (1e-4, 4e-5), (0.2, 2e-3), (0.5, 2e-3), (1.0, 0.0)] {
            let t = Tensor::<f32>::bernoulli([1001, 1001], p, 2.5, &mut Rng::new(9));
            assert!(t.as_slice().iter().all(|&v| v == 0.0 || v == 2.5));
            let share = t.as_slice().iter().filter(|&&v| v > 0.0).count() as f64 / t.len() as f64;
            assert!((share - p).abs() <= tolerance, "{share} for {p}");
        }
        let draw = |seed| Tensor::<f64>::bernoulli([100], 0.5, 1.0, &mut Rng::new(seed));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    #[should_panic(expected = "bernoulli: a probability lies between 0 and 1, not at 1.5")]
    fn a_probability_is_at_most_one() {
        Tensor::<f32>::bernoulli([1], 1.5, 1.0, &mut Rng::new(0));
    }

    #[test]
    fn a_permutation_holds_every_number_once() {
        let mut order = Rng::new(5).permutation(100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
        assert!(Rng::new(5).permutation(0).is_empty());
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let moments = |t: &Tensor<f64>| {
            let mean = t.mean();
            (mean, (t - mean).map(|v| v * v).mean().sqrt())
        };
        let rng = &mut Rng::new(11);
        let n = [200_000];
        let (mean, std) = moments(&Tensor::uniform(n, -1.0, 3.0, rng));
        assert!((mean - 1.0).abs() < 0.01 && (std - 4.0 / 12f64.sqrt()).abs() < 0.01, "uniform {mean} {std}");
        let (mean, std) = moments(&Tensor::normal(n, 2.0, 0.5, rng));
        assert!((mean - 2.0).abs() < 0.01 && (std - 0.5).abs() < 0.01, "normal {mean} {std}");
        let truncated = Tensor::truncated_normal(n, 0.0, 1.0, rng);
        let (mean, std) = moments(&truncated);
        // sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)), the standard deviation of a normal cut at two deviations
        assert!(mean.abs() < 0.01 && (std - 0.879_626).abs() < 0.01, "truncated {mean} {std}");
        assert!(truncated.as_slice().iter().all(|v| v.abs() <= 2.0));
    }
}
