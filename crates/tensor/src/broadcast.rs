//! Two tensors read side by side, as if both had the shape that they broadcast to.

use ndarray::{Dimension, IxDyn};

/// The way through two operands, lane by lane in row-major order.
///
/// Neighboring axes along which both operands go on in the same manner count as one, so that the lanes are as long as
/// can be: a matrix and a single number are one lane, a matrix and a row have a lane for every row.
pub(crate) struct Walk {
    /// The length of a lane.
    pub(crate) lane: usize,
    /// By how much each operand moves from one value of a lane to the next: 1, or 0 where it is repeated.
    pub(crate) steps: [usize; 2],
    /// The axes, that of the lane first and then the faster ones before the slower: how many there are, their lengths, and by how
    /// much each operand moves.
    axes: usize,
    lengths: IxDyn,
    moves: [IxDyn; 2],
    empty: bool,
}

impl Walk {
    /// The way through operands of the shapes `operands`, which broadcast to `shape`.
    pub(crate) fn new(shape: &[usize], operands: [&[usize]; 2]) -> Self {
        let mut lengths = IxDyn::zeros(shape.len());
        let mut moves = [IxDyn::zeros(shape.len()), IxDyn::zeros(shape.len())];
        let mut count: usize = 0;
        let mut strides = [1, 1];
        for (back, &length) in shape.iter().rev().enumerate() {
            let mut steps = [0, 0];
            for ((operand, stride), step) in operands.iter().zip(&mut strides).zip(&mut steps) {
                let own = operand.len().checked_sub(back + 1).map_or(1, |axis| operand[axis]);
                if own != 1 {
                    *step = *stride;
                    *stride *= own;
                }
            }
            if length == 1 {
                continue;
            }
            if let Some(last) = count.checked_sub(1)
                && [0, 1].iter().all(|&i| steps[i] == moves[i][last] * lengths[last])
            {
                lengths[last] *= length;
                continue;
            }
            lengths[count] = length;
            moves.iter_mut().zip(steps).for_each(|(moves, step)| moves[count] = step);
            count += 1;
        }
        let (lane, steps) = if count == 0 { (1, [0, 0]) } else { (lengths[0], [moves[0][0], moves[1][0]]) };
        Self { lane, steps, axes: count, lengths, moves, empty: shape.contains(&0) }
    }

    /// Calls `visit` with the place of both operands at the start of each lane.
    #[inline(always)]
    pub(crate) fn for_each_lane(&self, mut visit: impl FnMut([usize; 2])) {
        if self.empty {
            return;
        }
        let mut counters = IxDyn::zeros(self.axes);
        let (lengths, moves) = (self.lengths.slice(), [self.moves[0].slice(), self.moves[1].slice()]);
        let mut at = [0, 0];
        loop {
            visit(at);
            let mut axis = 1;
            loop {
                if axis >= self.axes {
                    return;
                }
                let (length, a, b) = (lengths[axis], moves[0][axis], moves[1][axis]);
                counters[axis] += 1;
                at = [at[0] + a, at[1] + b];
                if counters[axis] < length {
                    break;
                }
                at = [at[0] - a * length, at[1] - b * length];
                counters[axis] = 0;
                axis += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(shape: &[usize], operands: [&[usize]; 2]) -> (usize, [usize; 2], Vec<[usize; 2]>) {
        let walk = Walk::new(shape, operands);
        let mut places = Vec::new();
        walk.for_each_lane(|place| places.push(place));
        (walk.lane, walk.steps, places)
    }

    #[test]
    fn lanes_are_as_long_as_can_be() {
        assert_eq!(lanes(&[2, 3], [&[2, 3], &[]]), (6, [1, 0], vec![[0, 0]]));
        assert_eq!(lanes(&[2, 3], [&[2, 3], &[3]]), (3, [1, 1], vec![[0, 0], [3, 0]]));
        assert_eq!(lanes(&[2, 3], [&[2, 1], &[2, 3]]), (3, [0, 1], vec![[0, 0], [1, 3]]));
        assert_eq!(lanes(&[4, 2, 3], [&[4, 2, 3], &[2, 3]]).0, 6);
        assert_eq!(lanes(&[2, 2, 2], [&[2, 1, 2], &[2, 1]]).2, [[0, 0], [0, 1], [2, 0], [2, 1]]);
        assert_eq!(lanes(&[], [&[], &[1]]), (1, [0, 0], vec![[0, 0]]));
        assert!(lanes(&[0, 3], [&[1, 3], &[0, 3]]).2.is_empty());
    }
}
