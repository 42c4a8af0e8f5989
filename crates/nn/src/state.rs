//! A network's state by name: in and out, frozen and not, in one precision or the other.

use std::collections::{BTreeMap, HashSet};

use mlp_tensor::{Element, Tensor};

use crate::error::StateMismatch;
use crate::setting::NumberType;
use crate::{Buffer, Limits, Network, NnError, Parameter, Sequential};

impl<E: Element> Network<E> {
    /// The network of `architecture` with the weights and buffers of `state`. Nothing is allocated for tensors that
    /// `state` does not hold, whatever sizes the architecture claims.
    ///
    /// # Errors
    /// If the architecture is not sound (see [`Sequential::check`]), or `state` lacks a tensor, has one too many, or
    /// one of another shape or with NaN or infinity in it; the error lists them all.
    pub fn from_state(architecture: Sequential, mut state: BTreeMap<String, Tensor<E>>) -> Result<Self, NnError> {
        let network = Self::from_tensors(architecture, &Limits::unlimited(), |name, _| state.remove(name));
        let unexpected: Vec<String> = state.into_keys().collect();
        let (network, mut mismatch) = match network {
            Ok(network) => (Some(network), StateMismatch::default()),
            Err(NnError::State(mismatch)) => (None, mismatch),
            Err(error) => return Err(error),
        };
        mismatch.unexpected = unexpected;
        for (name, value) in network.iter().flat_map(Network::state) {
            mismatch.takes(&name, value.shape(), &value);
        }
        match network {
            Some(network) if mismatch.is_empty() => Ok(network),
            _ => Err(NnError::State(mismatch)),
        }
    }

    /// The network of `architecture`, which may come from a stranger, with the weights and then the buffers that `tensor`
    /// gives for a name and a shape. Nothing is asked for before the whole description was found to be sound.
    ///
    /// # Errors
    /// If the architecture is not sound or goes beyond `limits` (see [`Sequential::check_within`]), or `tensor` gives
    /// nothing for a name, or a tensor of another shape; the error lists them all.
    pub fn from_tensors(
        architecture: Sequential,
        limits: &Limits,
        mut tensor: impl FnMut(&str, &[usize]) -> Option<Tensor<E>>,
    ) -> Result<Self, NnError> {
        let mut mismatch = StateMismatch::default();
        let network = Self::new(architecture, limits, |name, shape, _| match tensor(name, shape) {
            Some(value) if mismatch.fits(name, shape, &value) => value,
            Some(_) => Tensor::zeros([0]),
            None => {
                mismatch.missing.push(name.to_owned());
                Tensor::zeros([0])
            }
        })?;
        if mismatch.is_empty() { Ok(network) } else { Err(NnError::State(mismatch)) }
    }

    /// All weights and buffers by name.
    pub fn state(&self) -> BTreeMap<String, Tensor<E>> {
        let parameters = self.parameters.iter().map(|p| (p.name.clone(), p.value.clone()));
        parameters.chain(self.buffers.iter().map(|b| (b.name.clone(), b.value.clone()))).collect()
    }

    /// The weight or buffer of this name.
    ///
    /// # Errors
    /// If there is none; the error lists the names that there are.
    pub fn tensor(&self, name: &str) -> Result<&Tensor<E>, NnError> {
        let parameters = self.parameters.iter().map(|p| (&p.name, &p.value));
        let mut all = parameters.chain(self.buffers.iter().map(|b| (&b.name, &b.value)));
        all.find(|(known, _)| *known == name).map(|(_, value)| value).ok_or_else(|| self.no_such_name(name, false))
    }

    /// Replaces the weight or buffer of this name.
    ///
    /// # Errors
    /// If there is none, it has another shape, or `new` holds NaN or infinity.
    pub fn set_tensor(&mut self, name: &str, new: Tensor<E>) -> Result<(), NnError> {
        let mut mismatch = StateMismatch::default();
        if !mismatch.takes(name, self.tensor(name)?.shape(), &new) {
            return Err(NnError::State(mismatch));
        }
        if let Some((_, value, _)) = self.named_mut().find(|(known, ..)| *known == name) {
            *value = new;
        }
        Ok(())
    }

    fn no_such_name(&self, name: &str, pattern: bool) -> NnError {
        let parameters = self.parameters.iter().map(|p| p.name.clone());
        let known = parameters.chain(self.buffers.iter().map(|b| b.name.clone())).collect();
        NnError::NoSuchName { name: name.to_owned(), known, pattern }
    }

