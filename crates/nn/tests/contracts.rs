//! What a network holds its layers to: a user's layer that breaks its own plan is named, and never shifts what belongs
//! to the layers behind it.

use mlp_autograd::{Tape, Var};
use mlp_nn::{
    Activation, Concat, CustomLayer, Dense, Initializer, Network, NnError, ParameterSpec, Pass, Plan, Residual,
    Sequential, Stack, Weights,
};
use mlp_tensor::{Element, Rng, Tensor};

/// Declares `declared` weights and buffers and takes `taken`; gives rows of `width` values where its plan said 3.
#[derive(Clone, Debug)]
struct Sloppy {
    declared: [usize; 2],
    taken: [usize; 2],
    width: usize,
}

impl Sloppy {
    fn taking(declared: [usize; 2], taken: [usize; 2]) -> Self {
        Self { declared, taken, width: 3 }
    }
}

impl CustomLayer for Sloppy {
    fn name(&self) -> &str {
        "Sloppy"
    }

    fn plan(&self, _: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        for index in 0..self.declared[0] {
            plan.parameter(ParameterSpec::new(&format!("w{index}"), [3], Initializer::Ones))?;
        }
        for index in 0..self.declared[1] {
            plan.buffer(&format!("b{index}"), [3], 1.0)?;
        }
        Ok(vec![3])
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        _: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let scaled = (0..self.taken[0]).fold(x, |x, _| x * weights.parameter());
        (0..self.taken[1]).for_each(|_| assert_eq!(weights.buffer().value().shape(), [3]));
        if self.width == 3 { scaled } else { x.tape().constant(Tensor::ones([x.shape()[0], self.width])) }
    }
}

/// The layer by itself, in a shortcut, and in a branch; behind it one that has weights as well.
fn networks(layer: &Sloppy) -> [Network<f32>; 3] {
    let layer = || layer.clone();
    let behind = || Dense::new(3).activation(Activation::Tanh);
    [
        Sequential::new(3).add(layer()).add(behind()),
        Sequential::new(3).add(Residual::new(Stack::new().add(layer()))).add(behind()),
        Sequential::new(3).add(Concat::new([Stack::new(), Stack::new().add(layer())])).add(behind()),
    ]
    .map(|network| network.init(1).unwrap())
}

/// What the panic says, in a pass that trains, in one that does not, and in a prediction.
fn messages(network: &Network<f32>) -> [String; 3] {
    let forward = |training: bool| {
        let tape = Tape::new();
        let mut pass = if training { Pass::training(Rng::new(1)) } else { Pass::inference() };
        network.forward(&network.variables(&tape), tape.constant(Tensor::ones([2, 3])), &mut pass);
    };
    let predict = || {
        let _ = network.predict(&Tensor::ones([2, 3]));
    };
    let works: [&dyn Fn(); 3] = [&|| forward(true), &|| forward(false), &predict];
    works.map(|work| {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_err();
        panic.downcast_ref::<String>().unwrap().clone()
    })
}

#[track_caller]
fn assert_refused(layer: &Sloppy, parts: &[&str]) {
    for (network, place) in networks(layer).iter().zip(["layers.0 (Sloppy)", "layers.0 (Sloppy)", "branches.1"]) {
        for message in messages(network) {
            for part in parts.iter().chain([&place, &"(Sloppy)"]) {
                assert!(message.contains(part), "{message}");
            }
        }
    }
}

#[test]
fn a_layer_that_leaves_weights_is_named() {
    assert_refused(&Sloppy::taking([2, 0], [1, 0]), &["the layer has left 1 of the 2 weights that its plan declared"]);
    assert_refused(&Sloppy::taking([1, 2], [1, 0]), &["the layer has left 2 of the 2 buffers that its plan declared"]);
}

#[test]
fn a_layer_that_takes_what_it_has_not_declared_is_named() {
    assert_refused(
        &Sloppy::taking([1, 0], [2, 0]),
        &["the layer takes more than the 1 weights that its plan declared"],
    );
    assert_refused(
        &Sloppy::taking([0, 0], [0, 1]),
        &["the layer takes more than the 0 buffers that its plan declared"],
    );
}

#[test]
fn a_layer_whose_output_is_not_what_it_planned_is_named() {
    let layer = Sloppy { width: 4, ..Sloppy::taking([0, 0], [0, 0]) };
    assert_refused(&layer, &["the layer's output has shape [2, 4], but its plan says [2, 3]"]);
}

#[test]
fn a_layer_that_keeps_its_plan_is_let_through() {
    for network in networks(&Sloppy::taking([2, 3], [2, 3])) {
        assert!(network.predict(&Tensor::ones([2, 3])).unwrap().all_finite());
    }
}

