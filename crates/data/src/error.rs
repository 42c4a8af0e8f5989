//! What can be wrong with tables, labels and settings that come from outside.

use std::fmt;

/// Why data, or a setting for handling it, cannot be used. Rows and columns are counted from 0.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A table of another rank than 2.
    #[error("{name} has shape {shape:?}, but a table with rows and columns, shape [n, k], is needed; reshape it first")]
    NotATable {
        /// What the tensor is.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A table without rows or without columns.
    #[error("{name} has shape {shape:?}, so it holds no values; at least one row and one column are needed")]
    EmptyTable {
        /// What the table is.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A table of another width than an encoder or a scaler was fitted on.
    #[error("the table has {found} columns, but the {fitted} was fitted for {expected}; give it the same columns")]
    WrongColumns {
        /// What was fitted: `StandardScaler` or `OneHotEncoder`.
        fitted: &'static str,
        /// The number of columns that it was fitted for.
        expected: usize,
        /// The number of columns of the table.
        found: usize,
    },
    /// Two things that go together row by row differ in length.
    #[error(
        "{name} has {rows} rows, but {other} has {other_rows}; they go together row by row, so the counts must agree"
    )]
    RowsDiffer {
        /// What the first is.
        name: String,
        /// Its number of rows.
        rows: usize,
        /// What the second is.
        other: String,
        /// Its number of rows.
        other_rows: usize,
    },
    /// A value that is NaN or infinite.
    #[error(
        "{name} holds {value} in row {row}, column {column} (counted from 0), but every value must be a finite number; \
         replace the value or leave the row out"
    )]
    NotFinite {
        /// What the tensor is.
        name: String,
        /// The row of the first such value.
        row: usize,
        /// The column of the first such value.
        column: usize,
        /// The value: NaN, infinity or minus infinity.
        value: f64,
    },
    /// Values so large that their mean or their standard deviation is beyond the largest `f64`.
    #[error("the values of column {column} are too large to take their mean and standard deviation; divide them first")]
    ColumnTooLarge {
        /// The column.
        column: usize,
    },
    /// A one-hot table that does not fit in memory.
    #[error("{rows} rows of {classes} classes do not fit in memory as a one-hot table; check the number of classes")]
    TooLarge {
        /// The number of rows.
        rows: usize,
        /// The number of classes.
        classes: usize,
    },
    /// An encoder was to be fitted on no labels.
    #[error("there are no labels to learn the classes from; at least one is needed")]
    NoLabels,
    /// A label that the encoder was not fitted on.
    #[error(
        "row {row} has the label {label:?}, which is not among the known ones ({}); correct it, fit on every label that \
         occurs, or let unknown labels pass (`transform_known`, `Unknown::Ignore`)", listed(.known)
    )]
    UnknownLabel {
        /// The row of the first such label.
        row: usize,
        /// The label.
        label: String,
        /// The labels that the encoder knows.
        known: Vec<String>,
    },
    /// A class number beyond the number of classes.
    #[error("row {row} has class {class}, but {}; correct it", numbering(*classes))]
    ClassOutOfRange {
        /// The row of the first such number.
        row: usize,
        /// The class number.
        class: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A one-hot row of zeros, which stands for an unknown label.
    #[error("row {row} holds only zeros, which stand for an unknown label; leave the row out to decode the others")]
    NoLabelInRow {
        /// The first such row.
        row: usize,
    },
    /// A share of test rows outside of (0, 1).
    #[error("test_size is {test_size}, but it is a share of the rows: a number between 0 and 1, such as 0.2")]
    TestSize {
        /// The share asked for.
        test_size: f64,
    },
    /// A split that would leave one part without rows.
    #[error(
        "a test_size of {test_size} leaves no {part} rows out of {rows}; give more rows or a test_size further from \
         its limit"
    )]
    EmptyPart {
        /// The part without rows: `training` or `test`.
        part: &'static str,
        /// The share asked for.
        test_size: f64,
        /// The number of rows to split.
        rows: usize,
    },
    /// A stratified split with fewer rows in one part than there are classes.
    #[error(
        "a stratified split needs a row of each of {classes} classes, but has only {}; change test_size",
        rows(*found, part)
    )]
    TooFewRows {
        /// The part that is too small: `training` or `test`.
        part: &'static str,
        /// The number of its rows.
        found: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A class with a single row, which cannot be in both parts of a stratified split.
    #[error(
        "class {class} has only {found} row, but a stratified split needs 2 of each class; add rows or merge classes"
    )]
    ClassTooSmall {
        /// The class.
        class: usize,
        /// The number of its rows.
        found: usize,
    },
    /// Fewer than two folds.
    #[error("the number of folds is {folds}, but it must be at least 2: one to validate on, the others to train on")]
    TooFewFolds {
        /// The number asked for.
        folds: usize,
    },
    /// More folds than rows.
    #[error("{rows} rows cannot fill {folds} folds; use at most as many folds as there are rows")]
    TooManyFolds {
        /// The number of folds asked for.
        folds: usize,
        /// The number of rows.
        rows: usize,
    },
    /// More stratified folds than the largest class has rows.
    #[error(
        "the largest class has {largest} rows, which is too few for {folds} stratified folds; use fewer folds or more rows"
    )]
    TooManyStratifiedFolds {
        /// The number of folds asked for.
        folds: usize,
        /// The number of rows of the largest class.
        largest: usize,
    },
    /// A saved encoder whose classes are not in order or not unique.
    #[error(
        "the saved encoder lists {class:?} after {previous:?}, but its classes must be sorted, each named once; the \
         file is damaged: save the encoder again"
    )]
    SavedClasses {
        /// A class.
        previous: String,
        /// The next class, which does not sort after it.
        class: String,
    },
    /// A saved scaler with a different number of means and scales, or none.
    #[error(
        "the saved scaler has {means} means and {scales} scales, but it needs one of each per column; save the \
         scaler again"
    )]
    SavedLengths {
        /// The number of means.
        means: usize,
        /// The number of scales.
        scales: usize,
    },
    /// A saved scaler with numbers that no fit gives.
    #[error(
        "the saved scaler has mean {mean} and scale {scale} in column {column}, but both must be finite and the scale \
         above 0; the file is damaged: save the scaler again"
    )]
    SavedColumn {
        /// The column.
        column: usize,
        /// Its mean.
        mean: f64,
        /// Its scale.
        scale: f64,
    },
}

