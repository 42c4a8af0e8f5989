//! Whether odd sizes are slow: the time per multiplication of sizes that fill no tile, beside that of the next that does.
//!
//! Sizes above 16 are compared with the next multiple of 16 by the time for one multiplication and addition, and marked
//! where they take more than twice as long. Sizes below 16 are compared with 16 by the whole time: a smaller problem is
//! marked where it takes longer. All sizes take turns, and the best of each counts. Nothing fails: what is marked is to be
//! looked at.
//!
//! usage: cargo bench --bench sizes [-- words of a title]

use std::hint::black_box;
use std::time::Instant;

use mlp::prelude::*;
use mlp::tensor::{Panels, Pool, gemm, gemm_tn};
use rayon::ThreadPoolBuilder;

/// The size that smaller ones are compared with, and of which the others' rivals are multiples.
const ROUND: usize = 16;
const ODD: [usize; 17] = [17, 19, 23, 31, 33, 47, 63, 65, 100, 127, 129, 191, 255, 257, 383, 511, 513];
const TURNS: usize = 25;
/// A size's time in one turn is that of repeats for about so many seconds.
const TURN: f64 = 4e-4;
/// So many times the time per operation of the rival are too many.
const LIMIT: f64 = 2.0;

/// What is timed, and the number of its multiplications.
type Work = (Box<dyn FnMut()>, usize);

