//! One split of the rows at random: some to train on, the others to test on.

use mlp_tensor::{Element, Rng, Tensor};

use super::{SelectRows, Split, rows_by_class};
use crate::DataError;
use crate::check::check_same_rows;

/// Splits rows at random: `ceil(test_size * n)` of them to test on, the others to train on.
///
/// ```
/// use mlp_data::TrainTestSplit;
///
/// let labels = [0, 0, 0, 0, 0, 0, 1, 1, 1];
/// let (train, test) = TrainTestSplit::new(0.33).seed(7).stratify(&labels).split(9)?;
/// assert_eq!((train.len(), test.len()), (6, 3));
/// assert_eq!(test.iter().filter(|&&row| labels[row] == 1).count(), 1);
/// # Ok::<(), mlp_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TrainTestSplit {
    test_size: f64,
    seed: u64,
    stratify: Option<Vec<usize>>,
}

impl TrainTestSplit {
    /// A split with the share `test_size` of the rows to test on: a number between 0 and 1. The seed is 0.
    pub fn new(test_size: f64) -> Self {
        Self { test_size, seed: 0, stratify: None }
    }

    /// The same, with another choice of rows. The same seed gives the same split.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same, with the classes in both parts in the proportions that they have in `labels`, which holds the class of
    /// every row. Each class gets its exact share, rounded so that the sum is right: the classes with the largest
    /// remainders are rounded up.
    #[must_use]
    pub fn stratify(mut self, labels: &[usize]) -> Self {
        self.stratify = Some(labels.to_vec());
        self
    }

    /// The rows to train on and those to test on, which together are the rows 0 to `n - 1`. Both parts come in random order.
    ///
    /// # Errors
    /// If `test_size` is not between 0 and 1, or one part has no rows. When stratified, also if there is not one label
    /// per row, a class has a single row, or one part has fewer rows than there are classes.
    pub fn split(&self, n: usize) -> Result<Split, DataError> {
        let test_size = self.test_size;
        if !(test_size > 0.0 && test_size < 1.0) {
            return Err(DataError::TestSize { test_size });
        }
        let tested = ((test_size * n as f64).ceil() as usize).min(n);
        for (part, rows) in [("test", tested), ("training", n - tested)] {
            if rows == 0 {
                return Err(DataError::EmptyPart { part, test_size, rows: n });
            }
        }
        let mut rng = Rng::new(self.seed);
        match &self.stratify {
            None => {
                let mut test = rng.permutation(n);
                let train = test.split_off(tested);
                Ok((train, test))
            }
            Some(labels) => {
                check_same_rows("the list of labels", labels.len(), "the table", n)?;
                stratified(labels, tested, &mut rng)
            }
        }
    }
}

/// The rows to train on and `tested` rows to test on, with every class in proportion.
fn stratified(labels: &[usize], tested: usize, rng: &mut Rng) -> Result<Split, DataError> {
    let classes = rows_by_class(labels);
    if let Some(rows) = classes.iter().find(|rows| rows.len() < 2) {
        return Err(DataError::ClassTooSmall { class: labels[rows[0]], found: rows.len() });
    }
    for (part, found) in [("test", tested), ("training", labels.len() - tested)] {
        if found < classes.len() {
            return Err(DataError::TooFewRows { part, found, classes: classes.len() });
        }
    }
    let sizes: Vec<usize> = classes.iter().map(Vec::len).collect();
    let shares = largest_remainder(&sizes, tested, rng);
    let (mut train, mut test) = (Vec::with_capacity(labels.len() - tested), Vec::with_capacity(tested));
    for (mut rows, share) in classes.into_iter().zip(shares) {
        rng.shuffle(&mut rows);
        train.extend_from_slice(&rows[share..]);
        test.extend_from_slice(&rows[..share]);
    }
    rng.shuffle(&mut train);
    rng.shuffle(&mut test);
    Ok((train, test))
}

/// `total` divided in proportion to `sizes`: each share rounded down, and what is then missing given to the largest
/// remainders, of equal ones at random.
fn largest_remainder(sizes: &[usize], total: usize, rng: &mut Rng) -> Vec<usize> {
    let all = sizes.iter().sum::<usize>() as u128;
    let product = |class: usize| sizes[class] as u128 * total as u128;
    let mut shares: Vec<usize> = (0..sizes.len()).map(|class| (product(class) / all) as usize).collect();
    let missing = total - shares.iter().sum::<usize>();
    let mut order = rng.permutation(sizes.len());
    order.sort_by_key(|&class| std::cmp::Reverse(product(class) % all));
    for &class in &order[..missing] {
        shares[class] += 1;
    }
    shares
}

