//! An optimizer of one's own, and learning rates that change.

use mlp_nn::registry::{Registry, Settings, SettingsError};
use mlp_nn::{Dense, Network, Sequential};
use mlp_optim::{Adam, CustomOptimizer, OptimError, Optimizer, OptimizerState, RmsProp, Sgd};
use mlp_tensor::{Element, Tensor};

/// w ← w - lr · sign(m), where m ← decay · m + (1 - decay) · g.
#[derive(Debug)]
struct SignMomentum {
    learning_rate: f64,
    decay: f64,
    note: f64,
}

impl CustomOptimizer for SignMomentum {
    fn name(&self) -> &str {
        "sign_momentum"
    }

    fn settings(&self) -> Settings {
        let settings = Settings::new().with("decay", self.decay).with("note", self.note).with("nesterov", false);
        settings.with("form", "sign").with("levels", [1.0, -0.0])
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn slots(&self) -> &[&str] {
        &["m"]
    }

    fn update<E: Element>(&self, _: u64, lr: f64, weights: &mut [E], gradient: &[E], slots: &mut [&mut [E]]) {
        let [m] = slots else { panic!("sign_momentum has one slot") };
        let (decay, rest) = (E::from_f64(self.decay), E::from_f64(1.0 - self.decay));
        for ((w, &g), m) in weights.iter_mut().zip(gradient).zip(m.iter_mut()) {
            *m = decay * *m + rest * g;
            *w -= E::from_f64(lr) * m.signum();
        }
    }
}

fn own() -> Optimizer {
    SignMomentum { learning_rate: 0.5, decay: 0.5, note: -0.0 }.into()
}

fn registry() -> Registry {
    Registry::new().register::<Optimizer>("sign_momentum", |settings| {
        let decay = settings.number("decay")?;
        if !(0.0..1.0).contains(&decay) {
            return Err(SettingsError::refused("`decay` must be at least 0 and below 1"));
        }
        Ok(SignMomentum { learning_rate: 0.5, decay, note: settings.number("note")? }.into())
    })
}

fn network<E: Element>() -> Network<E> {
    let mut network = Sequential::new(2).add(Dense::new(1).without_bias()).init(0).unwrap();
    network.parameters_mut().next().unwrap().set_value(Tensor::from([[1.0], [1.0]]).cast());
    network
}

fn steps<E: Element>() {
    let (mut optimizer, mut network) = (own(), network::<E>());
    assert_eq!((optimizer.name(), optimizer.slots(), optimizer.learning_rate()), ("sign_momentum", &["m"][..], 0.5));
    assert_eq!(optimizer.check::<E>(), Ok(()));
    let mut state = OptimizerState::new(&optimizer, network.parameters());
    let mut step = |optimizer: &Optimizer, gradient: [[f64; 1]; 2]| {
        optimizer.step(&mut state, &mut network, &[Tensor::from(gradient).cast()]);
        let m = state.slots()[0].values[0].cast::<f64>();
        (network.parameters()[0].value().cast::<f64>(), m)
    };
    // m = (2, -1), then (1 - 0.5, -0.5 - 0.5), then (0.25 - 2, -0.5 + 3).
    let (w, m) = step(&optimizer, [[4.0], [-2.0]]);
    assert_eq!((w, m), (Tensor::from([[0.5], [1.5]]), Tensor::from([[2.0], [-1.0]])));
    let (w, m) = step(&optimizer, [[-1.0], [-1.0]]);
    assert_eq!((w, m), (Tensor::from([[0.0], [2.0]]), Tensor::from([[0.5], [-1.0]])));
    optimizer.set_learning_rate(0.25);
    let (w, m) = step(&optimizer, [[-4.0], [6.0]]);
    assert_eq!((w, m), (Tensor::from([[0.25], [1.75]]), Tensor::from([[-1.75], [2.5]])));
    assert_eq!(state.steps(), 3);
}

#[test]
fn an_own_optimizer_takes_the_steps_that_are_written_down() {
    steps::<f32>();
    steps::<f64>();
}

fn written_and_read(optimizer: &Optimizer) -> Optimizer {
    serde_json::from_str(&serde_json::to_string(optimizer).unwrap()).unwrap()
}

#[test]
fn the_rate_of_the_moment_survives_a_file_and_its_opening() {
    let mut optimizer = own();
    optimizer.set_learning_rate(0.001);
    let read = written_and_read(&optimizer);
    assert_eq!(read, optimizer);
    let opened = read.open(&registry()).unwrap();
    assert_eq!((opened.learning_rate(), opened.check::<f32>(), opened.missing()), (0.001, Ok(()), None));
    assert_eq!(opened, optimizer);
    let update = |optimizer: &Optimizer| {
        let (mut w, mut m) = ([1.0_f32, 2.0], [0.0, 0.5]);
        optimizer.update(2, &mut w, &[0.25, -3.0], &mut [&mut m]);
        (w, m)
    };
    assert_eq!(update(&opened), update(&optimizer));
    assert_ne!(update(&opened), update(&own()));
    // Those of the library need no registry.
    for mut optimizer in
        [Sgd::new(0.1).momentum(0.9).into(), Optimizer::from(Adam::default()), RmsProp::default().into()]
    {
        optimizer.set_learning_rate(0.02);
        let opened = written_and_read(&optimizer).open(&Registry::new()).unwrap();
        assert_eq!((opened.learning_rate(), &opened), (0.02, &optimizer));
    }
}

#[test]
fn an_optimizer_that_is_missing_is_named_by_the_check() {
    let left = written_and_read(&own()).open(&Registry::new()).unwrap();
    let error = left.check::<f32>().unwrap_err();
    assert!(matches!(error, OptimError::Missing(_)), "{error}");
    let expected = "the optimizer \"sign_momentum\" is not part of this library; if it is yours, register it, by \
                    Registry::new().register::<Optimizer>(\"sign_momentum\", ..), and load the file with that registry";
    assert_eq!(error.to_string(), expected);
    assert_eq!(left.missing().unwrap().to_string(), expected);
    assert_eq!((left.name(), left.learning_rate()), ("sign_momentum", 0.5));
    assert_eq!(written_and_read(&left), own(), "it is written again as it was");
}

#[test]
#[should_panic(expected = "the optimizer \"sign_momentum\" is not part of this library")]
fn an_optimizer_that_is_missing_takes_no_step() {
    written_and_read(&own()).update(1, &mut [1.0_f32], &[1.0], &mut []);
}

#[test]
fn a_constructor_that_refuses_or_forgets_is_an_error() {
    let message = |optimizer: Optimizer, registry: &Registry| {
        written_and_read(&optimizer).open(registry).unwrap_err().to_string()
    };
    let bad = SignMomentum { learning_rate: 0.5, decay: 1.0, note: 0.0 };
    assert_eq!(
        message(bad.into(), &registry()),
        "the optimizer \"sign_momentum\" cannot be made from its settings: `decay` must be at least 0 and below 1"
    );
    let forgets = Registry::new().register::<Optimizer>("sign_momentum", |_| {
        Ok(SignMomentum { learning_rate: 0.5, decay: 0.75, note: -0.0 }.into())
    });
    let found = message(own(), &forgets);
    assert!(found.contains("the registered constructor made") && found.contains("decay 0.75"), "{found}");
}

#[test]
fn the_rate_can_be_read_and_set_and_is_checked() {
    for mut optimizer in [Sgd::new(0.1).into(), Optimizer::from(Adam::new(0.1)), RmsProp::new(0.1).into(), {
        let mut own = own();
        own.set_learning_rate(0.1);
        own
    }] {
        assert_eq!(optimizer.learning_rate(), 0.1);
        optimizer.set_learning_rate(0.025);
        assert_eq!((optimizer.learning_rate(), optimizer.check::<f32>()), (0.025, Ok(())));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            optimizer.set_learning_rate(bad);
            let expected = format!("{}: learning rate is {bad}, but must be finite and above 0", optimizer.name());
            assert_eq!(optimizer.check::<f64>().unwrap_err().to_string(), expected);
        }
    }
    // It is felt from the next step on.
    let mut optimizer = Optimizer::from(Sgd::new(1.0));
    let mut weights = [1.0_f64];
    optimizer.update(1, &mut weights, &[0.5], &mut []);
    optimizer.set_learning_rate(0.25);
    optimizer.update(2, &mut weights, &[1.0], &mut []);
    assert_eq!(weights, [0.25]);
}

