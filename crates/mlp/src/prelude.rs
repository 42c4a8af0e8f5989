//! What most programs need: `use mlp::prelude::*;`.

pub use mlp_data::{
    Dataset, KFold, OneHotEncoder, Split, StandardScaler, StratifiedKFold, TrainTestSplit, iris, one_hot,
    train_test_split,
};
pub use mlp_nn::{
    Activation, AlphaDropout, BatchNorm, Concat, Constraint, Dense, Dropout, Embedding, Flatten, GaussianDropout,
    GaussianNoise, Glu, GroupNorm, Initializer, LayerNorm, Loss, Predictor, Prelu, Regularizer, Residual, RmsNorm,
    SelectColumns, Sequential, Stack, WeightNorm,
};
pub use mlp_optim::{Adam, RmsProp, Sgd};
pub use mlp_tensor::{Rng, Tensor};
pub use mlp_train::{Evaluation, Fit, History, Metric, Model};
