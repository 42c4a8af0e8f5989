//! A tensor in a file: its type, its shape, and its numbers as little-endian bytes.

use mlp_tensor::{Element, Tensor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use serde_bytes::Bytes;

use crate::shown::shown;
use crate::{Dtype, FormatError};

/// A tensor on its way into a file.
#[derive(Debug)]
pub(crate) struct ToWrite<E: Element>(Tensor<E>);

/// A tensor as a file has it, not yet checked. The numbers are still the file's.
#[derive(Debug, Deserialize)]
pub(crate) struct Unchecked<'a> {
    dtype: Dtype,
    shape: Vec<u64>,
    data: &'a [u8],
}

impl<E: Element> ToWrite<E> {
    /// `name` is for the error.
    pub(crate) fn new(name: &str, tensor: &Tensor<E>) -> Result<Self, FormatError> {
        check_size(name, (tensor.len() as u64).saturating_mul(E::BYTES as u64))?;
        Ok(Self(tensor.clone()))
    }
}

/// MessagePack counts the bytes of a byte string in 32 bits.
fn check_size(name: &str, bytes: u64) -> Result<(), FormatError> {
    if bytes <= u64::from(u32::MAX) {
        return Ok(());
    }
    Err(FormatError::TensorTooLarge { name: name.to_owned(), bytes })
}

impl<E: Element> Serialize for ToWrite<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(self.0.len() * E::BYTES);
        self.0.as_slice().iter().for_each(|value| value.write_le(&mut bytes));
        let mut record = serializer.serialize_struct("Tensor", 3)?;
        record.serialize_field("dtype", &Dtype::of::<E>())?;
        record.serialize_field("shape", self.0.shape())?;
        record.serialize_field("data", Bytes::new(&bytes))?;
        record.end()
    }
}

impl Unchecked<'_> {
    /// The tensor; `name` is for the error, and comes from the file.
    pub(crate) fn decode<E: Element>(self, name: &str) -> Result<Tensor<E>, FormatError> {
        let Self { dtype, shape, data } = self;
        if dtype != Dtype::of::<E>() {
            return Err(FormatError::TensorDtype { name: shown(name), expected: Dtype::of::<E>(), found: dtype });
        }
        let wrong = || FormatError::TensorLength { name: shown(name), dtype, shape: shape.clone(), found: data.len() };
        let lengths = shape.iter().map(|&axis| usize::try_from(axis).ok()).collect::<Option<Vec<_>>>();
        let lengths = lengths.ok_or_else(wrong)?;
        let bytes = lengths.iter().try_fold(E::BYTES, |bytes, &axis| bytes.checked_mul(axis));
        if bytes != Some(data.len()) {
            return Err(wrong());
        }
        let mut values = Vec::with_capacity(data.len() / E::BYTES);
        values.extend(data.chunks_exact(E::BYTES).map(E::read_le));
        Tensor::try_from_vec(values, lengths).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode<E: Element>(dtype: Dtype, shape: &[u64], bytes: usize) -> Result<Tensor<E>, FormatError> {
        Unchecked { dtype, shape: shape.to_vec(), data: &vec![0; bytes] }.decode("w")
    }

    #[test]
    fn shapes_hold_their_bytes_and_nothing_else() {
        assert_eq!(decode::<f32>(Dtype::F32, &[2, 3], 24).unwrap(), Tensor::zeros([2, 3]));
        assert_eq!(decode::<f64>(Dtype::F64, &[], 8).unwrap(), Tensor::scalar(0.0));
        assert_eq!(decode::<f32>(Dtype::F32, &[0, 7], 0).unwrap().shape(), [0, 7]);
        let wrong: [(&[u64], usize); 7] = [
            (&[2, 3], 23),
            (&[2, 3], 28),
            (&[], 0),
            (&[1 << 62], 0),
            (&[u64::MAX], 4),
            (&[1 << 32, 1 << 32], 0),
            (&[1 << 62, 1 << 62, 0], 0),
        ];
        for (shape, bytes) in wrong {
            let expected = FormatError::TensorLength {
                name: "w".to_owned(),
                dtype: Dtype::F32,
                shape: shape.to_vec(),
                found: bytes,
            };
            assert_eq!(decode::<f32>(Dtype::F32, shape, bytes), Err(expected));
        }
        let error = decode::<f32>(Dtype::F64, &[1], 8).unwrap_err();
        assert_eq!(error.to_string(), "w holds f64 in a file of f32");
    }

    #[test]
    fn a_tensor_of_more_than_four_gibibytes_is_refused_and_not_cut() {
        assert_eq!(check_size("w", u64::from(u32::MAX)), Ok(()));
        let error = check_size("layers.0.weight", 1 << 32).unwrap_err().to_string();
        assert!(error.starts_with("layers.0.weight has 4294967296 bytes, but the format holds at most"), "{error}");
    }
}
