//! A model with a user's part of every kind, loaded without one of them: predictions do without what they do not need, and
//! the call that needs it says the kind and the name.

#[path = "../../../nn/tests/custom/own.rs"]
mod own;

use mlp_autograd::Var;
use mlp_metrics::{Batch, CustomMetric};
use mlp_nn::{CustomLoss, Loss};
use mlp_optim::{CustomOptimizer, Optimizer};
use mlp_registry::{Registry, Settings};
use mlp_tensor::{Element, Tensor};
use mlp_train::{Callback, Fit, Metric, Model, ModelBuilder, Resume, RunContext, TrainError};
use own::Knobs;

/// factor · (x - t)².
#[derive(Debug)]
struct Uneven(Knobs);

impl CustomLoss for Uneven {
    fn name(&self) -> &str {
        "uneven"
    }
    fn settings(&self) -> Settings {
        self.0.settings()
    }
    fn forward<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        (x - t).square() * E::from_f64(self.0.factor)
    }
}

/// The share of values within `factor` of their target.
#[derive(Debug)]
struct Near(Knobs);

impl CustomMetric for Near {
    fn name(&self) -> &str {
        "near"
    }
    fn settings(&self) -> Settings {
        self.0.settings()
    }
    fn add(&self, batch: &Batch<'_, f64>, state: &mut Vec<f64>) {
        let off = (batch.predictions() - batch.targets()).abs();
        batch.add_mean(state, |row| f64::from(off.row(row).iter().all(|v| *v <= self.0.factor)));
    }
}

/// w ← w - lr · factor · u with u ← u + g.
#[derive(Debug)]
struct Drift(Knobs);

impl CustomOptimizer for Drift {
    fn name(&self) -> &str {
        "drift"
    }
    fn settings(&self) -> Settings {
        self.0.settings()
    }
    fn learning_rate(&self) -> f64 {
        0.01
    }
    fn slots(&self) -> &[&str] {
        &["u"]
    }
    fn update<E: Element>(&self, _: u64, lr: f64, weights: &mut [E], gradient: &[E], slots: &mut [&mut [E]]) {
        let size = E::from_f64(lr * self.0.factor);
        for ((w, &g), u) in weights.iter_mut().zip(gradient).zip(slots[0].iter_mut()) {
            *u += g;
            *w -= size * *u;
        }
    }
}

/// Multiplies the rate by `factor` after every step.
#[derive(Clone, Debug)]
struct Slowly(Knobs);

impl<E: Element> Callback<E> for Slowly {
    fn name(&self) -> &str {
        "slowly"
    }
    fn settings(&self) -> Settings {
        self.0.settings()
    }
    fn on_step_end(&mut self, context: &mut RunContext<'_, E>) -> Result<(), TrainError> {
        context.set_learning_rate(context.learning_rate() * self.0.factor)
    }
}

fn registry_without<E: Element>(but: &str) -> Registry {
    let mut registry = own::registry_without(but);
    if but != "uneven" {
        registry = registry.register::<Loss>("uneven", |s| Ok(Uneven(Knobs::read(s)?).into()));
    }
    if but != "near" {
        registry = registry.register::<Metric>("near", |s| Ok(Near(Knobs::read(s)?).into()));
    }
    if but != "drift" {
        registry = registry.register::<Optimizer>("drift", |s| Ok(Drift(Knobs::read(s)?).into()));
    }
    if but != "slowly" {
        registry = registry.register::<Box<dyn Callback<E>>>("slowly", |s| Ok(Box::new(Slowly(Knobs::read(s)?))));
    }
    registry
}

/// A file with a model in the middle of a run, and that model trained to the run's end.
struct Saved<E: Element> {
    _folder: tempfile::TempDir,
    path: std::path::PathBuf,
    predictions: Tensor<E>,
    whole: Model<E>,
}

fn targets<E: Element>() -> Tensor<E> {
    Tensor::full([7, 2], E::from_f64(0.5))
}

