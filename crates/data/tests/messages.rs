//! Every error says what is wrong, what was expected and what came.

use std::fmt::Debug;

use mlp_data::{
    DataError, KFold, LabelEncoder, OneHotEncoder, StandardScaler, StratifiedKFold, TrainTestSplit, check_finite,
    one_hot, train_test_split,
};
use mlp_tensor::Tensor;

#[track_caller]
fn assert_message<T: Debug>(result: Result<T, DataError>, expected: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), expected);
    // A `main` that returns the error prints it so.
    assert_eq!(format!("{error:?}"), expected);
}

#[test]
fn tables() {
    let x = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    let scaler = StandardScaler::fit(&x).unwrap();
    assert_message(
        StandardScaler::fit(&Tensor::<f32>::zeros([3])),
        "the table to scale has shape [3], but a table with rows and columns, shape [n, k], is needed; reshape it first",
    );
    assert_message(
        StandardScaler::fit(&Tensor::<f32>::zeros([0, 4])),
        "the table to scale has shape [0, 4], so it holds no values; at least one row and one column are needed",
    );
    assert_message(
        scaler.transform(&Tensor::<f32>::zeros([1, 3])),
        "the table has 3 columns, but the StandardScaler was fitted for 2; give it the same columns",
    );
    assert_message(
        OneHotEncoder::fit(&["a", "b"]).unwrap().inverse_transform(&Tensor::<f32>::zeros([1, 3])),
        "the table has 3 columns, but the OneHotEncoder was fitted for 2; give it the same columns",
    );
    assert_message(
        check_finite("x", &Tensor::from([[0.0, f64::NEG_INFINITY]])),
        "x holds -inf in row 0, column 1 (counted from 0), but every value must be a finite number; replace the value or \
         leave the row out",
    );
    assert_message(
        StandardScaler::fit(&Tensor::from([[1e300], [-1e300]])),
        "the values of column 0 are too large to take their mean and standard deviation; divide them first",
    );
    assert_message(
        train_test_split(&x, &vec![0; 3], 0.5, 0),
        "x has 2 rows, but y has 3; they go together row by row, so the counts must agree",
    );
}

#[test]
fn labels() {
    let encoder = LabelEncoder::fit(&["cat", "dog"]).unwrap();
    assert_message(
        LabelEncoder::fit(&[""; 0]),
        "there are no labels to learn the classes from; at least one is needed",
    );
    assert_message(
        encoder.transform(&["cat", "cow"]),
        "row 1 has the label \"cow\", which is not among the known ones (\"cat\", \"dog\"); correct it, fit on every \
         label that occurs, or let unknown labels pass (`transform_known`, `Unknown::Ignore`)",
    );
    assert_message(
        encoder.inverse_transform(&[1, 0, 2]),
        "row 2 has class 2, but 2 classes are numbered 0 to 1; correct it",
    );
    assert_message(
        OneHotEncoder::fit(&["a", "b"]).unwrap().inverse_transform(&Tensor::from([[1.0_f32, 0.0], [0.0, 0.0]])),
        "row 1 holds only zeros, which stand for an unknown label; leave the row out to decode the others",
    );
    assert_message(
        one_hot::<f32>(&[0], usize::MAX),
        &format!(
            "1 rows of {} classes do not fit in memory as a one-hot table; check the number of classes",
            usize::MAX
        ),
    );
}

#[test]
fn splits_and_folds() {
    let stratified = |labels: &[usize], test_size| TrainTestSplit::new(test_size).stratify(labels).split(labels.len());
    assert_message(
        TrainTestSplit::new(20.0).split(100),
        "test_size is 20, but it is a share of the rows: a number between 0 and 1, such as 0.2",
    );
    assert_message(
        TrainTestSplit::new(0.9).split(3),
        "a test_size of 0.9 leaves no training rows out of 3; give more rows or a test_size further from its limit",
    );
    assert_message(
        stratified(&[0, 0, 1, 1], 0.2),
        "a stratified split needs a row of each of 2 classes, but has only 1 test row; change test_size",
    );
    assert_message(
        stratified(&[0, 0, 7], 0.5),
        "class 7 has only 1 row, but a stratified split needs 2 of each class; add rows or merge classes",
    );
    assert_message(
        TrainTestSplit::new(0.5).stratify(&[0, 1]).split(4),
        "the list of labels has 2 rows, but the table has 4; they go together row by row, so the counts must agree",
    );
    assert_message(
        KFold::new(1).split(10),
        "the number of folds is 1, but it must be at least 2: one to validate on, the others to train on",
    );
    assert_message(KFold::new(5).split(4), "4 rows cannot fill 5 folds; use at most as many folds as there are rows");
    assert_message(
        StratifiedKFold::new(3).split(&[0, 0, 1, 1]),
        "the largest class has 2 rows, which is too few for 3 stratified folds; use fewer folds or more rows",
    );
}

#[test]
fn saved_encoders_and_scalers() {
    let load = |text: &str| serde_json::from_str::<LabelEncoder>(text).unwrap_err().to_string();
    assert_eq!(
        load(r#"{"classes":["b","a"]}"#),
        "the saved encoder lists \"a\" after \"b\", but its classes must be sorted, each named once; the file is damaged: \
         save the encoder again"
    );
    let load = |text: &str| serde_json::from_str::<StandardScaler>(text).unwrap_err().to_string();
    assert_eq!(
        load(r#"{"mean":[1,2],"scale":[1]}"#),
        "the saved scaler has 2 means and 1 scales, but it needs one of each per column; save the scaler again"
    );
    assert_eq!(
        load(r#"{"mean":[1,2],"scale":[1,-0.5]}"#),
        "the saved scaler has mean 2 and scale -0.5 in column 1, but both must be finite and the scale above 0; the file \
         is damaged: save the scaler again"
    );
}
