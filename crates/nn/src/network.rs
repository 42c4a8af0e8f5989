//! A network that computes: a description together with its weights.

use std::sync::Arc;

use mlp_autograd::{Tape, Var};
use mlp_tensor::{Element, Tensor};

use crate::layers::Lookup;
use crate::plan::{Coupling, Extent, Start};
use crate::setting::NumberType;
use crate::{
    Buffer, Constraint, Limits, NnError, Parameter, ParameterMut, Pass, Predictor, Regularizer, Sequential, Summary,
    Updates, Weights,
};

/// A network's description together with its weights.
#[derive(Clone, Debug)]
pub struct Network<E: Element = f32> {
    pub(crate) architecture: Sequential,
    pub(crate) parameters: Vec<Parameter<E>>,
    pub(crate) buffers: Vec<Buffer<E>>,
    output: Vec<usize>,
    /// What belongs to every layer, in the order in which they are planned.
    extents: Arc<[Extent]>,
    lookups: Arc<[Lookup]>,
    coupling: Coupling,
    multiplications: usize,
}

impl<E: Element> Network<E> {
    /// The network of `architecture`, planned within `limits`, with the values that `value` gives for a name, a shape and
    /// a start.
    pub(crate) fn new(
        architecture: Sequential,
        limits: &Limits,
        mut value: impl FnMut(&str, &[usize], &Start) -> Tensor<E>,
    ) -> Result<Self, NnError> {
        let (plan, output) = architecture.plan_in(limits, NumberType::of::<E>())?;
        let parameters = plan.parameters.into_iter().map(|spec| Parameter {
            value: value(&spec.name, &spec.shape, &spec.start),
            name: spec.name,
            regularizer: spec.regularizer,
            constraint: spec.constraint,
            trainable: true,
        });
        let parameters = parameters.collect();
        let buffers = plan.buffers.into_iter().map(|spec| Buffer {
            value: value(&spec.name, &spec.shape, &spec.start),
            name: spec.name,
            trainable: true,
        });
        let buffers = buffers.collect();
        let (extents, lookups) = (plan.extents.into(), plan.lookups.into());
        let (coupling, multiplications) = (plan.coupling, plan.multiplications);
        Ok(Self { architecture, parameters, buffers, output, extents, lookups, coupling, multiplications })
    }

    /// The same network with other numbers, which belong to it.
    pub(crate) fn with_values<F: Element>(&self, parameters: Vec<Parameter<F>>, buffers: Vec<Buffer<F>>) -> Network<F> {
        let (architecture, output) = (self.architecture.clone(), self.output.clone());
        let (extents, lookups) = (Arc::clone(&self.extents), Arc::clone(&self.lookups));
        let Self { coupling, multiplications, .. } = *self;
        Network { architecture, parameters, buffers, output, extents, lookups, coupling, multiplications }
    }

    /// The description, the weights and the buffers, by themselves.
    pub fn into_parts(self) -> (Sequential, Vec<Parameter<E>>, Vec<Buffer<E>>) {
        (self.architecture, self.parameters, self.buffers)
    }

    /// The description.
    pub fn architecture(&self) -> &Sequential {
        &self.architecture
    }

    /// The weights, layer after layer.
    pub fn parameters(&self) -> &[Parameter<E>] {
        &self.parameters
    }

