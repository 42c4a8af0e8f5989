//! Labels as class numbers: the place of a label among all labels, sorted.

use serde::{Deserialize, Serialize};

use crate::DataError;

/// Numbers the labels 0, 1, 2, ... in sorted order (by code point, as scikit-learn does).
///
/// ```
/// use mlp_data::LabelEncoder;
///
/// let encoder = LabelEncoder::fit(&["cat", "dog", "cat", "ant"])?;
/// assert_eq!(encoder.classes(), ["ant", "cat", "dog"]);
/// assert_eq!(encoder.transform(&["dog", "ant"])?, [2, 0]);
/// assert_eq!(encoder.inverse_transform(&[2, 0])?, ["dog", "ant"]);
/// # Ok::<(), mlp_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Saved")]
pub struct LabelEncoder {
    /// At least one, sorted, each once.
    classes: Vec<String>,
}

/// An encoder as a file holds it, not yet checked.
#[derive(Deserialize)]
#[serde(rename = "LabelEncoder")]
struct Saved {
    classes: Vec<String>,
}

impl TryFrom<Saved> for LabelEncoder {
    type Error = DataError;

    fn try_from(Saved { classes }: Saved) -> Result<Self, DataError> {
        if classes.is_empty() {
            return Err(DataError::NoLabels);
        }
        match classes.windows(2).find(|pair| pair[0] >= pair[1]) {
            Some(pair) => Err(DataError::SavedClasses { previous: pair[0].clone(), class: pair[1].clone() }),
            None => Ok(Self { classes }),
        }
    }
}

impl LabelEncoder {
    /// An encoder whose classes are the labels that occur in `labels`.
    ///
    /// # Errors
    /// If there are no labels.
    pub fn fit(labels: &[impl AsRef<str>]) -> Result<Self, DataError> {
        let mut classes: Vec<&str> = labels.iter().map(AsRef::as_ref).collect();
        classes.sort_unstable();
        classes.dedup();
        if classes.is_empty() {
            return Err(DataError::NoLabels);
        }
        Ok(Self { classes: classes.into_iter().map(str::to_owned).collect() })
    }

    /// The labels in the order of their numbers: sorted, each once.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The number of every label.
    ///
    /// # Errors
    /// If a label was not among those fitted on.
    pub fn transform(&self, labels: &[impl AsRef<str>]) -> Result<Vec<usize>, DataError> {
        let number = |(row, label)| self.number(label).ok_or_else(|| self.unknown(row, label));
        labels.iter().map(AsRef::as_ref).enumerate().map(number).collect()
    }

    /// The number of every label, and `None` for a label that was not among those fitted on.
    pub fn transform_known(&self, labels: &[impl AsRef<str>]) -> Vec<Option<usize>> {
        labels.iter().map(|label| self.number(label.as_ref())).collect()
    }

    /// The label of every number.
    ///
    /// # Errors
    /// If a number is not below the number of classes.
    pub fn inverse_transform(&self, classes: &[usize]) -> Result<Vec<&str>, DataError> {
        let label = |(row, &class): (usize, &usize)| match self.classes.get(class) {
            Some(label) => Ok(label.as_str()),
            None => Err(DataError::ClassOutOfRange { row, class, classes: self.classes.len() }),
        };
        classes.iter().enumerate().map(label).collect()
    }

    fn number(&self, label: &str) -> Option<usize> {
        self.classes.binary_search_by(|class| class.as_str().cmp(label)).ok()
    }

    fn unknown(&self, row: usize, label: &str) -> DataError {
        DataError::UnknownLabel { row, label: label.to_owned(), known: self.classes.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_and_borrowed_labels_are_the_same() {
        let owned = [String::from("b"), String::from("a"), String::from("b")];
        let encoder = LabelEncoder::fit(&owned).unwrap();
        assert_eq!(encoder, LabelEncoder::fit(&["a", "b"]).unwrap());
        assert_eq!(encoder.transform(&owned).unwrap(), [1, 0, 1]);
        assert_eq!(encoder.transform(&[""; 0]).unwrap(), [0; 0]);
    }

    #[test]
    fn unknown_labels_are_named_or_none() {
        let encoder = LabelEncoder::fit(&["cat", "dog"]).unwrap();
        let error = encoder.transform(&["dog", "cow", "eel"]).unwrap_err();
        let known = vec!["cat".to_owned(), "dog".to_owned()];
        assert_eq!(error, DataError::UnknownLabel { row: 1, label: "cow".into(), known });
        assert_eq!(encoder.transform_known(&["dog", "cow", "cat"]), [Some(1), None, Some(0)]);
    }

    #[test]
    fn a_number_without_a_label_is_named() {
        let encoder = LabelEncoder::fit(&["cat", "dog"]).unwrap();
        let error = encoder.inverse_transform(&[0, 1, 2]).unwrap_err();
        assert_eq!(error, DataError::ClassOutOfRange { row: 2, class: 2, classes: 2 });
    }

    #[test]
    fn no_labels_are_an_error() {
        assert_eq!(LabelEncoder::fit(&[""; 0]), Err(DataError::NoLabels));
    }

    #[test]
    fn what_is_loaded_is_what_was_saved_or_an_error() {
        let encoder = LabelEncoder::fit(&["b", "a", "ä"]).unwrap();
        let text = serde_json::to_string(&encoder).unwrap();
        assert_eq!(serde_json::from_str::<LabelEncoder>(&text).unwrap(), encoder);
        for (text, reason) in [
            (r#"{"classes":["a","c","b"]}"#, r#"lists "b" after "c""#),
            (r#"{"classes":["a","a"]}"#, r#"lists "a" after "a""#),
            (r#"{"classes":[]}"#, "there are no labels"),
            (r#"{"classes":[1]}"#, "expected a string"),
            ("{}", "missing field `classes`"),
        ] {
            let error = serde_json::from_str::<LabelEncoder>(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
