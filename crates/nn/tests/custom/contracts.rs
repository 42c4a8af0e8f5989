//! What the traits ask for is checked where it is relied on, and the message names the part.

use mlp_autograd::{Tape, Var};
use mlp_nn::{
    Activation, Constraint, CustomActivation, CustomConstraint, CustomInitializer, CustomLayer, CustomLoss,
    CustomRegularizer, Dense, Initializer, Loss, Network, NnError, Pass, Plan, Regularizer, Sequential, Weights,
};
use mlp_tensor::{Element, Rng, Tensor};

/// Breaks what every trait asks for.
#[derive(Debug)]
struct Broken;

impl CustomActivation for Broken {
    fn name(&self) -> &str {
        "widen"
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        Var::concatenate(&[x, x], 1)
    }
}

impl CustomLoss for Broken {
    fn name(&self) -> &str {
        "total"
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        (x - t).square().sum()
    }
}

impl CustomRegularizer for Broken {
    fn name(&self) -> &str {
        "squares"
    }

    fn penalty<'t, E: Element>(&self, w: Var<'t, E>) -> Var<'t, E> {
        w.square()
    }
}

impl CustomInitializer for Broken {
    fn name(&self) -> &str {
        "flat"
    }

    fn draw(&self, shape: &[usize], _: &mut Rng) -> Tensor<f64> {
        Tensor::zeros([shape.iter().product::<usize>()])
    }
}

impl CustomConstraint for Broken {
    fn name(&self) -> &str {
        "transpose"
    }

    fn apply<E: Element>(&self, weight: &mut Tensor<E>) {
        *weight = weight.t();
    }
}

/// Sums over the columns, where one number for each row is asked for.
#[derive(Debug)]
struct ByColumn;

impl CustomLoss for ByColumn {
    fn name(&self) -> &str {
        "by_column"
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        (x - t).square().sum_axes(&[0], false)
    }
}

/// One pass of rows of ones.
#[track_caller]
fn forward(network: &Network, rows: usize) {
    let tape = Tape::new();
    let x = Tensor::ones([&[rows], network.architecture().input_shape()].concat());
    let _ = network.forward(&network.variables(&tape), tape.constant(x), &mut Pass::inference());
}

#[test]
#[should_panic(expected = "widen: an activation keeps the shape, but made [2, 6] of [2, 3] (in layers.1 (Dense))")]
fn an_activation_that_changes_the_shape_is_named_with_its_layer() {
    let layer = Dense::new(3).activation(Activation::from(Broken));
    let network: Network = Sequential::new(4).add(Dense::new(4)).add(layer).add(Dense::new(1)).init(0).unwrap();
    forward(&network, 2);
}

#[test]
#[should_panic(expected = "widen: an activation keeps the shape, but made [2, 6] of [2, 3]")]
fn an_activation_that_changes_the_shape_predicts_nothing() {
    let layer = Dense::new(3).activation(Activation::from(Broken));
    let network: Network<f64> = Sequential::new(4).add(layer).add(Dense::new(1)).init(0).unwrap();
    let _ = network.predict(&Tensor::ones([2, 4]));
}

#[test]
#[should_panic(expected = "widen: an activation keeps the shape, but made [1, 4] of [1, 2]")]
fn an_activation_that_changes_the_shape_is_named_in_double_precision() {
    let _ = Activation::from(Broken).forward(Tape::<f64>::new().constant(Tensor::ones([1, 2])));
}

#[test]
#[should_panic(expected = "total: the loss of 2 rows has shape [], but must have one number, or as many as a row has \
                           values, for each row; do not sum over the rows")]
fn a_loss_that_sums_over_rows_is_named() {
    let tape = Tape::<f32>::new();
    let _ = Loss::from(Broken).per_row(tape.variable(Tensor::ones([2, 3])), tape.constant(Tensor::ones([2, 3])));
}

#[test]
#[should_panic(expected = "by_column: the loss of 2 rows has shape [3], but must have one number")]
fn a_loss_of_columns_is_named() {
    let tape = Tape::<f64>::new();
    let _ = Loss::from(ByColumn).forward(tape.variable(Tensor::ones([2, 3])), tape.constant(Tensor::ones([2, 3])));
}

#[test]
#[should_panic(expected = "squares: a penalty is one number, but has shape [2, 3]; sum it")]
fn a_penalty_that_is_not_one_number_is_named() {
    let _ = Regularizer::from(Broken).penalty(&Tensor::<f32>::ones([2, 3]));
}

#[test]
#[should_panic(expected = "squares: a penalty is one number, but has shape [4]; sum it")]
fn a_gradient_of_a_penalty_that_is_not_one_number_is_named() {
    let _ = Regularizer::from(Broken).gradient(&Tensor::<f64>::ones([4]));
}

#[test]
#[should_panic(expected = "squares: a penalty is one number, but has shape [5, 2]; sum it")]
fn a_penalty_of_outputs_that_is_not_one_number_is_named() {
    let network: Network =
        Sequential::new(3).add(Dense::new(2).activity_regularizer(Regularizer::from(Broken))).init(0).unwrap();
    forward(&network, 5);
}

#[test]
#[should_panic(expected = "flat: an initializer drew a weight of shape [6] where [3, 2] was asked for")]
fn an_initializer_of_another_shape_is_named() {
    let _ = Sequential::new(3).add(Dense::new(2).initializer(Initializer::from(Broken))).init::<f32>(0);
}

#[test]
#[should_panic(expected = "transpose: a constraint keeps the shape, but made [2, 3] of [3, 2]")]
fn a_constraint_that_changes_the_shape_is_named() {
    let layer = Dense::new(2).constraint(Constraint::from(Broken));
    Sequential::new(3).add(layer).init::<f64>(0).unwrap().constrain();
}

/// Says that it gives rows without values.
#[derive(Debug)]
struct Nothing;

impl CustomLayer for Nothing {
    fn name(&self) -> &str {
        "nothing"
    }

    fn plan(&self, _: &[usize], _: &mut Plan) -> Result<Vec<usize>, NnError> {
        Ok(vec![0])
    }

    fn forward<'t, E: Element>(&self, _: &mut Weights<'_, 't, E>, x: Var<'t, E>, _: &mut Pass<'t, E>) -> Var<'t, E> {
        x
    }
}

#[test]
fn a_layer_that_gives_no_values_is_refused_when_the_network_is_planned() {
    let error = Sequential::new(3).add(Nothing).check().unwrap_err().to_string();
    assert_eq!(error, "layers.0 (nothing): the length of an output axis is 0, but must be at least 1");
}