/// Splits the rows of `x` and of `y`, which go together, at random: `(x_train, x_test, y_train, y_test)`. `y` is a tensor
/// or a list, such as a `Vec` of class numbers.
///
/// The share `test_size` of the rows is to test on, rounded up to a whole number. The same seed gives the same split.
/// For a split by class see [`TrainTestSplit::stratify`].
///
/// ```
/// use mlp_tensor::Tensor;
///
/// let (x, y) = (Tensor::from([[1.0], [2.0], [3.0], [4.0]]), Tensor::from([10.0, 20.0, 30.0, 40.0]));
/// let (x_train, x_test, y_train, y_test) = mlp_data::train_test_split(&x, &y, 0.25, 42)?;
/// assert_eq!((x_train.shape(), y_train.shape()), (&[3, 1][..], &[3][..]));
/// assert_eq!(x_test.item() * 10.0, y_test.item());
///
/// let (_, _, classes, _) = mlp_data::train_test_split(&x, &vec![0, 0, 1, 1], 0.25, 42)?;
/// assert_eq!(classes.len(), 3);
/// # Ok::<(), mlp_data::DataError>(())
/// ```
///
/// # Errors
/// If `x` and `y` differ in their number of rows, `test_size` is not between 0 and 1, or one part has no rows.
#[expect(clippy::type_complexity, reason = "four parts, taken apart where they arrive")]
pub fn train_test_split<E: Element, Y: SelectRows + ?Sized>(
    x: &Tensor<E>,
    y: &Y,
    test_size: f64,
    seed: u64,
) -> Result<(Tensor<E>, Tensor<E>, Y::Selected, Y::Selected), DataError> {
    check_same_rows("x", x.rows(), "y", y.row_count())?;
    let (train, test) = TrainTestSplit::new(test_size).seed(seed).split(x.rows())?;
    Ok((x.select_rows(&train), x.select_rows(&test), y.selected(&train), y.selected(&test)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact_and_the_largest_remainders_round_up() {
        let shares = |sizes: &[usize], total| largest_remainder(sizes, total, &mut Rng::new(3));
        assert_eq!(shares(&[50, 50, 50], 30), [10, 10, 10]);
        assert_eq!(shares(&[11, 7, 5], 7), [3, 2, 2]); // 3.35, 2.13, 1.52
        assert_eq!(shares(&[11, 7, 5], 16), [8, 5, 3]); // 7.65, 4.87, 3.48
    }

    #[test]
    fn no_class_is_favored_where_remainders_are_equal() {
        let mut larger = [0; 3];
        for seed in 0..60 {
            let shares = largest_remainder(&[10, 10, 10], 7, &mut Rng::new(seed));
            assert_eq!(shares.iter().sum::<usize>(), 7);
            for class in 0..3 {
                larger[class] += shares[class] - 2;
            }
        }
        assert!(larger.iter().all(|&times| times > 5), "{larger:?}");
    }

    #[test]
    fn rows_of_x_and_y_stay_together() {
        let x = Tensor::from([[0.0_f32, 0.5], [1.0, 1.5], [2.0, 2.5], [3.0, 3.5], [4.0, 4.5]]);
        let y = Tensor::from([0.0_f32, 1.0, 2.0, 3.0, 4.0]);
        let (x_train, x_test, y_train, y_test) = train_test_split(&x, &y, 0.3, 9).unwrap();
        assert_eq!((x_train.shape(), x_test.shape()), (&[3, 2][..], &[2, 2][..]));
        assert_eq!(x_train.slice(1, 0..1).as_slice(), y_train.as_slice());
        assert_eq!(x_test.slice(1, 0..1).as_slice(), y_test.as_slice());
        // A list is split as a tensor is.
        let names = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        let (_, _, train, test) = train_test_split(&x, &names, 0.3, 9).unwrap();
        let named = |numbers: &Tensor| numbers.iter().map(|&n| names[n as usize].clone()).collect::<Vec<_>>();
        assert_eq!((train, test), (named(&y_train), named(&y_test)));
    }

    #[test]
    fn a_split_that_cannot_be_is_an_error() {
        for test_size in [0.0, 1.0, -0.1, f64::INFINITY] {
            assert_eq!(TrainTestSplit::new(test_size).split(10), Err(DataError::TestSize { test_size }));
        }
        assert!(matches!(TrainTestSplit::new(f64::NAN).split(10), Err(DataError::TestSize { .. })));
        let empty = |part, rows| Err(DataError::EmptyPart { part, test_size: 0.5, rows });
        assert_eq!(TrainTestSplit::new(0.5).split(1), empty("training", 1));
        assert_eq!(TrainTestSplit::new(0.5).split(0), empty("test", 0));
        let differ = train_test_split(&Tensor::<f32>::zeros([4, 2]), &[0; 5][..], 0.5, 0);
        assert!(matches!(differ, Err(DataError::RowsDiffer { rows: 4, other_rows: 5, .. })));
    }

    #[test]
    fn a_stratified_split_that_cannot_be_is_an_error() {
        let split = |labels: &[usize], test_size, n| TrainTestSplit::new(test_size).stratify(labels).split(n);
        assert!(matches!(split(&[0, 0, 1, 1], 0.5, 5), Err(DataError::RowsDiffer { rows: 4, other_rows: 5, .. })));
        assert_eq!(split(&[0, 0, 8, 0], 0.5, 4), Err(DataError::ClassTooSmall { class: 8, found: 1 }));
        let few = |part| Err(DataError::TooFewRows { part, found: 1, classes: 2 });
        assert_eq!(split(&[0, 0, 1, 1], 0.2, 4), few("test"));
        assert_eq!(split(&[0, 0, 1, 1], 0.7, 4), few("training"));
    }
}
