//! A tensor in the formats of serde, with the feature `serde`: its shape and its values in row-major order.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{Element, Tensor};

#[derive(Serialize)]
#[serde(rename = "Tensor")]
struct Borrowed<'a, E> {
    shape: &'a [usize],
    data: &'a [E],
}

#[derive(Deserialize)]
#[serde(rename = "Tensor", deny_unknown_fields)]
struct Owned<E> {
    shape: Vec<usize>,
    data: Vec<E>,
}

impl<E: Element + Serialize> Serialize for Tensor<E> {
    /// As `{ shape, data }`. What becomes of NaN and infinities is the format's to say: JSON has none and writes `null`,
    /// which is not read back.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Borrowed { shape: self.shape(), data: self.as_slice() }.serialize(serializer)
    }
}

impl<'de, E: Element + Deserialize<'de>> Deserialize<'de> for Tensor<E> {
    /// From `{ shape, data }`; an error if the shape does not hold as many values as there are. Takes memory for the values
    /// that are there, whatever the shape says.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Owned { shape, data } = Owned::deserialize(deserializer)?;
        Self::try_from_vec(data, shape).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::Tensor;

    #[test]
    fn a_tensor_is_its_shape_and_its_values() {
        let t = Tensor::from([[1.0_f32, 2.5], [-3.0, 0.1]]);
        let text = serde_json::to_string(&t).unwrap();
        assert_eq!(text, r#"{"shape":[2,2],"data":[1.0,2.5,-3.0,0.1]}"#);
        assert!(serde_json::from_str::<Tensor>(&text).unwrap().bit_eq(&t));
        for t in [Tensor::scalar(0.1_f64), Tensor::zeros([2, 0, 3])] {
            let text = serde_json::to_string(&t).unwrap();
            assert!(serde_json::from_str::<Tensor<f64>>(&text).unwrap().bit_eq(&t));
        }
    }

    #[test]
    fn a_shape_that_does_not_hold_the_values_is_refused() {
        for (text, message) in [
            (r#"{"shape":[2,2],"data":[1.0]}"#, "a tensor of shape [2, 2] holds 4 values, but 1 were given"),
            (r#"{"shape":[4611686018427387904,4],"data":[]}"#, "holds more values than this machine can count"),
            (r#"{"shape":[1000000000000],"data":[]}"#, "a tensor of shape [1000000000000] holds 1000000000000 values"),
            (r#"{"shape":[1],"data":[1.0],"dtype":"f32"}"#, "unknown field `dtype`"),
            (r#"{"data":[1.0]}"#, "missing field `shape`"),
            (r#"{"shape":[-1],"data":[1.0]}"#, "invalid value: integer `-1`"),
            (r#"{"shape":[1],"data":[null]}"#, "invalid type: null"),
        ] {
            let error = serde_json::from_str::<Tensor>(text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
