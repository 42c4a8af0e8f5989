//! The memory of tensors, reused instead of reallocated.

use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::Element;

/// A pool keeps at most this many buffers of each type.
const MOST: usize = 1024;
/// A pool keeps at most this many times the values of each type that it had lent at once. A training step holds nearly
/// all of its tensors at once when it turns back, so what it uses has room several times over.
const TIMES_LENT: usize = 4;

thread_local! {
    /// The pool of the work that this thread is doing; outside of all scopes one that does not lend.
    static CURRENT: RefCell<Pool> = const { RefCell::new(Pool { f32: Shelf::new(), f64: Shelf::new(), lends: false }) };
}

/// The memory of tensors that are no longer needed, kept for the next tensors of the same length.
///
/// Work that makes tensors of the same shapes over and over, such as a training step, runs in [`Pool::scope`]: from the
/// second time on it allocates next to nothing. What the work computes does not depend on the pool.
///
/// A pool holds at most four times the memory that it had lent at once in this scope or the one before, and gives back
/// what two scopes in a row did not use. [`Pool::clear`] gives back everything.
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
    pub(crate) f32: Shelf<f32>,
    pub(crate) f64: Shelf<f64>,
    /// Whether its scope is running.
    lends: bool,
}

impl Pool {
    /// Runs `work`; tensors made and dropped in it, on this thread, take their memory from this pool and leave it here.
    pub fn scope<R>(&mut self, work: impl FnOnce() -> R) -> R {
        /// Changes places with the thread's pool; back again also when the work panics.
        struct Swapped<'a>(&'a mut Pool);
        impl Drop for Swapped<'_> {
            fn drop(&mut self) {
                CURRENT.with_borrow_mut(|current| std::mem::swap(current, self.0));
                self.0.lends = false;
                self.0.f32.end_scope();
                self.0.f64.end_scope();
            }
        }
        self.f32.begin_scope();
        self.f64.begin_scope();
        self.lends = true;
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, self));
        let _swapped = Swapped(self);
        work()
    }

    /// A vector that was [put](Pool::put) here, with old values in it: scratch memory for code that manages it itself,
    /// outside of scopes.
    pub fn take<E: Element>(&mut self) -> Option<Vec<E>> {
        E::shelf(self).take()
    }

    /// Keeps a vector for the next [`Pool::take`]. As in scopes, at most four times the size of the largest is kept.
    pub fn put<E: Element>(&mut self, scratch: Vec<E>) {
        E::shelf(self).put(scratch);
    }

    /// Gives all memory back to the allocator.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = size_of::<f32>() * self.f32.kept + size_of::<f64>() * self.f64.kept;
        write!(f, "Pool of {} f32 and {} f64 buffers, {bytes} bytes", self.f32.free.len(), self.f64.free.len())
    }
}

/// The free buffers of one type. All sizes are in values.
#[derive(Debug, Default)]
pub struct Shelf<E> {
    /// The buffers, and what the clock showed when each came back.
    free: Vec<(Vec<E>, u64)>,
    /// Blocks of [`Shared`] numbers, empty: at most [`MOST`].
    blocks: Vec<Arc<Vec<E>>>,
    /// The size of all free buffers.
    kept: usize,
    /// The size of what was lent in this scope and has not come back.
    lent: usize,
    /// The most that was lent at once, in this scope and the one before.
    most_lent: [usize; 2],
    /// Counts the buffers that come back.
    clock: u64,
    /// What the clock showed when this scope began and the one before.
    began: [u64; 2],
}

impl<E> Shelf<E> {
    const fn new() -> Self {
        Self { free: Vec::new(), blocks: Vec::new(), kept: 0, lent: 0, most_lent: [0; 2], clock: 0, began: [0; 2] }
    }

    fn begin_scope(&mut self) {
        self.began = [self.clock, self.began[0]];
        self.most_lent = [0, self.most_lent[0]];
        self.lent = 0;
    }

    /// Drops what was used neither in this scope nor in the one before.
    fn end_scope(&mut self) {
        let oldest = self.began[1];
        self.free.retain(|&(_, came_back)| came_back >= oldest);
        self.kept = self.free.iter().map(|(buffer, _)| buffer.capacity()).sum();
    }

    /// A free buffer with room for `len` values, if there is one. If not, the caller makes one, which counts as lent too.
    fn lend(&mut self, len: usize) -> Option<Vec<E>> {
        self.lent += len;
        self.most_lent[0] = self.most_lent[0].max(self.lent);
        let index = self.free.iter().rposition(|(buffer, _)| buffer.capacity() == len)?;
        self.kept -= len;
        Some(self.free.swap_remove(index).0)
    }

