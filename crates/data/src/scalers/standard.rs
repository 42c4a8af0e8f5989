//! Columns of mean 0 and standard deviation 1: (x - mean) / scale.

use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use crate::check::{check_finite, table_shape};
use crate::error::DataError;

const TABLE: &str = "the table to scale";

/// Shifts and scales every column to mean 0 and standard deviation 1: (x - mean) / scale.
///
/// The scale is the population's standard deviation, sqrt(sum((x - mean)²) / n). A constant column has scale 1, so that
/// it becomes zeros. Both are computed and kept in double precision, whatever the table holds.
///
/// ```
/// use mlp_data::StandardScaler;
/// use mlp_tensor::Tensor;
///
/// let x = Tensor::from([[1.0, 7.0], [3.0, 7.0]]);
/// let scaler = StandardScaler::fit(&x)?;
/// assert_eq!((scaler.mean(), scaler.scale()), (&[2.0, 7.0][..], &[1.0, 1.0][..]));
/// assert_eq!(scaler.transform(&x)?, Tensor::from([[-1.0, 0.0], [1.0, 0.0]]));
/// # Ok::<(), mlp_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved")]
pub struct StandardScaler {
    /// One per column, finite; there is at least one.
    mean: Vec<f64>,
    /// One per column, finite and above 0.
    scale: Vec<f64>,
}

/// A scaler as a file holds it, not yet checked.
#[derive(Deserialize)]
#[serde(rename = "StandardScaler")]
struct Saved {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl TryFrom<Saved> for StandardScaler {
    type Error = DataError;

    fn try_from(Saved { mean, scale }: Saved) -> Result<Self, DataError> {
        if mean.len() != scale.len() || mean.is_empty() {
            return Err(DataError::SavedLengths { means: mean.len(), scales: scale.len() });
        }
        for (column, (&mean, &scale)) in mean.iter().zip(&scale).enumerate() {
            if !(mean.is_finite() && scale.is_finite() && scale > 0.0) {
                return Err(DataError::SavedColumn { column, mean, scale });
            }
        }
        Ok(Self { mean, scale })
    }
}

impl StandardScaler {
    /// A scaler with the means and standard deviations of the columns of `table`, shape `[rows, columns]`.
    ///
    /// # Errors
    /// If the tensor is not a table, has no rows or no columns, or holds a value that is NaN, infinite, or so large
    /// that the deviation overflows.
    pub fn fit<E: Element>(table: &Tensor<E>) -> Result<Self, DataError> {
        let (rows, columns) = table_shape(TABLE, table)?;
        if rows == 0 || columns == 0 {
            return Err(DataError::EmptyTable { name: TABLE.into(), shape: table.shape().to_vec() });
        }
        check_finite(TABLE, table)?;
        // Row by row, since that is how the values lie in memory.
        let n = rows as f64;
        let mut rough = vec![0.0; columns];
        for row in table.as_slice().chunks_exact(columns) {
            rough.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.as_f64());
        }
        rough.iter_mut().for_each(|sum| *sum /= n);
        let mut sums = vec![(0.0, 0.0); columns];
        for row in table.as_slice().chunks_exact(columns) {
            for (((sum, squares), x), rough) in sums.iter_mut().zip(row).zip(&rough) {
                let d = x.as_f64() - rough;
                *sum += d;
                *squares += d * d;
            }
        }
        let (mut mean, mut scale) = (Vec::with_capacity(columns), Vec::with_capacity(columns));
        for (column, (rough, (sum, squares))) in rough.into_iter().zip(sums).enumerate() {
            let (m, s) = mean_and_scale(rough, sum, squares, n);
            if !(m.is_finite() && s.is_finite()) {
                return Err(DataError::ColumnTooLarge { column });
            }
            mean.push(m);
            scale.push(s);
        }
        Ok(Self { mean, scale })
    }

    /// The mean of every column.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// What every column is divided by: its standard deviation, or 1 if it is constant.
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// (x - mean) / scale, for every column.
    ///
    /// # Errors
    /// If the tensor is not a table, has another number of columns than the scaler was fitted for, or holds a value
    /// that is NaN or infinite.
    pub fn transform<E: Element>(&self, table: &Tensor<E>) -> Result<Tensor<E>, DataError> {
        self.check_columns(table)?;
        check_finite(TABLE, table)?;
        Ok(self.map_columns(table, |x, mean, scale| (x - mean) / scale))
    }

    /// x · scale + mean, for every column: undoes [`StandardScaler::transform`]. NaN stays NaN.
    ///
    /// # Errors
    /// If the tensor is not a table or has another number of columns than the scaler was fitted for.
    pub fn inverse_transform<E: Element>(&self, table: &Tensor<E>) -> Result<Tensor<E>, DataError> {
        self.check_columns(table)?;
        Ok(self.map_columns(table, |x, mean, scale| x * scale + mean))
    }

    fn check_columns<E: Element>(&self, table: &Tensor<E>) -> Result<(), DataError> {
        let (_, found) = table_shape(TABLE, table)?;
        let expected = self.mean.len();
        if found == expected {
            return Ok(());
        }
        Err(DataError::WrongColumns { fitted: "StandardScaler", expected, found })
    }

    fn map_columns<E: Element>(&self, table: &Tensor<E>, f: impl Fn(f64, f64, f64) -> f64) -> Tensor<E> {
        let mut data = Vec::with_capacity(table.len());
        for row in table.as_slice().chunks_exact(self.mean.len()) {
            let columns = row.iter().zip(&self.mean).zip(&self.scale);
            data.extend(columns.map(|((x, &mean), &scale)| E::from_f64(f(x.as_f64(), mean, scale))));
        }
        Tensor::from_vec(data, table.shape())
    }
}

