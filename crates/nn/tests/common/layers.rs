//! An entry for every kind of layer there is, for the tests that loop over all of them, here and in other crates.

use std::collections::BTreeSet;

use mlp_autograd::Var;
use mlp_nn::registry::{Registry, Settings};
use mlp_nn::*;
use mlp_tensor::{Element, Rng, Tensor};

/// A layer and what it is fed with.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The name, as in `goldens/layers.json`.
    pub(crate) name: &'static str,
    pub(crate) layer: Layer,
    /// The shape of an input row.
    pub(crate) row: Vec<usize>,
    /// Columns that hold categories, and how many.
    pub(crate) categories: Vec<(usize, usize)>,
}

impl Case {
    /// A network of this layer alone.
    pub(crate) fn network(&self) -> Sequential {
        Sequential::with_input_shape(self.row.clone()).add(self.layer.clone())
    }

    /// `rows` rows away from kinks at 0.
    pub(crate) fn input<E: Element>(&self, rows: usize, seed: u64) -> Tensor<E> {
        let rng = &mut Rng::new(seed);
        let width: usize = self.row.iter().product();
        let mut x = Tensor::<f64>::normal([rows, width], 0.0, 1.0, rng).map(|v| v + 0.1 * v.signum());
        for row in x.as_mut_slice().chunks_mut(width.max(1)) {
            for &(column, categories) in &self.categories {
                row[column] = rng.below(categories) as f64;
            }
        }
        x.reshape([&[rows], &self.row[..]].concat()).cast()
    }
}

/// Every kind of layer, with the settings that matter.
pub(crate) fn cases() -> Vec<Case> {
    fn case(name: &'static str, row: &[usize], layer: impl Into<Layer>) -> Case {
        Case { name, layer: layer.into(), row: row.to_vec(), categories: Vec::new() }
    }
    let dense = || Dense::new(3).activation(Activation::Tanh);
    let mut embedding = case("embedding", &[2], Embedding::new(5, 3).regularizer(Regularizer::l2(0.01)));
    embedding.categories = vec![(0, 5), (1, 5)];
    let branches = [
        Stack::new().add(SelectColumns::new(0..3)),
        Stack::new().add(SelectColumns::new([3, 3])).add(Embedding::new(4, 2)).add(Flatten::new()),
        Stack::new().add(SelectColumns::new([0, 2])).add(BatchNorm::new()).add(Dense::new(2)),
    ];
    let mut table = case("concat_table", &[4], Concat::new(branches));
    table.categories = vec![(3, 4)];
    vec![
        case("dense", &[4], dense()),
        case("dense_without_bias", &[4], Dense::new(3).without_bias().constraint(Constraint::MaxNorm { max: 0.9 })),
        case("dense_rank3", &[5, 4], dense()),
        case(
            "dense_penalties",
            &[4],
            dense()
                .regularizer(Regularizer::l1_l2(0.01, 0.02))
                .bias_regularizer(Regularizer::l2(0.03))
                .activity_regularizer(Regularizer::l1_l2(0.1, 0.2))
                .constraint(Constraint::UnitNorm)
                .bias_constraint(Constraint::NonNegative),
        ),
        case("dropout", &[6], Dropout::new(0.3)),
        case("alpha_dropout", &[6], AlphaDropout::new(0.3)),
        case("gaussian_noise", &[6], GaussianNoise::new(0.5)),
        case("gaussian_dropout", &[6], GaussianDropout::new(0.3)),
        case("softmax", &[5], Activation::Softmax),
        case("batch_norm", &[4], BatchNorm::new()),
        case("batch_norm_rank3", &[3, 4], BatchNorm::new().momentum(0.25).epsilon(1e-3)),
        case("batch_norm_cumulative", &[4], BatchNorm::new().cumulative().without_affine()),
        case("layer_norm", &[6], LayerNorm::new()),
        case("layer_norm_rank3", &[3, 6], LayerNorm::new().epsilon(1e-3).without_affine()),
        case("rms_norm", &[6], RmsNorm::new()),
        case("rms_norm_rank3", &[3, 6], RmsNorm::new().epsilon(1e-3).without_affine()),
        case("group_norm", &[6], GroupNorm::new(2)),
        case("group_norm_rank3", &[5, 6], GroupNorm::new(3).epsilon(1e-3)),
        case("group_norm_without_affine", &[6], GroupNorm::new(1).without_affine()),
        case("weight_norm", &[4], WeightNorm::new(dense())),
        embedding,
        case("select_columns", &[5], SelectColumns::new([3, 0, 3])),
        case("select_columns_range", &[5], SelectColumns::new(1..4)),
        case("flatten", &[2, 3], Flatten::new()),
        case("residual", &[4], Residual::new(Stack::new().add(dense()).add(Dense::new(4)))),
        case(
            "concat",
            &[4],
            Concat::new([Stack::new(), Stack::new().add(dense()), Stack::new().add(LayerNorm::new())]),
        ),
        case("concat_rank3", &[5, 4], Concat::new([Stack::new().add(dense()), Stack::new()])),
        table,
        case("prelu", &[4], Prelu::new()),
        case("prelu_per_feature", &[3, 4], Prelu::new().per_feature()),
        case("glu", &[6], Glu::new()),
        case("named", &[4], Named::new("inner", dense())),
        case("custom", &[4], Sine { frequency: 1.5 }),
    ]
}

/// The kinds in the table, and all that there are. Serde says what it knows when it is asked for what there is not.
pub(crate) fn kinds() -> (BTreeSet<String>, BTreeSet<String>) {
    let tag = |case: Case| {
        let value = serde_json::to_value(&case.layer).unwrap();
        value.as_object().unwrap().keys().next().unwrap().clone()
    };
    let error = serde_json::from_str::<Layer>(r#"{"no such layer": 0}"#).unwrap_err().to_string();
    let all: BTreeSet<String> = error.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert!(all.len() > 15, "{error}");
    (cases().into_iter().map(tag).collect(), all)
}

/// A user's layer: y = sin(frequency · s · x), with a factor s for each feature.
#[derive(Debug)]
pub(crate) struct Sine {
    pub(crate) frequency: f64,
}

impl CustomLayer for Sine {
    fn name(&self) -> &str {
        "Sine"
    }

    fn settings(&self) -> Settings {
        Settings::new().with("frequency", self.frequency)
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.require(self.frequency.is_finite(), "frequency", self.frequency, "finite")?;
        plan.parameter(ParameterSpec::new("factor", input, Initializer::Constant { value: 0.75 }))?;
        Ok(input.to_vec())
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        _: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        (x * weights.parameter() * E::from_f64(self.frequency)).sin()
    }
}

/// The constructor of [`Sine`].
pub(crate) fn registry() -> Registry {
    Registry::new().register::<Layer>("Sine", |settings| Ok(Sine { frequency: settings.number("frequency")? }.into()))
}
