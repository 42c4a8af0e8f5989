//! A layer of one's own, by one trait: it declares its weights, is trained as all are, and goes into a file by its name and
//! settings. Who loads such a file brings the code for the name, in a registry.
//!
//! Run with `cargo run --release --example own_layer`.

use mlp::prelude::*;

/// Radial basis functions: exp(-|x - c|² / (2 · width²)) for each of some centers c, which are learned. Every unit tells
/// how near a row is to its center, 1 at most (Broomhead and Lowe, 1988).
#[derive(Debug)]
struct RadialBasis {
    units: usize,
    width: f64,
}

impl CustomLayer for RadialBasis {
    fn name(&self) -> &str {
        "radial_basis"
    }

    /// What a file keeps, and the registry makes the layer of.
    fn settings(&self) -> Settings {
        Settings::new().with("units", self.units).with("width", self.width)
    }

    /// Checks the settings and the shape of an input row, declares the weights, and says the shape of an output row.
    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.require(self.units > 0, "units", self.units as f64, "at least 1")?;
        plan.require(self.width > 0.0 && self.width.is_finite(), "width", self.width, "finite and above 0")?;
        let &[features] = input else { return Err(plan.refuse(input, "a center is compared with rows of one axis")) };
        let start = Initializer::Normal { mean: 0.0, std: 1.0 };
        plan.parameter(ParameterSpec::new("centers", [features, self.units], start))?;
        Ok(vec![self.units])
    }

    /// Rows `[n, features]` to `[n, units]`: |x - c|² is |x|² - 2 x · c + |c|².
    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        _: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let centers = weights.parameter();
        let of_rows = x.square().sum_axes(&[1], true);
        let of_centers = centers.square().sum_axes(&[0], true);
        let distances = of_rows - x.matmul(centers) * E::from_f64(2.0) + of_centers;
        (distances * E::from_f64(-0.5 / self.width.powi(2))).exp()
    }
}

fn main() -> Result<(), mlp::Error> {
    let flowers = iris();
    let network = Sequential::new(4)
        .add(RadialBasis { units: 12, width: 1.5 })
        .add(Dense::new(3).activation(Activation::Softmax));
    println!("{}\n", network.summary()?);
    let mut model = Model::builder(network)
        .optimizer(Adam::new(0.02))
        .loss(Loss::CategoricalCrossEntropy)
        .metrics([Metric::Accuracy])
        .scaler(StandardScaler::fit(&flowers.features)?)
        .seed(42)
        .build()?;
    let history = model.fit(&flowers.features, &flowers.labels, &Fit::new().epochs(60).batch_size(16))?;
    println!("after 60 epochs: {}", history.last().training);

    let path = std::env::temp_dir().join(format!("own-layer-{}.mlp", std::process::id()));
    model.save(&path)?;
    let registry = Registry::new().register::<Layer>("radial_basis", |settings| {
        Ok(RadialBasis { units: settings.count("units")?, width: settings.number("width")? }.into())
    });
    let loaded = Model::<f32>::load_with(&path, &registry)?;
    std::fs::remove_file(&path).map_err(mlp::Error::callback)?;
    let same = loaded.predict(&flowers.features)?.bit_eq(&model.predict(&flowers.features)?);
    println!("predictions of the loaded model are bit-identical: {same}");
    if same { Ok(()) } else { Err(mlp::Error::callback("the loaded model predicts something else")) }
}
