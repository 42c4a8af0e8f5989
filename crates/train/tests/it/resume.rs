//! What a saved run holds beside its position: whether it was stopped, is over, or was left behind.

use std::sync::{Arc, Mutex};

use mlp_io::SavedModel;
use mlp_nn::{Dense, Initializer, Loss, Sequential};
use mlp_optim::Sgd;
use mlp_registry::{Registry, Settings};
use mlp_tensor::Tensor;
use mlp_train::{
    Callback, CallbackState, Diverged, Fit, Model, ModelBuilder, Resume, Run, RunContext, Targets, TrainError,
};

/// Stops once the loss has not fallen for `patience` epochs, and counts how often it is told of the end.
#[derive(Clone, Debug)]
struct Patience {
    patience: usize,
    best: f64,
    waited: usize,
    ends: Arc<Mutex<usize>>,
}

impl Patience {
    fn new(patience: usize, ends: &Arc<Mutex<usize>>) -> Self {
        Self { patience, best: f64::INFINITY, waited: 0, ends: Arc::clone(ends) }
    }
}

impl Callback<f64> for Patience {
    fn name(&self) -> &str {
        "patience"
    }
    fn settings(&self) -> Settings {
        Settings::new().with("patience", self.patience)
    }
    fn on_epoch_end(&mut self, context: &mut RunContext<'_, f64>) -> Result<(), TrainError> {
        let loss = context.history().last().training.loss;
        self.waited = if loss < self.best { 0 } else { self.waited + 1 };
        self.best = self.best.min(loss);
        if self.waited >= self.patience {
            context.stop();
        }
        Ok(())
    }
    fn on_end(&mut self, _: &mut RunContext<'_, f64>) -> Result<(), TrainError> {
        *self.ends.lock().unwrap() += 1;
        Ok(())
    }
    fn state(&self) -> CallbackState<f64> {
        CallbackState::new(Settings::new().with("best", self.best).with("waited", self.waited))
    }
    fn restore(&mut self, state: CallbackState<f64>) -> Result<(), TrainError> {
        self.best = state.values.number("best").map_err(TrainError::callback)?;
        self.waited = state.values.count("waited").map_err(TrainError::callback)?;
        Ok(())
    }
}

fn registry(ends: &Arc<Mutex<usize>>) -> Registry {
    let ends = Arc::clone(ends);
    Registry::new().register::<Box<dyn Callback<f64>>>("patience", move |settings| {
        Ok(Box::new(Patience::new(settings.count("patience")?, &ends)))
    })
}

/// Three rows of x = 1 and y = 1, and a model that answers w x, from w = 0.
fn line(learning_rate: f64) -> (Tensor<f64>, Tensor<f64>, Model<f64>) {
    let network = Sequential::new(1).add(Dense::new(1).without_bias().initializer(Initializer::Zeros));
    let builder = ModelBuilder::<f64>::new(network).optimizer(Sgd::new(learning_rate)).loss(Loss::MeanSquaredError);
    (Tensor::ones([3, 1]), Tensor::ones([3, 1]), builder.build().unwrap())
}

/// Through the bytes of a file.
fn reload(saved: &SavedModel<f64>, registry: &Registry) -> Model<f64> {
    let bytes = saved.to_bytes().unwrap();
    Model::from_saved(SavedModel::from_bytes_with(&bytes, registry).unwrap(), registry).unwrap()
}

fn pull(mut run: Run<'_, f64>) -> usize {
    while run.next_epoch().unwrap().is_some() {}
    run.into_history().epochs.len()
}

fn weight(model: &Model<f64>) -> f64 {
    model.weight("layers.0.weight").unwrap().item()
}

#[track_caller]
fn assert_not_in_a_run(model: &mut Model<f64>) {
    let (x, y, _) = line(0.1);
    let message = model.resume(&x, &y, &Resume::new()).map(drop).unwrap_err().to_string();
    assert!(message.contains("not in the middle of a run"), "{message}");
}

