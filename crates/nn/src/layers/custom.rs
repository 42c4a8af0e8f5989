//! Layers that users write.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use mlp_autograd::Var;
use mlp_tensor::{Element, Visit};
use serde::{Deserialize, Serialize};

use super::{Kind, Layer};
use crate::{NnError, Pass, Plan, Sequential, Weights};

/// The settings of a user's layer, as files hold them: numbers by name.
pub type Settings = BTreeMap<String, f64>;

/// A layer of your own. Add it to a network with [`Custom::new`].
///
/// ```
/// use mlp_autograd::Var;
/// use mlp_nn::{Custom, CustomLayer, Dense, Initializer, NnError, ParameterSpec, Pass, Plan, Sequential, Weights};
/// use mlp_tensor::{Element, Tensor};
///
/// /// y = s · x, with a factor s for every feature.
/// #[derive(Debug)]
/// struct Scale;
///
/// impl CustomLayer for Scale {
///     fn name(&self) -> &str {
///         "Scale"
///     }
///     fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
///         plan.parameter(ParameterSpec::new("factor", input, Initializer::Ones))?;
///         Ok(input.to_vec())
///     }
///     fn forward<'t, E: Element>(
///         &self,
///         weights: &mut Weights<'_, 't, E>,
///         x: Var<'t, E>,
///         _: &mut Pass<'t, E>,
///     ) -> Var<'t, E> {
///         x * weights.parameter()
///     }
/// }
///
/// let network = Sequential::new(3).add(Custom::new(Scale)).add(Dense::new(1)).init::<f32>(0)?;
/// assert_eq!(network.parameters()[0].name(), "layers.0.factor");
/// assert_eq!(network.predict(&Tensor::ones([2, 3]))?.shape(), [2, 1]);
/// # Ok::<(), NnError>(())
/// ```
pub trait CustomLayer: fmt::Debug + Send + Sync + 'static {
    /// The name in files, summaries and messages: no other layer's.
    fn name(&self) -> &str;

    /// The settings, from which a [`Registry`] makes the layer again.
    fn settings(&self) -> Settings {
        Settings::new()
    }

    /// Checks the settings and the shape of an input row, declares weights and buffers, and says what shape an output
    /// row has. A description may come from a file: nothing may be allocated by the sizes it claims.
    ///
    /// # Errors
    /// From [`Plan::require`] if a setting lies outside of its range, and from [`Plan::refuse`] if the layer cannot take
    /// rows of this shape.
    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError>;

    /// The output for a batch `x` of rows. Weights and buffers come in the order in which [`CustomLayer::plan`] declared
    /// them.
    ///
    /// The network panics, and names the layer, where not all of them are taken or more than there are, and where the
    /// output does not have the rows of `x` in the shape that the plan said.
    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E>;
}

/// A user's layer in a network.
#[derive(Clone, Serialize, Deserialize)]
pub struct Custom {
    name: String,
    settings: Settings,
    /// `None` until a registry has made the layer that a file names.
    #[serde(skip)]
    layer: Option<Arc<dyn Erased>>,
}

/// [`CustomLayer`] without a type parameter on its methods.
trait Erased: fmt::Debug + Send + Sync {
    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError>;

    fn forward_f32<'t>(
        &self,
        weights: &mut Weights<'_, 't, f32>,
        x: Var<'t, f32>,
        pass: &mut Pass<'t, f32>,
    ) -> Var<'t, f32>;

    fn forward_f64<'t>(
        &self,
        weights: &mut Weights<'_, 't, f64>,
        x: Var<'t, f64>,
        pass: &mut Pass<'t, f64>,
    ) -> Var<'t, f64>;
}

impl<L: CustomLayer> Erased for L {
    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        CustomLayer::plan(self, input, plan)
    }

    fn forward_f32<'t>(
        &self,
        weights: &mut Weights<'_, 't, f32>,
        x: Var<'t, f32>,
        pass: &mut Pass<'t, f32>,
    ) -> Var<'t, f32> {
        self.forward(weights, x, pass)
    }

    fn forward_f64<'t>(
        &self,
        weights: &mut Weights<'_, 't, f64>,
        x: Var<'t, f64>,
        pass: &mut Pass<'t, f64>,
    ) -> Var<'t, f64> {
        self.forward(weights, x, pass)
    }
}

/// A layer's forward for the one number type or the other.
struct Forward<'a, 'w, 't>(&'a dyn Erased, std::marker::PhantomData<(&'w (), &'t ())>);

impl<'a, 'w: 'a, 't: 'w> Visit for Forward<'a, 'w, 't> {
    type Input<E: Element> = (&'a mut Weights<'w, 't, E>, Var<'t, E>, &'a mut Pass<'t, E>);
    type Output<E: Element> = Var<'t, E>;

