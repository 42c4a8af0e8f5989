//! A network that computes: a description together with its weights.

use std::collections::BTreeMap;
use std::ops::Range;

use mlp_autograd::{Tape, Var};
use mlp_tensor::{Element, Tensor};

use crate::error::StateMismatch;
use crate::{Activation, Mode, NnError, ParameterSpec, Regularizer, Sequential};

/// A network's description together with its weights.
#[derive(Clone, Debug)]
pub struct Network<E: Element = f32> {
    architecture: Sequential,
    parameters: Vec<Parameter<E>>,
    /// Which of the parameters belong to each layer.
    of_layer: Vec<Range<usize>>,
}

/// One weight of a network.
#[derive(Clone, Debug)]
pub struct Parameter<E: Element = f32> {
    /// The full name, such as `layers.0.weight`.
    pub name: String,
    /// The numbers.
    pub value: Tensor<E>,
    /// The penalty on it, if there is one.
    pub regularizer: Option<Regularizer>,
}

impl<E: Element> Network<E> {
    pub(crate) fn new(
        architecture: Sequential,
        mut value: impl FnMut(&str, &ParameterSpec) -> Tensor<E>,
    ) -> Result<Self, NnError> {
        architecture.check()?;
        let (mut parameters, mut of_layer) = (Vec::new(), Vec::new());
        for (index, specs) in architecture.specs().into_iter().enumerate() {
            let first = parameters.len();
            for spec in specs {
                let name = format!("layers.{index}.{}", spec.name);
                let value = value(&name, &spec);
                parameters.push(Parameter { name, value, regularizer: spec.regularizer });
            }
            of_layer.push(first..parameters.len());
        }
        Ok(Self { architecture, parameters, of_layer })
    }

    /// The network of `architecture` with the weights of `state`. Nothing is allocated for weights that `state` does
    /// not hold, whatever sizes the architecture claims.
    ///
    /// # Errors
    /// If the architecture is not sound (see [`Sequential::check`]), or `state` lacks a weight, has one too many, or
    /// one of another shape; the error lists them all.
    pub fn from_state(architecture: Sequential, mut state: BTreeMap<String, Tensor<E>>) -> Result<Self, NnError> {
        let mut mismatch = StateMismatch::default();
        let network = Self::new(architecture, |name, spec| match state.remove(name) {
            Some(value) if value.shape() == spec.shape => value,
            Some(value) => {
                mismatch.misshaped.push((name.to_owned(), spec.shape.clone(), value.shape().to_vec()));
                value
            }
            None => {
                mismatch.missing.push(name.to_owned());
                Tensor::zeros([0])
            }
        })?;
        mismatch.unexpected = state.into_keys().collect();
        if mismatch.is_empty() { Ok(network) } else { Err(NnError::State(mismatch)) }
    }

    /// All weights by name.
    pub fn state(&self) -> BTreeMap<String, Tensor<E>> {
        self.parameters.iter().map(|p| (p.name.clone(), p.value.clone())).collect()
    }

    /// Replaces all weights. On an error nothing is changed.
    ///
    /// # Errors
    /// If `state` lacks a weight, has one too many, or one of another shape; the error lists them all.
    pub fn load_state(&mut self, state: BTreeMap<String, Tensor<E>>) -> Result<(), NnError> {
        *self = Self::from_state(self.architecture.clone(), state)?;
        Ok(())
    }

    /// The description.
    pub fn architecture(&self) -> &Sequential {
        &self.architecture
    }

    /// The weights, layer after layer.
    pub fn parameters(&self) -> &[Parameter<E>] {
        &self.parameters
    }

    /// The weights, to be changed. Their shapes must stay.
    pub fn parameters_mut(&mut self) -> &mut [Parameter<E>] {
        &mut self.parameters
    }

