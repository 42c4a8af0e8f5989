//! Passes over rows that do not train: losses and metrics.

use mlp_autograd::Tape;
use mlp_nn::{Network, Pass};
use mlp_tensor::Element;
use rayon::prelude::*;

use crate::Evaluation;
use crate::engine::{Objective, Totals, work};
use crate::table::Table;

/// The rows of one pass. Fixed, so that results do not depend on the number of threads.
const ROWS: usize = 256;
/// Below this many multiplications, one thread is done before a second has woken up.
const WORTH_A_FORK: usize = 1 << 20;

/// The loss and the metrics of `network` on `rows`, without dropout.
pub(crate) fn evaluate<E: Element>(
    network: &Network<E>,
    objective: &Objective,
    table: &Table<'_, E>,
    rows: &[usize],
) -> Evaluation {
    let pass = |rows: &[usize]| {
        let tape = Tape::no_record();
        let variables = network.variables(&tape);
        objective.forward(network, &variables, table.batch(rows), &tape, &mut Pass::inference()).1
    };
    let passes: Vec<Totals> = if work(network, rows.len()) < WORTH_A_FORK {
        rows.chunks(ROWS).map(pass).collect()
    } else {
        rows.par_chunks(ROWS).map(pass).collect()
    };
    let mut totals = Totals::default();
    passes.iter().for_each(|pass| totals.add(pass));
    totals.penalty += network.penalty() * totals.rows as f64;
    report(&totals, objective)
}

/// The means that `totals` are the sums of.
pub(crate) fn report(totals: &Totals, objective: &Objective) -> Evaluation {
    let rows = totals.rows as f64;
    let metrics = objective.metrics.iter().zip(&totals.metrics).map(|(&metric, sum)| (metric, sum / rows)).collect();
    let penalty = totals.penalty / rows;
    Evaluation { loss: totals.loss / rows + penalty, penalty, metrics }
}
