//! Runs: pulled, acted on by callbacks, saved in their middle and resumed to the same bits.

use std::sync::{Arc, Mutex};

use mlp_io::SavedModel;
use mlp_nn::{Activation, BatchNorm, Dense, Dropout, Loss, Regularizer, Sequential};
use mlp_optim::{Adam, Optimizer, OptimizerState};
use mlp_registry::{Registry, Settings};
use mlp_tensor::{Element, Rng, Tensor};
use mlp_train::{
    Callback, CallbackState, Epoch, Fit, History, Metric, Model, ModelBuilder, Objective, Resume, Rows, Run,
    RunContext, Seeds, Step, TrainError,
};

/// Stops when the loss has not fallen for `patience` epochs, puts the best weights back, and slowly lowers the rate: a
/// callback with settings and a state of both kinds.
#[derive(Clone, Debug)]
struct Careful<E: Element> {
    patience: usize,
    best: f64,
    waited: usize,
    weights: Option<std::collections::BTreeMap<String, Tensor<E>>>,
}

impl<E: Element> Careful<E> {
    fn new(patience: usize) -> Self {
        Self { patience, best: f64::INFINITY, waited: 0, weights: None }
    }
}

impl<E: Element> Callback<E> for Careful<E> {
    fn name(&self) -> &str {
        "careful"
    }
    fn settings(&self) -> Settings {
        Settings::new().with("patience", self.patience)
    }
    fn on_step_end(&mut self, context: &mut RunContext<'_, E>) -> Result<(), TrainError> {
        context.set_learning_rate(context.learning_rate() * 0.999)
    }
    fn on_epoch_end(&mut self, context: &mut RunContext<'_, E>) -> Result<(), TrainError> {
        let loss = context.history().last().training.loss;
        if loss < self.best {
            (self.best, self.waited, self.weights) = (loss, 0, Some(context.network().state()));
        } else {
            self.waited += 1;
        }
        if self.waited >= self.patience {
            context.stop();
        }
        Ok(())
    }
    fn on_end(&mut self, context: &mut RunContext<'_, E>) -> Result<(), TrainError> {
        self.weights.take().map_or(Ok(()), |weights| context.load_state(weights))
    }
    fn state(&self) -> CallbackState<E> {
        let values = Settings::new().with("best", self.best).with("waited", self.waited);
        CallbackState::new(values).with_tensors(self.weights.clone().unwrap_or_default())
    }
    fn restore(&mut self, state: CallbackState<E>) -> Result<(), TrainError> {
        self.best = state.values.number("best").map_err(TrainError::callback)?;
        self.waited = state.values.count("waited").map_err(TrainError::callback)?;
        self.weights = (!state.tensors.is_empty()).then_some(state.tensors);
        Ok(())
    }
}

fn registry<E: Element>() -> Registry {
    Registry::new().register::<Box<dyn Callback<E>>>("careful", |settings| {
        Ok(Box::new(Careful::<E>::new(settings.count("patience")?)))
    })
}

fn data<E: Element>() -> (Tensor<E>, Vec<usize>) {
    let x = Tensor::normal([90, 6], 0.0, 1.0, &mut Rng::new(9));
    let classes = (0..90).map(|row| usize::from(x.row(row)[0] > E::zero()) + usize::from(x.row(row)[1] > E::zero()));
    (x.clone(), classes.collect())
}

fn model<E: Element>() -> Model<E> {
    let network = Sequential::new(6)
        .add(Dense::new(20).activation(Activation::Relu).regularizer(Regularizer::l2(1e-4)))
        .add(BatchNorm::new())
        .add(Dropout::new(0.2))
        .add(Dense::new(3).activation(Activation::Softmax));
    let builder = ModelBuilder::new(network).optimizer(Adam::new(0.02)).loss(Loss::CategoricalCrossEntropy);
    builder.metrics([Metric::Accuracy]).seed(5).build().unwrap()
}

