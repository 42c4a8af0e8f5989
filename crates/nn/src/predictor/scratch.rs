//! What lies between two steps of a prediction: memory that a thread keeps from one prediction to its next.

use std::cell::RefCell;

use mlp_tensor::{Element, Pool};

/// A thread keeps at most this many bytes of each number type; what a prediction needs beyond them goes back when it is
/// done.
const KEPT: usize = 1 << 20;

thread_local! {
    static SCRATCH: RefCell<Pool> = RefCell::default();
}

/// Runs `work` with room for so many values, which may be anything.
pub(super) fn with<E: Element, R>(values: usize, work: impl FnOnce(&mut [E]) -> R) -> R {
    let mut room = SCRATCH.with_borrow_mut(Pool::take::<E>).unwrap_or_default();
    if room.len() < values {
        room.resize(values, E::zero());
    }
    let result = work(&mut room[..values]);
    if room.capacity() * E::BYTES <= KEPT {
        SCRATCH.with_borrow_mut(|pool| pool.put(room));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of what is kept, which this takes away.
    fn kept<E: Element>() -> usize {
        let rooms = std::iter::from_fn(|| SCRATCH.with_borrow_mut(Pool::take::<E>));
        rooms.map(|room| room.capacity() * E::BYTES).sum()
    }

    #[test]
    fn a_thread_keeps_no_more_than_a_megabyte() {
        with::<f32, _>(1000, |room| assert_eq!(room.len(), 1000));
        assert!((4000..=KEPT).contains(&kept::<f32>()));
        with::<f32, _>(10_000_000, |room| assert_eq!(room.len(), 10_000_000));
        assert_eq!(kept::<f32>(), 0);
        // One inside of another.
        with::<f32, _>(10, |_| with::<f32, _>(20, |_| ()));
        assert!((40..=KEPT).contains(&kept::<f32>()));
        assert_eq!(kept::<f64>(), 0);
    }
}
