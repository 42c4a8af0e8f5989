//! Layers that users write.

use std::fmt;
use std::sync::Arc;

use mlp_autograd::Var;
use mlp_registry::{Both, OpenError, Registry, Settings};
use mlp_tensor::Element;

use super::{Kind, Layer};
use crate::{NnError, Pass, Plan, Sequential, Weights};

/// A layer of your own. It goes wherever a [`Layer`] goes.
///
/// ```
/// use mlp_autograd::Var;
/// use mlp_nn::{CustomLayer, Dense, Initializer, NnError, ParameterSpec, Pass, Plan, Sequential, Weights};
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
/// let network = Sequential::new(3).add(Scale).add(Dense::new(1)).init::<f32>(0)?;
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

    /// Checks the settings and the shape of an input row, declares weights and buffers, each by a name of its own, and
    /// says what shape an output row has. A layer with a buffer is never fed a part of a batch in training. A
    /// description may come from a file: nothing may be allocated by the sizes it claims.
    ///
    /// # Errors
    /// From [`Plan::require`] if a setting lies outside of its range, and from [`Plan::refuse`] if the layer cannot take
    /// rows of this shape.
    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError>;

    /// The output for a batch `x` of rows. Weights and buffers come in the order in which [`CustomLayer::plan`] declared
    /// them.
    ///
    /// In a pass that does not train, a row of the output must not depend on the other rows of `x`: predictions are made of
    /// rows alone, and of tables that are cut into parts. In one that trains it may, if the plan says so: by
    /// [`Plan::couples_rows`], or by a buffer, which implies it. A pass tells which it is by [`Pass::is_training`].
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

/// A user's layer among those of the library.
pub(crate) type Custom = mlp_registry::Custom<Both<dyn Erased<f32>, dyn Erased<f64>>>;

/// [`CustomLayer`] for one number type.
pub trait Erased<E: Element>: Send + Sync {
    /// [`CustomLayer::plan`].
    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError>;
    /// [`CustomLayer::forward`].
    fn forward<'t>(&self, weights: &mut Weights<'_, 't, E>, x: Var<'t, E>, pass: &mut Pass<'t, E>) -> Var<'t, E>;
}

impl<E: Element, L: CustomLayer> Erased<E> for L {
    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        CustomLayer::plan(self, input, plan)
    }

    fn forward<'t>(&self, weights: &mut Weights<'_, 't, E>, x: Var<'t, E>, pass: &mut Pass<'t, E>) -> Var<'t, E> {
        CustomLayer::forward(self, weights, x, pass)
    }
}

impl<L: CustomLayer> From<L> for Layer {
    fn from(layer: L) -> Self {
        let (name, settings, layer) = (layer.name().to_owned(), layer.settings(), Arc::new(layer));
        Self::Custom(Custom::new(name, settings, Both::new(layer.clone(), layer)))
    }
}

impl Kind for Custom {
    fn name(&self) -> &str {
        Self::name(self)
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        let part = self.get("Layer").map_err(|missing| plan.missing(missing))?;
        plan.settings(self.settings().len())?;
        let output = part.get::<dyn Erased<f64>>().plan(input, plan)?;
        // The layers that follow rely on it.
        plan.require(!output.is_empty() && !output.contains(&0), "the length of an output axis", 0.0, "at least 1")?;
        Ok(output)
    }

    fn multiplications(&self, _: &[usize], weights: usize) -> usize {
        // What it does with them is its own.
        weights
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        match self.part() {
            Some(part) => {
                let y = part.get::<dyn Erased<E>>().forward(weights, x, pass);
                weights.check_output(x, y);
                y
            }
            None => unreachable!("a network's layers were planned, and planning refuses a name without a layer"),
        }
    }
}

impl Sequential {
    /// The same description with what a file only named (layers, activations, initializers, regularizers and
    /// constraints that users wrote) made by `registry`. Names that are not registered are left: a network cannot be
    /// built with a layer or an activation that is missing, first weights cannot be drawn without an initializer, and
    /// training needs the rest.
    ///
    /// # Errors
    /// If a constructor refuses the settings, or makes a part of another name or with other settings.
    pub fn open(mut self, registry: &Registry) -> Result<Self, OpenError> {
        open(self.layers_mut(), registry)?;
        Ok(self)
    }
}

fn open(layers: &mut [Layer], registry: &Registry) -> Result<(), OpenError> {
    for layer in layers {
        mlp_registry::open(layer.unnamed_mut(), custom, "Layer", registry)?;
        layer.open_parts(registry)?;
        layer.stacks_mut().iter_mut().try_for_each(|stack| open(stack.layers_mut(), registry))?;
    }
    Ok(())
}

fn custom(layer: &Layer) -> Option<&Custom> {
    match layer {
        Layer::Custom(custom) => Some(custom),
        _ => None,
    }
}
