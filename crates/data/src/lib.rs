//! Data for neural networks: a bundled data set, encoders for labels, scalers for columns, splits, folds and batches of rows.
//!
//! From a table with labels in words to what a network trains on takes four steps:
//!
//! ```
//! use mlp_data::{OneHotEncoder, StandardScaler, iris, train_test_split};
//! use mlp_tensor::Tensor;
//!
//! // 1. Load: 150 flowers, four lengths each, and the name of the species.
//! let flowers = iris();
//! let species = flowers.class_labels();
//!
//! // 2. Encode: each species becomes a column of zeros and ones.
//! let encoder = OneHotEncoder::fit(&species)?;
//! let y: Tensor = encoder.transform(&species)?;
//! assert_eq!(encoder.categories(), ["setosa", "versicolor", "virginica"]);
//!
//! // 3. Split: a fifth of the rows is kept for testing. The same seed always picks the same rows.
//! let (x_train, x_test, y_train, y_test) = train_test_split(&flowers.features, &y, 0.2, 42)?;
//! assert_eq!((x_train.shape(), x_test.shape()), (&[120, 4][..], &[30, 4][..]));
//! assert_eq!((y_train.shape(), y_test.shape()), (&[120, 3][..], &[30, 3][..]));
//!
//! // 4. Scale: learned from the training rows alone, applied to both parts.
//! let scaler = StandardScaler::fit(&x_train)?;
//! let (x_train, x_test) = (scaler.transform(&x_train)?, scaler.transform(&x_test)?);
//! # assert_eq!((x_train.rows(), x_test.rows()), (120, 30));
//!
//! // And back: rows of zeros and ones, or of probabilities, become names again.
//! let names = encoder.inverse_transform(&y_test)?;
//! assert_eq!(names.len(), 30);
//! # Ok::<(), mlp_data::DataError>(())
//! ```
//!
//! # From scikit-learn
//!
//! | scikit-learn | here |
//! |---|---|
//! | `load_iris()` | [`iris()`] |
//! | `LabelEncoder().fit(y)` | [`LabelEncoder::fit`] |
//! | `OneHotEncoder(handle_unknown="ignore").fit(y.reshape(-1, 1))` | [`OneHotEncoder::fit`], then [`.unknown(Unknown::Ignore)`](OneHotEncoder::unknown) |
//! | `LabelBinarizer().fit(y)` | [`OneHotEncoder::fit`]; two classes have two columns here, one there |
//! | `StandardScaler().fit(x)` | [`StandardScaler::fit`] |
//! | `train_test_split(x, y, test_size=0.2, random_state=42)` | [`train_test_split(&x, &y, 0.2, 42)`](train_test_split()) |
//! | `train_test_split(..., stratify=labels)` | [`TrainTestSplit::stratify`] |
//! | `KFold(5, shuffle=True, random_state=42).split(x)` | [`KFold::new(5).shuffle(42).split(n)`](KFold) |
//! | `StratifiedKFold(5).split(x, labels)` | [`StratifiedKFold::new(5).split(&labels)`](StratifiedKFold) |
//!
//! The rules (sizes of the parts, order of the classes, the scale of a constant column) are scikit-learn's; the random
//! numbers are not, so a seed picks other rows than the same `random_state` there. Nothing here is fitted twice by
//! accident: `fit` makes a new encoder or scaler, and an encoder or scaler that was not fitted does not exist.
//!
//! # Errors
//!
//! Tables, labels and settings come from outside. What is wrong with them is returned as a [`DataError`], which names
//! the row, the column or the label. Encoders and scalers can be saved and loaded with serde, and what is loaded is
//! checked as well.

mod check;
mod dataset;
mod datasets;
mod encoders;
mod error;
mod scalers;
mod split;

pub use check::{check_finite, check_same_rows};
pub use dataset::Dataset;
pub use datasets::iris;
pub use encoders::{LabelEncoder, OneHotEncoder, Unknown, one_hot};
pub use error::DataError;
pub use scalers::StandardScaler;
pub use split::{KFold, SelectRows, Split, StratifiedKFold, TrainTestSplit, batches, train_test_split};