/// A table: its title, and the work of a size.
type Part = (&'static str, fn(usize) -> Work);

const PARTS: [Part; 11] = [
    ("forward, 64 rows, n to n units", |n| forward::<f32>(64, n, n)),
    ("forward with weights as they lie, 64 rows, n to n units", |n| as_it_lies(64, n, n)),
    ("to the input, 64 rows, n to n units", |n| to_input(64, n, n)),
    ("to the weight, 64 rows, n to n units", |n| to_weight(64, n, n)),
    ("forward, n rows, 64 to 64 units", |n| forward::<f32>(n, 64, 64)),
    ("to the input, n rows, 64 to 64 units", |n| to_input(n, 64, 64)),
    ("to the weight, n rows, 64 to 64 units", |n| to_weight(n, 64, 64)),
    ("forward, one row, n to n units", |n| forward::<f32>(1, n, n)),
    ("forward, n rows, n to n units", |n| forward::<f32>(n, n, n)),
    ("forward in f64, 64 rows, n to n units", |n| forward::<f64>(64, n, n)),
    ("training step, n rows, n to n to n to 1 units", training_step),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` asks whether this starts.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let words: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    // On one thread: whether a second one is worth while depends on the size as well.
    let pool = ThreadPoolBuilder::new().num_threads(1).build().expect("a thread can be started");
    let chosen = PARTS.iter().filter(|(title, _)| words.iter().all(|word| title.contains(word.as_str())));
    let marked: usize = pool.install(|| chosen.map(table).sum());
    println!("\n{marked} sizes are marked");
}

/// Times every size, prints a line of each, and returns how many are marked.
fn table((title, work): &Part) -> usize {
    let compared: Vec<[usize; 2]> =
        (1..ROUND).map(|size| [size, ROUND]).chain(ODD.map(|size| [size, size.next_multiple_of(ROUND)])).collect();
    let mut sizes = compared.concat();
    sizes.sort_unstable();
    sizes.dedup();
    let mut timed: Vec<Timed> = sizes.iter().map(|&size| Timed::new(size, work(size))).collect();
    for _ in 0..TURNS {
        timed.iter_mut().for_each(Timed::turn);
    }

    println!("\n{title}\n\n{:>6}   microseconds   ns per multiplication", "n");
    let mut marked = 0;
    for one in &timed {
        let rival = compared.iter().find(|[size, _]| *size == one.size).map(|[_, rival]| *rival);
        let rival = rival.and_then(|rival| timed.iter().find(|other| other.size == rival));
        let mark = match rival {
            Some(other) if one.size < ROUND && one.seconds > other.seconds => {
                format!("   <- {:.2} x the time of {}", one.seconds / other.seconds, other.size)
            }
            Some(other) if one.size > ROUND && one.per_operation() > LIMIT * other.per_operation() => {
                let times = one.per_operation() / other.per_operation();
                format!("   <- {times:.2} x the time per operation of {}", other.size)
            }
            _ => String::new(),
        };
        marked += usize::from(!mark.is_empty());
        println!("{:>6}   {:>12.3}   {:>21.4}{mark}", one.size, one.seconds * 1e6, one.per_operation() * 1e9);
    }
    marked
}

/// The work of one size.
struct Timed {
    size: usize,
    work: Box<dyn FnMut()>,
    operations: usize,
    /// How often the work is repeated in a turn.
    repeats: usize,
    /// The memory that one repeat leaves to the next, as in a training step.
    pool: Pool,
    /// The best so far.
    seconds: f64,
}

impl Timed {
    fn new(size: usize, (work, operations): Work) -> Self {
        let mut timed = Self { size, work, operations, repeats: 1, pool: Pool::default(), seconds: f64::INFINITY };
        (0..3).for_each(|_| timed.turn());
        timed.repeats = ((TURN / timed.seconds) as usize).clamp(1, 10_000);
        timed
    }

    fn turn(&mut self) {
        self.pool.scope(|| {
            let start = Instant::now();
            (0..self.repeats).for_each(|_| (self.work)());
            self.seconds = self.seconds.min(start.elapsed().as_secs_f64() / self.repeats as f64);
        });
    }

    fn per_operation(&self) -> f64 {
        self.seconds / self.operations as f64
    }
}

fn matrix<E: Element>(rows: usize, columns: usize) -> Tensor<E> {
    Tensor::normal([rows, columns], 0.0, 0.1, &mut Rng::new(1))
}

/// X · W, with weights that were laid out.
fn forward<E: Element>(rows: usize, inputs: usize, outputs: usize) -> Work {
    let (x, w, mut y) = (matrix::<E>(rows, inputs), matrix(inputs, outputs), matrix(rows, outputs));
    let w = Panels::new(w.view2());
    (Box::new(move || gemm(black_box(x.view2()), &w, E::zero(), y.view2_mut())), rows * inputs * outputs)
}

fn as_it_lies(rows: usize, inputs: usize, outputs: usize) -> Work {
    let (x, w, mut y) = (matrix::<f32>(rows, inputs), matrix(inputs, outputs), matrix(rows, outputs));
    (Box::new(move || gemm(black_box(x.view2()), w.view2(), 0.0, y.view2_mut())), rows * inputs * outputs)
}

/// dY · Wᵀ.
fn to_input(rows: usize, inputs: usize, outputs: usize) -> Work {
    let (dy, w) = (matrix::<f32>(rows, outputs), matrix(inputs, outputs));
    (Box::new(move || drop(black_box(black_box(&dy).matmul_nt(&w)))), rows * inputs * outputs)
}

/// Xᵀ · dY.
fn to_weight(rows: usize, inputs: usize, outputs: usize) -> Work {
    let (x, dy, mut dw) = (matrix::<f32>(rows, inputs), matrix(rows, outputs), matrix(inputs, outputs));
    let dy = Panels::new(dy.view2());
    (Box::new(move || gemm_tn(&[(black_box(&x), &dy)], 0, false, dw.as_mut_slice())), rows * inputs * outputs)
}

/// A batch of `size` rows through two hidden layers of `size` units, back, and the optimizer's update.
fn training_step(size: usize) -> Work {
    let hidden = || Dense::new(size).activation(Activation::Relu);
    let network = Sequential::new(size).add(hidden()).add(hidden()).add(Dense::new(1));
    let builder = ModelBuilder::<f32>::new(network).loss(Loss::MeanSquaredError).optimizer(Adam::default()).seed(1);
    let mut model = builder.build().expect("the network is sound");
    let (x, y) = (matrix(size, size), matrix(size, 1));
    let operations = 3 * size * (2 * size * size + size);
    let step = move || {
        black_box(model.train_on_batch(&x, black_box(&y)).expect("the batch fits"));
    };
    (Box::new(step), operations)
}
