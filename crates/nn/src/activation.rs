//! The functions between layers.

use std::fmt;
use std::sync::Arc;

use mlp_autograd::Var;
use mlp_registry::{Both, Opening, Registry, Settings};
use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, math};
use serde::{Deserialize, Serialize};

use crate::error::{Problem, above_zero, finite};
use crate::predictor::InPlace;

/// A function of a layer's output, value by value or (the softmaxes) row by row.
///
/// Two more change shapes or are trained, and so are no part of this list: [`Var::glu`] and [`Var::prelu`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activation {
    /// x, for regression outputs and logits.
    #[default]
    Identity,
    /// max(x, 0).
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
    /// x above 0, `negative_slope` · x up to it.
    LeakyRelu {
        /// The slope up to 0, finite; 0.01 in PyTorch, 0.3 in Keras.
        negative_slope: f64,
    },
    /// x above 0, `alpha` · (eˣ - 1) up to it.
    Elu {
        /// Minus the value that it goes to, finite and above 0; usually 1.
        alpha: f64,
    },
    /// [`Activation::Elu`] with the alpha, and the factor, that keep mean 0 and variance 1 from layer to layer.
    /// Goes with [`Initializer::LecunNormal`](crate::Initializer::LecunNormal).
    Selu,
    /// x above 0, `alpha` · (e^(x / `alpha`) - 1) up to it.
    Celu {
        /// Minus the value that it goes to, finite and above 0; usually 1.
        alpha: f64,
    },
    /// x · Φ(x), with Φ the normal distribution's probability of a smaller number.
    Gelu,
    /// [`Activation::Gelu`] to about three digits, by a hyperbolic tangent.
    GeluTanh,
    /// x / (1 + e⁻ˣ), also called swish.
    Silu,
    /// x · tanh(ln(1 + eˣ)).
    Mish,
    /// ln(1 + e^(`beta` x)) / `beta`; always above 0.
    Softplus {
        /// How sharp the bend is, finite and above 0; usually 1.
        beta: f64,
    },
    /// x / (1 + |x|).
    Softsign,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// min(max(x + 3, 0), 6) / 6.
    HardSigmoid,
    /// x · min(max(x + 3, 0), 6) / 6.
    HardSwish,
    /// tanh x.
    Tanh,
    /// x, but not below `low` and not above `high`.
    HardTanh {
        /// The least value; usually -1.
        low: f64,
        /// The largest value, above `low`; usually 1.
        high: f64,
    },
    /// ln(1 / (1 + e⁻ˣ)).
    LogSigmoid,
    /// eˣ / Σ eˣ over the last axis: probabilities of classes.
    Softmax,
    /// x - ln Σ eˣ over the last axis: the logarithms of those probabilities.
    LogSoftmax,
    /// An activation of your own: see [`CustomActivation`].
    Custom(Custom),
}

impl Activation {
    /// Leaky ReLU with PyTorch's slope, 0.01.
    pub const fn leaky_relu() -> Self {
        Self::LeakyRelu { negative_slope: 0.01 }
    }

    /// ELU with alpha 1.
    pub const fn elu() -> Self {
        Self::Elu { alpha: 1.0 }
    }

    /// CELU with alpha 1.
    pub const fn celu() -> Self {
        Self::Celu { alpha: 1.0 }
    }

    /// Softplus with beta 1.
    pub const fn softplus() -> Self {
        Self::Softplus { beta: 1.0 }
    }

    /// Hard tanh between -1 and 1.
    pub const fn hard_tanh() -> Self {
        Self::HardTanh { low: -1.0, high: 1.0 }
    }

