//! What a network's layers have, and what shapes flow between them: found out in one walk, before any weight is drawn.

use mlp_registry::Opening;
use mlp_tensor::{Element, Rng, Tensor};

use crate::error::Problem;
use crate::{Constraint, Initializer, Layer, NnError, Regularizer, Stack};

/// One walk over a network: every layer checks its settings and its input here, and declares its weights and buffers.
#[derive(Debug)]
pub struct Plan {
    /// The place of the layer that is being planned, such as `layers.1`.
    path: String,
    /// Its path and kind, as messages name it.
    layer: String,
    /// Whether the values that reach the layer are still those of the input's columns.
    from_columns: bool,
    pub(crate) parameters: Vec<ParameterSpec>,
    pub(crate) buffers: Vec<BufferSpec>,
    pub(crate) layers: Vec<PlannedLayer>,
    pub(crate) couples_rows: bool,
    pub(crate) reads_categories: bool,
}

/// One weight that a layer has.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) start: Start,
    pub(crate) regularizer: Option<Regularizer>,
    pub(crate) constraint: Option<Constraint>,
}

/// One tensor that a layer keeps and updates in training, but that is not trained.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BufferSpec {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) start: Start,
}

/// Where the first values come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Start {
    Drawn(Initializer),
    Constant(f64),
    /// The norms of the columns of the weight declared last.
    NormsOfTheLast,
}

/// A layer as a summary shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedLayer {
    pub(crate) path: String,
    pub(crate) description: String,
    pub(crate) output: Vec<usize>,
    /// The layer's own parameters, not those of layers inside of it.
    pub(crate) parameters: usize,
}

impl ParameterSpec {
    /// A weight of the name that it has within its layer, such as `weight`.
    pub fn new(name: &str, shape: impl Into<Vec<usize>>, initializer: Initializer) -> Self {
        Self::starting(name, shape, Start::Drawn(initializer))
    }

    pub(crate) fn starting(name: &str, shape: impl Into<Vec<usize>>, start: Start) -> Self {
        Self { name: name.to_owned(), shape: shape.into(), start, regularizer: None, constraint: None }
    }

    /// With this limit, if it is one.
    #[must_use]
    pub fn constraint(self, constraint: Option<Constraint>) -> Self {
        Self { constraint, ..self }
    }

    /// With this penalty, if it is one.
    #[must_use]
    pub fn regularizer(self, regularizer: Option<Regularizer>) -> Self {
        Self { regularizer, ..self }
    }
}

impl Start {
    /// Why values cannot be drawn, if a file only named the initializer.
    pub(crate) fn missing(&self) -> Option<Opening> {
        match self {
            Self::Drawn(initializer) => initializer.missing(),
            _ => None,
        }
    }

    /// The first values, `last` being those of the weight declared before.
    pub(crate) fn draw<E: Element>(&self, shape: &[usize], last: &Tensor<E>, rng: &mut Rng) -> Tensor<E> {
        match self {
            Self::NormsOfTheLast => last.norm_axes(E::from_f64(2.0), &[0], false),
            Self::Drawn(initializer) => initializer.draw(shape, rng),
            Self::Constant(value) => Tensor::full(shape, E::from_f64(*value)),
        }
    }
}

impl Plan {
    /// The plan of `layers` for rows of shape `input`, and the shape of an output row.
    pub(crate) fn of(layers: &[Layer], input: &[usize]) -> Result<(Self, Vec<usize>), NnError> {
        let mut plan = Self {
            path: String::new(),
            layer: "input".to_owned(),
            from_columns: true,
            parameters: Vec::new(),
            buffers: Vec::new(),
            layers: Vec::new(),
            couples_rows: false,
            reads_categories: false,
        };
        plan.require(!input.is_empty(), "the number of axes", 0.0, "at least 1")?;
        plan.require(!input.contains(&0), "the number of features", 0.0, "at least 1")?;
        plan.check_size(input)?;
        if layers.is_empty() {
            return Err(NnError::NoLayers);
        }
        let output = plan.stack("", layers, input)?;
        Ok((plan, output))
    }

    /// Plans layers one after the other, as parts of the layer that is being planned, at `prefix` within it.
    pub(crate) fn stack(&mut self, prefix: &str, layers: &[Layer], input: &[usize]) -> Result<Vec<usize>, NnError> {
        layers.iter().enumerate().try_fold(input.to_vec(), |input, (index, layer)| {
            self.layer(&format!("{prefix}layers.{index}"), layer, &input)
        })
    }

