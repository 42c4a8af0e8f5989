//! Lists of numbers as little-endian bytes, as tensors have them: exact, and no longer in memory than in the file,
//! however many a run leaves behind.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::Bytes;

/// One list.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct List(#[serde(with = "crate::numbers")] Vec<f64>);

pub(crate) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let bytes: &'de Bytes = Deserialize::deserialize(deserializer)?;
    let (numbers, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(D::Error::custom(format_args!("{} bytes, but numbers have 8 each", bytes.len())));
    }
    Ok(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
}

/// Several lists, one behind the other.
pub(crate) mod lists {
    use super::{Deserialize, Deserializer, List, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(lists: &[Vec<f64>], serializer: S) -> Result<S::Ok, S::Error> {
        lists.iter().map(|list| List(list.clone())).collect::<Vec<_>>().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<f64>>, D::Error> {
        Ok(Vec::<List>::deserialize(deserializer)?.into_iter().map(|List(list)| list).collect())
    }
}