    /// Replaces all weights and buffers. On an error nothing is changed.
    ///
    /// # Errors
    /// If `state` lacks a tensor, has one too many, or one of another shape or with NaN or infinity in it; the error lists
    /// them all.
    pub fn load_state(&mut self, state: BTreeMap<String, Tensor<E>>) -> Result<(), NnError> {
        let mut next = self.clone();
        let mismatch = next.load_state_lenient(state);
        if !mismatch.is_empty() {
            return Err(NnError::State(mismatch));
        }
        *self = next;
        Ok(())
    }

    /// Replaces the weights and buffers that `state` holds in the right shape, and leaves the others as they are.
    /// Returns what did not fit: names that `state` lacks, names that the network lacks, other shapes, and tensors with NaN
    /// or infinity in them.
    pub fn load_state_lenient(&mut self, mut state: BTreeMap<String, Tensor<E>>) -> StateMismatch {
        let mut mismatch = StateMismatch::default();
        for (name, value, _) in self.named_mut() {
            match state.remove(name) {
                Some(new) if mismatch.takes(name, value.shape(), &new) => *value = new,
                Some(_) => {}
                None => mismatch.missing.push(name.to_owned()),
            }
        }
        mismatch.unexpected = state.into_keys().collect();
        mismatch
    }

    /// Keeps the weights and buffers whose names match `pattern` from being trained; returns how many tensors it
    /// matched. In a pattern, `*` stands for any characters: `layers.0.*` is the first layer, `*.bias` every bias.
    ///
    /// A frozen weight is a constant on the tape: no gradient flows to it, the optimizer and its constraint leave it
    /// alone, and its penalty does not count, as in Keras. A frozen buffer is not updated: batch normalization with
    /// frozen running statistics uses them in training as at inference, as Keras does in a layer that is not trainable.
    /// (PyTorch's `requires_grad` leaves the statistics running: freeze `*.weight` and `*.bias` alone.)
    ///
    /// # Errors
    /// If the pattern matches nothing; the error lists the names that there are.
    pub fn freeze(&mut self, pattern: &str) -> Result<usize, NnError> {
        self.set_trainable(|name| matches(pattern, name), false, pattern)
    }

    /// Lets the weights and buffers whose names match `pattern` be trained again; see [`Network::freeze`].
    ///
    /// # Errors
    /// If the pattern matches nothing.
    pub fn unfreeze(&mut self, pattern: &str) -> Result<usize, NnError> {
        self.set_trainable(|name| matches(pattern, name), true, pattern)
    }

    /// Freezes exactly these weights and buffers, in whatever order they come, and lets all others be trained. On an error
    /// nothing is changed.
    ///
    /// # Errors
    /// If a name is not one of the network's; the error lists those that are.
    pub fn set_frozen<S: AsRef<str>>(&mut self, names: &[S]) -> Result<(), NnError> {
        let names: HashSet<&str> = names.iter().map(AsRef::as_ref).collect();
        if self.named_mut().filter(|(name, ..)| names.contains(name)).count() != names.len() {
            let known: HashSet<&str> = self.named_mut().map(|(name, ..)| name).collect();
            let unknown = names.into_iter().filter(|name| !known.contains(name)).min();
            return Err(self.no_such_name(unknown.unwrap_or_default(), false));
        }
        self.named_mut().for_each(|(name, _, trainable)| *trainable = !names.contains(name));
        Ok(())
    }

    /// The names of the weights and buffers that are frozen, in the order of the weights and then of the buffers.
    pub fn frozen(&self) -> Vec<&str> {
        let parameters = self.parameters.iter().filter(|p| !p.trainable).map(|p| p.name.as_str());
        parameters.chain(self.buffers.iter().filter(|b| !b.trainable).map(|b| b.name.as_str())).collect()
    }

    fn set_trainable(
        &mut self,
        matches: impl Fn(&str) -> bool,
        trainable: bool,
        pattern: &str,
    ) -> Result<usize, NnError> {
        let mut count = 0;
        for (name, _, flag) in self.named_mut() {
            if matches(name) {
                *flag = trainable;
                count += 1;
            }
        }
        if count == 0 {
            return Err(self.no_such_name(pattern, true));
        }
        Ok(count)
    }

    /// The number of weights' values that training changes.
    pub fn trainable_parameters(&self) -> usize {
        self.parameters.iter().filter(|p| p.trainable).map(|p| p.value.len()).sum()
    }

