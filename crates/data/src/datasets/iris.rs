//! Fisher's Iris flowers.

use std::error::Error;

use mlp_tensor::Tensor;

use crate::{Dataset, LabelEncoder};

const CSV: &str = include_str!("../iris.csv");

/// The Iris data set: 150 flowers, four lengths in centimeters each, three species of 50 flowers.
///
/// The rows and their order are those of scikit-learn's `load_iris`: first the 50 of *setosa*, then *versicolor*, then
/// *virginica*. Shuffle them before splitting, as [`train_test_split`](crate::train_test_split()) does.
///
/// Source: R. A. Fisher, "The use of multiple measurements in taxonomic problems", 1936; UCI Machine Learning
/// Repository, [doi:10.24432/C56C76](https://doi.org/10.24432/C56C76), license CC BY 4.0.
///
/// ```
/// let flowers = mlp_data::iris();
/// assert_eq!(flowers.features.shape(), [150, 4]);
/// assert_eq!(flowers.features.row(0), [5.1, 3.5, 1.4, 0.2]);
/// assert_eq!(flowers.class_labels()[0], "setosa");
/// ```
pub fn iris() -> Dataset {
    match read(CSV) {
        Ok(dataset) => dataset,
        Err(error) => unreachable!("the bundled table is read by a test: {error}"),
    }
}

/// Reads a table with a header, numbers and the name of the class behind them. Nothing in it is quoted.
fn read(text: &str) -> Result<Dataset, Box<dyn Error>> {
    let mut lines = text.lines().filter_map(|line| line.rsplit_once(','));
    let (header, _) = lines.next().ok_or("there is no header")?;
    let mut rows = Vec::new();
    let mut species = Vec::new();
    for (lengths, name) in lines {
        rows.push(lengths.split(',').map(str::parse).collect::<Result<Vec<f32>, _>>()?);
        species.push(name);
    }
    let feature_names: Vec<String> = header.split(',').map(str::to_owned).collect();
    let features = Tensor::from_rows(&rows)?;
    if features.row_len() != feature_names.len() {
        return Err("the rows and the header differ in length".into());
    }
    let encoder = LabelEncoder::fit(&species)?;
    Ok(Dataset {
        features,
        labels: encoder.transform(&species)?,
        feature_names,
        class_names: encoder.classes().to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_table_is_complete() {
        let flowers = iris();
        assert_eq!(flowers.features.shape(), [150, 4]);
        assert_eq!(flowers.feature_names, ["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"]);
        assert_eq!(flowers.class_names, ["setosa", "versicolor", "virginica"]);
        let in_order: Vec<usize> = (0..150).map(|row| row / 50).collect();
        assert_eq!(flowers.labels, in_order);
    }

    /// The column means of scikit-learn's `load_iris().data`.
    #[test]
    fn the_column_means_are_the_published_ones() {
        let means = iris().features.cast::<f64>().mean_axes(&[0], false);
        for (found, expected) in means.as_slice().iter().zip([5.843_333, 3.057_333, 3.758, 1.199_333]) {
            assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        }
    }

    /// Rows 34 and 37 of the UCI file differ from Fisher's paper; here they are the paper's.
    #[test]
    fn the_two_rows_that_uci_has_wrong_are_corrected() {
        let flowers = iris();
        assert_eq!(flowers.features.row(34), [4.9, 3.1, 1.5, 0.2]);
        assert_eq!(flowers.features.row(37), [4.9, 3.6, 1.4, 0.1]);
    }

    #[test]
    fn a_damaged_table_is_not_read() {
        assert!(read("a,b,c,d,species\n1,2,3,rose,setosa\n").is_err());
        assert!(read("a,b,c,d,species\n1,2,3,setosa\n").is_err());
        assert!(read("a,b,c,d,species\n").is_err());
    }
}