/// A step size of 1e-300 changes nothing, so that the loss never falls: with a patience of 2, epoch 3 is the last.
#[test]
fn a_run_that_was_stopped_is_resumed_to_its_end_and_not_further() {
    let ends = Arc::default();
    let (x, y, mut model) = line(1e-300);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.mlp");
    let mut run = model.run(&x, &y, &Fit::new().epochs(10).callback(Patience::new(2, &ends))).unwrap();
    while run.next_epoch().unwrap().is_some() {
        run.save(&path).unwrap();
    }
    assert_eq!((run.history().epochs.len(), *ends.lock().unwrap()), (3, 1));
    let mut loaded = Model::<f64>::load_with(&path, &registry(&ends)).unwrap();
    let mut resumed = loaded.resume(&x, &y, &Resume::new()).unwrap();
    assert_eq!(resumed.next_epoch().unwrap(), None);
    assert_eq!((resumed.history().epochs.len(), *ends.lock().unwrap()), (3, 2));
    // Stopped by whoever pulls, it is the same.
    let (x, y, mut model) = line(0.1);
    let mut run = model.run(&x, &y, &Fit::new().epochs(10)).unwrap();
    run.next_epoch().unwrap();
    run.stop();
    let mut loaded = reload(&run.to_saved(), &Registry::new());
    assert_eq!(pull(loaded.resume(&x, &y, &Resume::new()).unwrap()), 1);
}

#[test]
fn a_run_that_is_over_leaves_a_model_and_no_run() {
    let ends = Arc::default();
    let (x, y, mut model) = line(0.1);
    let mut run = model.run(&x, &y, &Fit::new().epochs(2).callback(Patience::new(9, &ends))).unwrap();
    while run.next_epoch().unwrap().is_some() {
        assert!(run.to_saved().training.unwrap().run.is_some());
    }
    assert_eq!(*ends.lock().unwrap(), 1);
    let saved = run.to_saved();
    assert_eq!(saved.training.as_ref().unwrap().run, None);
    assert_not_in_a_run(&mut reload(&saved, &registry(&ends)));
    // As does one that diverged.
    let (_, _, mut model) = line(1e300);
    let mut run = model.run(&x, &y, &Fit::new().epochs(9)).unwrap();
    while let Ok(epoch) = run.next_epoch() {
        assert!(epoch.is_some(), "it did not diverge");
    }
    assert_eq!(run.to_saved().training.unwrap().run, None);
    assert_eq!(run.next_epoch().unwrap(), None);
}

/// What leaves a model elsewhere than its run left it.
type Move<'a> = &'a dyn Fn(&mut Model<f64>) -> Result<(), TrainError>;

#[test]
fn a_model_that_has_moved_on_is_no_longer_in_its_run() {
    let (x, y, mut model) = line(0.1);
    let mut run = model.run(&x, &y, &Fit::new().epochs(4).batch_size(1)).unwrap();
    (0..4).for_each(|_| drop(run.next_step().unwrap()));
    let saved = run.to_saved();
    let moves: [Move<'_>; 4] = [
        &|model| model.fit(&x, &y, &Fit::new()).map(drop),
        &|model| model.train_on_batch(&x, &y).map(|loss| assert!(loss.is_finite())),
        &|model| model.set_weight("layers.0.weight", Tensor::from([[1.0]])),
        &|model| model.load_state(model.network().state()),
    ];
    for go in moves {
        let mut model = reload(&saved, &Registry::new());
        go(&mut model).unwrap();
        assert_not_in_a_run(&mut model);
        assert_eq!(model.to_saved().training.unwrap().run, None);
    }
    // What is refused moves nothing.
    let mut model = reload(&saved, &Registry::new());
    assert!(model.fit(&x, &y, &Fit::new().epochs(0)).is_err());
    assert!(model.train_on_batch(&x, Tensor::ones([2, 1])).is_err());
    assert!(model.set_weight("layers.0.weight", Tensor::zeros([2, 1])).is_err());
    assert!(model.evaluate(&x, &y).is_ok());
    assert_eq!(pull(model.resume(&x, &y, &Resume::new()).unwrap()), 4);
}

