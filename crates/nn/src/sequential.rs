//! A network's description: which layers, in which order.

use std::fmt;

use mlp_tensor::{Element, Rng};
use serde::{Deserialize, Serialize};

use crate::{Activation, Layer, Network, NnError, ParameterSpec};

/// Layers one after the other, each fed with the output of the one before. Plain data, without weights.
///
/// The layers' paths are `layers.0`, `layers.1` and so on; a weight's name is its layer's path and its own name, such
/// as `layers.0.weight`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sequential {
    input_features: usize,
    layers: Vec<Layer>,
}

impl Sequential {
    /// A network for rows of `input_features` numbers, without layers so far.
    pub fn new(input_features: usize) -> Self {
        Self { input_features, layers: Vec::new() }
    }

    /// Adds a layer at the end.
    #[expect(clippy::should_implement_trait, reason = "`add` is the field's name for this; nothing is summed")]
    #[must_use]
    pub fn add(mut self, layer: impl Into<Layer>) -> Self {
        self.layers.push(layer.into());
        self
    }

    /// The number of features of one input row.
    pub fn input_features(&self) -> usize {
        self.input_features
    }

    /// The number of values of one output row.
    pub fn output_features(&self) -> usize {
        self.layers.iter().fold(self.input_features, |features, layer| layer.output_features(features))
    }

    /// The layers.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The activation that ends the network.
    pub fn output_activation(&self) -> Activation {
        self.layers.last().map_or(Activation::Identity, Layer::activation)
    }

    /// Checks every setting and every shape.
    ///
    /// # Errors
    /// If there are no layers, a setting lies outside of its range, or a weight would be too large to address.
    pub fn check(&self) -> Result<(), NnError> {
        if self.input_features == 0 {
            let (setting, expected) = ("the number of features", "at least 1");
            return Err(NnError::Setting { layer: "input".to_owned(), setting, value: 0.0, expected });
        }
        if self.layers.is_empty() {
            return Err(NnError::NoLayers);
        }
        for (index, layer) in self.layers.iter().enumerate() {
            layer.check(&format!("layers.{index}"))?;
        }
        for (index, specs) in self.specs().into_iter().enumerate() {
            for spec in specs {
                // An allocation may not exceed isize::MAX bytes, and values have at most eight.
                let len = spec.shape.iter().try_fold(8usize, |n, &d| n.checked_mul(d));
                if len.is_none_or(|bytes| isize::try_from(bytes).is_err()) {
                    return Err(NnError::TooLarge { layer: self.layer_name(index), shape: spec.shape });
                }
            }
        }
        Ok(())
    }

    /// The network with first weights drawn from `seed`. The same seed gives the same weights on every machine.
    ///
    /// # Errors
    /// See [`Sequential::check`].
    pub fn init<E: Element>(&self, seed: u64) -> Result<Network<E>, NnError> {
        let mut rng = Rng::new(seed);
        Network::new(self.clone(), |_, spec| spec.initializer.draw(&spec.shape, &mut rng))
    }

    /// A table of the layers, their output shapes and their parameter counts.
    ///
    /// # Errors
    /// See [`Sequential::check`].
    pub fn summary(&self) -> Result<Summary, NnError> {
        self.check()?;
        let mut features = self.input_features;
        let mut rows = Vec::new();
        for (index, (layer, specs)) in self.layers.iter().zip(self.specs()).enumerate() {
            features = layer.output_features(features);
            let kind = match (layer, layer.activation()) {
                (Layer::Activation(activation), _) => format!("Activation ({activation})"),
                (Layer::Dropout(dropout), _) => format!("Dropout ({})", dropout.rate),
                (_, Activation::Identity) => layer.kind().to_owned(),
                (_, activation) => format!("{} ({activation})", layer.kind()),
            };
            let parameters = specs.iter().map(|spec| spec.shape.iter().product::<usize>()).sum();
            rows.push(SummaryRow { layer: format!("layers.{index}"), kind, output: features, parameters });
        }
        Ok(Summary { rows })
    }

    /// The weights of every layer.
    pub(crate) fn specs(&self) -> Vec<Vec<ParameterSpec>> {
        let mut features = self.input_features;
        let specs = self.layers.iter().map(|layer| {
            let specs = layer.parameters(features);
            features = layer.output_features(features);
            specs
        });
        specs.collect()
    }

    /// The path and kind of the layer at `index`, as messages name it.
    pub(crate) fn layer_name(&self, index: usize) -> String {
        format!("layers.{index} ({})", self.layers.get(index).map_or("none", Layer::kind))
    }
}

/// A table of a network's layers; print it with `{}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    rows: Vec<SummaryRow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SummaryRow {
    layer: String,
    kind: String,
    output: usize,
    parameters: usize,
}

impl Summary {
    /// The number of all parameters.
    pub fn parameters(&self) -> usize {
        self.rows.iter().map(|row| row.parameters).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["layer", "kind", "output shape", "parameters"].map(str::to_owned);
        let rows = self.rows.iter().map(|row| {
            [row.layer.clone(), row.kind.clone(), format!("[n, {}]", row.output), row.parameters.to_string()]
        });
        let table: Vec<[String; 4]> = std::iter::once(header).chain(rows).collect();
        let width = |column: usize| table.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let [a, b, c, d] = [width(0), width(1), width(2), width(3)];
        for (index, [layer, kind, output, parameters]) in table.iter().enumerate() {
            writeln!(f, "{layer:a$}  {kind:b$}  {output:c$}  {parameters:>d$}")?;
            if index == 0 {
                writeln!(f, "{}", "-".repeat(a + b + c + d + 6))?;
            }
        }
        write!(f, "total parameters: {}", self.parameters())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dense, Dropout, Regularizer};

    fn article() -> Sequential {
        Sequential::new(4)
            .add(Dense::new(10).activation(Activation::Relu))
            .add(Dropout::new(0.5))
            .add(Dense::new(3).activation(Activation::Softmax))
    }

    #[test]
    fn the_summary_counts_parameters() {
        let summary = article().summary().unwrap();
        assert_eq!(summary.parameters(), 4 * 10 + 10 + 10 * 3 + 3);
        let expected = "\
layer     kind             output shape  parameters
---------------------------------------------------
layers.0  Dense (relu)     [n, 10]               50
layers.1  Dropout (0.5)    [n, 10]                0
layers.2  Dense (softmax)  [n, 3]                33
total parameters: 83";
        assert_eq!(summary.to_string(), expected);
    }

    #[test]
    fn bad_settings_are_named() {
        let message = |network: Sequential| network.check().unwrap_err().to_string();
        assert!(message(Sequential::new(4)).contains("no layers"));
        assert_eq!(
            message(Sequential::new(0).add(Dense::new(1))),
            "input: the number of features is 0, but must be at least 1"
        );
        assert_eq!(message(article().add(Dense::new(0))), "layers.3 (Dense): units is 0, but must be at least 1");
        let expected = "layers.3 (Dropout): rate is 1, but must be at least 0 and below 1";
        assert_eq!(message(article().add(Dropout::new(1.0))), expected);
        assert!(message(article().add(Dropout::new(f64::NAN))).contains("rate is NaN"));
        let negative = Dense::new(3).regularizer(Regularizer::l2(-0.1));
        assert!(message(article().add(negative)).contains("l2 is -0.1"));
    }

    #[test]
    fn an_absurd_width_is_an_error_and_allocates_nothing() {
        let error = Sequential::new(4).add(Dense::new(usize::MAX)).init::<f32>(0).unwrap_err();
        assert!(matches!(error, NnError::TooLarge { .. }), "{error}");
    }
}
