//! What a network's layers have, and what shapes flow between them: found out in one walk, before any weight is drawn.

use std::collections::HashSet;

use mlp_registry::{OpenError, shown};
use mlp_tensor::{Element, Rng, Tensor};

use crate::layers::{Columns, Lookup, name_problem};
use crate::setting::{NumberType, Problem};
use crate::{Constraint, Initializer, Layer, Limits, NnError, Regularizer, Stack};

/// One walk over a network: every layer checks its settings and its input here, and declares its weights and buffers.
#[derive(Debug)]
pub struct Plan {
    /// The place of the layer that is being planned, such as `layers.1`.
    path: String,
    /// Its path and kind, as messages name it.
    layer: String,
    /// The columns of the network's input that reach the layer, if no layer has computed with them so far.
    columns: Option<Columns>,
    /// Those that the layer hands on.
    kept: Option<Columns>,
    limits: Limits,
    /// What settings are checked in.
    number: NumberType,
    /// What counts toward the limits, of all that was planned so far.
    counted: Counted,
    pub(crate) parameters: Vec<ParameterSpec>,
    pub(crate) buffers: Vec<BufferSpec>,
    declared: Declared,
    /// Of every layer, those inside of others behind them.
    pub(crate) extents: Vec<Extent>,
    /// Of the same layers, if somebody wants to see them.
    pub(crate) descriptions: Option<Vec<Description>>,
    pub(crate) lookups: Vec<Lookup>,
    pub(crate) coupling: Coupling,
    /// About how many multiplications a row takes.
    pub(crate) multiplications: usize,
}

/// What the output of a row depends on in training, beside the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Coupling {
    None,
    /// Statistics of the batch, which the parts of one that is cut can exchange.
    Statistics,
    /// The other rows, in a way that needs the batch in one piece.
    WholeBatch,
}

/// What was planned so far, against the [`Limits`].
#[derive(Debug, Default)]
struct Counted {
    layers: usize,
    depth: usize,
    values: usize,
    settings: usize,
    entries: usize,
}

/// What the layer that is being planned has declared by itself, without the layers inside of it.
#[derive(Debug, Default)]
struct Declared {
    /// The names of weights and buffers, as they are within the layer.
    names: HashSet<String>,
    /// The number of values of the weights.
    values: usize,
}

/// What belongs to one layer, those inside of it included, and the shape of its output row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) parameters: usize,
    pub(crate) buffers: usize,
    /// The number of layers inside of it.
    pub(crate) layers: usize,
    pub(crate) output: Box<[usize]>,
}

/// One weight that a layer has.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) start: Start,
    pub(crate) regularizer: Option<Box<Regularizer>>,
    pub(crate) constraint: Option<Box<Constraint>>,
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
pub(crate) struct Description {
    pub(crate) path: String,
    pub(crate) text: String,
    /// The number of the layer's own parameters, without those of layers inside of it.
    pub(crate) parameters: usize,
}

impl ParameterSpec {
    /// A weight of the name that it has within its layer, such as `weight`.
    pub fn new(name: &str, shape: impl Into<Vec<usize>>, initializer: impl Into<Initializer>) -> Self {
        Self::starting(name, shape, Start::Drawn(initializer.into()))
    }

    pub(crate) fn starting(name: &str, shape: impl Into<Vec<usize>>, start: Start) -> Self {
        Self { name: name.to_owned(), shape: shape.into(), start, regularizer: None, constraint: None }
    }

    /// Brings the weight back within a limit after each step.
    #[must_use]
    pub fn constraint(self, constraint: impl Into<Constraint>) -> Self {
        self.with(None, Some(constraint.into()))
    }

    /// Adds a penalty on the weight to the loss.
    #[must_use]
    pub fn regularizer(self, regularizer: impl Into<Regularizer>) -> Self {
        self.with(Some(regularizer.into()), None)
    }

    /// With the penalty and the limit, as far as they are there.
    pub(crate) fn with(self, regularizer: Option<Regularizer>, constraint: Option<Constraint>) -> Self {
        let regularizer = regularizer.map(Box::new).or(self.regularizer);
        let constraint = constraint.map(Box::new).or(self.constraint);
        Self { regularizer, constraint, ..self }
    }
}