    /// Applies the function; the shape stays.
    ///
    /// # Panics
    /// If this is a user's activation that a file only named, or one that changes the shape.
    #[track_caller]
    pub fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        match *self {
            Self::Identity => x,
            Self::Relu => x.relu(),
            Self::Relu6 => x.relu6(),
            Self::LeakyRelu { negative_slope } => x.leaky_relu(E::from_f64(negative_slope)),
            Self::Elu { alpha } => x.elu(E::from_f64(alpha)),
            Self::Selu => x.selu(),
            Self::Celu { alpha } => x.celu(E::from_f64(alpha)),
            Self::Gelu => x.gelu(),
            Self::GeluTanh => x.gelu_tanh(),
            Self::Silu => x.silu(),
            Self::Mish => x.mish(),
            Self::Softplus { beta } => x.softplus(E::from_f64(beta)),
            Self::Softsign => x.softsign(),
            Self::Sigmoid => x.sigmoid(),
            Self::HardSigmoid => x.hard_sigmoid(),
            Self::HardSwish => x.hard_swish(),
            Self::Tanh => x.tanh(),
            Self::HardTanh { low, high } => x.hard_tanh(E::from_f64(low), E::from_f64(high)),
            Self::LogSigmoid => x.log_sigmoid(),
            Self::Softmax => x.softmax(x.rank().saturating_sub(1)),
            Self::LogSoftmax => x.log_softmax(x.rank().saturating_sub(1)),
            Self::Custom(ref custom) => forward(custom, x),
        }
    }

    /// The form of the function that writes over a row, if it has one: what predictions use.
    pub(crate) fn in_place<E: Element>(&self) -> Option<InPlace<E>> {
        match self {
            Self::Relu => Some(|row| each(row, |v| if v < E::zero() { E::zero() } else { v })),
            Self::Sigmoid => Some(|row| each(row, math::sigmoid)),
            Self::Tanh => Some(|row| each(row, math::tanh)),
            Self::Softmax => Some(|row| {
                let largest = |a, b: E| if b > a || b.is_nan() { b } else { a };
                let largest = row.iter().copied().fold(E::neg_infinity(), largest);
                each(row, |v| math::exp(v - largest));
                let sum: E = row.iter().copied().sum();
                each(row, |v| v / sum);
            }),
            _ => None,
        }
    }

    /// The factor by which PyTorch's `calculate_gain` widens first weights in front of this function, so that the
    /// variance stays from layer to layer: 5/3 for tanh, √2 for ReLU, √(2 / (1 + slope²)) for leaky ReLU, 3/4 for SELU,
    /// 1 for identity and sigmoid, and 1 for all that PyTorch has no number for.
    ///
    /// [`Initializer::Orthogonal`](crate::Initializer::Orthogonal) takes it; the He initializers contain ReLU's.
    pub fn gain(&self) -> f64 {
        match *self {
            Self::Relu => std::f64::consts::SQRT_2,
            Self::LeakyRelu { negative_slope } => (2.0 / (1.0 + negative_slope * negative_slope)).sqrt(),
            Self::Tanh => 5.0 / 3.0,
            Self::Selu => 0.75,
            _ => 1.0,
        }
    }

    /// The setting that lies outside of its range, if there is one.
    pub(crate) fn problem(&self) -> Option<Problem> {
        match *self {
            Self::LeakyRelu { negative_slope } => finite("negative_slope", negative_slope),
            Self::Elu { alpha } | Self::Celu { alpha } => above_zero("alpha", alpha),
            Self::Softplus { beta } => above_zero("beta", beta),
            Self::HardTanh { low, high } => {
                finite("low", low).or(finite("high", high)).or((low >= high).then_some(("low", low, "below high")))
            }
            _ => None,
        }
    }
}

/// An activation of your own. It goes wherever an [`Activation`] goes.
///
/// ```
/// use mlp_autograd::Var;
/// use mlp_nn::{CustomActivation, Dense, Network, Sequential};
/// use mlp_registry::Settings;
/// use mlp_tensor::{Element, Tensor};
///
/// /// sin(f · x), of Sitzmann et al., 2020.
/// #[derive(Debug)]
/// struct Sine {
///     frequency: f64,
/// }
///
/// impl CustomActivation for Sine {
///     fn name(&self) -> &str {
///         "sine"
///     }
///     fn settings(&self) -> Settings {
///         Settings::new().with("frequency", self.frequency)
///     }
///     fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
///         (x * E::from_f64(self.frequency)).sin()
///     }
/// }
///
/// let network: Network = Sequential::new(2).add(Dense::new(3).activation(Sine { frequency: 30.0 })).init(0)?;
/// assert!(network.predict(&Tensor::ones([1, 2]))?.as_slice().iter().all(|y| y.abs() <= 1.0));
/// # Ok::<(), mlp_nn::NnError>(())
/// ```
pub trait CustomActivation: fmt::Debug + Send + Sync + 'static {
    /// The name in files, summaries and messages: no other activation's.
    fn name(&self) -> &str;

    /// The settings, from which a [`Registry`] makes the activation again.
    fn settings(&self) -> Settings {
        Settings::new()
    }

    /// The function of a batch `x` `[n, ..]`, of the same shape. A row's values must not depend on other rows.
    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E>;
}

