//! The tensors of a network: weights, which are trained, and buffers, which are not.

use std::ops::Deref;

use mlp_tensor::{Element, Tensor};

use crate::{Constraint, Regularizer};

/// One weight of a network.
///
/// Its name, its shape, its penalty and its limit follow from the network's description; what can be changed are its
/// numbers, through a [`ParameterMut`]. [`Network::freeze`](crate::Network::freeze) says whether training changes them.
#[derive(Clone, Debug)]
pub struct Parameter<E: Element = f32> {
    pub(crate) name: String,
    pub(crate) value: Tensor<E>,
    // Few weights have one, and a network may have many small weights.
    pub(crate) regularizer: Option<Box<Regularizer>>,
    pub(crate) constraint: Option<Box<Constraint>>,
    pub(crate) trainable: bool,
}

impl<E: Element> Parameter<E> {
    /// The full name, such as `layers.0.weight`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The numbers.
    pub fn value(&self) -> &Tensor<E> {
        &self.value
    }

    /// The name, the numbers, and whether training changes them.
    pub fn into_parts(self) -> (String, Tensor<E>, bool) {
        (self.name, self.value, self.trainable)
    }

    /// The penalty on it that the description says, if there is one.
    pub fn regularizer(&self) -> Option<&Regularizer> {
        self.regularizer.as_deref()
    }

    /// The limit that it is brought back to after each step, if the description says one.
    pub fn constraint(&self) -> Option<&Constraint> {
        self.constraint.as_deref()
    }

    /// Whether training changes it; see [`Network::freeze`](crate::Network::freeze).
    pub fn is_trainable(&self) -> bool {
        self.trainable
    }
}

/// One weight of a network whose numbers are to be changed, and nothing else: its name and its shape stay what the
/// description says. NaN and infinity are not looked for, as [`Network::set_tensor`](crate::Network::set_tensor) does.
///
/// ```
/// use mlp_nn::{Dense, Network, Sequential};
/// use mlp_tensor::Tensor;
///
/// let mut network: Network = Sequential::new(2).add(Dense::new(1)).init(0)?;
/// for mut parameter in network.parameters_mut() {
///     match parameter.name() {
///         "layers.0.weight" => parameter.set_value(Tensor::from([[0.5], [-1.0]])),
///         _ => parameter.values_mut()[0] = 2.0,
///     }
/// }
/// assert_eq!(network.predict(&Tensor::from([[4.0, 3.0]]))?, Tensor::from([[1.0]]));
/// # Ok::<(), mlp_nn::NnError>(())
/// ```
#[derive(Debug)]
pub struct ParameterMut<'a, E: Element = f32>(pub(crate) &'a mut Parameter<E>);

impl<'a, E: Element> ParameterMut<'a, E> {
    /// The numbers in row-major order, to be changed.
    pub fn values_mut(&mut self) -> &mut [E] {
        self.0.value.as_mut_slice()
    }

    /// The numbers in row-major order, to be changed, together with the penalty on them.
    pub fn into_values_and_regularizer(self) -> (&'a mut [E], Option<&'a Regularizer>) {
        (self.0.value.as_mut_slice(), self.0.regularizer.as_deref())
    }

    /// Puts other numbers in the place of all.
    ///
    /// # Panics
    /// If `value` has another shape.
    #[track_caller]
    pub fn set_value(&mut self, value: Tensor<E>) {
        let Parameter { name, value: own, .. } = &mut *self.0;
        let (expected, found) = (own.shape(), value.shape());
        assert!(found == expected, "set_value: {name} has shape {expected:?}, and the new value {found:?}");
        *own = value;
    }

    /// Brings it back within its limit, unless it has none or is frozen.
    ///
    /// # Panics
    /// If the constraint is a user's of which a file gave only the name, or one that changes the shape.
    #[track_caller]
    pub fn constrain(self) {
        if let (Some(constraint), true) = (&self.0.constraint, self.0.trainable) {
            constraint.apply(&mut self.0.value);
        }
    }
}

impl<E: Element> Deref for ParameterMut<'_, E> {
    type Target = Parameter<E>;

    fn deref(&self) -> &Parameter<E> {
        self.0
    }
}

/// One tensor of a network that is part of its state but is not trained by gradients, such as a running mean.
#[derive(Clone, Debug)]
pub struct Buffer<E: Element = f32> {
    pub(crate) name: String,
    pub(crate) value: Tensor<E>,
    pub(crate) trainable: bool,
}

impl<E: Element> Buffer<E> {
    /// The full name, such as `layers.1.running_mean`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The numbers.
    pub fn value(&self) -> &Tensor<E> {
        &self.value
    }

    /// The name, the numbers, and whether training updates them.
    pub fn into_parts(self) -> (String, Tensor<E>, bool) {
        (self.name, self.value, self.trainable)
    }

    /// Whether training updates it; see [`Network::freeze`](crate::Network::freeze).
    pub fn is_trainable(&self) -> bool {
        self.trainable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dense, Network, Sequential};

    #[test]
    #[should_panic(expected = "set_value: layers.0.weight has shape [2, 3], and the new value [3, 2]")]
    fn a_weight_keeps_its_shape() {
        let mut network: Network = Sequential::new(2).add(Dense::new(3)).init(0).unwrap();
        network.parameters_mut().for_each(|mut parameter| parameter.set_value(Tensor::zeros([3, 2])));
    }
}
