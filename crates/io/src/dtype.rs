//! The number types that a file can hold.

use std::fmt;

use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

/// The type of the numbers in a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Dtype {
    /// Single precision, four bytes.
    F32,
    /// Double precision, eight bytes.
    F64,
}

impl Dtype {
    /// The name of the type that stands for `E`.
    pub fn of<E: Element>() -> Self {
        // `Element` is sealed: there are these two.
        if E::BYTES == 4 { Self::F32 } else { Self::F64 }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_element_types() {
        assert_eq!(Dtype::of::<f32>().to_string(), f32::NAME);
        assert_eq!(Dtype::of::<f64>().to_string(), f64::NAME);
    }
}
