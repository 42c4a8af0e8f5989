//! The batches of one epoch, for a loop of one's own.

use mlp_tensor::Rng;

/// The rows 0 to `rows - 1` in random order, `size` at a time; the last batch has what is left. No rows make no batch.
///
/// Take a batch out of a tensor with [`select_rows`](mlp_tensor::Tensor::select_rows).
///
/// ```
/// use mlp_data::batches;
/// use mlp_tensor::{Rng, Tensor};
///
/// let x = Tensor::<f32>::ones([10, 3]);
/// let mut rng = Rng::new(42);
/// for epoch in 0..2 {
///     for rows in batches(x.rows(), 4, &mut rng) {
///         let batch = x.select_rows(&rows);
///         assert!(batch.rows() == 4 || batch.rows() == 2);
///     }
/// }
/// ```
///
/// # Panics
/// If `size` is 0.
#[track_caller]
pub fn batches(rows: usize, size: usize, rng: &mut Rng) -> Vec<Vec<usize>> {
    assert!(size > 0, "batches: a batch of 0 rows; use at least 1");
    rng.permutation(rows).chunks(size).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_batch_and_every_epoch_has_its_order() {
        let mut rng = Rng::new(1);
        let (first, second) = (batches(10, 4, &mut rng), batches(10, 4, &mut rng));
        assert_ne!(first, second);
        for epoch in [&first, &second] {
            assert_eq!(epoch.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
            let mut rows = epoch.concat();
            rows.sort_unstable();
            assert!(rows.into_iter().eq(0..10));
        }
        assert_eq!(batches(10, 4, &mut Rng::new(1)), first);
        assert_eq!(batches(0, 4, &mut rng), Vec::<Vec<usize>>::new());
        assert_eq!(batches(1, usize::MAX, &mut rng), [[0]]);
    }

    #[test]
    #[should_panic(expected = "batches: a batch of 0 rows; use at least 1")]
    fn batches_without_rows_are_a_mistake() {
        batches(10, 0, &mut Rng::new(0));
    }
}
