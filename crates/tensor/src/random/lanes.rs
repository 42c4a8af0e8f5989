//! Many random bits at once.

use super::Rng;

/// Eight generators side by side, so that vector instructions advance them together: xoshiro256++ as in [`Rng`], each
/// started from draws of one of those.
pub(crate) struct Lanes([[u64; 8]; 4]);

impl Lanes {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Self(std::array::from_fn(|_| std::array::from_fn(|_| rng.next_u64())))
    }

    /// Sixteen random numbers of 32 bits.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> [u32; 16] {
        let [s0, s1, s2, s3] = &mut self.0;
        let mut bits = [0; 16];
        for lane in 0..8 {
            let result = s0[lane].wrapping_add(s3[lane]).rotate_left(23).wrapping_add(s0[lane]);
            let shifted = s1[lane] << 17;
            s2[lane] ^= s0[lane];
            s3[lane] ^= s1[lane];
            s1[lane] ^= s2[lane];
            s0[lane] ^= s3[lane];
            s2[lane] ^= shifted;
            s3[lane] = s3[lane].rotate_left(45);
            bits[lane] = result as u32;
            bits[lane + 8] = (result >> 32) as u32;
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    /// Every lane against the generator of the `rand_xoshiro` crate in the same state.
    #[test]
    fn every_lane_is_the_published_generator() {
        let mut lanes = Lanes::new(&mut Rng::new(5));
        let mut published: Vec<_> = (0..8)
            .map(|lane| {
                let bytes: Vec<u8> = lanes.0.iter().flat_map(|word| word[lane].to_le_bytes()).collect();
                Xoshiro256PlusPlus::from_seed(bytes.try_into().unwrap())
            })
            .collect();
        for _ in 0..100 {
            let bits = lanes.next();
            for (lane, generator) in published.iter_mut().enumerate() {
                let expected = generator.next_u64();
                assert_eq!((u64::from(bits[lane + 8]) << 32) | u64::from(bits[lane]), expected);
            }
        }
    }
}
