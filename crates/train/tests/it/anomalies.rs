//! What a fit in anomaly mode says of a number that is none: the first cause, in whichever step and direction it was.

use mlp_autograd::{Direction, Var};
use mlp_io::SavedModel;
use mlp_nn::{CustomLoss, Dense, Initializer, Loss, Network, Sequential};
use mlp_optim::Sgd;
use mlp_registry::Registry;
use mlp_tensor::{Element, Tensor};
use mlp_train::{Diverged, Fit, Model, Objective, Resume, Rows, Step, TrainError};

/// √(x - t)², whose derivative at 0 is infinity times 0.
#[derive(Debug)]
struct Distance;

impl CustomLoss for Distance {
    fn name(&self) -> &str {
        "distance"
    }
    fn forward<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        (x - t).square().sqrt()
    }
}

fn model(loss: impl Into<Loss>) -> Model {
    let network = Sequential::new(1).add(Dense::new(1).initializer(Initializer::Zeros));
    Model::builder(network).optimizer(Sgd::new(1e-30)).loss(loss).build().unwrap()
}

fn diverged<T: std::fmt::Debug>(result: Result<T, TrainError>) -> Diverged {
    match result.unwrap_err() {
        TrainError::Diverged(diverged) => *diverged,
        other => panic!("{other}"),
    }
}

fn assert_is_sqrt(error: &Diverged) {
    let anomaly = error.anomaly.as_ref().unwrap();
    assert_eq!((anomaly.op, anomaly.direction, anomaly.value), ("sqrt", Direction::Backward, f64::INFINITY));
    assert!(error.to_string().contains("the first cause was this: the derivative of sqrt"), "{error}");
}

#[test]
fn an_anomaly_on_the_way_back_is_named_by_the_step_that_it_ruins() {
    let (x, y) = (Tensor::ones([3, 1]), Tensor::zeros([3, 1]));
    let fit = Fit::new().detect_anomalies(true).shuffle(false);
    // It ruins the weights of the only step.
    let error = diverged(model(Distance).fit(&x, &y, &fit));
    assert!(error.what.starts_with("layers.0."), "{error}");
    assert_is_sqrt(&error);
    // It is of the first step, and the second has no loss.
    let error = diverged(model(Distance).fit(&x, &y, &fit.clone().batch_size(1)));
    assert_eq!((error.what.as_str(), error.step), ("the loss", Some(2)));
    assert_is_sqrt(&error);
    // Nobody looks unless asked to.
    assert_eq!(diverged(model(Distance).fit(&x, &y, &Fit::new())).anomaly, None);
}

#[test]
fn a_resumed_run_looks_for_anomalies_as_the_run_did() {
    let (x, y) = (Tensor::ones([3, 1]), Tensor::zeros([3, 1]));
    let registry = Registry::new().register::<Loss>("distance", |_| Ok(Distance.into()));
    for on in [true, false] {
        let mut first = model(Distance);
        let run = first.run(&x, &y, &Fit::new().detect_anomalies(on)).unwrap();
        let bytes = run.to_saved().to_bytes().unwrap();
        let saved = SavedModel::<f32>::from_bytes_with(&bytes, &registry).unwrap();
        let mut loaded = Model::from_saved(saved, &registry).unwrap();
        let error = diverged(loaded.resume(&x, &y, &Resume::new()).unwrap().next_epoch());
        assert_eq!(error.anomaly.is_some(), on);
    }
}

/// (0 - -3e38)² is too large for single precision, in the loss of the validation row alone.
#[test]
fn an_anomaly_of_validation_rows_is_found() {
    let (x, y) = (Tensor::ones([3, 1]), Tensor::zeros([3, 1]));
    let (far, away) = (Tensor::ones([1, 1]), Tensor::from([-3e38]));
    for on in [true, false] {
        let fit = Fit::new().detect_anomalies(on).validation_data(&far, &away);
        let error = diverged(model(Loss::MeanSquaredError).fit(&x, &y, &fit));
        assert_eq!((error.what.as_str(), error.epoch, error.step), ("the validation loss", Some(1), Some(1)));
        let anomaly = error.anomaly.map(|anomaly| (anomaly.op, anomaly.direction, anomaly.value));
        assert_eq!(anomaly, on.then_some(("mul", Direction::Forward, f64::INFINITY)));
    }
}

#[test]
fn a_step_looks_from_the_batch_on_for_which_it_was_told_to() {
    let mut network: Network = Sequential::new(1).add(Dense::new(1)).init(0).unwrap();
    let objective = Objective::new(Loss::MeanSquaredError, &network).unwrap();
    let rows = Rows::new(&Tensor::from([[1e30]]), Tensor::zeros([1, 1]), &objective, &network).unwrap();
    let (small, large) = (Tensor::from([[1.0]]), Tensor::from([[1e30]]));
    let mut step = Step::new(&network);
    let mut found = |on, weight: &Tensor| {
        step.set_detect_anomalies(on);
        assert_eq!(step.anomaly(), None, "of an earlier batch");
        network.parameters_mut()[0].set_value(weight.clone());
        step.shards(&network, &objective, &rows, &[0], 0);
        step.anomaly().map(|anomaly| anomaly.op)
    };
    assert_eq!(found(false, &large), None);
    assert_eq!(found(true, &large), Some("linear"));
    // Squared, the prediction is infinite.
    assert_eq!(found(true, &small), Some("mul"));
    assert_eq!(found(false, &large), None);
}
