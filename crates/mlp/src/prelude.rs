//! What most programs need: `use mlp::prelude::*;`.

pub use mlp_autograd::{Tape, Var};
pub use mlp_data::{
    Dataset, KFold, LabelEncoder, OneHotEncoder, Split, StandardScaler, StratifiedKFold, TrainTestSplit, batches, iris,
    one_hot, train_test_split,
};
pub use mlp_metrics::{Batch, CustomMetric, Metric};
pub use mlp_nn::{
    Activation, AlphaDropout, BatchNorm, Concat, Constraint, CustomActivation, CustomConstraint, CustomInitializer,
    CustomLayer, CustomLoss, CustomRegularizer, Dense, Dropout, Embedding, Flatten, GaussianDropout, GaussianNoise,
    Glu, GroupNorm, Initializer, Layer, LayerNorm, Loss, Network, NnError, Output, OutputFunction, ParameterSpec, Pass,
    Plan, Predictor, Prelu, Regularizer, Residual, RmsNorm, SelectColumns, Sequential, Stack, TargetKind, Task,
    WeightNorm, Weights,
};
pub use mlp_optim::{Adam, CustomOptimizer, Optimizer, OptimizerState, RmsProp, Sgd};
pub use mlp_registry::{Registry, Settings};
pub use mlp_tensor::{Element, Rng, Tensor, tensor};
pub use mlp_train::{
    Callback, CallbackState, Evaluation, Fit, History, Model, ModelBuilder, Objective, Resume, Rows, Run, RunContext,
    Seeds, Step, Targets, Totals,
};
