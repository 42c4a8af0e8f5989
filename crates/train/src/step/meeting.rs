//! Shards that know of one another: what batch normalization needs of a batch that is cut.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use mlp_autograd::Peers;
use mlp_tensor::{Element, Tensor};
use rayon::ThreadPool;

/// The place where the shards of one batch meet, each on a thread of its own, and leave for each other what is to be added
/// up over the whole batch. Only so many of the threads are awake at a time as the step may use.
#[derive(Debug)]
pub(super) struct Meeting<E: Element> {
    state: Mutex<State<E>>,
    changed: Condvar,
    /// How many may work at a time.
    threads: usize,
}

#[derive(Debug)]
struct State<E: Element> {
    /// What each has brought.
    brought: Vec<Option<Brought<E>>>,
    /// What all had brought when the last of them came.
    together: Arc<Vec<Brought<E>>>,
    /// How often all have met.
    rounds: usize,
    /// How many are at work.
    working: usize,
    /// Whether somebody has gone home, who will not come to another meeting.
    left: bool,
}

/// What a shard unwinds with that waits for another which will not come.
struct Abandoned;

/// The number of values behind the numbers, and those.
type Brought<E> = (usize, [Tensor<E>; 2]);

impl<E: Element> Meeting<E> {
    /// A meeting of so many shards, of which so many may work at a time.
    pub(super) fn new(shards: usize, threads: usize) -> Arc<Self> {
        let brought = (0..shards).map(|_| None).collect();
        let state = State { brought, together: Arc::default(), rounds: 0, working: 0, left: false };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new(), threads: threads.max(1) })
    }

    /// Runs `job` on each of these, on as many threads of `workers`, which has at least as many.
    ///
    /// # Panics
    /// If one of them panics.
    pub(super) fn run<T: Send>(
        self: &Arc<Self>,
        workers: &ThreadPool,
        shards: impl Iterator<Item = T>,
        job: impl Fn(T, Arc<dyn Peers<E>>) + Sync,
    ) {
        let shards: Vec<_> = shards.map(|shard| Mutex::new(Some(shard))).collect();
        let panics = workers.broadcast(|context| {
            let index = context.index();
            let shard = shards.get(index)?.lock().unwrap_or_else(PoisonError::into_inner).take()?;
            let _turn = Turn::begin(self);
            let peers = Seat { meeting: Arc::clone(self), index };
            panic::catch_unwind(AssertUnwindSafe(|| job(shard, Arc::new(peers)))).err()
        });
        let (mut panics, abandoned): (Vec<Box<dyn Any + Send>>, Vec<_>) =
            panics.into_iter().flatten().partition(|panic| !panic.is::<Abandoned>());
        if !panics.is_empty() {
            panic::resume_unwind(panics.swap_remove(0));
        }
        assert!(
            abandoned.is_empty(),
            "shards: not every part of the batch came to the same normalizations of the batch"
        );
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the state is as it should be.
    fn wait<'a>(&self, state: MutexGuard<'a, State<E>>, until: impl Fn(&State<E>) -> bool) -> MutexGuard<'a, State<E>> {
        self.changed.wait_while(state, |state| !until(state)).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn to work.
    fn begin<'a>(&self, state: MutexGuard<'a, State<E>>) -> MutexGuard<'a, State<E>> {
        let mut state = self.wait(state, |state| state.working < self.threads);
        state.working += 1;
        state
    }
}

/// The time from a shard's first turn to work to its end.
struct Turn<'a, E: Element>(&'a Meeting<E>);

impl<'a, E: Element> Turn<'a, E> {
    fn begin(meeting: &'a Meeting<E>) -> Self {
        drop(meeting.begin(meeting.lock()));
        Self(meeting)
    }
}

impl<E: Element> Drop for Turn<'_, E> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        (state.working, state.left) = (state.working - 1, true);
        self.0.changed.notify_all();
    }
}

