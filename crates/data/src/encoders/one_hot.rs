//! Labels as rows of zeros with a single one: row i, column j is 1 if row i has label j, else 0.

use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use crate::check::table_shape;
use crate::{DataError, LabelEncoder};

/// What a [`OneHotEncoder`] does with a label that it was not fitted on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unknown {
    /// It is an error.
    #[default]
    Error,
    /// Its row holds only zeros.
    Ignore,
}

/// One column per label, in sorted order, as [`LabelEncoder`] numbers them.
///
/// ```
/// use mlp_data::{OneHotEncoder, Unknown};
/// use mlp_tensor::Tensor;
///
/// let encoder = OneHotEncoder::fit(&["cat", "dog", "ant"])?.unknown(Unknown::Ignore);
/// let table: Tensor<f32> = encoder.transform(&["dog", "cow"])?;
/// assert_eq!(table, Tensor::from([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]));
///
/// let probabilities = Tensor::from([[0.1, 0.7, 0.2]]);
/// assert_eq!(encoder.inverse_transform(&probabilities)?, ["cat"]);
/// # Ok::<(), mlp_data::DataError>(())
/// ```
// The label encoder checks itself when it is loaded, so there is nothing left to check here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneHotEncoder {
    labels: LabelEncoder,
    unknown: Unknown,
}

impl OneHotEncoder {
    /// An encoder with a column for each label that occurs in `labels`. An unknown label is an error; see
    /// [`OneHotEncoder::unknown`].
    ///
    /// # Errors
    /// If there are no labels.
    pub fn fit(labels: &[impl AsRef<str>]) -> Result<Self, DataError> {
        Ok(Self { labels: LabelEncoder::fit(labels)?, unknown: Unknown::default() })
    }

    /// The same encoder, which treats unknown labels as `unknown` says.
    #[must_use]
    pub fn unknown(mut self, unknown: Unknown) -> Self {
        self.unknown = unknown;
        self
    }

    /// The label of every column: sorted, each once.
    pub fn categories(&self) -> &[String] {
        self.labels.classes()
    }

    /// The labels as a table of shape `[labels.len(), categories.len()]`.
    ///
    /// # Errors
    /// If a label was not among those fitted on and unknown labels are an error, or the table does not fit in memory.
    pub fn transform<E: Element>(&self, labels: &[impl AsRef<str>]) -> Result<Tensor<E>, DataError> {
        let classes = match self.unknown {
            Unknown::Error => self.labels.transform(labels)?.into_iter().map(Some).collect(),
            Unknown::Ignore => self.labels.transform_known(labels),
        };
        table(&classes, self.categories().len())
    }

    /// The label of every row: that of its largest value, so that rows of probabilities can be decoded as well. Of
    /// equal values the first counts.
    ///
    /// # Errors
    /// If the tensor is not a table, has another number of columns than there are categories, holds NaN, or has a row
    /// of zeros only.
    pub fn inverse_transform<E: Element>(&self, table: &Tensor<E>) -> Result<Vec<&str>, DataError> {
        let (rows, columns) = table_shape("the one-hot table", table)?;
        let expected = self.categories().len();
        if columns != expected {
            return Err(DataError::WrongColumns { fitted: "OneHotEncoder", expected, found: columns });
        }
        let classes: Vec<usize> = (0..rows).map(|row| largest(row, table.row(row))).collect::<Result<_, _>>()?;
        self.labels.inverse_transform(&classes)
    }
}

/// The place of the largest value.
fn largest<E: Element>(row: usize, values: &[E]) -> Result<usize, DataError> {
    if let Some(column) = values.iter().position(|value| value.is_nan()) {
        return Err(DataError::NotFinite { name: "the one-hot table".into(), row, column, value: f64::NAN });
    }
    if values.iter().all(E::is_zero) {
        return Err(DataError::NoLabelInRow { row });
    }
    Ok((1..values.len()).fold(0, |best, column| if values[column] > values[best] { column } else { best }))
}

/// Class numbers as rows of zeros with a single one: shape `[classes.len(), num_classes]`. This is what Keras calls
/// `to_categorical`.
///
/// ```
/// use mlp_tensor::Tensor;
///
/// let table: Tensor<f32> = mlp_data::one_hot(&[2, 0], 3)?;
/// assert_eq!(table, Tensor::from([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]));
/// # Ok::<(), mlp_data::DataError>(())
/// ```
///
/// # Errors
/// If a class is not below `num_classes`, or the table does not fit in memory.
pub fn one_hot<E: Element>(classes: &[usize], num_classes: usize) -> Result<Tensor<E>, DataError> {
    match classes.iter().position(|&class| class >= num_classes) {
        Some(row) => Err(DataError::ClassOutOfRange { row, class: classes[row], classes: num_classes }),
        None => table(&classes.iter().copied().map(Some).collect::<Vec<_>>(), num_classes),
    }
}

