//! Callbacks: when they are told, what they can do, and what their errors do.

use std::sync::{Arc, Mutex};

use mlp_io::SavedModel;
use mlp_nn::{Dense, Initializer, Loss, Sequential};
use mlp_optim::Sgd;
use mlp_registry::Registry;
use mlp_tensor::Tensor;
use mlp_train::{Callback, Fit, Model, Resume, RunContext, TrainError};

/// Four rows of x = 1 and y = 0, and a model that answers w x, from w = 1.
fn line() -> (Tensor, Tensor, Model) {
    let network = Sequential::new(1).add(Dense::new(1).without_bias().initializer(Initializer::Ones));
    let builder = Model::builder(network).optimizer(Sgd::new(0.125)).loss(Loss::MeanSquaredError);
    (Tensor::ones([4, 1]), Tensor::zeros([4, 1]), builder.build().unwrap())
}

fn weight(model: &Model) -> f32 {
    model.weight("layers.0.weight").unwrap().item()
}

/// Writes down what it is told, sets a rate at the start, and fails where it is asked to.
#[derive(Clone, Debug, Default)]
struct Log {
    told: Arc<Mutex<Vec<String>>>,
    rate: Option<f64>,
    fails_at: Option<&'static str>,
    kept: Arc<Mutex<Option<SavedModel>>>,
}

impl Log {
    fn write(&self, what: &str, context: &RunContext<'_>) -> Result<(), TrainError> {
        let line = format!("{what}, epoch {}, {} steps", context.epoch(), context.steps());
        self.told.lock().unwrap().push(line.clone());
        if self.fails_at == Some(&line) { Err(TrainError::callback(std::io::Error::other("no room"))) } else { Ok(()) }
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }
}

impl Callback for Log {
    fn name(&self) -> &str {
        "log"
    }
    fn on_start(&mut self, context: &mut RunContext<'_>) -> Result<(), TrainError> {
        assert!(context.step_loss().is_nan() && context.last_epoch().is_none());
        if let Some(rate) = self.rate {
            context.set_learning_rate(rate)?;
        }
        self.write("start", context)
    }
    fn on_step_end(&mut self, context: &mut RunContext<'_>) -> Result<(), TrainError> {
        self.write("step", context)
    }
    fn on_epoch_end(&mut self, context: &mut RunContext<'_>) -> Result<(), TrainError> {
        let _ = self.kept.lock().unwrap().get_or_insert(context.to_saved());
        self.write("epoch", context)
    }
    fn on_end(&mut self, context: &mut RunContext<'_>) -> Result<(), TrainError> {
        self.write("end", context)
    }
}

const ALL: [&str; 8] = [
    "start, epoch 1, 0 steps",
    "step, epoch 1, 1 steps",
    "step, epoch 1, 2 steps",
    "epoch, epoch 1, 2 steps",
    "step, epoch 2, 3 steps",
    "step, epoch 2, 4 steps",
    "epoch, epoch 2, 4 steps",
    "end, epoch 2, 4 steps",
];

/// dw = 2 w: with a step size of 0.25 a step halves w.
#[test]
fn the_start_comes_before_the_first_step_and_is_not_repeated_by_resuming() {
    let (x, y, mut model) = line();
    let log = Log { rate: Some(0.25), ..Log::default() };
    let fit = Fit::new().epochs(2).batch_size(2).callback(log.clone());
    model.fit(&x, &y, &fit).unwrap();
    assert_eq!(log.told(), ALL);
    assert_eq!(weight(&model), 0.0625);

    for steps in 0..=4 {
        let (_, _, mut model) = line();
        let log = Log { rate: Some(0.25), ..Log::default() };
        let made = log.clone();
        let registry = Registry::new().register::<Box<dyn Callback>>("log", move |_| Ok(Box::new(made.clone())));
        let mut run = model.run(&x, &y, &Fit::new().epochs(2).batch_size(2).callback(log.clone())).unwrap();
        (0..steps).for_each(|_| drop(run.next_step().unwrap()));
        let bytes = run.to_saved().to_bytes().unwrap();
        let saved = SavedModel::from_bytes_with(&bytes, &registry).unwrap();
        let mut loaded = Model::from_saved(saved, &registry).unwrap();
        let mut resumed = loaded.resume(&x, &y, &Resume::new()).unwrap();
        while resumed.next_epoch().unwrap().is_some() {}
        drop(resumed);
        assert_eq!(log.told(), ALL, "after {steps} steps");
        assert_eq!(weight(&loaded), 0.0625, "after {steps} steps");
    }
}

/// By hand: two steps of the four leave w = 0.25.
#[test]
fn a_callback_can_save_the_whole_model() {
    let (x, y, mut model) = line();
    let log = Log { rate: Some(0.25), ..Log::default() };
    model.fit(&x, &y, &Fit::new().epochs(2).batch_size(2).callback(log.clone())).unwrap();
    let bytes = log.kept.lock().unwrap().take().unwrap().to_bytes().unwrap();
    let mut kept = Model::from_saved(SavedModel::from_bytes(&bytes).unwrap(), &Registry::new()).unwrap();
    assert_eq!((weight(&kept), kept.epochs(), kept.optimizer_state().steps()), (0.25, 1, 2));
    assert_eq!(kept.learning_rate(), 0.25);
    // It goes on as a model does, and is in no run.
    kept.fit(&x, &y, &Fit::new().batch_size(2)).unwrap();
    assert_eq!(weight(&kept), weight(&model));
    assert!(matches!(kept.resume(&x, &y, &Resume::new()), Err(TrainError::NoRun)));
}

#[test]
fn the_error_of_a_callback_is_the_end_of_the_run_wherever_it_comes() {
    for (index, fails_at) in ALL.into_iter().enumerate() {
        let (x, y, mut model) = line();
        let log = Log { fails_at: Some(fails_at), ..Log::default() };
        let mut run = model.run(&x, &y, &Fit::new().epochs(2).batch_size(2).callback(log.clone())).unwrap();
        let error = loop {
            match run.next_step() {
                Ok(step) => assert!(step.is_some(), "{fails_at}"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.to_string(), "no room");
        // The callback's own error, as it was handed over.
        let TrainError::Callback(own) = &error else { panic!("{error}") };
        assert!(own.downcast_ref::<std::io::Error>().is_some());
        assert_eq!((run.next_step().unwrap(), run.next_epoch().unwrap()), (None, None), "{fails_at}");
        assert_eq!(run.to_saved().training.unwrap().run, None, "{fails_at}");
        assert_eq!(log.told(), ALL[..=index]);
    }
}

/// The source of a callback's error is that of what it was made from.
#[test]
fn the_error_of_a_callback_keeps_its_source() {
    #[derive(Debug)]
    struct Outer(std::io::Error);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("outer")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let error = TrainError::callback(Outer(std::io::Error::other("inner")));
    assert_eq!(error.to_string(), "outer");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "inner");
}

/// A callback that forgot its name.
#[derive(Clone, Debug)]
struct Nameless;

impl Callback for Nameless {
    fn name(&self) -> &str {
        ""
    }
}

#[test]
#[should_panic(expected = "callback: the name of Nameless is empty; give it a name: files refer to it")]
fn a_callback_has_a_name() {
    let _ = Fit::new().callback(Nameless);
}