fn saved<E: Element>() -> Saved<E> {
    assert_eq!(own::read(&own::network()), own::network());
    let builder = ModelBuilder::<E>::new(own::network()).loss(Uneven(Knobs::new(2.0))).seed(3);
    let builder = builder.metrics([Near(Knobs::new(0.5))]).optimizer(Drift(Knobs::new(0.5)));
    let mut whole = builder.build().unwrap();
    let fit = Fit::new().epochs(2).batch_size(3).callback(Slowly(Knobs::new(0.75)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.mlp");
    let (x, y) = (own::rows(), targets());
    let mut run = whole.run(&x, &y, &fit).unwrap();
    (0..4).for_each(|_| drop(run.next_step().unwrap()));
    run.save(&path).unwrap();
    let predictions = run.model().predict(&x).unwrap();
    while run.next_epoch().unwrap().is_some() {}
    drop(run);
    Saved { _folder: folder, path, predictions, whole }
}

/// What is said of a part that the registry does not know.
fn unknown(kind: &str, name: &str) -> String {
    format!(
        "the {} \"{name}\" is not part of this library; if it is yours, register it, by \
         Registry::new().register::<{kind}>(\"{name}\", ..), and load the file with that registry",
        kind.to_lowercase()
    )
}

#[track_caller]
fn assert_misses<T>(result: Result<T, TrainError>, kind: &str, name: &str) {
    let Err(error) = result else { panic!("{name} was not missed") };
    let (message, expected) = (error.to_string(), unknown(kind, name));
    assert!(message.ends_with(&expected), "{message}\nand not\n{expected}");
}

fn every_kind<E: Element>() {
    let Saved { path, predictions, whole, _folder } = saved::<E>();
    let (x, y) = (own::rows(), targets());
    let load = |but: &str| Model::<E>::load_with(&path, &registry_without::<E>(but));

    // With all of them, the run goes on to the same bits.
    let mut model = load("").unwrap();
    let mut run = model.resume(&x, &y, &Resume::new()).unwrap();
    while run.next_epoch().unwrap().is_some() {}
    drop(run);
    assert_eq!(model.to_saved().to_bytes().unwrap(), whole.to_saved().to_bytes().unwrap());

    let more = [("Loss", "uneven"), ("Metric", "near"), ("Optimizer", "drift"), ("Callback", "slowly")];
    for (kind, name) in own::KINDS.into_iter().chain(more) {
        // No network without its layers and activations.
        if matches!(kind, "Layer" | "Activation") {
            assert_misses(load(name), kind, name);
            continue;
        }
        let mut model = load(name).unwrap();
        assert!(model.predict(&x).unwrap().bit_eq(&predictions), "{name}");
        assert!(model.predictor().predict(&x).unwrap().bit_eq(&predictions), "{name}");
        let evaluates = matches!(kind, "Initializer" | "Optimizer" | "Callback");
        let trains = matches!(kind, "Initializer" | "Callback");
        if evaluates {
            assert!(model.evaluate(&x, &y).unwrap().get("near").is_some(), "{name}");
        } else {
            assert_misses(model.evaluate(&x, &y), kind, name);
        }
        match kind {
            "Callback" => {
                let error = model.resume(&x, &y, &Resume::new()).map(drop).unwrap_err();
                assert!(matches!(&error, TrainError::UnknownCallback { name, .. } if name == "slowly"), "{error}");
                let expected = format!("register::<Box<dyn Callback<{}>>>(\"slowly\", ..)", E::NAME);
                assert!(error.to_string().contains(&expected), "{error}");
            }
            "Initializer" => drop(model.resume(&x, &y, &Resume::new()).unwrap()),
            _ => assert_misses(model.resume(&x, &y, &Resume::new()), kind, name),
        }
        if trains {
            model.fit(&x, &y, &Fit::new()).unwrap();
            model.train_on_batch(&x, &y).unwrap();
        } else {
            assert_misses(model.fit(&x, &y, &Fit::new()), kind, name);
            assert_misses(model.train_on_batch(&x, &y), kind, name);
            // Nothing was trained.
            assert!(model.predict(&x).unwrap().bit_eq(&predictions), "{name}");
        }
    }
}

#[test]
fn what_is_missing_is_named_by_the_call_that_needs_it_and_predictions_do_without() {
    every_kind::<f32>();
    every_kind::<f64>();
}