/// 1e-50 is 0 in single precision, 1e39 infinite, and 1 - 1e-9 is 1.
#[test]
fn settings_are_checked_in_the_type_in_which_they_are_used() {
    let cases: [(Optimizer, &str, &str); 8] = [
        (Adam::new(0.1).epsilon(1e-50).into(), "epsilon", "finite and above 0 also as f32, which makes it 0"),
        (RmsProp::new(0.1).epsilon(1e-50).into(), "epsilon", "finite and above 0 also as f32, which makes it 0"),
        (Sgd::new(1e39).into(), "learning rate", "finite and above 0 also as f32, which makes it inf"),
        (Sgd::new(1e-50).into(), "learning rate", "finite and above 0 also as f32, which makes it 0"),
        (Sgd::new(0.1).momentum(1.0 - 1e-9).into(), "momentum", "at least 0 and below 1 also as f32, which makes it 1"),
        (Adam::new(0.1).betas(1.0 - 1e-9, 0.9).into(), "beta1", "at least 0 and below 1 also as f32, which makes it 1"),
        (Adam::new(0.1).betas(0.9, 1.0 - 1e-9).into(), "beta2", "at least 0 and below 1 also as f32, which makes it 1"),
        (RmsProp::new(0.1).alpha(1.0 - 1e-9).into(), "alpha", "at least 0 and below 1 also as f32, which makes it 1"),
    ];
    for (optimizer, setting, expected) in cases {
        let error = optimizer.check::<f32>().unwrap_err();
        match &error {
            OptimError::Setting { setting: found, .. } => assert_eq!(*found, setting, "{error}"),
            other => panic!("{other}"),
        }
        assert!(error.to_string().ends_with(&format!("must be {expected}")), "{error}");
        assert_eq!(optimizer.check::<f64>(), Ok(()), "{optimizer}");
    }
    let mut own = own();
    own.set_learning_rate(1e39);
    assert!(own.check::<f32>().unwrap_err().to_string().starts_with("sign_momentum: learning rate is 1e39"));
    assert_eq!(own.check::<f64>(), Ok(()));
}