    fn take(&mut self) -> Option<Vec<E>> {
        let (buffer, _) = self.free.pop()?;
        self.kept -= buffer.capacity();
        Some(buffer)
    }

    fn put(&mut self, buffer: Vec<E>) {
        self.most_lent[0] = self.most_lent[0].max(buffer.capacity());
        self.take_back(buffer);
    }

    /// Takes a buffer back. Where there is no room, those that have lain here longest make some.
    fn take_back(&mut self, buffer: Vec<E>) {
        let size = buffer.capacity();
        self.lent = self.lent.saturating_sub(size);
        let limit = TIMES_LENT * self.most_lent[0].max(self.most_lent[1]);
        if size > limit {
            return;
        }
        while self.free.len() >= MOST || self.kept + size > limit {
            let oldest = (0..self.free.len()).min_by_key(|&index| self.free[index].1);
            let Some(oldest) = oldest else { break };
            self.kept -= self.free.swap_remove(oldest).0.capacity();
        }
        self.kept += size;
        self.free.push((buffer, self.clock));
        self.clock += 1;
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
    if len == 0 {
        return None;
    }
    with_shelf(|shelf| shelf.lend(len)).flatten()
}

/// The numbers of a tensor, which go back to the pool at the end.
pub(crate) struct Buffer<E: Element>(Vec<E>);

impl<E: Element> Buffer<E> {
    pub(crate) fn new(data: Vec<E>) -> Self {
        Self(data)
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

impl<E: Element> Drop for Buffer<E> {
    fn drop(&mut self) {
        if self.0.capacity() > 0 {
            with_shelf(|shelf| shelf.take_back(std::mem::take(&mut self.0)));
        }
    }
}

/// Hands the shelf of the thread's pool to `function`, if it lends. Where the thread itself is ending there is no pool any
/// more, and memory goes to the allocator.
fn with_shelf<E: Element, R>(function: impl FnOnce(&mut Shelf<E>) -> R) -> Option<R> {
    let with = |current: &RefCell<Pool>| {
        let pool = &mut *current.borrow_mut();
        pool.lends.then(|| function(E::shelf(pool)))
    };
    CURRENT.try_with(with).ok().flatten()
}

/// The numbers of tensors, several of which may share them. The last of them gives them back to the pool, and the block
/// that they lay in as well.
#[derive(Clone)]
pub(crate) struct Shared<E: Element>(Option<Arc<Vec<E>>>);

impl<E: Element> Shared<E> {
    pub(crate) fn new(data: Vec<E>) -> Self {
        let mut block = with_shelf(|shelf: &mut Shelf<E>| shelf.blocks.pop()).flatten().unwrap_or_default();
        match Arc::get_mut(&mut block) {
            Some(vec) => *vec = data,
            None => block = Arc::new(data),
        }
        Self(Some(block))
    }

    fn block(&self) -> &Arc<Vec<E>> {
        self.0.as_ref().unwrap_or_else(|| unreachable!("the block is there until the end"))
    }

    /// The numbers to be written to, copied first if others share them.
    #[inline]
    pub(crate) fn make_mut(&mut self) -> &mut [E] {
        if self.0.as_mut().is_none_or(|block| Arc::get_mut(block).is_none()) {
            let mut copy = room(self.len());
            copy.extend_from_slice(self);
            *self = Self::new(copy);
        }
        match self.0.as_mut().and_then(Arc::get_mut) {
            Some(vec) => vec,
            None => unreachable!("nobody else has the block"),
        }
    }

    /// The numbers, copied if others share them.
    pub(crate) fn into_vec(mut self) -> Vec<E> {
        match self.0.as_mut().and_then(Arc::get_mut) {
            Some(vec) => std::mem::take(vec),
            None => self.to_vec(),
        }
    }
}

impl<E: Element> Deref for Shared<E> {
    type Target = [E];
    #[inline]
    fn deref(&self) -> &[E] {
        self.block()
    }
}

impl<E: Element> Drop for Shared<E> {
    #[inline]
    fn drop(&mut self) {
        let Some(mut block) = self.0.take() else { return };
        if let Some(vec) = Arc::get_mut(&mut block) {
            let data = std::mem::take(vec);
            with_shelf(|shelf| {
                if data.capacity() > 0 {
                    shelf.take_back(data);
                }
                if shelf.blocks.len() < MOST {
                    shelf.blocks.push(block);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;

    /// The sizes of the free buffers, in order.
    fn sizes(pool: &Pool) -> Vec<usize> {
        let mut sizes: Vec<usize> = pool.f32.free.iter().map(|(buffer, _)| buffer.capacity()).collect();
        assert_eq!(pool.f32.kept, sizes.iter().sum::<usize>());
        sizes.sort_unstable();
        sizes
    }

    /// Makes tensors of these sizes, all there at once, and drops them. Where their memory lies, in order.
    fn make(sizes: &[usize]) -> Vec<*const f32> {
        let tensors: Vec<Tensor> = sizes.iter().map(|&size| Tensor::zeros([size])).collect();
        let mut places: Vec<_> = tensors.iter().map(|t| t.as_slice().as_ptr()).collect();
        places.sort_unstable();
        places
    }

    #[test]
    fn memory_is_used_again_within_a_scope_and_not_outside() {
        let mut pool = Pool::default();
        pool.scope(|| drop(Tensor::<f64>::zeros([300])));
        assert_eq!((pool.f32.free.len(), pool.f64.free.len()), (0, 1));
        drop(Tensor::<f64>::zeros([300]));
        assert_eq!(pool.f64.free.len(), 1);
        let sum = pool.scope(|| (Tensor::<f64>::ones([30, 10]) + Tensor::<f64>::ones([300]).reshape([30, 10])).sum());
        assert_eq!(sum, 600.0);
        // One of the three tensors took what lay there; reshaping took none.
        assert_eq!(pool.f64.free.len(), 3);
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
            assert!(!sizes(&pool).contains(&400));
        }
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
        assert_eq!(sizes(&outer), [300]);
        assert_eq!(sizes(&inner), [301]);
    }

    #[test]
    fn the_same_work_takes_the_same_memory_every_time() {
        let mut pool = Pool::default();
        // Half at once, half one after the other, some of the same size.
        let mut step = || {
            pool.scope(|| {
                let mut places = make(&[300, 300, 400, 1000, 5000]);
                (600..610).for_each(|size| places.extend(make(&[size])));
                places
            })
        };
        let first = step();
        for _ in 0..5 {
            assert_eq!(step(), first);
        }
    }

    #[test]
    fn memory_that_two_scopes_did_not_use_is_given_back() {
        let mut pool = Pool::default();
        pool.scope(|| make(&[300, 400]));
        // The last batch of an epoch is shorter, and the next is not again.
        for _ in 0..3 {
            pool.scope(|| make(&[500]));
            assert_eq!(sizes(&pool), [300, 400, 500]);
            pool.scope(|| make(&[300, 400]));
            assert_eq!(sizes(&pool), [300, 400, 500]);
        }
        pool.scope(|| make(&[600]));
        pool.scope(|| make(&[600]));
        assert_eq!(sizes(&pool), [600]);
        // What other code allocated comes in, but does not pile up.
        for _ in 0..50 {
            pool.scope(|| {
                make(&[600]);
                drop(Tensor::from(vec![0.0_f32; 700]));
            });
        }
        assert!(sizes(&pool).len() <= 4, "{:?}", sizes(&pool));
        pool.clear();
        assert_eq!(sizes(&pool), [0; 0]);
    }

    #[test]
    fn a_pool_is_bounded_by_what_it_had_lent_at_once() {
        let mut pool = Pool::default();
        pool.scope(|| (1000..3000).for_each(|size| drop(make(&[size]))));
        let kept = sizes(&pool);
        assert!(kept.iter().sum::<usize>() <= TIMES_LENT * 2999, "{kept:?}");
        assert_eq!(kept, [2996, 2997, 2998, 2999]);
        // After work that needs little it does not keep much.
        (0..3).for_each(|_| drop(pool.scope(|| make(&[256]))));
        assert_eq!(sizes(&pool), [256]);
        pool.scope(|| drop(Tensor::from(vec![0.0_f32; 1_000_000])));
        assert_eq!(sizes(&pool), [256]);
        let many = vec![256; 3 * MOST];
        pool.scope(|| make(&many));
        assert_eq!(sizes(&pool).len(), MOST);
    }

    #[test]
    fn scratch_memory_comes_back_and_is_bounded() {
        let mut pool = Pool::default();
        assert_eq!(pool.take::<f32>(), None);
        pool.put(vec![1.0_f32, 2.0]);
        assert_eq!((pool.take::<f64>(), pool.take::<f32>()), (None, Some(vec![1.0, 2.0])));
        (0..20).for_each(|_| pool.put(vec![0.0_f32; 10]));
        assert_eq!(sizes(&pool), [10; 4]);
        pool.clear();
        assert_eq!(pool.take::<f32>(), None);
    }
}
