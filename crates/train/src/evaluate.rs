//! Passes over rows that do not train: losses and metrics.

use mlp_autograd::{Anomaly, Tape};
use mlp_nn::{Network, Pass};
use mlp_tensor::Element;
use rayon::prelude::*;

use crate::step::{WORTH_A_FORK, work};
use crate::{Evaluation, Objective, Rows, Totals};

/// The rows of one pass. Fixed, so that results do not depend on the number of threads.
const ROWS: usize = 256;

/// The loss and the metrics of `network` on the rows numbered `chosen`, without dropout.
pub(crate) fn evaluate<E: Element>(
    network: &Network<E>,
    objective: &Objective,
    rows: &Rows<E>,
    chosen: &[usize],
) -> Evaluation {
    let pass = |part: &[usize]| pass(network, objective, rows, part, &Tape::no_record());
    let passes: Vec<Totals> = if work(network, chosen.len()) < WORTH_A_FORK {
        chosen.chunks(ROWS).map(pass).collect()
    } else {
        chosen.par_chunks(ROWS).map(pass).collect()
    };
    let mut totals = Totals::default();
    passes.iter().for_each(|pass| objective.add(&mut totals, pass));
    totals.penalty += network.penalty() * totals.rows as f64;
    Evaluation::of(&totals, objective)
}

/// The operation and the layer that first make NaN or infinity on the rows numbered `chosen`.
pub(crate) fn find_anomaly<E: Element>(
    network: &Network<E>,
    objective: &Objective,
    rows: &Rows<E>,
    chosen: &[usize],
) -> Option<Anomaly> {
    chosen.chunks(ROWS).find_map(|part| {
        let tape = Tape::no_record().detect_anomalies();
        pass(network, objective, rows, part, &tape);
        tape.anomaly()
    })
}

/// One pass on `tape` over the rows numbered `part`.
fn pass<E: Element>(
    network: &Network<E>,
    objective: &Objective,
    rows: &Rows<E>,
    part: &[usize],
    tape: &Tape<E>,
) -> Totals {
    let variables = network.variables(tape);
    objective.forward(network, &variables, rows.batch(part), tape, &mut Pass::inference()).2
}
