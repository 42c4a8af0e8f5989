//! Parts of one's own: a loss, a metric, an optimizer, an activation and a callback, each by one trait.
//! They go wherever those of the library go: into `fit`, on all threads, and into files, by name and settings. Who loads
//! such a file brings the code for the names, in a registry. Run with `cargo run --release --example own_parts`.

use mlp::prelude::*;

/// ln(1 + (x - t)² / c²), value by value: what lies far off hardly counts (Barron, 2019).
#[derive(Debug)]
struct Cauchy {
    scale: f64,
}

impl CustomLoss for Cauchy {
    fn name(&self) -> &str {
        "cauchy"
    }
    fn settings(&self) -> Settings {
        Settings::new().with("scale", self.scale)
    }
    fn forward<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        ((x - t) * E::from_f64(self.scale.recip())).square().ln_1p()
    }
}

/// The share of predictions within `tolerance` of their target.
#[derive(Debug)]
struct Within {
    tolerance: f64,
}

impl CustomMetric for Within {
    fn name(&self) -> &str {
        "within"
    }
    fn settings(&self) -> Settings {
        Settings::new().with("tolerance", self.tolerance)
    }
    fn add(&self, batch: &Batch<'_, f64>, state: &mut Vec<f64>) {
        let off = (batch.predictions() - batch.targets()).abs();
        batch.add_mean(state, |row| f64::from(off.row(row).iter().all(|v| *v <= self.tolerance)));
    }
}

/// u ← 0.9 u + 0.1 g, w ← w - lr · sign(u): signSGD with momentum (Bernstein et al., 2018).
#[derive(Debug)]
struct SignMomentum {
    rate: f64,
}

impl CustomOptimizer for SignMomentum {
    fn name(&self) -> &str {
        "sign_momentum"
    }
    fn settings(&self) -> Settings {
        Settings::new().with("rate", self.rate)
    }
    fn learning_rate(&self) -> f64 {
        self.rate
    }
    fn slots(&self) -> &[&str] {
        &["momentum"]
    }
    fn update<E: Element>(&self, _: u64, lr: f64, weights: &mut [E], gradient: &[E], slots: &mut [&mut [E]]) {
        let [lr, keep, take] = [lr, 0.9, 0.1].map(E::from_f64);
        for ((w, &g), u) in weights.iter_mut().zip(gradient).zip(slots[0].iter_mut()) {
            *u = keep * *u + take * g;
            *w -= lr * u.signum();
        }
    }
}

/// x + sin²(x), which bends and repeats (Ziyin et al., 2020).
#[derive(Debug)]
struct Snake;

impl CustomActivation for Snake {
    fn name(&self) -> &str {
        "snake"
    }
    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        x + x.sin().square()
    }
}

/// Halves the learning rate after every `every` epochs.
#[derive(Clone, Debug)]
struct Halve {
    every: usize,
    seen: usize,
}

impl<E: Element> Callback<E> for Halve {
    fn name(&self) -> &str {
        "halve"
    }
    fn settings(&self) -> Settings {
        Settings::new().with("every", self.every)
    }
    fn on_epoch_end(&mut self, context: &mut RunContext<'_, E>) -> Result<(), mlp::Error> {
        self.seen += 1;
        let factor = if self.seen.is_multiple_of(self.every) { 0.5 } else { 1.0 };
        context.set_learning_rate(context.learning_rate() * factor)
    }
    fn state(&self) -> CallbackState<E> {
        CallbackState::new(Settings::new().with("seen", self.seen))
    }
    fn restore(&mut self, state: CallbackState<E>) -> Result<(), mlp::Error> {
        self.seen = state.values.count("seen").map_err(mlp::Error::callback)?;
        Ok(())
    }
}

fn main() -> Result<(), mlp::Error> {
    rayon::ThreadPoolBuilder::new().num_threads(2).build_global().map_err(mlp::Error::callback)?;
    let x = Tensor::uniform([2000, 1], -6.0, 6.0, &mut Rng::new(1));
    let y = &x * 0.5 + x.sin();
    // 66,000 weights: so many that a batch of 100 rows is cut in two, and both threads work at it.
    let wide = Dense::new(256).activation(Snake);
    let network = Sequential::new(1).add(wide.clone()).add(wide).add(Dense::new(1));
    let builder = Model::builder(network).loss(Cauchy { scale: 0.5 }).metrics([Within { tolerance: 0.1 }]).seed(7);
    let builder = builder.optimizer(SignMomentum { rate: 0.0003 });
    let fit = Fit::new().epochs(20).batch_size(100).callback(Halve { every: 5, seen: 0 });
    let mut fitted = builder.clone().build()?;
    let history = fitted.fit(&x, &y, &fit)?;
    println!("after 20 epochs: {}", history.last().training);
    let registry = Registry::new()
        .register::<Loss>("cauchy", |s| Ok(Cauchy { scale: s.number("scale")? }.into()))
        .register::<Metric>("within", |s| Ok(Within { tolerance: s.number("tolerance")? }.into()))
        .register::<Optimizer>("sign_momentum", |s| Ok(SignMomentum { rate: s.number("rate")? }.into()))
        .register::<Activation>("snake", |_| Ok(Snake.into()))
        .register::<Box<dyn Callback>>("halve", |s| Ok(Box::new(Halve { every: s.count("every")?, seen: 0 })));
    let path = std::env::temp_dir().join(format!("own-parts-{}.mlp", std::process::id()));
    fitted.save(&path)?;
    let same = Model::load_with(&path, &registry)?.predict(&x)?.bit_eq(&fitted.predict(&x)?);

    // The same run, saved after 12 epochs of 20 steps and a step, and resumed from the file.
    let mut saved = builder.build()?;
    let mut run = saved.run(&x, &y, &fit)?;
    for _ in 0..12 * 20 + 1 {
        run.next_step()?;
    }
    run.save(&path)?;
    let mut resumed = Model::load_with(&path, &registry)?;
    std::fs::remove_file(&path).map_err(mlp::Error::callback)?;
    let mut run = resumed.resume(&x, &y, &Resume::new())?;
    while run.next_epoch()?.is_some() {}
    let goes_on = run.into_history() == history && resumed.predict(&x)?.bit_eq(&fitted.predict(&x)?);
    println!("predictions are bit-identical: {same}, training went on to the same bits: {goes_on}");
    if same && goes_on { Ok(()) } else { Err(mlp::Error::callback("what came from a file differs")) }
}
