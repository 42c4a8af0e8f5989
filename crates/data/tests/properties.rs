//! What holds for every table, not only for the examples.

use std::collections::HashMap;

use mlp_data::{KFold, LabelEncoder, OneHotEncoder, Split, StandardScaler, StratifiedKFold, TrainTestSplit, one_hot};
use mlp_tensor::Tensor;
use proptest::collection::vec;
use proptest::prelude::*;

/// Both parts together are the rows 0 to `n - 1`, each once.
fn assert_whole(split: &Split, n: usize) {
    let mut rows = [split.0.as_slice(), &split.1].concat();
    rows.sort_unstable();
    assert!(rows.iter().copied().eq(0..n), "{split:?} is not every one of {n} rows once");
}

/// Every split is whole, and every row is in exactly one test part.
fn assert_folds(splits: &[Split], k: usize, n: usize) {
    assert_eq!(splits.len(), k);
    splits.iter().for_each(|split| assert_whole(split, n));
    let mut tested: Vec<usize> = splits.iter().flat_map(|(_, test)| test.clone()).collect();
    tested.sort_unstable();
    assert!(tested.iter().copied().eq(0..n), "the test parts are not every one of {n} rows once");
}

fn counts(labels: &[usize], rows: &[usize]) -> HashMap<usize, usize> {
    let mut counts = HashMap::new();
    rows.iter().for_each(|&row| *counts.entry(labels[row]).or_insert(0) += 1);
    counts
}

/// The difference between the largest and the smallest number.
fn spread(numbers: impl Iterator<Item = usize> + Clone) -> usize {
    numbers.clone().max().unwrap() - numbers.min().unwrap()
}

/// Labels of up to four classes, far apart as numbers.
fn labels(len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![4 => Just(0), 2 => Just(3), 1 => Just(1000), 1 => Just(usize::MAX)], len)
}