/// The mean of the `n` values of a column and their standard deviation, or 1 in its place if they are constant. What
/// comes in is a first, rough mean, and the sums of the differences from it and of their squares.
fn mean_and_scale(rough: f64, sum: f64, squares: f64, n: f64) -> (f64, f64) {
    // What the values still differ from the rough mean by, on average, is its rounding error.
    let correction = sum / n;
    let mean = rough + correction;
    let variance = squares / n - correction * correction;
    // A variance no larger than what rounding alone can cause is that of a constant (scikit-learn's rule).
    let rounding = n * f64::EPSILON * variance + (n * f64::EPSILON * mean).powi(2);
    let constant = variance.is_finite() && variance <= rounding;
    (mean, if constant { 1.0 } else { variance.sqrt() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_column_keeps_scale_one_even_if_its_sum_rounds() {
        for value in [0.0, 0.1, -1.0 / 3.0, 1e-30, 1e30] {
            let scaler = StandardScaler::fit(&Tensor::<f64>::full([1001, 1], value)).unwrap();
            assert_eq!(scaler.scale(), [1.0], "{value}");
            let error = (scaler.mean()[0] - value).abs();
            assert!(error <= value.abs() * 1e-15, "{value}: {error}");
        }
        assert_eq!(StandardScaler::fit(&Tensor::from([[5.0_f32]])).unwrap().scale(), [1.0]);
    }

    #[test]
    fn a_large_offset_does_not_drown_the_deviation() {
        let scaler = StandardScaler::fit(&Tensor::from([[1e9], [1e9 + 1.0], [1e9 + 2.0]])).unwrap();
        assert_eq!(scaler.mean(), [1e9 + 1.0]);
        assert!((scaler.scale()[0] - (2.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn scaling_back_gives_the_table() {
        let x = Tensor::from([[1.0_f64, -20.0], [2.5, 4.0], [9.0, 0.5]]);
        let scaler = StandardScaler::fit(&x).unwrap();
        let back = scaler.inverse_transform(&scaler.transform(&x).unwrap()).unwrap();
        for (a, b) in back.as_slice().iter().zip(x.as_slice()) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
        assert_eq!(scaler.transform(&Tensor::<f32>::zeros([0, 2])).unwrap().shape(), [0, 2]);
    }

    #[test]
    fn what_cannot_be_scaled_is_an_error() {
        let scaler = StandardScaler::fit(&Tensor::from([[1.0_f32, 2.0]])).unwrap();
        let three = Tensor::<f32>::zeros([4, 3]);
        let expected = DataError::WrongColumns { fitted: "StandardScaler", expected: 2, found: 3 };
        assert_eq!(scaler.transform(&three), Err(expected.clone()));
        assert_eq!(scaler.inverse_transform(&three), Err(expected));
        assert!(matches!(scaler.transform(&Tensor::<f32>::zeros([2])), Err(DataError::NotATable { .. })));
        assert!(matches!(StandardScaler::fit(&Tensor::<f32>::zeros([2])), Err(DataError::NotATable { .. })));
        for shape in [[0, 2], [2, 0]] {
            let error = StandardScaler::fit(&Tensor::<f32>::zeros(shape));
            assert_eq!(error, Err(DataError::EmptyTable { name: TABLE.into(), shape: shape.to_vec() }));
        }
        let bad = Tensor::from([[1.0_f32, 2.0], [1.0, f32::INFINITY]]);
        assert!(matches!(StandardScaler::fit(&bad), Err(DataError::NotFinite { row: 1, column: 1, .. })));
        assert!(matches!(scaler.transform(&bad), Err(DataError::NotFinite { row: 1, column: 1, .. })));
        assert_eq!(scaler.inverse_transform(&bad).unwrap()[[1, 1]], f32::INFINITY);
    }

    #[test]
    fn values_whose_deviation_overflows_are_an_error() {
        for values in [[f64::MAX, f64::MAX], [-1e200, 1e200], [1e175, 3.3e175]] {
            let table = Tensor::from([[1.0, values[0]], [2.0, values[1]]]);
            assert_eq!(StandardScaler::fit(&table), Err(DataError::ColumnTooLarge { column: 1 }));
        }
        // The largest f32 is far from the largest f64.
        assert!(StandardScaler::fit(&Tensor::from([[f32::MAX], [f32::MIN]])).is_ok());
    }

    #[test]
    fn what_is_loaded_is_what_was_saved_or_an_error() {
        let scaler = StandardScaler::fit(&Tensor::from([[0.1_f64, 7.0], [0.7, 7.0]])).unwrap();
        let text = serde_json::to_string(&scaler).unwrap();
        assert_eq!(serde_json::from_str::<StandardScaler>(&text).unwrap(), scaler);
        let error = serde_json::from_str::<StandardScaler>(r#"{"mean":[0],"scale":[0]}"#).unwrap_err();
        assert!(error.to_string().contains("mean 0 and scale 0 in column 0"), "{error}");
        let load = |mean: &[f64], scale: &[f64]| {
            StandardScaler::try_from(Saved { mean: mean.to_vec(), scale: scale.to_vec() })
        };
        assert_eq!(load(&[0.0, 1.0], &[1.0]), Err(DataError::SavedLengths { means: 2, scales: 1 }));
        assert_eq!(load(&[], &[]), Err(DataError::SavedLengths { means: 0, scales: 0 }));
        for (mean, scale) in [(f64::NAN, 1.0), (0.0, f64::NAN), (0.0, f64::INFINITY), (0.0, -1.0), (0.0, 0.0)] {
            let error = load(&[0.0, mean], &[1.0, scale]);
            assert!(matches!(error, Err(DataError::SavedColumn { column: 1, .. })), "{error:?}");
        }
    }
}