fn fit<E: Element>() -> Fit<E> {
    let fit = Fit::new().epochs(6).batch_size(16).stratified_validation_split(0.2).balanced_class_weights();
    fit.callback(Careful::new(2))
}

fn assert_same<E: Element>(a: &Model<E>, b: &Model<E>, what: &str) {
    for (name, tensor) in a.network().state() {
        assert!(tensor.bit_eq(b.weight(&name).unwrap()), "{what}: {name}");
    }
    assert_eq!(a.optimizer_state(), b.optimizer_state(), "{what}");
    assert_eq!(a.learning_rate().to_bits(), b.learning_rate().to_bits(), "{what}");
    assert_eq!(a.epochs(), b.epochs(), "{what}");
}

fn reload<E: Element>(run: &Run<'_, E>) -> Model<E> {
    let bytes = run.to_saved().to_bytes().unwrap();
    let saved = SavedModel::from_bytes_with(&bytes, &registry::<E>()).unwrap();
    assert_eq!(saved.to_bytes().unwrap(), bytes);
    Model::from_saved(saved, &registry::<E>()).unwrap()
}

fn goes_on_after_every_step<E: Element>() {
    let (x, y) = data::<E>();
    let mut whole = model::<E>();
    let history = whole.fit(&x, &y, &fit()).unwrap();
    // 72 rows in batches of 16 make 5 steps an epoch.
    let mut steps = 0;
    loop {
        let mut first = model::<E>();
        let mut run = first.run(&x, &y, &fit()).unwrap();
        for _ in 0..steps {
            run.next_step().unwrap();
        }
        let mut second = reload(&run);
        drop(run);
        let mut resumed = second.resume(&x, &y, &Resume::new()).unwrap();
        while resumed.next_epoch().unwrap().is_some() {}
        assert_eq!(resumed.into_history(), history, "after {steps} steps");
        assert_same(&second, &whole, &format!("after {steps} steps"));
        steps += 1;
        if steps > 5 * history.epochs.len() {
            break;
        }
    }
    assert!(steps > 10);
}

#[test]
fn a_run_is_saved_after_any_step_and_resumed_to_the_same_bits() {
    goes_on_after_every_step::<f32>();
    goes_on_after_every_step::<f64>();
}

#[test]
fn a_run_is_resumed_on_its_own_rows_and_with_its_own_callbacks() {
    let (x, y) = data::<f32>();
    let mut first = model::<f32>();
    let told = Arc::new(Mutex::new(0));
    let count = |told: &Arc<Mutex<usize>>| {
        let told = Arc::clone(told);
        move |_: &mut RunContext<'_, f32>| {
            *told.lock().unwrap() += 1;
            Ok(())
        }
    };
    let mut run = first.run(&x, &y, &fit().on_epoch(count(&told))).unwrap();
    run.next_epoch().unwrap();
    assert_eq!(*told.lock().unwrap(), 1);
    let bytes = run.to_saved().to_bytes().unwrap();
    drop(run);
    let load = |registry: &Registry| {
        Model::<f32>::from_saved(SavedModel::from_bytes_with(&bytes, registry).unwrap(), registry).unwrap()
    };
    let message = |model: &mut Model, x: &Tensor, y: &Vec<usize>, resume: &Resume| {
        model.resume(x, y, resume).map(drop).unwrap_err().to_string()
    };
    // A closure is in no file, and resuming says so.
    let mut model = load(&registry::<f32>());
    let error = message(&mut model, &x, &y, &Resume::new());
    assert!(
        error.contains("the run had 1 of them, and resuming it got 0") && error.contains("Resume::on_epoch"),
        "{error}"
    );
    // A callback that the registry does not know is named.
    let mut unknown = load(&Registry::new());
    let error = message(&mut unknown, &x, &y, &Resume::new().without_closures());
    assert!(error.contains("\"careful\"") && error.contains("register::<Box<dyn Callback<f32>>>"), "{error}");
    assert!(unknown.predict(&x).is_ok());
    // Other rows are refused.
    let error = message(&mut model, &x.slice(0, 0..80), &y[..80].to_vec(), &Resume::new().without_closures());
    assert!(error.contains("it had 90 rows, but 80 were given"), "{error}");
    let error = message(&mut model, &x, &y, &Resume::new().without_closures().validation_data(&x, &y));
    assert!(error.contains("no validation rows of its own"), "{error}");
    let mut resumed = model.resume(&x, &y, &Resume::new().on_epoch(count(&told))).unwrap();
    assert!(resumed.next_epoch().unwrap().is_some());
    assert_eq!(*told.lock().unwrap(), 2);
    // What was resumed, or never was in a run, cannot be resumed.
    drop(resumed);
    let error = message(&mut model, &x, &y, &Resume::new());
    assert!(error.contains("not in the middle of a run"), "{error}");
}