proptest! {
    #[test]
    fn folds_lose_no_row((n, k) in (2usize..200).prop_flat_map(|n| (Just(n), 2..=n.min(20))), seed: u64) {
        for folds in [KFold::new(k), KFold::new(k).shuffle(seed)] {
            let splits = folds.split(n).unwrap();
            assert_folds(&splits, k, n);
            prop_assert!(spread(splits.iter().map(|(_, test)| test.len())) <= 1);
            prop_assert_eq!(&splits, &folds.split(n).unwrap());
        }
    }

    #[test]
    fn stratified_folds_are_even_in_size_and_in_every_class(labels in labels(2..200), k in 2usize..12, seed: u64) {
        let n = labels.len();
        let all = counts(&labels, &(0..n).collect::<Vec<_>>());
        let largest = all.values().copied().max().unwrap();
        for folds in [StratifiedKFold::new(k), StratifiedKFold::new(k).shuffle(seed)] {
            if k > largest {
                prop_assert!(folds.split(&labels).is_err());
                continue;
            }
            let splits = folds.split(&labels).unwrap();
            assert_folds(&splits, k, n);
            let found: Vec<_> = splits.iter().map(|(_, test)| counts(&labels, test)).collect();
            for class in all.keys() {
                prop_assert!(spread(found.iter().map(|fold| fold.get(class).copied().unwrap_or(0))) <= 1);
            }
            prop_assert!(spread(splits.iter().map(|(_, test)| test.len())) <= 1);
            prop_assert_eq!(&splits, &folds.split(&labels).unwrap());
        }
    }

    #[test]
    fn a_split_is_whole_and_of_the_size_asked_for(n in 2usize..300, test_size in 0.01..0.99f64, seed: u64) {
        let tested = (test_size * n as f64).ceil() as usize;
        prop_assume!(tested < n);
        let split = TrainTestSplit::new(test_size).seed(seed).split(n).unwrap();
        assert_whole(&split, n);
        prop_assert_eq!(split.1.len(), tested);
        prop_assert_eq!(&split, &TrainTestSplit::new(test_size).seed(seed).split(n).unwrap());
    }

    #[test]
    fn a_stratified_split_gives_every_class_its_share(labels in labels(8..200), test_size in 0.05..0.95f64, seed: u64) {
        let n = labels.len();
        let tested = (test_size * n as f64).ceil() as usize;
        let all = counts(&labels, &(0..n).collect::<Vec<_>>());
        prop_assume!(all.values().all(|&count| count >= 2));
        prop_assume!(tested >= all.len() && n - tested >= all.len());
        let splitter = TrainTestSplit::new(test_size).seed(seed).stratify(&labels);
        let split = splitter.split(n).unwrap();
        assert_whole(&split, n);
        prop_assert_eq!(split.1.len(), tested);
        let found = counts(&labels, &split.1);
        for (class, &count) in &all {
            let exact = count as f64 * tested as f64 / n as f64;
            let share = found.get(class).copied().unwrap_or(0) as f64;
            prop_assert!((share - exact).abs() < 1.0, "class {} has {} of {}", class, share, exact);
        }
        prop_assert_eq!(&split, &splitter.split(n).unwrap());
    }

    #[test]
    fn another_seed_chooses_other_rows(seed: u64) {
        let labels: Vec<usize> = (0..100).map(|row| row % 3).collect();
        let other = seed.wrapping_add(1);
        let split = |seed| TrainTestSplit::new(0.3).seed(seed).split(100).unwrap();
        prop_assert_ne!(split(seed), split(other));
        let stratified = |seed| TrainTestSplit::new(0.3).seed(seed).stratify(&labels).split(100).unwrap();
        prop_assert_ne!(stratified(seed), stratified(other));
        let folds = |seed| KFold::new(5).shuffle(seed).split(100).unwrap();
        prop_assert_ne!(folds(seed), folds(other));
        let folds = |seed| StratifiedKFold::new(5).shuffle(seed).split(&labels).unwrap();
        prop_assert_ne!(folds(seed), folds(other));
    }

    #[test]
    fn labels_come_back(labels in vec("[a-dä]{0,2}", 1..50)) {
        let encoder = LabelEncoder::fit(&labels).unwrap();
        let numbers = encoder.transform(&labels).unwrap();
        prop_assert_eq!(encoder.inverse_transform(&numbers).unwrap(), labels.clone());
        prop_assert!(encoder.classes().windows(2).all(|pair| pair[0] < pair[1]));

        let columns = OneHotEncoder::fit(&labels).unwrap();
        let table: Tensor<f32> = columns.transform(&labels).unwrap();
        prop_assert_eq!(&table, &one_hot(&numbers, encoder.classes().len()).unwrap());
        prop_assert_eq!(table.sum_axes(&[1], false), Tensor::ones([labels.len()]));
        prop_assert_eq!(columns.inverse_transform(&table).unwrap(), labels);
    }

    #[test]
    fn scaled_columns_have_mean_zero_and_deviation_one(
        values in vec(-10.0..10.0, 3..60),
        shift in -1e6..1e6,
        stretch in 1e-2..1e4,
    ) {
        let rows = values.len() / 3;
        let values: Vec<f64> = values[..rows * 3].iter().map(|v| v * stretch + shift).collect();
        let x = Tensor::from_vec(values, [rows, 3]);
        let scaler = StandardScaler::fit(&x).unwrap();
        let z = scaler.transform(&x).unwrap();
        for column in 0..3 {
            let z = z.slice(1, column..column + 1);
            prop_assert!(z.mean().abs() < 1e-6, "mean {}", z.mean());
            let deviation = z.square().mean().sqrt();
            let expected = if rows == 1 { 0.0 } else { 1.0 };
            prop_assert!((deviation - expected).abs() < 1e-6, "deviation {}", deviation);
        }
        for (back, x) in scaler.inverse_transform(&z).unwrap().as_slice().iter().zip(x.as_slice()) {
            prop_assert!((back - x).abs() <= 1e-9 * x.abs().max(1.0), "{} is not {}", back, x);
        }
    }
}