impl Start {
    /// Why values cannot be drawn, if a file only named the initializer.
    pub(crate) fn missing(&self) -> Option<OpenError> {
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
    /// The plan of `layers` for rows of shape `input` within `limits`, with settings as `number` has them, and the shape
    /// of an output row.
    pub(crate) fn of(
        layers: &[Layer],
        input: &[usize],
        limits: &Limits,
        number: NumberType,
    ) -> Result<(Self, Vec<usize>), NnError> {
        Self::walk(layers, input, limits, number, None)
    }

    /// The same with a description of every layer.
    pub(crate) fn described(layers: &[Layer], input: &[usize]) -> Result<(Self, Vec<usize>), NnError> {
        Self::walk(layers, input, &Limits::unlimited(), NumberType::of::<f64>(), Some(Vec::new()))
    }

    fn walk(
        layers: &[Layer],
        input: &[usize],
        limits: &Limits,
        number: NumberType,
        descriptions: Option<Vec<Description>>,
    ) -> Result<(Self, Vec<usize>), NnError> {
        let mut plan = Self {
            path: String::new(),
            layer: "input".to_owned(),
            columns: None,
            kept: None,
            limits: limits.clone(),
            number,
            counted: Counted::default(),
            parameters: Vec::new(),
            buffers: Vec::new(),
            declared: Declared::default(),
            extents: Vec::new(),
            descriptions,
            lookups: Vec::new(),
            coupling: Coupling::None,
            multiplications: 0,
        };
        plan.require(!input.is_empty(), "the number of axes", 0.0, "at least 1")?;
        plan.require(!input.contains(&0), "the number of features", 0.0, "at least 1")?;
        plan.row(input)?;
        if layers.is_empty() {
            return Err(NnError::NoLayers);
        }
        plan.columns = Some(Columns::all(input.iter().product()));
        let output = plan.stack("", layers, input)?;
        Ok((plan, output))
    }

    /// Plans layers one after the other, as parts of the layer that is being planned, at `prefix` within it.
    fn stack(&mut self, prefix: &str, layers: &[Layer], input: &[usize]) -> Result<Vec<usize>, NnError> {
        let mut names = HashSet::new();
        layers.iter().enumerate().try_fold(input.to_vec(), |input, (index, layer)| {
            if let Some(name) = layer.name() {
                let twice = "is that of two layers of one stack; give each its own";
                if let Some(reason) = name_problem(name).or((!names.insert(name)).then_some(twice)) {
                    let path = self.name(&format!("{prefix}layers.{index}"))?;
                    let (layer, name) = (layer_name(&path, layer), name.to_owned());
                    return Err(NnError::Name { layer, name, reason });
                }
            }
            self.layer(&format!("{prefix}{}", layer.place(index)), layer, &input)
        })
    }

    fn layer(&mut self, place: &str, layer: &Layer, input: &[usize]) -> Result<Vec<usize>, NnError> {
        let path = self.name(place)?;
        let name = layer_name(&path, layer);
        let outer = (std::mem::replace(&mut self.path, path), std::mem::replace(&mut self.layer, name));
        let outer_declared = std::mem::take(&mut self.declared);
        self.counted.depth += 1;
        self.within("layers", "layers", self.counted.layers + 1, self.limits.layers)?;
        self.within("depth", "layers inside of each other", self.counted.depth, self.limits.depth)?;
        self.counted.layers += 1;
        let (index, parameters, buffers) = (self.extents.len(), self.parameters.len(), self.buffers.len());
        self.extents.push(Extent { parameters: 0, buffers: 0, layers: 0, output: Box::default() });
        if let Some(descriptions) = &mut self.descriptions {
            descriptions.push(Description { path: self.path.clone(), text: layer.to_string(), parameters: 0 });
        }
        if let Some(missing) = layer.activation().missing() {
            return Err(self.missing(missing));
        }
        self.check(layer.activation().check_in(self.number))?;
        self.check(layer.activity_regularizer().map_or(Ok(()), |regularizer| regularizer.check_in(self.number)))?;
        self.kept = None;
        let output = layer.plan(input, self)?;
        if let (Some(value), Some(1)) = (layer.activation().of_one_value(), output.last()) {
            let (layer, activation) = (self.layer.clone(), layer.activation().to_string());
            return Err(NnError::ConstantActivation { layer, activation, value });
        }
        self.columns = self.kept.take();
        self.row(&output)?;
        self.extents[index] = Extent {
            parameters: self.parameters.len() - parameters,
            buffers: self.buffers.len() - buffers,
            layers: self.extents.len() - index - 1,
            output: output.as_slice().into(),
        };
        let values = self.declared.values;
        self.multiplications = self.multiplications.saturating_add(layer.multiplications(input, values));
        if let Some(descriptions) = &mut self.descriptions {
            descriptions[index].parameters = values;
        }
        (self.path, self.layer) = outer;
        self.declared = outer_declared;
        self.counted.depth -= 1;
        Ok(output)
    }

    /// Plans layers inside of the layer that is being planned, at `prefix` within it. They see its input.
    pub(crate) fn branch(&mut self, prefix: &str, stack: &Stack, input: &[usize]) -> Result<Vec<usize>, NnError> {
        let columns = self.columns.clone();
        let output = self.stack(prefix, stack.layers(), input);
        (self.columns, self.kept) = (columns, None);
        output
    }

    /// Counts so many branches of the layer that is being planned toward the number of layers.
    pub(crate) fn branches(&mut self, count: usize) -> Result<(), NnError> {
        self.counted.layers = self.counted.layers.saturating_add(count);
        self.within("layers", "layers and branches", self.counted.layers, self.limits.layers)
    }

    /// Counts what the layer that is being planned lists: columns.
    pub(crate) fn entries(&mut self, count: usize) -> Result<(), NnError> {
        self.counted.entries = self.counted.entries.saturating_add(count);
        self.within("entries", "entries in all lists", self.counted.entries, self.limits.entries)
    }

    /// Counts the settings of a user's layer.
    pub(crate) fn settings(&mut self, count: usize) -> Result<(), NnError> {
        self.counted.settings = self.counted.settings.saturating_add(count);
        self.within("settings", "settings of users' layers", self.counted.settings, self.limits.settings)
    }

    /// Declares that the layer hands on the values that it gets, as they are and in their order.
    pub(crate) fn keep_columns(&mut self) {
        self.kept = self.columns.clone();
    }

    /// Declares that the layer hands on some of the values that it gets.
    pub(crate) fn select_columns(&mut self, chosen: &[usize]) {
        self.kept = self.columns.as_ref().map(|columns| columns.select(chosen));
    }

    /// Declares that the layer reads its input as one of so many `categories`: what it reads must be columns of the
    /// network's input.
    pub(crate) fn read_categories(&mut self, input: &[usize], categories: usize) -> Result<(), NnError> {
        let Some(columns) = self.columns.clone() else {
            let reason = "it reads categories, which must come from the network's input, through SelectColumns and \
                          Flatten alone";
            return Err(self.refuse(input, reason));
        };
        self.lookups.push(Lookup { layer: self.layer.clone(), columns, categories });
        Ok(())
    }

    /// Declares a weight. The layer's forward gets it from [`Weights::parameter`](crate::Weights::parameter), in the
    /// order of declaration.
    ///
    /// # Errors
    /// If it has no name or that of another weight or buffer of the layer, would be too large to address, or a setting of
    /// its initializer, regularizer or constraint lies outside of its range.
    pub fn parameter(&mut self, spec: ParameterSpec) -> Result<(), NnError> {
        self.check_size(&spec.shape)?;
        if let Start::Drawn(initializer) = &spec.start {
            self.check(initializer.check_in(self.number))?;
            self.check(initializer.check_rank(spec.shape.len()))?;
        }
        self.check(spec.regularizer.as_deref().map_or(Ok(()), |regularizer| regularizer.check_in(self.number)))?;
        self.check(spec.constraint.as_deref().map_or(Ok(()), |constraint| constraint.check_in(self.number)))?;
        let name = self.own_name(&spec.name)?;
        self.declared.values = self.declared.values.saturating_add(spec.shape.iter().product());
        self.parameters.push(ParameterSpec { name, ..spec });
        self.within_tensors()
    }

    /// Declares a buffer: a tensor that starts filled with `value`, belongs to the network's state, and is updated in
    /// training by what the layer hands to [`Pass::update`](crate::Pass::update), but not by the optimizer.
    ///
    /// A layer with buffers [couples rows](Plan::couples_rows): what parts of a batch would leave in a buffer is not what
    /// the whole batch leaves.
    ///
    /// # Errors
    /// If it has no name or that of another weight or buffer of the layer, or would be too large to address.
    pub fn buffer(&mut self, name: &str, shape: impl Into<Vec<usize>>, value: f64) -> Result<(), NnError> {
        self.couples_rows();
        self.statistic(name, shape, value)
    }

    /// Declares a buffer of a layer that keeps to [`Pass::peers`](crate::Pass::peers).
    pub(crate) fn statistic(&mut self, name: &str, shape: impl Into<Vec<usize>>, value: f64) -> Result<(), NnError> {
        let (name, shape, start) = (self.own_name(name)?, shape.into(), Start::Constant(value));
        self.check_size(&shape)?;
        self.coupling = self.coupling.max(Coupling::Statistics);
        self.buffers.push(BufferSpec { name, shape, start });
        self.within_tensors()
    }

    /// Declares that in training the output of a row depends on the other rows of the batch: batches are then not cut
    /// into parts. A layer that declares a [buffer](Plan::buffer) need not say it.
    pub fn couples_rows(&mut self) {
        self.coupling = Coupling::WholeBatch;
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
        self.check(if holds { Ok(()) } else { Err(Problem::new(setting, value, expected)) })
    }

    /// The number type that settings are checked in: the network's, or f64 where a description is planned by itself.
    pub(crate) fn number(&self) -> NumberType {
        self.number
    }

    /// Hands on what a check found, with the layer's name.
    pub(crate) fn check(&self, checked: Result<(), Problem>) -> Result<(), NnError> {
        checked.map_err(|problem| problem.of(&self.layer))
    }

    /// The error that the layer needs what a file only named.
    pub(crate) fn missing(&self, missing: OpenError) -> NnError {
        NnError::MissingIn { layer: self.layer.clone(), missing: Box::new(missing) }
    }

    /// The error that the layer cannot take rows of shape `input`, and why.
    pub fn refuse(&self, input: &[usize], reason: impl Into<String>) -> NnError {
        NnError::RowShape { layer: self.layer.clone(), input: input.to_vec(), reason: reason.into() }
    }

    /// The place of the layer that is being planned, such as `layers.1`.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn within_tensors(&self) -> Result<(), NnError> {
        let count = self.parameters.len() + self.buffers.len();
        self.within("tensors", "weights and buffers", count, self.limits.tensors)
    }