/// A shard's place in a [`Meeting`].
#[derive(Debug)]
struct Seat<E: Element> {
    meeting: Arc<Meeting<E>>,
    index: usize,
}

impl<E: Element> Peers<E> for Seat<E> {
    fn is_first(&self) -> bool {
        self.index == 0
    }

    fn all_gather(&self, count: usize, own: [Tensor<E>; 2], each: &mut dyn FnMut(usize, &[Tensor<E>; 2])) {
        let meeting = &self.meeting;
        let mut state = meeting.lock();
        state.brought[self.index] = Some((count, own));
        let round = state.rounds;
        if state.brought.iter().all(Option::is_some) {
            state.together = Arc::new(state.brought.iter_mut().filter_map(Option::take).collect());
            state.rounds += 1;
            meeting.changed.notify_all();
        } else {
            // Another may work in the meantime.
            state.working -= 1;
            meeting.changed.notify_all();
            state = meeting.wait(state, |state| state.rounds > round || state.left);
            let complete = state.rounds > round;
            state = meeting.begin(state);
            if !complete {
                drop(state);
                panic::resume_unwind(Box::new(Abandoned));
            }
        }
        let together = Arc::clone(&state.together);
        drop(state);
        together.iter().for_each(|(count, brought)| each(*count, brought));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use rayon::ThreadPoolBuilder;

    use super::*;

    fn workers(threads: usize) -> ThreadPool {
        ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
    }

    /// Five shards add up their numbers twice.
    #[test]
    fn everyone_gets_what_all_have_brought_and_few_work_at_a_time() {
        for threads in [1, 2, 5, 9] {
            let [working, most] = [(); 2].map(|()| AtomicUsize::new(0));
            Meeting::<f64>::new(5, threads).run(&workers(6), 0..5, |index, peers| {
                assert_eq!(peers.is_first(), index == 0);
                for round in 0..2 {
                    most.fetch_max(working.fetch_add(1, SeqCst) + 1, SeqCst);
                    // Long enough for others to work at the same time.
                    std::thread::sleep(std::time::Duration::from_millis(2));
                    let own = [1.0, 10.0].map(|digit| Tensor::scalar(digit * (index + round) as f64));
                    working.fetch_sub(1, SeqCst);
                    let (mut counts, mut sums) = (Vec::new(), [0.0; 2]);
                    peers.all_gather(index, own, &mut |count, brought| {
                        counts.push(count);
                        sums.iter_mut().zip(brought).for_each(|(sum, tensor)| *sum += tensor.item());
                    });
                    let sum = (10 + 5 * round) as f64;
                    assert_eq!((counts, sums), (vec![0, 1, 2, 3, 4], [sum, 10.0 * sum]));
                }
            });
            assert!((1..=threads).contains(&most.into_inner()));
        }
    }

    /// Whoever is last to come, and however many may work.
    #[test]
    fn the_panic_of_one_is_that_of_all() {
        for (threads, fails) in [(1, 0), (1, 2), (2, 1), (3, 2)] {
            let run = || {
                Meeting::<f32>::new(3, threads).run(&workers(4), 0..3, |index, peers| {
                    assert!(index != fails, "on purpose");
                    peers.all_gather(1, [0.0, 1.0].map(Tensor::scalar), &mut |_, _| {});
                });
            };
            let panic = panic::catch_unwind(AssertUnwindSafe(run)).unwrap_err();
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"on purpose"), "{threads} threads, {fails} fails");
        }
    }

    #[test]
    #[should_panic(expected = "not every part of the batch came to the same normalizations")]
    fn nobody_waits_for_one_who_does_not_come() {
        Meeting::<f32>::new(3, 1).run(&workers(3), 0..3, |index, peers| {
            if index != 1 {
                peers.all_gather(1, [0.0, 1.0].map(Tensor::scalar), &mut |_, _| {});
            }
        });
    }
}