    /// The weights, layer after layer, to be changed.
    pub fn parameters_mut(&mut self) -> impl ExactSizeIterator<Item = ParameterMut<'_, E>> {
        self.parameters.iter_mut().map(ParameterMut)
    }

    /// What the layers keep beside their weights, layer after layer.
    pub fn buffers(&self) -> &[Buffer<E>] {
        &self.buffers
    }

    /// The shape of one output row.
    pub fn output_shape(&self) -> &[usize] {
        &self.output
    }

    /// Whether in training the output of a row depends on the other rows of the batch, as batch normalization makes
    /// it. Then a batch cut into parts gives what the whole batch does only where each [knows the others](Pass::among).
    pub fn couples_rows(&self) -> bool {
        self.coupling != Coupling::None
    }

    /// Whether a layer of a user's couples rows. It knows of no other parts, so the batch has to stay in one piece.
    pub fn needs_whole_batches(&self) -> bool {
        self.coupling == Coupling::WholeBatch
    }

    /// About how many multiplications the output of one row takes: every weight once for each place of the row that its
    /// layer maps, and once where the layer is a user's. The weights of an [`Embedding`](crate::Embedding) are looked up
    /// and count as none. It says which work is worth more than one thread.
    ///
    /// ```
    /// use mlp_nn::{Dense, Network, Sequential};
    ///
    /// let network: Network = Sequential::with_input_shape([5, 4]).add(Dense::new(3)).init(1)?;
    /// assert_eq!(network.multiplications_per_row(), 5 * (4 * 3 + 3));
    /// # Ok::<(), mlp_nn::NnError>(())
    /// ```
    pub fn multiplications_per_row(&self) -> usize {
        self.multiplications
    }

    /// Whether a layer looks categories up in the input.
    pub fn reads_categories(&self) -> bool {
        !self.lookups.is_empty()
    }

    /// The columns that layers look categories up in.
    pub(crate) fn lookups(&self) -> &Arc<[Lookup]> {
        &self.lookups
    }

    /// What belongs to every layer.
    pub(crate) fn extents(&self) -> &[Extent] {
        &self.extents
    }

    /// A table of the layers, their output shapes and their parameter counts, trainable and not.
    pub fn summary(&self) -> Summary {
        let frozen = self.parameters.iter().filter(|p| !p.trainable).map(|p| p.value.len()).sum();
        match self.architecture.summary() {
            Ok(summary) => summary.with_frozen(frozen),
            Err(error) => unreachable!("a network's description was checked: {error}"),
        }
    }

    /// Puts the weights on a tape, in the order of [`Network::parameters`]. The numbers are shared, not copied. Frozen
    /// weights are constants: no gradient flows to them.
    pub fn variables<'t>(&self, tape: &'t Tape<E>) -> Vec<Var<'t, E>> {
        let mut variables = Vec::with_capacity(self.parameters.len());
        self.add_variables(tape, &mut variables);
        variables
    }

    /// The same, added to a list that is there.
    pub fn add_variables<'t>(&self, tape: &'t Tape<E>, variables: &mut Vec<Var<'t, E>>) {
        variables.extend(self.parameters.iter().map(|parameter| {
            let value = parameter.value.clone();
            if parameter.trainable { tape.variable(value) } else { tape.constant(value) }
        }));
    }

    /// The output `[n, ..]` for a batch `x` of rows, with the weights that [`Network::variables`] put on the same
    /// tape.
    ///
    /// # Panics
    /// If `x` has rows of another shape, or holds what is not a category where a layer looks one up; see
    /// [`Network::check_input`]. If there is not one variable for each weight, or one has another shape. If a user's layer
    /// does not keep to what it planned, a user's activation changes the shape, or a penalty on outputs is a user's of
    /// which a file gave only the name.
    #[track_caller]
    pub fn forward<'t>(&self, variables: &[Var<'t, E>], x: Var<'t, E>, pass: &mut Pass<'t, E>) -> Var<'t, E> {
        let mut weights = self.weights(variables, x);
        self.architecture.stack().forward(&mut weights, x, pass)
    }

    /// The output before the last layer's activation: of a network that ends in softmax, the logits.
    ///
    /// # Panics
    /// As [`Network::forward`].
    #[track_caller]
    pub fn forward_before_activation<'t>(
        &self,
        variables: &[Var<'t, E>],
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let mut weights = self.weights(variables, x);
        self.architecture.stack().forward_before_activation(&mut weights, x, pass)
    }

    /// Runs `work`, a part of what the last layer computes on `tape`, under that layer's name, so that what goes wrong in it
    /// says where: the activation that [`Network::forward_before_activation`] leaves out.
    #[track_caller]
    pub fn in_last_layer<R>(&self, tape: &Tape<E>, work: impl FnOnce() -> R) -> R {
        self.architecture.stack().in_last_layer(tape, work)
    }

    /// What the layers get for a batch `x`.
    #[track_caller]
    fn weights<'a, 't>(&'a self, variables: &'a [Var<'t, E>], x: Var<'t, E>) -> Weights<'a, 't, E> {
        if let Err(error) = self.check_shape(&x.value()) {
            panic!("forward: {error}");
        }
        assert!(
            variables.len() == self.parameters.len(),
            "forward: the network has {} weights, but {} variables were given",
            self.parameters.len(),
            variables.len()
        );
        Weights::new(variables, &self.buffers, &self.extents)
    }

    /// Puts back values that the buffers had before, in their order.
    ///
    /// # Panics
    /// If they come from another network.
    #[track_caller]
    pub fn restore_buffers(&mut self, values: &[Tensor<E>]) {
        let fits = |(buffer, value): (&Buffer<E>, &Tensor<E>)| buffer.value.shape() == value.shape();
        assert!(
            values.len() == self.buffers.len() && self.buffers.iter().zip(values).all(fits),
            "restore_buffers: the values are those of another network"
        );
        for (buffer, value) in self.buffers.iter_mut().zip(values) {
            buffer.value.as_mut_slice().copy_from_slice(value.as_slice());
        }
    }

    /// Writes the new values of buffers that a pass in training left.
    ///
    /// # Panics
    /// If they come from another network.
    #[track_caller]
    pub fn apply_updates(&mut self, updates: &Updates<E>) {
        for (index, value) in &updates.0 {
            let buffer = self.buffers.get_mut(*index).filter(|buffer| buffer.value.shape() == value.shape());
            match buffer {
                Some(buffer) => buffer.value.as_mut_slice().copy_from_slice(value.as_slice()),
                None => panic!("apply_updates: the updates are those of another network"),
            }
        }
    }

    /// The output `[n, ..]` for the rows of `x`. Dropout does nothing here, and normalization uses running statistics.
    ///
    /// It is what a [`Predictor`] of the network gives, bit for bit: one is made for the call, which for a few rows reads
    /// the weights where they lie. Where a network predicts again and again, make one and keep it.
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    pub fn predict(&self, x: &Tensor<E>) -> Result<Tensor<E>, NnError> {
        Predictor::for_rows(self, x.rows()).predict(x)
    }

    /// Checks that the rows of `x` have the network's input shape, and that columns which hold categories hold nothing
    /// else.
    ///
    /// # Errors
    /// If not; the error names the first layer and the shapes, or the layer that reads the category, its row, its column
    /// and its value.
    pub fn check_input(&self, x: &Tensor<E>) -> Result<(), NnError> {
        self.check_shape(x)?;
        self.lookups.iter().try_for_each(|lookup| lookup.check(0, x.as_slice(), x.row_len()))
    }

    fn check_shape(&self, x: &Tensor<E>) -> Result<(), NnError> {
        check_rows(x.shape(), self.architecture.input_shape(), || self.architecture.first_layer())
    }

    /// Brings the weights that have a constraint back within it, except for frozen ones: what follows each step of
    /// training.
    ///
    /// # Panics
    /// As [`ParameterMut::constrain`].
    #[track_caller]
    pub fn constrain(&mut self) {
        self.parameters_mut().for_each(ParameterMut::constrain);
    }

    /// The sum of the penalties on the weights, except for frozen ones. Penalties on activity come from a [`Pass`].
    ///
    /// # Panics
    /// If a regularizer is a user's of which a file gave only the name (see [`Network::check_trainable`]), or gives a
    /// penalty of another shape than `[]`.
    #[track_caller]
    pub fn penalty(&self) -> f64 {
        let penalty = |p: &Parameter<E>| p.regularizer().map_or(0.0, |regularizer| regularizer.penalty(&p.value));
        self.parameters.iter().filter(|p| p.trainable).map(penalty).sum()
    }

    /// Checks that nothing which training needs is missing: regularizers and constraints that users wrote, of which a
    /// file gives only the name. Those of frozen weights are not needed.
    ///
    /// # Errors
    /// If something is; the error names it.
    pub fn check_trainable(&self) -> Result<(), NnError> {
        let trained = self.parameters.iter().filter(|p| p.trainable);
        let missing = trained.filter_map(|p| {
            let missing = p.regularizer().and_then(Regularizer::missing);
            missing.or_else(|| p.constraint().and_then(Constraint::missing))
        });
        let missing = missing.chain(self.architecture.stack().missing_activity_regularizer()).next();
        missing.map_or(Ok(()), |missing| Err(missing.into()))
    }
}