fn frozen<E: Element>(optimizer: &Optimizer) {
    let mut network: Network<E> = Sequential::new(2).add(Dense::new(2)).add(Dense::new(1)).init(1).unwrap();
    network.freeze("layers.0.*").unwrap();
    let before = network.state();
    let mut state = OptimizerState::new(optimizer, network.parameters());
    let count = optimizer.slots().len();
    let slots = |state: &OptimizerState<E>| state.slots().iter().map(|slots| slots.values.len()).collect::<Vec<_>>();
    assert_eq!(slots(&state), [0, 0, count, count]);
    let gradients: Vec<Tensor<E>> = network.parameters().iter().map(|p| Tensor::ones(p.value().shape())).collect();
    optimizer.step(&mut state, &mut network, &gradients);
    assert_eq!(slots(&state), [0, 0, count, count]);
    assert!(network.state()["layers.0.weight"].bit_eq(&before["layers.0.weight"]));
    assert!(!network.state()["layers.1.weight"].bit_eq(&before["layers.1.weight"]));

    // A state from elsewhere may lack those slots, and no others.
    let read = |network: &Network<E>| {
        OptimizerState::from_parts(optimizer, network.parameters(), state.steps(), state.slots().to_vec())
    };
    assert_eq!(read(&network).unwrap(), state);
    network.unfreeze("layers.0.*").unwrap();
    if count > 0 {
        let error = read(&network).unwrap_err().to_string();
        assert!(error.contains("the optimizer's state for layers.0.weight does not fit"), "{error}");
    }

    // Trained from now on, they begin as slots of zeros do; the others go on.
    let kept = state.slots()[2].values.clone();
    state.add_missing_slots(optimizer, network.parameters());
    assert_eq!(slots(&state), [count; 4]);
    for slots in &state.slots()[..2] {
        assert!(slots.values.iter().all(|value| value.as_slice().iter().all(|v| *v == E::zero())));
    }
    assert_eq!(state.slots()[2].values, kept);
    optimizer.step(&mut state, &mut network, &gradients);
    assert!(!network.state()["layers.0.weight"].bit_eq(&before["layers.0.weight"]));
    assert_eq!(state.steps(), 2);
}

#[test]
fn frozen_parameters_have_no_slots_until_they_are_trained() {
    let optimizers = [
        own(),
        Sgd::new(0.1).into(),
        Sgd::new(0.1).momentum(0.9).into(),
        Adam::new(0.1).into(),
        RmsProp::new(0.1).into(),
    ];
    for optimizer in optimizers {
        frozen::<f32>(&optimizer);
        frozen::<f64>(&optimizer);
    }
}

#[test]
fn frozen_parameters_that_had_slots_keep_them() {
    let (optimizer, mut network) = (Optimizer::from(Adam::new(0.1)), network::<f32>());
    let mut state = OptimizerState::new(&optimizer, network.parameters());
    optimizer.step(&mut state, &mut network, &[Tensor::ones([2, 1])]);
    network.freeze("*").unwrap();
    let before = state.slots().to_vec();
    optimizer.step(&mut state, &mut network, &[Tensor::ones([2, 1])]);
    assert_eq!(state.slots(), before);
    assert!(OptimizerState::from_parts(&optimizer, network.parameters(), 2, before).is_ok());
}

#[test]
#[should_panic(expected = "add_missing_slots: slots of 1 parameters for 4")]
fn slots_are_not_added_for_other_parameters() {
    let optimizer = Optimizer::from(Adam::new(0.1));
    let mut state = OptimizerState::new(&optimizer, network::<f32>().parameters());
    let other: Network = Sequential::new(2).add(Dense::new(2)).add(Dense::new(1)).init(1).unwrap();
    state.add_missing_slots(&optimizer, other.parameters());
}