    /// The same network in another precision; every value is rounded to the nearest.
    ///
    /// # Errors
    /// If a setting is out of its range as a number of type `F`, such as an epsilon of 1e-50, which is 0 in f32.
    pub fn cast<F: Element>(&self) -> Result<Network<F>, NnError> {
        self.architecture.plan_in(&Limits::unlimited(), NumberType::of::<F>())?;
        let parameters = self.parameters.iter().map(|p| Parameter {
            name: p.name.clone(),
            value: p.value.cast(),
            regularizer: p.regularizer.clone(),
            constraint: p.constraint.clone(),
            trainable: p.trainable,
        });
        let buffers =
            self.buffers.iter().map(|b| Buffer { name: b.name.clone(), value: b.value.cast(), trainable: b.trainable });
        Ok(self.with_values(parameters.collect(), buffers.collect()))
    }

    /// Name, value and whether it is trained, of every weight and then of every buffer.
    fn named_mut(&mut self) -> impl Iterator<Item = (&str, &mut Tensor<E>, &mut bool)> {
        let parameters = self.parameters.iter_mut().map(|p| (p.name.as_str(), &mut p.value, &mut p.trainable));
        parameters.chain(self.buffers.iter_mut().map(|b| (b.name.as_str(), &mut b.value, &mut b.trainable)))
    }
}

