//! A part of each kind, with settings of all four types, and a network that has them everywhere.

use mlp_autograd::Var;
use mlp_nn::registry::{Registry, Settings, SettingsError};
use mlp_nn::{
    Activation, Concat, Constraint, CustomActivation, CustomConstraint, CustomInitializer, CustomLayer,
    CustomRegularizer, Dense, Embedding, Flatten, Initializer, Layer, NnError, ParameterSpec, Pass, Plan, Prelu,
    Regularizer, Residual, SelectColumns, Sequential, Stack, WeightNorm, Weights,
};
use mlp_tensor::{Element, Rng, Tensor};

/// The settings of every part here. Each part's numbers depend on all of them but the last.
#[derive(Clone, Debug)]
pub(crate) struct Knobs {
    pub(crate) factor: f64,
    pub(crate) shifted: bool,
    pub(crate) form: String,
    pub(crate) levels: Vec<f64>,
    pub(crate) unknown: f64,
}

impl Knobs {
    pub(crate) fn new(factor: f64) -> Self {
        let (form, levels) = ("\"sine\"\n".to_owned(), vec![0.1, -0.0, 1e-300, f64::MAX]);
        Self { factor, shifted: true, form, levels, unknown: -0.0 }
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::new()
            .with("factor", self.factor)
            .with("shifted", self.shifted)
            .with("form", self.form.as_str())
            .with("levels", self.levels.clone())
            .with("unknown", self.unknown)
    }

    pub(crate) fn read(settings: &Settings) -> Result<Self, SettingsError> {
        let factor = settings.number("factor")?;
        if factor <= 0.0 {
            return Err(SettingsError::refused("`factor` must be above 0"));
        }
        Ok(Self {
            factor,
            shifted: settings.bool("shifted")?,
            form: settings.text("form")?.to_owned(),
            levels: settings.numbers("levels")?,
            unknown: settings.number("unknown")?,
        })
    }

    /// 0.1 · the length of the form, so that every setting counts.
    fn shift(&self) -> f64 {
        if self.shifted { self.levels[0] * self.form.len() as f64 } else { 0.0 }
    }
}

/// sin(factor · x + shift).
#[derive(Debug)]
pub(crate) struct Wave(pub(crate) Knobs);

impl CustomActivation for Wave {
    fn name(&self) -> &str {
        "wave"
    }

    fn settings(&self) -> Settings {
        self.0.settings()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        (x * E::from_f64(self.0.factor) + E::from_f64(self.0.shift())).sin()
    }
}

/// Normal, `factor` wide around the shift.
#[derive(Debug)]
pub(crate) struct Spread(pub(crate) Knobs);

impl CustomInitializer for Spread {
    fn name(&self) -> &str {
        "spread"
    }

    fn settings(&self) -> Settings {
        self.0.settings()
    }

    fn draw(&self, shape: &[usize], rng: &mut Rng) -> Tensor<f64> {
        Tensor::normal(shape, self.0.shift(), self.0.factor, rng)
    }
}

/// factor · Σ (w - shift)².
#[derive(Debug)]
pub(crate) struct Pull(pub(crate) Knobs);

impl CustomRegularizer for Pull {
    fn name(&self) -> &str {
        "pull"
    }

    fn settings(&self) -> Settings {
        self.0.settings()
    }

    fn penalty<'t, E: Element>(&self, w: Var<'t, E>) -> Var<'t, E> {
        (w - E::from_f64(self.0.shift())).square().sum() * E::from_f64(self.0.factor)
    }
}

/// From shift - factor to shift + factor.
#[derive(Debug)]
pub(crate) struct Corridor(pub(crate) Knobs);

impl CustomConstraint for Corridor {
    fn name(&self) -> &str {
        "corridor"
    }

    fn settings(&self) -> Settings {
        self.0.settings()
    }

    fn apply<E: Element>(&self, weight: &mut Tensor<E>) {
        let [low, high] = [-1.0, 1.0].map(|side| E::from_f64(self.0.shift() + side * self.0.factor));
        *weight = weight.clamp(low, high);
    }
}

/// factor · s · x + shift, with an s for each feature.
#[derive(Debug)]
pub(crate) struct Scale(pub(crate) Knobs);

