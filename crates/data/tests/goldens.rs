//! Against what scikit-learn gives (`goldens/data.py` writes `goldens/data.json`).

use approx::assert_relative_eq;
use mlp_data::{KFold, LabelEncoder, OneHotEncoder, Split, StandardScaler, StratifiedKFold, TrainTestSplit, Unknown};
use mlp_tensor::Tensor;
use serde_json::Value;

fn golden(name: &str) -> Value {
    let file: Value = serde_json::from_str(include_str!("goldens/data.json")).unwrap();
    file[name].clone()
}

fn get<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn table(value: &Value) -> Tensor<f64> {
    Tensor::from_rows(&get::<Vec<Vec<f64>>>(value)).unwrap()
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_relative_eq!(found, expected, epsilon = 1e-14, max_relative = 1e-14);
    }
}

fn class_counts(labels: &[usize], rows: &[usize]) -> [usize; 3] {
    let mut counts = [0; 3];
    rows.iter().for_each(|&row| counts[labels[row]] += 1);
    counts
}

fn tests(splits: &[Split]) -> Vec<Vec<usize>> {
    splits.iter().map(|(_, test)| test.clone()).collect()
}

#[test]
fn standard_scaler() {
    for name in ["standard_scaler", "standard_scaler_inexact_constant"] {
        let golden = golden(name);
        let x = table(&golden["table"]);
        let scaler = StandardScaler::fit(&x).unwrap();
        assert_close(scaler.mean(), &get::<Vec<f64>>(&golden["mean"]));
        assert_close(scaler.scale(), &get::<Vec<f64>>(&golden["scale"]));
        assert_close(scaler.transform(&x).unwrap().as_slice(), table(&golden["transformed"]).as_slice());
    }
}

#[test]
fn one_hot_encoder() {
    let golden = golden("one_hot_encoder");
    let values: Vec<String> = get(&golden["values"]);
    let encoder = OneHotEncoder::fit(&values).unwrap();
    assert_eq!(encoder.categories(), get::<Vec<String>>(&golden["categories"]));
    let encoded = encoder.transform::<f64>(&values).unwrap();
    assert_eq!(encoded, table(&golden["encoded"]));
    assert_eq!(encoder.inverse_transform(&encoded).unwrap(), values);

    let unknown = &golden["with_unknown"];
    let values: Vec<String> = get(&unknown["values"]);
    let encoded = encoder.unknown(Unknown::Ignore).transform::<f64>(&values).unwrap();
    assert_eq!(encoded, table(&unknown["encoded"]));
}

#[test]
fn label_encoder() {
    let golden = golden("label_encoder");
    let values: Vec<String> = get(&golden["values"]);
    let encoder = LabelEncoder::fit(&values).unwrap();
    assert_eq!(encoder.classes(), get::<Vec<String>>(&golden["classes"]));
    let encoded = encoder.transform(&values).unwrap();
    assert_eq!(encoded, get::<Vec<usize>>(&golden["encoded"]));
    assert_eq!(encoder.inverse_transform(&encoded).unwrap(), values);
}

#[test]
fn k_fold() {
    let golden = golden("k_fold");
    let cases = golden["sizes"].as_array().unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let (n, k) = (get(&case["n"]), get(&case["k"]));
        let expected: Vec<usize> = get(&case["test_sizes"]);
        for folds in [KFold::new(k), KFold::new(k).shuffle(1)] {
            let sizes: Vec<usize> = folds.split(n).unwrap().iter().map(|(_, test)| test.len()).collect();
            assert_eq!(sizes, expected, "{n} rows, {k} folds");
        }
    }
    let case = &golden["test_indices"];
    let splits = KFold::new(get(&case["k"])).split(get(&case["n"])).unwrap();
    assert_eq!(tests(&splits), get::<Vec<Vec<usize>>>(&case["folds"]));
}

#[test]
fn stratified_k_fold() {
    let golden = golden("stratified_k_fold");
    let labels: Vec<usize> = get(&golden["labels"]);
    let folds = StratifiedKFold::new(get(&golden["k"]));
    let splits = folds.split(&labels).unwrap();
    assert_eq!(tests(&splits), get::<Vec<Vec<usize>>>(&golden["test_indices"]));
    let counts = get::<Vec<[usize; 3]>>(&golden["class_counts"]);
    for seed in 0..20 {
        let shuffled = folds.shuffle(seed).split(&labels).unwrap();
        let found: Vec<_> = shuffled.iter().map(|(_, test)| class_counts(&labels, test)).collect();
        // A shuffle deals the same cards of each class to the folds in another order.
        for class in 0..3 {
            let sorted = |counts: &[[usize; 3]]| {
                let mut counts: Vec<usize> = counts.iter().map(|fold| fold[class]).collect();
                counts.sort_unstable();
                counts
            };
            assert_eq!(sorted(&found), sorted(&counts), "class {class}, seed {seed}");
        }
    }
}

#[test]
fn stratified_train_test_split() {
    let golden = golden("train_test_split_stratified");
    for name in ["iris", "unequal"] {
        let case = &golden[name];
        let labels: Vec<usize> = get(&case["labels"]);
        for seed in 0..50 {
            let split = TrainTestSplit::new(get(&case["test_size"])).seed(seed).stratify(&labels);
            let (train, test) = split.split(labels.len()).unwrap();
            assert_eq!(train.len(), get::<usize>(&case["train_len"]));
            assert_eq!(test.len(), get::<usize>(&case["test_len"]));
            assert_eq!(class_counts(&labels, &train), get::<[usize; 3]>(&case["train_class_counts"]), "{name}");
            assert_eq!(class_counts(&labels, &test), get::<[usize; 3]>(&case["test_class_counts"]), "{name}");
        }
    }
}