/// Whether `name` is what `pattern` stands for, where `*` is any characters, also none.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    // Each part in the earliest place where it occurs, and the last one at the end.
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match name.find(part) {
            Some(place) => name = &name[place + part.len()..],
            None => return false,
        }
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Dense};

    fn network() -> Network<f32> {
        Sequential::new(4).add(Dense::new(10).activation(Activation::Tanh)).add(Dense::new(3)).init(1).unwrap()
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
    fn weights_that_are_not_finite_are_refused_by_name_and_place() {
        let mut net = network();
        let before = net.state();
        for (bad, shown) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
            let mut weight = Tensor::zeros([4, 10]);
            weight[[2, 7]] = bad;
            let expected = format!(
                "the weights do not fit the network: layers.0.weight holds {shown} at [2, 7]; give finite numbers, such as \
                 those from before a training that diverged"
            );
            assert_eq!(net.set_tensor("layers.0.weight", weight.clone()).unwrap_err().to_string(), expected);
            let mut state = before.clone();
            state.insert("layers.0.weight".to_owned(), weight);
            assert_eq!(net.load_state(state.clone()).unwrap_err().to_string(), expected);
            let made = Network::from_state(net.architecture().clone(), state.clone());
            assert_eq!(made.unwrap_err().to_string(), expected);
            let mismatch = net.load_state_lenient(state);
            assert_eq!(mismatch.not_finite[0].1, [2, 7]);
            assert_eq!(net.state(), before);
        }
    }

    #[test]
    fn a_shape_that_does_not_fit_is_said_with_what_to_do() {
        let message = network().set_tensor("layers.1.bias", Tensor::zeros([7])).unwrap_err().to_string();
        let expected = "the weights do not fit the network: layers.1.bias has shape [7] where the network has [3]; give \
                        tensors of the network's shapes";
        assert_eq!(message, expected);
    }

    #[test]
    fn lenient_loading_takes_what_fits_and_says_what_did_not() {
        let mut net = network();
        let other = Sequential::init::<f32>(net.architecture(), 2).unwrap().state();
        let mut state = other.clone();
        state.remove("layers.0.bias");
        state.insert("head.weight".to_owned(), Tensor::zeros([1]));
        state.insert("layers.1.bias".to_owned(), Tensor::zeros([7]));
        let before = net.state();
        let mismatch = net.load_state_lenient(state);
        assert_eq!(mismatch.missing, ["layers.0.bias"]);
        assert_eq!(mismatch.unexpected, ["head.weight"]);
        assert_eq!(mismatch.misshaped, [("layers.1.bias".to_owned(), vec![3], vec![7])]);
        let after = net.state();
        for name in ["layers.0.weight", "layers.1.weight"] {
            assert_eq!(after[name], other[name], "{name}");
        }
        for name in ["layers.0.bias", "layers.1.bias"] {
            assert_eq!(after[name], before[name], "{name}");
        }
    }

    #[test]
    fn a_claimed_size_without_weights_allocates_nothing() {
        let huge = Sequential::new(1 << 30).add(Dense::new(1 << 20));
        let error = Network::<f32>::from_state(huge, BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("missing layers.0.weight, layers.0.bias"), "{error}");
    }

    #[test]
    fn patterns_stand_for_names() {
        let cases = [
            ("layers.0.weight", "layers.0.weight", true),
            ("layers.0.weight", "layers.0.weights", false),
            ("layers.0.*", "layers.0.bias", true),
            ("layers.0.*", "layers.10.bias", false),
            ("*", "", true),
            ("*.bias", "layers.0.bias", true),
            ("*.bias", "layers.0.bias.x", false),
            ("l*s.*.w*t", "layers.3.weight", true),
            ("*ab*ab", "ab", false),
            ("*ab*ab", "abab", true),
            ("a*a", "a", false),
            ("a*b*b", "ab", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn freezing_is_by_name_and_a_name_that_is_not_there_is_an_error() {
        let mut net = network();
        assert_eq!(net.freeze("layers.0.*"), Ok(2));
        assert_eq!(net.frozen(), ["layers.0.weight", "layers.0.bias"]);
        assert_eq!(net.trainable_parameters(), 33);
        let tape = mlp_autograd::Tape::new();
        let gradient: Vec<bool> = net.variables(&tape).iter().map(|v| v.requires_grad()).collect();
        assert_eq!(gradient, [false, false, true, true]);
        assert_eq!(net.unfreeze("*.bias"), Ok(2));
        assert_eq!(net.frozen(), ["layers.0.weight"]);
        let message = net.freeze("layer.0.*").unwrap_err().to_string();
        assert!(message.contains("\"layer.0.*\"") && message.contains("layers.1.bias"), "{message}");
        net.load_state(network().state()).unwrap();
        assert_eq!(net.frozen(), ["layers.0.weight"]);
    }

    #[test]
    fn exactly_the_names_given_are_frozen_or_nothing_is_changed() {
        let mut net = network();
        net.freeze("layers.0.weight").unwrap();
        assert_eq!(net.set_frozen(&["layers.1.bias", "layers.0.bias", "layers.1.bias"]), Ok(()));
        assert_eq!(net.frozen(), ["layers.0.bias", "layers.1.bias"]);
        let message = net.set_frozen(&["layers.0.weight", "layers.9.bias"]).unwrap_err().to_string();
        assert!(message.contains("no weight is named \"layers.9.bias\"; there are layers.0.weight"), "{message}");
        assert_eq!(net.frozen(), ["layers.0.bias", "layers.1.bias"]);
        assert_eq!(net.set_frozen::<&str>(&[]), Ok(()));
        assert_eq!(net.frozen(), [""; 0]);
    }

    /// 0.5 · (1² + 2²) and 0.5 · 3².
    #[test]
    fn the_penalty_is_that_of_the_weights_that_are_trained() {
        let dense = || Dense::new(1).without_bias().regularizer(crate::Regularizer::l2(0.5));
        let mut net: Network<f64> = Sequential::new(2).add(dense()).add(dense()).init(0).unwrap();
        net.parameters_mut().next().unwrap().set_value(Tensor::from([[1.0], [2.0]]));
        net.parameters_mut().nth(1).unwrap().set_value(Tensor::from([[3.0]]));
        assert_eq!(net.penalty(), 7.0);
        net.freeze("layers.0.*").unwrap();
        assert_eq!(net.penalty(), 4.5);
    }

    #[test]
    fn names_in_a_message_are_escaped_cut_and_counted() {
        let mut state: BTreeMap<_, _> = (0..20).map(|i| (format!("\x1b[2J{i:02}"), Tensor::zeros([1]))).collect();
        state.insert("x".repeat(10_000), Tensor::zeros([1]));
        let mismatch = network().load_state_lenient(state);
        let message = mismatch.to_string();
        assert!(message.contains("unexpected \\u{1b}[2J00, ") && message.contains("and 5 more;"), "{message}");
        let message = StateMismatch { unexpected: vec!["x".repeat(10_000)], ..StateMismatch::default() }.to_string();
        let advice = "give every weight and buffer by its name, and no others, or take what fits by load_state_lenient";
        assert_eq!(message, format!("unexpected {}..; {advice}", "x".repeat(80)));
    }

    #[test]
    fn a_network_goes_to_double_precision_and_back() {
        let mut net = network();
        net.freeze("layers.1.bias").unwrap();
        let double = net.cast::<f64>().unwrap();
        let x = Tensor::from([[0.5, -1.0, 2.0, 0.25]]);
        let difference = double.predict(&x.cast()).unwrap().cast() - net.predict(&x).unwrap();
        assert!(difference.abs().max() < 1e-6);
        let back = double.cast::<f32>().unwrap();
        assert_eq!((back.state(), back.frozen()), (net.state(), net.frozen()));
    }
}