impl CustomLayer for Scale {
    fn name(&self) -> &str {
        "scale"
    }

    fn settings(&self) -> Settings {
        self.0.settings()
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.require(self.0.factor.is_finite(), "factor", self.0.factor, "finite")?;
        plan.parameter(ParameterSpec::new("s", input, Initializer::Uniform { low: 0.5, high: 1.5 }))?;
        Ok(input.to_vec())
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        _: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        x * weights.parameter() * E::from_f64(self.0.factor) + E::from_f64(self.0.shift())
    }
}

/// The kinds of parts in [`network`], with the names that they are saved under.
pub(crate) const KINDS: [(&str, &str); 5] = [
    ("Layer", "scale"),
    ("Activation", "wave"),
    ("Initializer", "spread"),
    ("Regularizer", "pull"),
    ("Constraint", "corridor"),
];

/// A registry that knows every part, but for the one saved under `but`.
pub(crate) fn registry_without(but: &str) -> Registry {
    let mut registry = Registry::new();
    if but != "scale" {
        registry = registry.register::<Layer>("scale", |s| Ok(Scale(Knobs::read(s)?).into()));
    }
    if but != "wave" {
        registry = registry.register::<Activation>("wave", |s| Ok(Wave(Knobs::read(s)?).into()));
    }
    if but != "spread" {
        registry = registry.register::<Initializer>("spread", |s| Ok(Spread(Knobs::read(s)?).into()));
    }
    if but != "pull" {
        registry = registry.register::<Regularizer>("pull", |s| Ok(Pull(Knobs::read(s)?).into()));
    }
    if but != "corridor" {
        registry = registry.register::<Constraint>("corridor", |s| Ok(Corridor(Knobs::read(s)?).into()));
    }
    registry
}

/// A network with parts of every kind, wherever a layer can have one, and inside of other layers.
pub(crate) fn network() -> Sequential {
    let dense = |units| {
        Dense::new(units)
            .activation(Wave(Knobs::new(1.5)))
            .initializer(Spread(Knobs::new(0.25)))
            .regularizer(Pull(Knobs::new(0.01)))
            .bias_regularizer(Pull(Knobs::new(0.02)))
            .activity_regularizer(Pull(Knobs::new(0.03)))
            .constraint(Corridor(Knobs::new(0.3)))
            .bias_constraint(Corridor(Knobs::new(0.4)))
    };
    let prelu = Prelu::new()
        .initializer(Spread(Knobs::new(0.5)))
        .regularizer(Pull(Knobs::new(0.04)))
        .constraint(Corridor(Knobs::new(0.2)));
    let embedding = Embedding::new(3, 2)
        .initializer(Spread(Knobs::new(1.0)))
        .regularizer(Pull(Knobs::new(0.05)))
        .constraint(Corridor(Knobs::new(0.6)));
    Sequential::new(3)
        .add(Concat::new([
            Stack::new().add(SelectColumns::new([0])).add(embedding).add(Flatten::new()),
            Stack::new().add(SelectColumns::new([1, 2])),
        ]))
        .add(dense(4))
        .add(Scale(Knobs::new(0.75)))
        .add(Residual::new(Stack::new().add(WeightNorm::new(dense(4))).add(Scale(Knobs::new(1.25)))))
        .add(Concat::new([Stack::new().add(Activation::from(Wave(Knobs::new(0.5)))), Stack::new().add(prelu)]))
        .add(Dense::new(2).activation(Wave(Knobs::new(3.0))))
}

/// Rows for it: a category of three, and two numbers.
pub(crate) fn rows<E: Element>() -> Tensor<E> {
    let mut x = Tensor::<f64>::normal([7, 3], 0.0, 1.0, &mut Rng::new(9));
    for (row, values) in x.as_mut_slice().chunks_mut(3).enumerate() {
        values[0] = (row % 3) as f64;
    }
    x.cast()
}

/// What a file makes of it: nothing but names and settings.
pub(crate) fn read(network: &Sequential) -> Sequential {
    serde_json::from_str(&serde_json::to_string(network).unwrap()).unwrap()
}
