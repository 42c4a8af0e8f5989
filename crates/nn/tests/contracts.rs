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
