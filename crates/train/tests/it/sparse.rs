//! The gradient of a table of which a batch reads a few rows: as rows, it trains to the bits of a dense one.

use mlp_autograd::Var;
use mlp_nn::{
    Activation, Constraint, CustomLayer, Dense, Embedding, Flatten, Initializer, Layer, Loss, Network, NnError,
    ParameterSpec, Pass, Plan, Regularizer, Sequential, Weights,
};
use mlp_optim::{Adam, Optimizer, OptimizerState, RmsProp, Sgd};
use mlp_tensor::{Element, Rng, Tensor};
use mlp_train::{Objective, Rows, Step};

const CATEGORIES: usize = 500;
const COLUMNS: usize = 8;
const BATCH: usize = 100;

/// An embedding whose gradient is a whole table: the rows are looked up in what an operation gave.
#[derive(Clone, Debug)]
struct Table {
    regularizer: Option<Regularizer>,
    constraint: Option<Constraint>,
}

const START: Initializer = Initializer::Normal { mean: 0.0, std: 1.0 };

impl CustomLayer for Table {
    fn name(&self) -> &str {
        "table"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        let mut spec = ParameterSpec::new("weight", [CATEGORIES, COLUMNS], START);
        if let Some(regularizer) = &self.regularizer {
            spec = spec.regularizer(regularizer.clone());
        }
        if let Some(constraint) = &self.constraint {
            spec = spec.constraint(constraint.clone());
        }
        plan.parameter(spec)?;
        Ok([input, &[COLUMNS]].concat())
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        _: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let table = weights.parameter() * E::one();
        let rows: Vec<usize> = x.value().iter().map(|v| v.as_f64() as usize).collect();
        table.select_rows(&rows).reshape([&x.shape()[..], &[COLUMNS]].concat())
    }
}

/// The bits of all weights after three steps, of batches that are two shards each.
fn bits(layer: impl Into<Layer>, optimizer: &Optimizer, clip: bool, data: &(Tensor, Tensor)) -> Vec<u32> {
    let relu = |units| Dense::new(units).activation(Activation::Relu);
    let network = Sequential::new(3).add(layer).add(Flatten::new()).add(relu(64)).add(relu(160)).add(Dense::new(1));
    let mut network: Network = network.init(1).unwrap();
    assert!(BATCH * network.multiplications_per_row() >= 1 << 20, "the batch is not cut");
    let objective = Objective::new(Loss::MeanSquaredError, &network).unwrap();
    let rows = Rows::new(&data.0, &data.1, &objective, &network).unwrap();
    let mut state = OptimizerState::new(optimizer, network.parameters());
    let mut step = Step::new(&network);
    for batch in (0..rows.len()).collect::<Vec<_>>().chunks(BATCH) {
        step.shards(&network, &objective, &rows, batch, 1);
        if clip {
            assert!(step.reduce(&network).clip_global_norm(0.1) > 0.1);
        }
        step.apply(&mut network, optimizer, &mut state);
    }
    network.parameters().iter().flat_map(|p| p.value().iter().map(|v| v.to_bits())).collect()
}

#[test]
fn rows_of_a_table_train_to_the_bits_of_the_whole_table() {
    let rng = &mut Rng::new(4);
    let x = Tensor::from_fn([3 * BATCH, 3], |_| rng.below(CATEGORIES) as f32);
    let data = (x, Tensor::randn([3 * BATCH, 1], rng));
    let optimizers: [Optimizer; 5] = [
        Sgd::new(0.1).into(),
        Sgd::new(0.1).momentum(0.9).into(),
        Sgd::new(0.1).momentum(0.9).nesterov(true).into(),
        Adam::new(0.01).into(),
        RmsProp::new(0.01).into(),
    ];
    for optimizer in &optimizers {
        for regularizer in [None, Some(Regularizer::l1(1e-3)), Some(Regularizer::l2(1e-3))] {
            for constraint in [None, Some(Constraint::MaxNorm { max: 1.0 })] {
                let mut sparse = Embedding::new(CATEGORIES, COLUMNS).initializer(START);
                sparse.regularizer.clone_from(&regularizer);
                sparse.constraint.clone_from(&constraint);
                let dense = Table { regularizer: regularizer.clone(), constraint };
                for clip in [false, true] {
                    let found = bits(sparse.clone(), optimizer, clip, &data);
                    let expected = bits(dense.clone(), optimizer, clip, &data);
                    assert!(found == expected, "{optimizer}, {dense:?}, clipped: {clip}");
                }
            }
        }
    }
}
