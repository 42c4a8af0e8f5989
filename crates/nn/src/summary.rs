//! What a network looks like, for people.

use std::fmt;

use crate::plan::Description;
use crate::{NnError, Plan, Sequential};

/// Columns are lined up where they are not wider than this.
const WIDEST: usize = 60;

/// A table of a network's layers; print it with `{}`. Layers inside of others stand below them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    rows: Vec<[String; 4]>,
    parameters: usize,
    frozen: usize,
}

impl Summary {
    /// The number of all parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// The number of parameters that training changes.
    pub fn trainable_parameters(&self) -> usize {
        self.parameters - self.frozen
    }

    /// The same table for a network of which `frozen` parameters do not train.
    pub(crate) fn with_frozen(self, frozen: usize) -> Self {
        Self { frozen, ..self }
    }
}

impl Sequential {
    /// A table of the layers, their output shapes and their parameter counts.
    ///
    /// # Errors
    /// See [`Sequential::check`].
    pub fn summary(&self) -> Result<Summary, NnError> {
        let (plan, _) = Plan::described(self.layers(), self.input_shape())?;
        let descriptions = plan.descriptions.unwrap_or_default();
        let parameters = descriptions.iter().map(|layer| layer.parameters).fold(0, usize::saturating_add);
        let rows =
            descriptions.into_iter().zip(plan.extents).map(|(Description { path, text, parameters }, extent)| {
                let lengths: Vec<String> = extent.output.iter().map(usize::to_string).collect();
                [path, text, format!("[n, {}]", lengths.join(", ")), parameters.to_string()]
            });
        Ok(Summary { rows: rows.collect(), parameters, frozen: 0 })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["layer", "kind", "output shape", "parameters"].map(str::to_owned);
        let table: Vec<&[String; 4]> = std::iter::once(&header).chain(&self.rows).collect();
        let width = |column: usize| table.iter().map(|row| row[column].len()).max().unwrap_or(0).min(WIDEST);
        let [a, b, c, d] = [width(0), width(1), width(2), width(3)];
        for (index, [layer, kind, output, parameters]) in table.into_iter().enumerate() {
            writeln!(f, "{layer:a$}  {kind:b$}  {output:c$}  {parameters:>d$}")?;
            if index == 0 {
                writeln!(f, "{}", "-".repeat(a + b + c + d + 6))?;
            }
        }
        write!(f, "total parameters: {}", self.parameters)?;
        if self.frozen > 0 {
            write!(f, ", trainable: {}, frozen: {}", self.trainable_parameters(), self.frozen)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Activation, Dense, Dropout, Network, Sequential};

    #[test]
    fn the_summary_counts_parameters() {
        let network = Sequential::new(4)
            .add(Dense::new(10).activation(Activation::Relu))
            .add(Dropout::new(0.5))
            .add(Dense::new(3).activation(Activation::Softmax));
        let summary = network.summary().unwrap();
        assert_eq!(summary.parameters(), 4 * 10 + 10 + 10 * 3 + 3);
        let expected = "\
layer     kind             output shape  parameters
---------------------------------------------------
layers.0  Dense (relu)     [n, 10]               50
layers.1  Dropout (0.5)    [n, 10]                0
layers.2  Dense (softmax)  [n, 3]                33
total parameters: 83";
        assert_eq!(summary.to_string(), expected);

        let mut network: Network = network.init(1).unwrap();
        network.freeze("layers.0.*").unwrap();
        let summary = network.summary();
        assert_eq!(summary.trainable_parameters(), 33);
        assert!(summary.to_string().ends_with("\ntotal parameters: 83, trainable: 33, frozen: 50"), "{summary}");
    }
}
