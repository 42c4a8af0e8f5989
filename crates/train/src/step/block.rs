//! The second phase: some rows of one parameter, with all that their update needs.

use mlp_autograd::Gradient;
use mlp_nn::{Network, Parameter, Regularizer};
use mlp_optim::{Optimizer, OptimizerState};
use mlp_tensor::{Element, Tensor};

use super::shard::Shard;

/// A block has about this many values, and at least [`ROWS`] rows.
const BLOCK: usize = 1 << 14;

/// About this many values are updated at once, so that their gradient stays in the first cache, and at least so many rows: the
/// kernel of products goes through them together.
const AT_ONCE: usize = 1 << 12;
const ROWS: usize = 12;

/// The gradient of a block: what is added up of the shards' gradients.
pub(super) struct Sum<'a, E: Element> {
    parameter: usize,
    /// The index of the first value.
    start: usize,
    regularizer: Option<&'a Regularizer>,
    weights: &'a [E],
    gradient: &'a mut [E],
}

/// A block with its weights and what the optimizer remembers of them.
pub(super) struct Block<'a, E: Element> {
    parameter: usize,
    start: usize,
    /// The length of a row.
    columns: usize,
    /// The number of the parameter's step.
    step: u64,
    regularizer: Option<&'a Regularizer>,
    weights: &'a mut [E],
    gradient: &'a mut [E],
    slots: BlockSlots<'a, E>,
}

/// What the optimizer remembers of a block: a slice for each of its slots. Up to two of them take no list.
enum BlockSlots<'a, E> {
    Few([&'a mut [E]; 2], usize),
    Many(Vec<&'a mut [E]>),
}

impl<'a, E: Element> BlockSlots<'a, E> {
    fn of(values: &'a mut [Tensor<E>]) -> Self {
        match values {
            [] => Self::Few([&mut [], &mut []], 0),
            [one] => Self::Few([one.as_mut_slice(), &mut []], 1),
            [one, other] => Self::Few([one.as_mut_slice(), other.as_mut_slice()], 2),
            many => Self::Many(many.iter_mut().map(Tensor::as_mut_slice).collect()),
        }
    }

    /// Cuts off the first `len` values of every slot.
    fn cut(&mut self, len: usize) -> Self {
        let cut = |slot: &mut &'a mut [E]| {
            let at = len.min(slot.len());
            let (first, rest) = std::mem::take(slot).split_at_mut(at);
            *slot = rest;
            first
        };
        match self {
            Self::Few(slots, count) => Self::Few(slots.each_mut().map(cut), *count),
            Self::Many(slots) => Self::Many(slots.iter_mut().map(cut).collect()),
        }
    }

    fn as_mut(&mut self) -> &mut [&'a mut [E]] {
        match self {
            Self::Few(slots, count) => &mut slots[..*count],
            Self::Many(slots) => slots,
        }
    }
}

/// The number of rows of every block of a parameter but the last, and the length of a row.
fn block_rows<E: Element>(parameter: &Parameter<E>) -> [usize; 2] {
    let columns = parameter.value().shape().last().copied().unwrap_or(1).max(1);
    let (rows, blocks) = (parameter.value().len() / columns, parameter.value().len().div_ceil(BLOCK).max(1));
    [rows.div_ceil(blocks).max(1).next_multiple_of(ROWS), columns]
}

/// The gradients of all blocks of what is trained.
pub(super) fn sums<'a, E: Element>(
    parameters: &'a [Parameter<E>],
    gradients: &'a mut [Vec<E>],
) -> impl Iterator<Item = Sum<'a, E>> {
    let trained = parameters.iter().zip(gradients).enumerate().filter(|(_, (p, _))| p.is_trainable());
    trained.flat_map(|(parameter, (p, gradient))| {
        let [rows, columns] = block_rows(p);
        let len = rows * columns;
        let chunks = p.value().as_slice().chunks(len).zip(gradient.chunks_mut(len)).enumerate();
        chunks.map(move |(index, (weights, gradient))| {
            let (start, regularizer) = (index * len, p.regularizer());
            Sum { parameter, start, regularizer, weights, gradient }
        })
    })
}

/// Cuts all weights that are trained, and what belongs to them, into blocks.
pub(super) fn blocks<'a, E: Element>(
    network: &'a mut Network<E>,
    gradients: &'a mut [Vec<E>],
    state: &'a mut OptimizerState<E>,
) -> impl Iterator<Item = Block<'a, E>> {
    let all = network.parameters_mut().zip(gradients).zip(state.slots_mut()).enumerate();
    let trained = all.filter(|(_, ((p, _), _))| p.is_trainable());
    trained.flat_map(|(parameter, ((p, gradient), slots))| {
        let [rows, columns] = block_rows(&p);
        let (weights, regularizer) = p.into_values_and_regularizer();
        let step = slots.steps;
        let mut slots = BlockSlots::of(&mut slots.values);
        let len = rows * columns;
        let chunks = weights.chunks_mut(len).zip(gradient.chunks_mut(len)).enumerate();
        chunks.map(move |(index, (weights, gradient))| {
            let slots = slots.cut(weights.len());
            Block { parameter, start: index * len, columns, step, regularizer, weights, gradient, slots }
        })
    })
}

impl<E: Element> Sum<'_, E> {
    /// Adds up the shards' gradients, in their order, and the penalty's.
    pub(super) fn run(self, shards: &[Shard<E>]) {
        let Self { parameter, start, regularizer, weights, gradient } = self;
        Gradient::write_sum(shards.iter().filter_map(|shard| shard.gradient(parameter)), start, gradient);
        let Some(regularizer) = regularizer else { return };
        if !regularizer.add_by_value(weights, gradient) {
            let penalty = shards.iter().find_map(|shard| shard.penalty_gradient(parameter));
            let part = penalty.iter().flat_map(|penalty| &penalty.as_slice()[start..]);
            gradient.iter_mut().zip(part).for_each(|(g, &p)| *g += p);
        }
    }
}

impl<E: Element> Block<'_, E> {
    /// The optimizer's step, with a gradient that is added up first if it was not yet: some rows after the others, so that
    /// their gradient is still in the first cache when it is used.
    pub(super) fn update(self, shards: Option<&[Shard<E>]>, optimizer: &Optimizer) {
        let Self { parameter, start, columns, step, regularizer, weights, gradient, mut slots } = self;
        let Some(shards) = shards else { return optimizer.update(step, weights, gradient, slots.as_mut()) };
        let len = (AT_ONCE / columns / ROWS).max(1) * ROWS * columns;
        for (index, weights) in weights.chunks_mut(len).enumerate() {
            let (start, gradient) = (start + index * len, &mut gradient[..weights.len()]);
            Sum { parameter, start, regularizer, weights, gradient: &mut *gradient }.run(shards);
            optimizer.update(step, weights, gradient, slots.cut(weights.len()).as_mut());
        }
    }
}