#[test]
fn a_model_that_is_saved_again_is_still_in_its_run() {
    let (x, y, mut whole) = line(0.1);
    whole.fit(&x, &y, &Fit::new().epochs(4).batch_size(1)).unwrap();
    let (_, _, mut model) = line(0.1);
    let mut run = model.run(&x, &y, &Fit::new().epochs(4).batch_size(1)).unwrap();
    (0..4).for_each(|_| drop(run.next_step().unwrap()));
    let bytes = run.to_saved().to_bytes().unwrap();
    let between = reload(&run.to_saved(), &Registry::new());
    assert_eq!(between.to_saved().to_bytes().unwrap(), bytes);
    let mut model = reload(&between.clone().to_saved(), &Registry::new());
    assert_eq!(pull(model.resume(&x, &y, &Resume::new()).unwrap()), 4);
    assert_eq!(weight(&model).to_bits(), weight(&whole).to_bits());
}

#[test]
fn rows_that_had_weights_have_them_again() {
    let (x, y, _) = line(0.1);
    let weights = Tensor::from([1.0, 2.0, 0.5]);
    let (plain, weighted) = (Targets::from(&y), Targets::from((&y, &weights)));
    for (first, other, part) in
        [(&plain, &weighted, "had no weights, but some were given"), (&weighted, &plain, "had weights, but none were")]
    {
        let (_, _, mut model) = line(0.1);
        let mut run = model.run(&x, first.clone(), &Fit::new().epochs(3)).unwrap();
        run.next_epoch().unwrap();
        let mut loaded = reload(&run.to_saved(), &Registry::new());
        let message = loaded.resume(&x, other.clone(), &Resume::new()).map(drop).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
        assert_eq!(pull(loaded.resume(&x, first.clone(), &Resume::new()).unwrap()), 3);
    }
}

#[test]
fn validation_rows_that_had_weights_have_them_again() {
    let (x, y, _) = line(0.1);
    let weights = Tensor::from([1.0, 2.0, 0.5]);
    let (plain, weighted) = (Targets::from(&y), Targets::from((&y, &weights)));
    for (first, other, part) in [
        (&plain, &weighted, "its validation rows had no weights, but some were given"),
        (&weighted, &plain, "its validation rows had weights, but none were"),
    ] {
        let (_, _, mut model) = line(0.1);
        let fit = Fit::new().epochs(3).validation_data(&x, first.clone());
        let mut run = model.run(&x, &y, &fit).unwrap();
        run.next_epoch().unwrap();
        let mut loaded = reload(&run.to_saved(), &Registry::new());
        let resume = |targets: &Targets<f64>| Resume::new().validation_data(&x, targets.clone());
        let message = loaded.resume(&x, &y, &resume(other)).map(drop).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
        while run.next_epoch().unwrap().is_some() {}
        let mut resumed = loaded.resume(&x, &y, &resume(first)).unwrap();
        while resumed.next_epoch().unwrap().is_some() {}
        assert_eq!(resumed.history(), run.history());
    }
}