/// A user's activation among those of the library.
pub(crate) type Custom = mlp_registry::Custom<Both<dyn Erased<f32>, dyn Erased<f64>>>;

/// [`CustomActivation`] for one number type.
pub trait Erased<E: Element>: Send + Sync {
    /// [`CustomActivation::forward`].
    fn forward<'t>(&self, x: Var<'t, E>) -> Var<'t, E>;
}

impl<E: Element, A: CustomActivation> Erased<E> for A {
    fn forward<'t>(&self, x: Var<'t, E>) -> Var<'t, E> {
        CustomActivation::forward(self, x)
    }
}

#[track_caller]
fn forward<'t, E: Element>(custom: &Custom, x: Var<'t, E>) -> Var<'t, E> {
    let part = custom.expect("Activation");
    let y = part.get::<dyn Erased<E>>().forward(x);
    let (expected, found) = (x.shape(), y.shape());
    assert!(found == expected, "{custom}: an activation keeps the shape, but made {found:?} of {expected:?}");
    y
}

impl<A: CustomActivation> From<A> for Activation {
    fn from(activation: A) -> Self {
        let (name, settings) = (activation.name().to_owned(), activation.settings());
        let activation = Arc::new(activation);
        Self::Custom(Custom::new(name, settings, Both::new(activation.clone(), activation)))
    }
}

impl Activation {
    fn custom(&self) -> Option<&Custom> {
        match self {
            Self::Custom(custom) => Some(custom),
            _ => None,
        }
    }

    /// Makes a user's activation that a file only named, if `registry` knows it.
    pub(crate) fn open(&mut self, registry: &Registry) -> Result<(), Opening> {
        mlp_registry::open(self, Self::custom, "Activation", registry)
    }

    /// Why the activation cannot be computed, if a file only named it.
    pub(crate) fn missing(&self) -> Option<Opening> {
        self.custom()?.get("Activation").err()
    }
}

/// Writes f(v) over every value v of a row.
fn each<E: Element>(row: &mut [E], f: impl Fn(E) -> E) {
    vectorize(
        #[inline(always)]
        || row.iter_mut().for_each(|v| *v = f(*v)),
    );
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("identity"),
            Self::Relu => f.write_str("relu"),
            Self::Relu6 => f.write_str("relu6"),
            Self::LeakyRelu { negative_slope } => write!(f, "leaky relu {negative_slope}"),
            Self::Elu { alpha } => write!(f, "elu {alpha}"),
            Self::Selu => f.write_str("selu"),
            Self::Celu { alpha } => write!(f, "celu {alpha}"),
            Self::Gelu => f.write_str("gelu"),
            Self::GeluTanh => f.write_str("gelu tanh"),
            Self::Silu => f.write_str("silu"),
            Self::Mish => f.write_str("mish"),
            Self::Softplus { beta } => write!(f, "softplus {beta}"),
            Self::Softsign => f.write_str("softsign"),
            Self::Sigmoid => f.write_str("sigmoid"),
            Self::HardSigmoid => f.write_str("hard sigmoid"),
            Self::HardSwish => f.write_str("hard swish"),
            Self::Tanh => f.write_str("tanh"),
            Self::HardTanh { low, high } => write!(f, "hard tanh {low}..{high}"),
            Self::LogSigmoid => f.write_str("log-sigmoid"),
            Self::Softmax => f.write_str("softmax"),
            Self::LogSoftmax => f.write_str("log-softmax"),
            Self::Custom(custom) => write!(f, "{custom}"),
        }
    }
}