/// Declares weights and buffers of the names given, leaves a new value of `update` values for the first buffer, and a
/// penalty of so many.
#[derive(Clone, Debug)]
struct Named {
    weights: Vec<&'static str>,
    buffers: Vec<&'static str>,
    update: usize,
    penalty: Option<usize>,
}

impl Named {
    fn new(weights: &[&'static str], buffers: &[&'static str]) -> Self {
        Self { weights: weights.to_vec(), buffers: buffers.to_vec(), update: 3, penalty: None }
    }
}

impl CustomLayer for Named {
    fn name(&self) -> &str {
        "Named"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        for name in &self.weights {
            plan.parameter(ParameterSpec::new(name, [3], Initializer::Ones))?;
        }
        for name in &self.buffers {
            plan.buffer(name, [3], 1.0)?;
        }
        Ok(input.to_vec())
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        self.weights.iter().for_each(|_| drop(weights.parameter().value()));
        for index in 0..self.buffers.len() {
            let buffer = weights.buffer();
            if index == 0 && pass.is_training() {
                pass.update(buffer, Tensor::zeros([self.update]));
            }
        }
        if let Some(values) = self.penalty {
            pass.penalize(x.tape().constant(Tensor::zeros([values])));
        }
        x
    }
}

#[test]
fn a_name_that_comes_twice_or_is_empty_is_refused() {
    let check = |layer: Named| {
        let inner = Residual::new(Stack::new().add(layer));
        Sequential::new(3).add(Dense::new(3)).add(inner).check().map_err(|error| error.to_string())
    };
    let layer = "layers.1.layers.0 (Named)";
    let twice = "is that of two of its weights and buffers; give each its own";
    for (weights, buffers) in [(&["w", "v", "w"][..], &[][..]), (&["w"], &["w"]), (&[], &["w", "w"])] {
        assert_eq!(check(Named::new(weights, buffers)), Err(format!("{layer}: the name \"w\" {twice}")));
    }
    let empty = Err(format!("{layer}: the name \"\" is empty, but a weight or buffer must have one"));
    assert_eq!(check(Named::new(&[""], &[])), empty);
    assert_eq!(check(Named::new(&["w"], &[""])), empty);
    assert_eq!(check(Named::new(&["w", "v"], &["b"])), Ok(()));
    // Two layers may have the same.
    let two = Sequential::new(3).add(Named::new(&["w"], &[])).add(Named::new(&["w"], &[]));
    assert_eq!(two.check(), Ok(()));
}

#[test]
fn a_layer_with_buffers_is_never_fed_a_part_of_a_batch() {
    let couples = |layer: Named| Sequential::new(3).add(layer).init::<f32>(0).unwrap().couples_rows();
    assert!(couples(Named::new(&[], &["b"])));
    assert!(!couples(Named::new(&["w"], &[])));
}

/// The panic's message of a pass in training.
fn message(layer: Named) -> String {
    let network: Network<f32> = Sequential::new(3).add(Dense::new(3)).add(layer).init(0).unwrap();
    let work = || {
        let tape = Tape::new();
        let x = tape.constant(Tensor::ones([2, 3]));
        network.forward(&network.variables(&tape), x, &mut Pass::training(Rng::new(1)));
    };
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn what_a_layer_leaves_must_have_its_shape() {
    assert_eq!(
        message(Named { update: 4, ..Named::new(&[], &["mean"]) }),
        "update: a value of shape [4] for layers.1.mean, which has shape [3] (in layers.1 (Named))"
    );
    assert_eq!(
        message(Named { penalty: Some(2), ..Named::new(&[], &[]) }),
        "penalize: a penalty has shape [], but this one has [2]; sum it up (in layers.1 (Named))"
    );
}

/// ln(1 + e^(βx)) / β with a β so small that ln 2 / β is beyond single precision.
#[test]
fn the_last_activation_belongs_to_its_layer() {
    let endings = [
        Sequential::new(2).add(Dense::new(2).activation(Activation::Softplus { beta: 1e-40 })),
        Sequential::new(2).add(Activation::Softplus { beta: 1e-40 }),
    ];
    for (ending, layer) in endings.into_iter().zip(["layers.0 (Dense)", "layers.0 (Activation)"]) {
        let network: Network = ending.init(1).unwrap();
        let tape = Tape::new().detect_anomalies();
        let x = tape.constant(Tensor::ones([1, 2]));
        network.forward(&network.variables(&tape), x, &mut Pass::inference());
        let anomaly = tape.anomaly().unwrap();
        assert_eq!((anomaly.op, anomaly.scope.as_str()), ("softplus", layer));
    }
}