    /// The full name of a weight or buffer of the layer.
    fn own_name(&mut self, name: &str) -> Result<String, NnError> {
        if name.is_empty() {
            return Err(self.bad_name(name, "is empty, but a weight or buffer must have one"));
        }
        if !self.declared.names.insert(name.to_owned()) {
            return Err(self.bad_name(name, "is that of two of its weights and buffers; give each its own"));
        }
        self.name(name)
    }

    /// The error that something of the layer cannot have this name, and why.
    pub(crate) fn bad_name(&self, name: &str, reason: &'static str) -> NnError {
        NnError::Name { layer: self.layer.clone(), name: name.to_owned(), reason }
    }

    /// The full name of something of the layer.
    fn name(&self, name: &str) -> Result<String, NnError> {
        // Of exactly this length: a network may have many.
        let full = if self.path.is_empty() { name.to_owned() } else { [&self.path, ".", name].concat() };
        self.within("name", "bytes in the name of something of it", full.len(), self.limits.name)?;
        Ok(full)
    }

    /// Checks an input or output row, and counts its values.
    fn row(&mut self, shape: &[usize]) -> Result<(), NnError> {
        self.check_size(shape)?;
        let values = shape.iter().product();
        self.counted.values = self.counted.values.saturating_add(values);
        self.within("values", "values in the rows of all layers up to it", self.counted.values, self.limits.values)
    }

    /// An allocation may not exceed `isize::MAX` bytes, and values have at most eight.
    fn check_size(&self, shape: &[usize]) -> Result<(), NnError> {
        self.within("axes", "axes", shape.len(), self.limits.axes)?;
        let bytes = shape.iter().try_fold(8usize, |n, &d| n.checked_mul(d));
        if bytes.is_none_or(|bytes| isize::try_from(bytes).is_err()) {
            return Err(NnError::TooLarge { layer: self.layer.clone(), shape: shape.to_vec() });
        }
        Ok(())
    }

    /// Checks one of the limits; `setting` is its name.
    fn within(&self, setting: &'static str, what: &'static str, found: usize, most: usize) -> Result<(), NnError> {
        if found <= most {
            return Ok(());
        }
        Err(NnError::Limit { layer: self.layer.clone(), setting, what, found, most })
    }
}

/// The path and kind of a layer, as messages name it. A file may name a custom layer as it likes.
pub(crate) fn layer_name(path: &str, layer: &Layer) -> String {
    format!("{path} ({})", shown(layer.kind(), 100))
}
