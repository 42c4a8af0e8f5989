//! Statistics over a batch whose rows lie on several tapes.

use std::fmt::Debug;

use mlp_tensor::{Element, Tensor};

/// Those who each have a part of one batch, on a tape and a thread of their own, and take statistics over all of it.
///
/// All of them do the same operations in the same order, so that each comes to every exchange once.
pub trait Peers<E: Element>: Debug + Send + Sync {
    /// Whether this is the one that has the first part.
    fn is_first(&self) -> bool;

    /// Hands two tensors and the number of values behind each of theirs to all, waits until all have come, and calls
    /// `each` with what everyone handed over, in the order of the parts.
    fn all_gather(&self, count: usize, own: [Tensor<E>; 2], each: &mut dyn FnMut(usize, &[Tensor<E>; 2]));
}