/// Checks that an input of shape `found` has rows of shape `expected`; `layer` says what the error calls the first layer.
pub(crate) fn check_rows(found: &[usize], expected: &[usize], layer: impl FnOnce() -> String) -> Result<(), NnError> {
    match found {
        [_, row @ ..] if row == expected => Ok(()),
        _ => Err(NnError::InputShape { layer: layer(), expected: expected.to_vec(), found: found.to_vec() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Dense, Residual, Stack};

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
        let expected = "layers.0 (Dense) expects rows of 4 features, but the input has shape [2, 5]";
        assert_eq!(error.to_string(), expected);
        let single = network().predict(&Tensor::zeros([4])).unwrap_err().to_string();
        assert!(single.ends_with("but the input has shape [4]; a single row would have shape [1, 4]"), "{single}");
        let network: Network = Sequential::with_input_shape([8, 3]).add(Dense::new(2)).init(1).unwrap();
        let error = network.predict(&Tensor::zeros([2, 24])).unwrap_err();
        let expected = "layers.0 (Dense) expects rows of shape [8, 3], but the input has shape [2, 24]";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    #[should_panic(
        expected = "linear: input [2, 4], weight [5, 4] and bias [4] do not fit together (in layers.0 (Residual) > layers.0 (Dense))"
    )]
    fn a_panic_of_an_operation_names_the_layer() {
        let tape = Tape::<f32>::new();
        let network = Sequential::new(4).add(Residual::new(Stack::new().add(Dense::new(4)))).init(0).unwrap();
        let mut variables = network.variables(&tape);
        variables[0] = tape.variable(Tensor::zeros([5, 4]));
        network.forward(&variables, tape.constant(Tensor::zeros([2, 4])), &mut Pass::inference());
    }

    #[test]
    fn no_rows_give_no_rows() {
        assert_eq!(network().predict(&Tensor::zeros([0, 4])).unwrap().shape(), [0, 3]);
    }
}