    fn f32(self, (weights, x, pass): Self::Input<f32>) -> Var<'t, f32> {
        self.0.forward_f32(weights, x, pass)
    }

    fn f64(self, (weights, x, pass): Self::Input<f64>) -> Var<'t, f64> {
        self.0.forward_f64(weights, x, pass)
    }
}

impl Custom {
    /// The layer, ready to be added to a network.
    pub fn new(layer: impl CustomLayer) -> Self {
        Self { name: layer.name().to_owned(), settings: layer.settings(), layer: Some(Arc::new(layer)) }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom").field("name", &self.name).field("settings", &self.settings).finish()
    }
}

impl PartialEq for Custom {
    /// By name and settings.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.settings == other.settings
    }
}

impl Kind for Custom {
    fn name(&self) -> &str {
        &self.name
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        let Some(layer) = &self.layer else {
            let name = self.name.chars().take(100).collect();
            return Err(NnError::UnknownLayer { path: plan.path().to_owned(), name });
        };
        plan.settings(self.settings.len())?;
        let output = layer.plan(input, plan)?;
        // The layers that follow rely on it.
        plan.require(!output.is_empty() && !output.contains(&0), "the length of an output axis", 0.0, "at least 1")?;
        Ok(output)
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        match &self.layer {
            Some(layer) => {
                let y = E::visit(Forward(layer.as_ref(), std::marker::PhantomData), (&mut *weights, x, pass));
                weights.check_output(x, y);
                y
            }
            None => unreachable!("a network's layers were planned, and planning refuses a name without a layer"),
        }
    }
}

/// Constructors of users' layers by name, for opening files that hold such layers.
///
/// ```
/// # use mlp_autograd::Var;
/// # use mlp_nn::{CustomLayer, NnError, Pass, Plan, Settings, Weights};
/// # use mlp_tensor::Element;
/// # #[derive(Debug)]
/// # struct Shift { by: f64 }
/// # impl CustomLayer for Shift {
/// #     fn name(&self) -> &str { "Shift" }
/// #     fn settings(&self) -> Settings { [("by".to_owned(), self.by)].into() }
/// #     fn plan(&self, input: &[usize], _: &mut Plan) -> Result<Vec<usize>, NnError> { Ok(input.to_vec()) }
/// #     fn forward<'t, E: Element>(
/// #         &self, _: &mut Weights<'_, 't, E>, x: Var<'t, E>, _: &mut Pass<'t, E>,
/// #     ) -> Var<'t, E> { x + E::from_f64(self.by) }
/// # }
/// use mlp_nn::Registry;
///
/// let registry = Registry::new().register("Shift", |settings| {
///     settings.get("by").map(|&by| Shift { by }).ok_or_else(|| "`by` is missing".to_owned())
/// });
/// ```
#[derive(Default)]
pub struct Registry {
    constructors: BTreeMap<String, Box<Constructor>>,
}

type Constructor = dyn Fn(&Settings) -> Result<Custom, String> + Send + Sync;

impl Registry {
    /// A registry without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the layer that is saved under `name`: `constructor` makes it from its settings, or says what is wrong with
    /// them. Files may come from anyone, so it must not rely on a setting being there.
    #[must_use]
    pub fn register<L: CustomLayer>(
        mut self,
        name: &str,
        constructor: impl Fn(&Settings) -> Result<L, String> + Send + Sync + 'static,
    ) -> Self {
        let constructor = move |settings: &Settings| constructor(settings).map(Custom::new);
        self.constructors.insert(name.to_owned(), Box::new(constructor));
        self
    }

    /// Makes the layers that a file only names. Names that are not registered are left; planning the network refuses
    /// them.
    fn resolve(&self, layers: &mut [Layer]) -> Result<(), NnError> {
        for layer in layers {
            if let Layer::Custom(custom) = layer
                && custom.layer.is_none()
                && let Some(constructor) = self.constructors.get(&custom.name)
            {
                let wrong = |reason: String| NnError::CustomSettings { name: custom.name.clone(), reason };
                let made = constructor(&custom.settings).map_err(wrong)?;
                if made != *custom {
                    return Err(wrong(format!("the constructor made {made:?} from {:?}", custom.settings)));
                }
                *custom = made;
            }
            layer.stacks_mut().iter_mut().try_for_each(|stack| self.resolve(stack.layers_mut()))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.constructors.keys()).finish()
    }
}

impl Sequential {
    /// The same description with users' layers made by `registry` where a file only named them.
    ///
    /// # Errors
    /// If a constructor refuses the settings, or makes a layer of another name or with other settings.
    pub fn resolve(mut self, registry: &Registry) -> Result<Self, NnError> {
        registry.resolve(self.layers_mut())?;
        Ok(self)
    }
}