#[test]
fn a_run_validated_on_rows_of_its_own_wants_them_again() {
    let (x, y) = data::<f32>();
    let (x2, y2) = (x.slice(0, 0..20), y[..20].to_vec());
    let fit = Fit::new().epochs(3).validation_data(&x2, &y2);
    let mut whole = model::<f32>();
    let history = whole.fit(&x, &y, &fit).unwrap();
    let mut first = model::<f32>();
    let mut run = first.run(&x, &y, &fit).unwrap();
    run.next_step().unwrap();
    let mut second = reload(&run);
    let error = second.resume(&x, &y, &Resume::new()).map(drop).unwrap_err().to_string();
    assert!(error.contains("validated on 20 rows") && error.contains("Resume::validation_data"), "{error}");
    let mut resumed = second.resume(&x, &y, &Resume::new().validation_data(&x2, &y2)).unwrap();
    while resumed.next_epoch().unwrap().is_some() {}
    assert_eq!(resumed.into_history(), history);
    assert_same(&second, &whole, "resumed");
}

#[test]
fn callbacks_are_told_of_steps_epochs_and_the_end_in_order() {
    /// Writes down what it is told.
    #[derive(Clone, Debug)]
    struct Log(Arc<Mutex<Vec<String>>>);
    impl Callback<f32> for Log {
        fn name(&self) -> &str {
            "log"
        }
        fn on_step_end(&mut self, context: &mut RunContext<'_, f32>) -> Result<(), TrainError> {
            assert!(context.step_loss().is_finite());
            self.0.lock().unwrap().push(format!("step {} of epoch {}", context.steps(), context.epoch()));
            Ok(())
        }
        fn on_epoch_end(&mut self, context: &mut RunContext<'_, f32>) -> Result<(), TrainError> {
            assert_eq!(context.history().epochs.len(), context.epoch());
            self.0.lock().unwrap().push(format!("epoch {} of {}", context.epoch(), context.epochs()));
            Ok(())
        }
        fn on_end(&mut self, _: &mut RunContext<'_, f32>) -> Result<(), TrainError> {
            self.0.lock().unwrap().push("end".to_owned());
            Ok(())
        }
    }
    let (x, y) = data::<f32>();
    let log = Log(Arc::default());
    let fit = Fit::new().epochs(2).batch_size(50).callback(log.clone());
    let mut model = model::<f32>();
    model.fit(&x, &y, &fit).unwrap();
    let expected = [
        "step 1 of epoch 1",
        "step 2 of epoch 1",
        "epoch 1 of 2",
        "step 3 of epoch 2",
        "step 4 of epoch 2",
        "epoch 2 of 2",
        "end",
    ];
    assert_eq!(*log.0.lock().unwrap(), expected);
    // A callback that fails ends the run with its own words.
    let fit = Fit::new().on_epoch(|_| Err(TrainError::callback("the disk is full")));
    assert_eq!(model.fit(&x, &y, &fit).unwrap_err().to_string(), "the disk is full");
    // One that stops it in a step ends it within the epoch.
    #[derive(Clone, Debug)]
    struct Stop;
    impl Callback<f32> for Stop {
        fn name(&self) -> &str {
            "stop"
        }
        fn on_step_end(&mut self, context: &mut RunContext<'_, f32>) -> Result<(), TrainError> {
            context.stop();
            Ok(())
        }
    }
    let before = model.optimizer_state().steps();
    assert_eq!(model.fit(&x, &y, &Fit::new().callback(Stop)).unwrap(), History::default());
    assert_eq!(model.optimizer_state().steps(), before + 1);
}