    /// Puts the weights on a tape, in the order of [`Network::parameters`]. The numbers are shared, not copied.
    pub fn variables<'t>(&self, tape: &'t Tape<E>) -> Vec<Var<'t, E>> {
        self.parameters.iter().map(|parameter| tape.variable(parameter.value.clone())).collect()
    }

    /// The output `[n, k]` for the input `x` `[n, features]`, with the weights that [`Network::variables`] put on the
    /// same tape.
    ///
    /// # Panics
    /// If `x` has another number of features; see [`Network::check_input`].
    pub fn forward<'t>(&self, variables: &[Var<'t, E>], x: Var<'t, E>, mode: &mut Mode) -> Var<'t, E> {
        self.architecture.output_activation().forward(self.forward_before_activation(variables, x, mode))
    }

    /// The output before the last layer's activation: of a network that ends in softmax, the logits.
    ///
    /// # Panics
    /// As [`Network::forward`].
    pub fn forward_before_activation<'t>(
        &self,
        variables: &[Var<'t, E>],
        x: Var<'t, E>,
        mode: &mut Mode,
    ) -> Var<'t, E> {
        let layers = self.architecture.layers().iter().zip(&self.of_layer);
        let last = self.of_layer.len() - 1;
        layers.enumerate().fold(x, |x, (index, (layer, range))| {
            let parameters = &variables[range.clone()];
            x.tape().scope(format_args!("layers.{index} ({})", layer.kind()), || {
                if index == last {
                    layer.forward_before_activation(parameters, x, mode)
                } else {
                    layer.forward(parameters, x, mode)
                }
            })
        })
    }

    /// The output `[n, k]` for the rows of `x` `[n, features]`. Dropout does nothing here.
    ///
    /// # Errors
    /// If `x` is not a table with the network's number of features.
    pub fn predict(&self, x: &Tensor<E>) -> Result<Tensor<E>, NnError> {
        self.check_input(x)?;
        let tape = Tape::no_record();
        Ok(self.forward(&self.variables(&tape), tape.constant(x.clone()), &mut Mode::Inference).value())
    }

    /// Checks that `x` is a table with the network's number of features.
    ///
    /// # Errors
    /// If it is not; the error names the first layer.
    pub fn check_input(&self, x: &Tensor<E>) -> Result<(), NnError> {
        let expected = self.architecture.input_features();
        match x.shape() {
            [_, features] if *features == expected => Ok(()),
            found => {
                Err(NnError::InputShape { layer: self.architecture.layer_name(0), expected, found: found.to_vec() })
            }
        }
    }

    /// The sum of the penalties on the weights.
    pub fn penalty(&self) -> f64 {
        let penalty =
            |p: &Parameter<E>| p.regularizer.map_or(0.0, |regularizer| regularizer.penalty(p.value.as_slice()));
        self.parameters.iter().map(penalty).sum()
    }

    /// Whether the network ends in softmax, so that cross-entropy can be computed from its logits.
    pub fn ends_in_softmax(&self) -> bool {
        self.architecture.output_activation() == Activation::Softmax
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dense;

    fn network() -> Network<f32> {
        Sequential::new(4).add(Dense::new(10).activation(Activation::Tanh)).add(Dense::new(3)).init(1).unwrap()
    }

    #[test]
    fn parameters_are_named_by_their_place() {
        let names: Vec<_> = network().parameters().iter().map(|p| p.name.clone()).collect();
        assert_eq!(names, ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]);
    }

    #[test]
    fn an_input_of_another_width_names_the_layer() {
        let error = network().predict(&Tensor::zeros([2, 5])).unwrap_err();
        let expected = "layers.0 (Dense) expects rows of 4 features, but the input has shape [2, 5]; one row is [1, 4]";
        assert_eq!(error.to_string(), expected);
        assert!(network().predict(&Tensor::zeros([4])).is_err());
    }

    #[test]
    #[should_panic(
        expected = "linear: input [2, 5], weight [4, 10] and bias [10] do not fit together (in layers.0 (Dense))"
    )]
    fn a_panic_of_an_operation_names_the_layer() {
        let tape = Tape::new();
        let network = network();
        network.forward(&network.variables(&tape), tape.constant(Tensor::zeros([2, 5])), &mut Mode::Inference);
    }

    #[test]
    fn no_rows_give_no_rows() {
        assert_eq!(network().predict(&Tensor::zeros([0, 4])).unwrap().shape(), [0, 3]);
    }

    #[test]
    fn a_state_that_does_not_fit_lists_every_name_and_changes_nothing() {
        let mut net = network();
        let before = net.state();
        let mut state = net.state();
        state.remove("layers.0.bias");
        state.insert("layers.9.weight".to_owned(), Tensor::zeros([1]));
        state.insert("layers.1.bias".to_owned(), Tensor::zeros([7]));
        let message = net.load_state(state).unwrap_err().to_string();
        for part in [
            "missing layers.0.bias",
            "unexpected layers.9.weight",
            "layers.1.bias has shape [7] where the network has [3]",
        ] {
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(net.state(), before);
        net.load_state(Sequential::init(net.architecture(), 2).unwrap().state()).unwrap();
        assert_ne!(net.state(), before);
    }

    #[test]
    fn a_claimed_size_without_weights_allocates_nothing() {
        let huge = Sequential::new(1 << 30).add(Dense::new(1 << 20));
        let error = Network::<f32>::from_state(huge, BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("missing layers.0.weight, layers.0.bias"), "{error}");
    }
}
