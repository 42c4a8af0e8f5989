//! A table with a class for every row.

use mlp_tensor::Tensor;

use crate::SelectRows;

/// A table of numbers with a class for every row, and the names of the columns and of the classes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Dataset {
    /// The numbers: shape `[rows, columns]`.
    pub features: Tensor<f32>,
    /// The class of every row: a place in `class_names`.
    pub labels: Vec<usize>,
    /// The name of every column.
    pub feature_names: Vec<String>,
    /// The name of every class.
    pub class_names: Vec<String>,
}

impl Dataset {
    /// A table `[rows, columns]` with the class of every row, a place in `class_names`, and the names of the columns. They are
    /// taken as they are.
    pub fn new(
        features: Tensor<f32>,
        labels: Vec<usize>,
        feature_names: Vec<String>,
        class_names: Vec<String>,
    ) -> Self {
        Self { features, labels, feature_names, class_names }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The rows that `rows` names, in that order: the training rows of a split, say.
    ///
    /// # Panics
    /// If there is no such row.
    #[track_caller]
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        Self { features: self.features.select_rows(rows), labels: self.labels.selected(rows), ..self.clone() }
    }

    /// The name of the class of every row.
    ///
    /// # Panics
    /// If a label is not a place in `class_names`.
    #[track_caller]
    pub fn class_labels(&self) -> Vec<&str> {
        let mut names = Vec::with_capacity(self.labels.len());
        for (row, &label) in self.labels.iter().enumerate() {
            match self.class_names.get(label) {
                Some(name) => names.push(name.as_str()),
                None => {
                    panic!("class_labels: row {row} has label {label}, but there are {} names", self.class_names.len())
                }
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(labels: [usize; 3]) -> Dataset {
        Dataset {
            features: Tensor::zeros([3, 1]),
            labels: labels.to_vec(),
            feature_names: vec!["length".into()],
            class_names: vec!["short".into(), "long".into()],
        }
    }

    #[test]
    fn rows_are_taken_with_their_labels() {
        let part = dataset([1, 0, 1]).select_rows(&[1, 2]);
        assert_eq!((part.len(), part.features.rows(), part.labels), (2, 2, vec![0, 1]));
    }

    #[test]
    fn every_row_gets_the_name_of_its_class() {
        assert_eq!(dataset([1, 0, 1]).class_labels(), ["long", "short", "long"]);
    }

    #[test]
    #[should_panic(expected = "class_labels: row 2 has label 5, but there are 2 names")]
    fn a_label_without_a_name_is_named() {
        dataset([1, 0, 5]).class_labels();
    }
}