/// What [`Model::fit`] does, by the public step.
fn by_hand(x: &Tensor, y: &Vec<usize>, epochs: u64, reduce: bool) -> (Vec<f64>, Model) {
    let reference = model::<f32>();
    let mut network = reference.network().clone();
    let objective = Objective::new(Loss::CategoricalCrossEntropy, &network).unwrap();
    let rows = Rows::new(x, y, &objective, &network).unwrap();
    let (optimizer, seeds) = (Optimizer::from(Adam::new(0.02)), Seeds::new(5));
    let mut state = OptimizerState::new(&optimizer, network.parameters());
    let mut step = Step::new(&network);
    let (mut losses, mut number) = (Vec::new(), 0);
    for epoch in 0..epochs {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        seeds.shuffle(epoch, &mut order);
        let mut totals = mlp_train::Totals::default();
        for batch in order.chunks(16) {
            number += 1;
            objective.add(&mut totals, &step.shards(&network, &objective, &rows, batch, seeds.step(number)));
            if reduce {
                assert!(step.reduce(&network).global_norm() > 0.0);
            }
            step.apply(&mut network, &optimizer, &mut state);
        }
        losses.push(mlp_train::Evaluation::of(&totals, &objective).loss);
    }
    let builder = Model::builder(network).optimizer(Adam::new(0.02)).loss(Loss::CategoricalCrossEntropy);
    (losses, builder.build().unwrap())
}

#[test]
fn a_loop_by_hand_has_the_bits_of_a_fit_with_and_without_the_whole_gradient() {
    let (x, y) = data::<f32>();
    let mut fitted = model::<f32>();
    let history = fitted.fit(&x, &y, &Fit::new().epochs(3).batch_size(16)).unwrap();
    for reduce in [false, true] {
        let (losses, hand) = by_hand(&x, &y, 3, reduce);
        assert_eq!(losses, history.loss());
        for (name, tensor) in fitted.network().state() {
            assert!(tensor.bit_eq(hand.weight(&name).unwrap()), "{name}");
        }
    }
}

#[test]
fn a_run_is_pulled_step_by_step() {
    let (x, y) = data::<f32>();
    let mut pulled = model::<f32>();
    let mut run = pulled.run(&x, &y, &Fit::new().epochs(2).batch_size(40)).unwrap();
    let mut epochs: Vec<Epoch> = Vec::new();
    let mut rows = Vec::new();
    while let Some(step) = run.next_step().unwrap() {
        rows.push((step.epoch, step.rows));
        epochs.extend(step.end_of_epoch);
    }
    assert_eq!(rows, [(1, 40), (1, 40), (1, 10), (2, 40), (2, 40), (2, 10)]);
    let mut fitted = model::<f32>();
    assert_eq!(fitted.fit(&x, &y, &Fit::new().epochs(2).batch_size(40)).unwrap().epochs, epochs);
    assert_same(&pulled, &fitted, "pulled");
}

#[test]
fn a_stratified_split_cannot_keep_the_order() {
    let (x, y) = data::<f32>();
    let fit = Fit::new().shuffle(false).stratified_validation_split(0.2);
    let message = model::<f32>().fit(&x, &y, &fit).unwrap_err().to_string();
    assert!(message.contains("shuffle(false)") && message.contains("validation_data"), "{message}");
}