/// The caller has checked that every class is below `columns`.
fn table<E: Element>(classes: &[Option<usize>], columns: usize) -> Result<Tensor<E>, DataError> {
    let too_large = || DataError::TooLarge { rows: classes.len(), classes: columns };
    let len = classes.len().checked_mul(columns).ok_or_else(too_large)?;
    let mut data = Vec::new();
    data.try_reserve_exact(len).map_err(|_| too_large())?;
    data.resize(len, E::zero());
    for (row, class) in classes.iter().enumerate() {
        if let Some(class) = class {
            data[row * columns + class] = E::one();
        }
    }
    Ok(Tensor::from_vec(data, [classes.len(), columns]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoder() -> OneHotEncoder {
        OneHotEncoder::fit(&["cat", "dog", "ant"]).unwrap()
    }

    #[test]
    fn an_unknown_label_is_an_error_unless_it_is_ignored() {
        let error = encoder().transform::<f32>(&["dog", "cow"]).unwrap_err();
        assert!(matches!(error, DataError::UnknownLabel { row: 1, .. }), "{error}");
        let table = encoder().unknown(Unknown::Ignore).transform::<f64>(&["dog", "cow"]).unwrap();
        assert_eq!(table, Tensor::from([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]));
        let error = encoder().inverse_transform(&table).unwrap_err();
        assert_eq!(error, DataError::NoLabelInRow { row: 1 });
    }

    #[test]
    fn the_largest_value_decides_and_of_equal_ones_the_first() {
        let table = Tensor::from([[-3.0_f32, -1.0, -2.0], [0.2, 0.4, 0.4], [f32::NEG_INFINITY, -9.0, f32::INFINITY]]);
        assert_eq!(encoder().inverse_transform(&table).unwrap(), ["cat", "cat", "dog"]);
        assert_eq!(encoder().inverse_transform(&Tensor::<f32>::zeros([0, 3])).unwrap(), [""; 0]);
    }

    #[test]
    fn a_table_that_cannot_be_decoded_is_an_error() {
        let error =
            encoder().inverse_transform(&Tensor::from([[1.0_f32, 0.0, 0.0], [1.0, 0.0, f32::NAN]])).unwrap_err();
        assert!(matches!(error, DataError::NotFinite { row: 1, column: 2, .. }), "{error}");
        let error = encoder().inverse_transform(&Tensor::<f32>::zeros([2, 4])).unwrap_err();
        assert_eq!(error, DataError::WrongColumns { fitted: "OneHotEncoder", expected: 3, found: 4 });
        let error = encoder().inverse_transform(&Tensor::<f32>::zeros([3])).unwrap_err();
        assert!(matches!(error, DataError::NotATable { .. }), "{error}");
    }

    #[test]
    fn class_numbers_must_lie_below_their_count() {
        let error = one_hot::<f32>(&[0, 3, 7], 3).unwrap_err();
        assert_eq!(error, DataError::ClassOutOfRange { row: 1, class: 3, classes: 3 });
        assert_eq!(one_hot::<f32>(&[], 0).unwrap().shape(), [0, 0]);
    }

    #[test]
    fn an_absurd_number_of_classes_is_an_error_and_not_an_abort() {
        for (rows, classes) in [(2, usize::MAX), (1, usize::MAX), (1, usize::MAX / 8)] {
            assert_eq!(one_hot::<f32>(&[0, 1][..rows], classes), Err(DataError::TooLarge { rows, classes }));
        }
    }

    #[test]
    fn what_is_loaded_is_what_was_saved_or_an_error() {
        let encoder = encoder().unknown(Unknown::Ignore);
        let text = serde_json::to_string(&encoder).unwrap();
        assert_eq!(text, r#"{"labels":{"classes":["ant","cat","dog"]},"unknown":"ignore"}"#);
        assert_eq!(serde_json::from_str::<OneHotEncoder>(&text).unwrap(), encoder);
        for (from, to, reason) in
            [("\"ant\"", "\"dog\"", r#"lists "cat" after "dog""#), ("ignore", "guess", "unknown variant `guess`")]
        {
            let error = serde_json::from_str::<OneHotEncoder>(&text.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
