//! Many random bits at once.

use super::Rng;

/// So many that the loop over them is not unrolled but compiled to vector instructions.
const LANES: usize = 32;

/// Generators side by side, which vector instructions advance together: xoshiro256++ as in [`Rng`], each started from
/// draws of one of those: the first word of every lane's state in order, then every second word and so on.
pub(super) struct Lanes([[u64; LANES]; 4]);

impl Lanes {
    /// The count of numbers that come at once.
    pub(super) const DRAWS: usize = 2 * LANES;

    pub(super) fn new(rng: &mut Rng) -> Self {
        Self(std::array::from_fn(|_| std::array::from_fn(|_| rng.next_u64())))
    }

    /// The next number of every generator: its low half among the first `LANES`, its high half among the others.
    #[inline(always)]
    pub(super) fn next(&mut self) -> [u32; Self::DRAWS] {
        let [s0, s1, s2, s3] = &mut self.0;
        let mut bits = [0; Self::DRAWS];
        let (low, high) = bits.split_at_mut(LANES);
        for lane in 0..LANES {
            let result = s0[lane].wrapping_add(s3[lane]).rotate_left(23).wrapping_add(s0[lane]);
            let shifted = s1[lane] << 17;
            s2[lane] ^= s0[lane];
            s3[lane] ^= s1[lane];
            s1[lane] ^= s2[lane];
            s0[lane] ^= s3[lane];
            s2[lane] ^= shifted;
            s3[lane] = s3[lane].rotate_left(45);
            low[lane] = result as u32;
            high[lane] = (result >> 32) as u32;
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::{Rng as _, SeedableRng};

    use super::*;

    /// Every lane against the generator of the `rand_xoshiro` crate in the same state.
    #[test]
    fn every_lane_is_the_published_generator() {
        let mut lanes = Lanes::new(&mut Rng::new(5));
        let mut published: Vec<_> = (0..LANES)
            .map(|lane| {
                let bytes: Vec<u8> = lanes.0.iter().flat_map(|word| word[lane].to_le_bytes()).collect();
                Xoshiro256PlusPlus::from_seed(bytes.try_into().unwrap())
            })
            .collect();
        for _ in 0..100 {
            let bits = lanes.next();
            for (lane, generator) in published.iter_mut().enumerate() {
                let expected = generator.next_u64();
                assert_eq!((u64::from(bits[lane + LANES]) << 32) | u64::from(bits[lane]), expected);
            }
        }
    }
}
