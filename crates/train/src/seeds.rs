//! What a model's seed is used for.

use mlp_tensor::Rng;

/// The seed of everything random in training. Every use draws from a stream of its own, numbered by what it is for and by
/// counters that a file keeps; so training that is resumed goes on to the same bits, and a loop of your own that asks
/// here draws what [`Model::fit`](crate::Model::fit) does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    seed: u64,
}

const SHUFFLE: u64 = 1;
const SPLIT: u64 = 2;
const STEP: u64 = 3;

impl Seeds {
    /// The streams of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The seed.
    pub fn seed(self) -> u64 {
        self.seed
    }

    /// Puts `rows` into the order of epoch number `epoch`, counted from 0 over all fits.
    pub fn shuffle(self, epoch: u64, rows: &mut [usize]) {
        Rng::stream(self.seed, &[SHUFFLE, epoch]).shuffle(rows);
    }

    /// The seed of a split into rows to train on and rows to validate on.
    pub fn split(self) -> u64 {
        Rng::stream(self.seed, &[SPLIT]).next_u64()
    }

    /// The seed of what dropout and noise draw in step number `step`, counted from 1 over all fits.
    pub fn step(self, step: u64) -> u64 {
        Rng::stream(self.seed, &[STEP, step]).next_u64()
    }
}