#[test]
fn a_fit_that_leaves_the_model_as_it_was_leaves_it_in_its_run() {
    let (x, y, mut model) = line(0.1);
    let mut run = model.run(&x, &y, &Fit::new().epochs(4).batch_size(1)).unwrap();
    (0..4).for_each(|_| drop(run.next_step().unwrap()));
    let mut loaded = reload(&run.to_saved(), &Registry::new());
    loaded.set_learning_rate(1e300).unwrap();
    let before = weight(&loaded);
    diverged(loaded.fit(&x, &y, &Fit::new().epochs(9).batch_size(1)).unwrap_err());
    assert_eq!(weight(&loaded).to_bits(), before.to_bits());
    loaded.set_learning_rate(0.1).unwrap();
    assert_eq!(pull(loaded.resume(&x, &y, &Resume::new()).unwrap()), 4);
    // The run itself does so as well, also where it was saved between two epochs; and so does one that makes no step.
    let (x, y, mut model) = line(0.1);
    let mut run = model.run(&x, &y, &Fit::new().epochs(4).batch_size(1)).unwrap();
    run.next_epoch().unwrap();
    let mut loaded = reload(&run.to_saved(), &Registry::new());
    loaded.set_learning_rate(1e300).unwrap();
    let mut resumed = loaded.resume(&x, &y, &Resume::new()).unwrap();
    let error = std::iter::from_fn(|| Some(resumed.next_step())).find_map(Result::err).unwrap();
    assert!(diverged(error).step > Some(1));
    let between = resumed.to_saved();
    let mut loaded = reload(&between, &Registry::new());
    loaded.set_learning_rate(0.1).unwrap();
    drop(loaded.resume(&x, &y, &Resume::new()).unwrap());
    assert_eq!(pull(loaded.resume(&x, &y, &Resume::new()).unwrap()), 4);
}

/// x = 1000, y = 1 and a step size of 1e10 in single precision: w is 0, 2e13 and -4e29 before a step, the loss 1, 4e32
/// and infinite.
fn rising(rows: usize) -> (Tensor, Tensor, Model) {
    let network = Sequential::new(1).add(Dense::new(1).without_bias().initializer(Initializer::Zeros));
    let builder = Model::builder(network).optimizer(Sgd::new(1e10)).loss(Loss::MeanSquaredError);
    (Tensor::full([rows, 1], 1000.0), Tensor::ones([rows, 1]), builder.build().unwrap())
}

fn diverged(error: TrainError) -> Diverged {
    match error {
        TrainError::Diverged(diverged) => *diverged,
        other => panic!("{other}"),
    }
}

#[test]
fn a_resumed_run_that_diverges_goes_back_to_one_moment_with_its_history() {
    let of = |model: &Model| f64::from(model.weight("layers.0.weight").unwrap().item());
    let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-6;
    // One step an epoch: the third finds that the second left nothing good.
    let (x, y, mut model) = rising(1);
    let error = diverged(model.fit(&x, &y, &Fit::new().epochs(9)).unwrap_err());
    assert_eq!((error.epoch, error.step, error.history.epochs.len(), model.epochs()), (Some(3), Some(1), 1, 1));
    assert!(near(of(&model), 2e13));

    // Resumed after the second, the run knows no earlier moment.
    let (_, _, mut model) = rising(1);
    let mut run = model.run(&x, &y, &Fit::new().epochs(9)).unwrap();
    (0..2).for_each(|_| drop(run.next_epoch().unwrap()));
    let load = |run: &Run<'_>| {
        let bytes = run.to_saved().to_bytes().unwrap();
        Model::from_saved(SavedModel::from_bytes(&bytes).unwrap(), &Registry::new()).unwrap()
    };
    let mut loaded = load(&run);
    let mut resumed = loaded.resume(&x, &y, &Resume::new()).unwrap();
    let error = diverged(resumed.next_epoch().unwrap_err());
    assert_eq!((error.epoch, error.step, error.history.epochs.len()), (Some(3), Some(1), 2));
    assert_eq!(resumed.history(), &error.history);
    drop(resumed);
    assert_eq!(loaded.epochs(), 2);
    assert!(near(of(&loaded), -4e29));

    // Resumed after two of three steps, it goes back to there.
    let (x, y, mut model) = rising(3);
    let mut run = model.run(&x, &y, &Fit::new().epochs(9).batch_size(1)).unwrap();
    (0..2).for_each(|_| drop(run.next_step().unwrap()));
    let mut loaded = load(&run);
    let error = diverged(loaded.resume(&x, &y, &Resume::new()).unwrap().next_epoch().unwrap_err());
    assert_eq!((error.epoch, error.step, error.history.epochs.len()), (Some(1), Some(3), 0));
    assert_eq!((loaded.epochs(), loaded.optimizer_state().steps()), (0, 2));
    assert!(near(of(&loaded), -4e29));
}
