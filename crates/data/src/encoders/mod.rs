//! From labels in words to numbers, and back.

mod label;
mod one_hot;

pub use label::LabelEncoder;
pub use one_hot::{OneHotEncoder, Unknown, one_hot};