impl fmt::Debug for DataError {
    /// The message, so that a `main` that returns the error tells people what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What numbers so many classes have.
fn numbering(classes: usize) -> String {
    match classes {
        0 => "there are no classes".to_owned(),
        1 => "the only class has the number 0".to_owned(),
        _ => format!("{classes} classes are numbered 0 to {}", classes - 1),
    }
}

/// So many rows of a part.
fn rows(count: usize, part: &str) -> String {
    format!("{count} {part} {}", if count == 1 { "row" } else { "rows" })
}

/// The first few labels in quotes, and how many more there are.
fn listed(labels: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text: Vec<String> = labels.iter().take(SHOWN).map(|label| format!("{label:?}")).collect();
    if labels.len() > SHOWN {
        text.push(format!("and {} more", labels.len() - SHOWN));
    }
    text.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_rows_are_counted_as_people_do() {
        assert_eq!(numbering(0), "there are no classes");
        assert_eq!(numbering(1), "the only class has the number 0");
        assert_eq!(numbering(2), "2 classes are numbered 0 to 1");
        assert_eq!([rows(1, "test"), rows(2, "training")], ["1 test row", "2 training rows"]);
    }

    #[test]
    fn long_lists_are_cut_short() {
        let labels: Vec<String> = (0..12).map(|i| i.to_string()).collect();
        assert_eq!(listed(&labels[..2]), r#""0", "1""#);
        assert!(listed(&labels).ends_with(r#""9", and 2 more"#), "{}", listed(&labels));
    }
}