    fn layer(&mut self, place: &str, layer: &Layer, input: &[usize]) -> Result<Vec<usize>, NnError> {
        let path = self.name(place);
        let name = layer_name(&path, layer);
        let outer = (std::mem::replace(&mut self.path, path), std::mem::replace(&mut self.layer, name));
        let from_columns = self.from_columns;
        let (index, parameters) = (self.layers.len(), self.parameters.len());
        self.layers.push(PlannedLayer {
            path: self.path.clone(),
            description: layer.to_string(),
            output: Vec::new(),
            parameters: 0,
        });
        if let Some(missing) = layer.activation().missing() {
            return Err(self.missing(missing));
        }
        self.check(layer.activation().problem())?;
        self.check(layer.activity_regularizer().and_then(Regularizer::problem))?;
        let output = layer.plan(input, self)?;
        self.check_size(&output)?;
        let all: usize = self.parameters[parameters..].iter().map(ParameterSpec::len).fold(0, usize::saturating_add);
        let inner = self.layers[index + 1..].iter().map(|layer| layer.parameters).fold(0, usize::saturating_add);
        self.layers[index].output.clone_from(&output);
        self.layers[index].parameters = all - inner;
        self.from_columns = from_columns && layer.keeps_values();
        (self.path, self.layer) = outer;
        Ok(output)
    }

    /// Plans layers inside of the layer that is being planned, at `prefix` within it. They see its input.
    pub(crate) fn branch(&mut self, prefix: &str, stack: &Stack, input: &[usize]) -> Result<Vec<usize>, NnError> {
        let from_columns = self.from_columns;
        let output = self.stack(prefix, stack.layers(), input);
        self.from_columns = from_columns;
        output
    }

    /// Declares that the layer reads its input as categories: they must be columns of the network's input.
    pub(crate) fn read_categories(&mut self, input: &[usize]) -> Result<(), NnError> {
        self.reads_categories = true;
        if self.from_columns {
            return Ok(());
        }
        let reason = "it reads categories, which must come from the network's input, through SelectColumns and Flatten \
                      alone";
        Err(self.refuse(input, reason))
    }

    /// Declares a weight. The layer's forward gets it from [`Weights::parameter`](crate::Weights::parameter), in the
    /// order of declaration.
    ///
    /// # Errors
    /// If it would be too large to address, or a setting of its initializer, regularizer or constraint lies outside of
    /// its range.
    pub fn parameter(&mut self, spec: ParameterSpec) -> Result<(), NnError> {
        self.check_size(&spec.shape)?;
        if let Start::Drawn(initializer) = &spec.start {
            self.check(initializer.problem(spec.shape.len()))?;
        }
        self.check(spec.regularizer.as_ref().and_then(Regularizer::problem))?;
        self.check(spec.constraint.as_ref().and_then(Constraint::problem))?;
        let name = self.name(&spec.name);
        self.parameters.push(ParameterSpec { name, ..spec });
        Ok(())
    }

    /// Declares a buffer: a tensor that starts filled with `value`, belongs to the network's state, and is updated in
    /// training by what the layer hands to [`Pass::update`](crate::Pass::update), but not by the optimizer.
    ///
    /// A layer that updates buffers must say that it [couples rows](Plan::couples_rows).
    ///
    /// # Errors
    /// If it would be too large to address.
    pub fn buffer(&mut self, name: &str, shape: impl Into<Vec<usize>>, value: f64) -> Result<(), NnError> {
        let (name, shape, start) = (self.name(name), shape.into(), Start::Constant(value));
        self.check_size(&shape)?;
        self.buffers.push(BufferSpec { name, shape, start });
        Ok(())
    }

    /// Declares that in training the output of a row depends on the other rows of the batch: batches are then not cut
    /// into parts.
    pub fn couples_rows(&mut self) {
        self.couples_rows = true;
    }

    /// Checks a setting of the layer.
    ///
    /// # Errors
    /// If it does not hold; the error names the layer, the setting, its value and what it must be.
    pub fn require(
        &self,
        holds: bool,
        setting: &'static str,
        value: f64,
        expected: &'static str,
    ) -> Result<(), NnError> {
        if holds {
            return Ok(());
        }
        Err(NnError::Setting { layer: self.layer.clone(), setting, value, expected })
    }

    /// The same for a setting that was checked where it is defined.
    pub(crate) fn check(&self, problem: Option<Problem>) -> Result<(), NnError> {
        problem.map_or(Ok(()), |(setting, value, expected)| self.require(false, setting, value, expected))
    }

    /// The error that the layer needs what a file only named.
    pub(crate) fn missing(&self, missing: Opening) -> NnError {
        NnError::MissingIn { layer: self.layer.clone(), missing }
    }

    /// The error that the layer cannot take rows of shape `input`, and why.
    pub fn refuse(&self, input: &[usize], reason: impl Into<String>) -> NnError {
        NnError::RowShape { layer: self.layer.clone(), input: input.to_vec(), reason: reason.into() }
    }

    /// The place of the layer that is being planned, such as `layers.1`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The full name of something of the layer.
    fn name(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// An allocation may not exceed `isize::MAX` bytes, and values have at most eight.
    fn check_size(&self, shape: &[usize]) -> Result<(), NnError> {
        let bytes = shape.iter().try_fold(8usize, |n, &d| n.checked_mul(d));
        if bytes.is_none_or(|bytes| isize::try_from(bytes).is_err()) {
            return Err(NnError::TooLarge { layer: self.layer.clone(), shape: shape.to_vec() });
        }
        Ok(())
    }
}

impl ParameterSpec {
    fn len(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The path and kind of a layer, as messages name it.
pub(crate) fn layer_name(path: &str, layer: &Layer) -> String {
    format!("{path} ({})", layer.kind())
}
