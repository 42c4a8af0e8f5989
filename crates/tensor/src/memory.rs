//! The memory of tensors, used again instead of asked for anew.

use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::Element;

/// Shorter tensors are left to the allocator, which is quick with them.
const SHORTEST: usize = 256;
/// A pool keeps at most this many buffers of each type.
const MOST: usize = 1024;

thread_local! {
    /// The pool of the work that this thread is doing, if it has one.
    static CURRENT: RefCell<Option<Pool>> = const { RefCell::new(None) };
}

/// The memory of tensors that are no longer needed, kept for the next tensors of the same length.
///
/// Work that makes tensors of the same shapes over and over, such as a training step, runs in [`Pool::scope`]: from the
/// second time on it allocates next to nothing. What the work computes does not depend on the pool.
///
/// ```
/// use mlp_tensor::{Pool, Tensor};
///
/// let mut pool = Pool::default();
/// let work = || Tensor::<f32>::ones([100, 100]).as_slice().as_ptr();
/// assert_eq!(pool.scope(work), pool.scope(work)); // the same memory both times
/// ```
#[derive(Default)]
pub struct Pool {
    pub(crate) f32: Vec<Vec<f32>>,
    pub(crate) f64: Vec<Vec<f64>>,
}

impl Pool {
    /// Runs `work`; tensors made and dropped in it, on this thread, take their memory from this pool and leave it here.
    pub fn scope<R>(&mut self, work: impl FnOnce() -> R) -> R {
        /// Puts everything back in its place, also when the work panics.
        struct Restore<'a> {
            pool: &'a mut Pool,
            outer: Option<Pool>,
        }
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                let outer = self.outer.take();
                *self.pool = CURRENT.replace(outer).unwrap_or_default();
            }
        }
        let outer = CURRENT.replace(Some(std::mem::take(self)));
        let _restore = Restore { pool: self, outer };
        work()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool of {} f32 and {} f64 buffers", self.f32.len(), self.f64.len())
    }
}

/// An empty vector with room for `len` values.
pub(crate) fn room<E: Element>(len: usize) -> Vec<E> {
    let mut data = used(len).unwrap_or_else(|| Vec::with_capacity(len));
    data.clear();
    data
}

/// `len` values to be written over: what they are, nobody knows.
pub(crate) fn blank<E: Element>(len: usize) -> Vec<E> {
    match used(len) {
        Some(mut data) => {
            data.resize(len, E::zero());
            data
        }
        None => vec![E::zero(); len],
    }
}

/// A vector of the pool with room for `len` values, and old values in it.
fn used<E: Element>(len: usize) -> Option<Vec<E>> {
    if len < SHORTEST {
        return None;
    }
    CURRENT.with_borrow_mut(|pool| {
        let free = E::free(pool.as_mut()?);
        let index = free.iter().rposition(|buffer| buffer.capacity() == len)?;
        Some(free.swap_remove(index))
    })
}

/// The numbers of a tensor, which go back to the pool at the end.
pub(crate) struct Buffer<E: Element>(Vec<E>);

impl<E: Element> Buffer<E> {
    pub(crate) fn new(data: Vec<E>) -> Self {
        Self(data)
    }

    pub(crate) fn into_vec(mut self) -> Vec<E> {
        std::mem::take(&mut self.0)
    }
}

impl<E: Element> Deref for Buffer<E> {
    type Target = [E];
    #[inline]
    fn deref(&self) -> &[E] {
        &self.0
    }
}

impl<E: Element> DerefMut for Buffer<E> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [E] {
        &mut self.0
    }
}

impl<E: Element> Clone for Buffer<E> {
    fn clone(&self) -> Self {
        let mut copy = room(self.len());
        copy.extend_from_slice(self);
        Self(copy)
    }
}

impl<E: Element> Drop for Buffer<E> {
    fn drop(&mut self) {
        if self.0.capacity() < SHORTEST {
            return;
        }
        // Where the thread itself is ending there is no pool any more, and the memory goes to the allocator.
        let _ = CURRENT.try_with(|current| {
            if let Some(pool) = current.borrow_mut().as_mut() {
                let free = E::free(pool);
                if free.len() < MOST {
                    free.push(std::mem::take(&mut self.0));
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;

    #[test]
    fn memory_is_used_again_within_a_scope_and_not_outside() {
        let mut pool = Pool::default();
        pool.scope(|| drop(Tensor::<f64>::zeros([300])));
        assert_eq!((pool.f32.len(), pool.f64.len()), (0, 1));
        drop(Tensor::<f64>::zeros([300]));
        assert_eq!(pool.f64.len(), 1);
        let sum = pool.scope(|| (Tensor::<f64>::ones([30, 10]) + Tensor::<f64>::ones([300]).reshape([30, 10])).sum());
        assert_eq!(sum, 600.0);
        // One of the three tensors took what lay there; reshaping took none.
        assert_eq!(pool.f64.len(), 3);
    }

    #[test]
    fn what_is_used_again_is_as_good_as_new() {
        let mut pool = Pool::default();
        pool.scope(|| drop(Tensor::<f32>::full([400], f32::NAN)));
        let t = pool.scope(|| Tensor::<f32>::zeros([20, 20]));
        assert_eq!(t, Tensor::zeros([20, 20]));
        let ones = Tensor::<f32>::ones([20, 20]);
        for sum in [|t: &Tensor| t.map(|v| v + 1.0), |t: &Tensor| t + t, |t: &Tensor| t + &Tensor::ones([20])] {
            pool.scope(|| drop(Tensor::<f32>::full([400], f32::NAN)));
            assert_eq!(pool.scope(|| sum(&ones)), Tensor::full([20, 20], 2.0));
            assert!(pool.f32.is_empty());
        }
        assert!(pool.f32.is_empty());
    }

    #[test]
    fn scopes_nest_and_survive_a_panic() {
        let (mut outer, mut inner) = (Pool::default(), Pool::default());
        outer.scope(|| {
            let t = Tensor::<f32>::zeros([300]);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                inner.scope(|| {
                    drop(Tensor::<f32>::zeros([301]));
                    panic!("on purpose")
                })
            }));
            assert!(result.is_err());
            drop(t);
        });
        assert_eq!((outer.f32[0].capacity(), outer.f32.len()), (300, 1));
        assert_eq!((inner.f32[0].capacity(), inner.f32.len()), (301, 1));
    }
}
