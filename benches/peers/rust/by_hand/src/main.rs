//! Training steps and predictions by hand, over matrixmultiply's product, with no framework around them.
//!
//! The network is a list of buffers, a step is a list of loops around the product, and nothing is checked: it is something
//! to compare with, not a design, and it is unsafe on purpose. Every operation that is large enough is forked over the
//! threads: `THREADS` of them, or as many as there are cores.

use std::time::{Duration, Instant};

use work::{Data, Inference, Random, Training};

fn main() {
    let threads = work::threads();
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("it is the first pool");
    work::run("by hand", Some(&|work, data| fit(work, data, threads)), &|work, x| predictor(work, x, threads));
}

fn fit(work: &Training, data: &Data, threads: usize) -> (Duration, f64) {
    let inputs = work.widths[0];
    let mut random = Random(3);
    let mut net = Net::new(work.widths, work.batch, work.dropout as f32, threads, &mut random);
    let (mut classes, mut loss) = (Vec::with_capacity(work.batch), 0.0);
    let start = Instant::now();
    for _ in 0..work.epochs {
        loss = 0.0;
        for rows in random.order(work.rows).chunks(work.batch) {
            classes.clear();
            for (to, &row) in net.values[0].chunks_mut(inputs).zip(rows) {
                to.copy_from_slice(&data.x[row as usize * inputs..][..inputs]);
                classes.push(data.classes[row as usize]);
            }
            loss += net.step(&classes, !work.rms_prop);
        }
    }
    (start.elapsed(), loss / work.rows as f64)
}

fn predictor(work: &Inference, x: Vec<f32>, threads: usize) -> Box<dyn FnMut()> {
    let mut net = Net::new(work.widths, work.rows, 0.0, threads, &mut Random(3));
    let (rows, last, units) = (work.rows, net.layers.len(), net.layers[net.layers.len() - 1].units);
    net.values[0] = x;
    Box::new(move || {
        net.forward(rows);
        softmax(&mut net.values[last], units);
        std::hint::black_box(&mut net.values[last]);
    })
}

/// A pointer that may cross threads; whoever sends one keeps the parts that they write apart.
#[derive(Clone, Copy)]
struct Pointer(*mut f32);
unsafe impl Send for Pointer {}
unsafe impl Sync for Pointer {}

impl Pointer {
    fn of(values: &mut [f32]) -> Self {
        Self(values.as_mut_ptr())
    }

    fn at(self, offset: usize) -> *mut f32 {
        unsafe { self.0.add(offset) }
    }

    unsafe fn slice<'a>(self, offset: usize, len: usize) -> &'a mut [f32] {
        unsafe { std::slice::from_raw_parts_mut(self.at(offset), len) }
    }
}

/// c = a b + beta c for m x k and k x n matrices; a and b with their strides of rows and columns, c by rows.
unsafe fn product(
    [m, k, n]: [usize; 3],
    (a, [a_row, a_column]): (*const f32, [usize; 2]),
    (b, [b_row, b_column]): (*const f32, [usize; 2]),
    beta: f32,
    c: *mut f32,
) {
    let [a_row, a_column, b_row, b_column] = [a_row, a_column, b_row, b_column].map(|stride| stride as isize);
    unsafe { matrixmultiply::sgemm(m, k, n, 1.0, a, a_row, a_column, b, b_row, b_column, beta, c, n as isize, 1) }
}

/// Cuts 0..n in `threads` parts that start at multiples of 8, and runs `f(start, end)` of each.
fn fork(threads: usize, n: usize, f: impl Fn(usize, usize) + Sync) {
    if threads == 1 {
        return f(0, n);
    }
    let part = n.div_ceil(threads).next_multiple_of(8);
    let f = &f;
    rayon::scope(|scope| {
        for start in (part..n).step_by(part) {
            scope.spawn(move |_| f(start, (start + part).min(n)));
        }
        f(0, part.min(n));
    });
}

/// A parameter: its values, its gradient, and the two states of Adam (RMSprop uses the second).
struct Parameter {
    value: Vec<f32>,
    gradient: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Parameter {
    fn new(value: Vec<f32>) -> Self {
        let zeros = || vec![0.0; value.len()];
        Self { gradient: zeros(), first: zeros(), second: zeros(), value }
    }
}

struct Layer {
    inputs: usize,
    units: usize,
    weight: Parameter,
    bias: Parameter,
}

struct Net {
    layers: Vec<Layer>,
    /// The batch, then the output of every layer; and the loss's derivatives by them; and what dropout multiplied by.
    values: Vec<Vec<f32>>,
    deltas: Vec<Vec<f32>>,
    masks: Vec<Vec<f32>>,
    dropout: f32,
    threads: usize,
    steps: i32,
    seed: u64,
}

impl Net {
    fn new(widths: &[usize], batch: usize, dropout: f32, threads: usize, random: &mut Random) -> Self {
        let layer = |pair: &[usize]| {
            let (inputs, units) = (pair[0], pair[1]);
            let limit = (6.0 / (inputs + units) as f32).sqrt() / 1.7;
            let weight = random.values(inputs * units).into_iter().map(|value| value * limit).collect();
            Layer { inputs, units, weight: Parameter::new(weight), bias: Parameter::new(vec![0.0; units]) }
        };
        let layers = widths.windows(2).map(layer).collect();
        let buffers = || widths.iter().map(|width| vec![0.0; batch * width]).collect::<Vec<_>>();
        Self { layers, values: buffers(), deltas: buffers(), masks: buffers(), dropout, threads, steps: 0, seed: 1 }
    }

    /// The threads that an operation on `n` rows of a layer is worth.
    fn threads(&self, n: usize, layer: &Layer) -> usize {
        if n * layer.inputs * layer.units < 200_000 { 1 } else { self.threads }
    }

    fn forward(&mut self, n: usize) {
        for i in 0..self.layers.len() {
            self.seed += 1;
            let (seed, dropout, last) = (self.seed, self.dropout, i + 1 == self.layers.len());
            let threads = self.threads(n, &self.layers[i]);
            let Layer { inputs, units, weight, bias } = &mut self.layers[i];
            let (inputs, units, bias) = (*inputs, *units, &bias.value);
            let (x, weight, mask) =
                (Pointer::of(&mut self.values[i]), Pointer::of(&mut weight.value), Pointer::of(&mut self.masks[i + 1]));
            let out = Pointer::of(&mut self.values[i + 1]);
            fork(threads, n, |start, end| unsafe {
                let rows = out.slice(start * units, (end - start) * units);
                rows.chunks_exact_mut(units).for_each(|row| row.copy_from_slice(bias));
                let x = (x.at(start * inputs) as *const f32, [inputs, 1]);
                product([end - start, inputs, units], x, (weight.at(0), [units, 1]), 1.0, out.at(start * units));
                if last {
                } else if dropout > 0.0 {
                    drop_some(rows, mask.slice(start * units, rows.len()), dropout, seed ^ start as u64);
                } else {
                    rows.iter_mut().for_each(|value| *value = value.max(0.0));
                }
            });
        }
    }

    /// One step on the batch in `values[0]`, with Adam or RMSprop; returns the sum of the losses of its rows.
    fn step(&mut self, classes: &[u32], adam: bool) -> f64 {
        let (n, count) = (classes.len(), self.layers.len());
        self.forward(n);
        self.steps += 1;
        let update = Update { adam, first: 1.0 - 0.9_f32.powi(self.steps), second: 1.0 - 0.999_f32.powi(self.steps) };

        let units = self.layers[count - 1].units;
        let (output, delta) = (&self.values[count][..n * units], &mut self.deltas[count][..n * units]);
        delta.copy_from_slice(output);
        softmax(delta, units);
        let mut loss = 0.0;
        for (row, &class) in delta.chunks_mut(units).zip(classes) {
            loss -= f64::from(row[class as usize].max(f32::MIN_POSITIVE).ln());
            row[class as usize] -= 1.0;
            row.iter_mut().for_each(|value| *value /= n as f32);
        }

        for i in (0..count).rev() {
            let (threads, dropout) = (self.threads(n, &self.layers[i]), self.dropout);
            let Layer { inputs, units, weight, bias } = &mut self.layers[i];
            let (inputs, units) = (*inputs, *units);
            let (x, mask) = (Pointer::of(&mut self.values[i]), Pointer::of(&mut self.masks[i]));

            bias.gradient.fill(0.0);
            for row in self.deltas[i + 1][..n * units].chunks_exact(units) {
                bias.gradient.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            let (delta, before) = (Pointer::of(&mut self.deltas[i + 1]), Pointer::of(&mut self.deltas[i]));
            if i > 0 {
                let weight = Pointer::of(&mut weight.value);
                fork(threads, n, |start, end| unsafe {
                    let delta = (delta.at(start * units) as *const f32, [units, 1]);
                    product(
                        [end - start, units, inputs],
                        delta,
                        (weight.at(0), [1, units]),
                        0.0,
                        before.at(start * inputs),
                    );
                    let part = |pointer: Pointer| pointer.slice(start * inputs, (end - start) * inputs);
                    let values = part(before).iter_mut().zip(part(x));
                    if dropout > 0.0 {
                        values.zip(part(mask)).for_each(|((d, x), m)| *d = if *x > 0.0 { *d * *m } else { 0.0 });
                    } else {
                        values.for_each(|(d, x)| *d = if *x > 0.0 { *d } else { 0.0 });
                    }
                });
            }
            let Parameter { value, gradient, first, second } = weight;
            let all = [value, gradient, first, second].map(|values| Pointer::of(values));
            fork(threads, inputs, |start, end| unsafe {
                let x = (x.at(start) as *const f32, [1, inputs]);
                product([end - start, n, units], x, (delta.at(0), [units, 1]), 0.0, all[1].at(start * units));
                let [value, gradient, first, second] =
                    all.map(|values| values.slice(start * units, (end - start) * units));
                update.apply(value, gradient, first, second);
            });
            update.apply(&mut bias.value, &bias.gradient, &mut bias.first, &mut bias.second);
        }
        loss
    }
}

/// ReLU and dropout of `values`; what the kept ones were multiplied by goes to `mask`.
fn drop_some(values: &mut [f32], mask: &mut [f32], share: f32, seed: u64) {
    let (threshold, scale) = ((share * 65536.0) as u64, 1.0 / (1.0 - share));
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for (values, mask) in values.chunks_mut(4).zip(mask.chunks_mut(4)) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        for (lane, (value, mask)) in values.iter_mut().zip(mask).enumerate() {
            *mask = if (state >> (16 * lane)) & 0xffff >= threshold { scale } else { 0.0 };
            *value = value.max(0.0) * *mask;
        }
    }
}

/// Softmax of every row of `units` values.
fn softmax(values: &mut [f32], units: usize) {
    for row in values.chunks_exact_mut(units) {
        let max = row.iter().copied().fold(f32::MIN, f32::max);
        row.iter_mut().for_each(|value| *value = (*value - max).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|value| *value /= sum);
    }
}

/// A step of Adam, with the corrections of its two means, or of RMSprop.
#[derive(Clone, Copy)]
struct Update {
    adam: bool,
    first: f32,
    second: f32,
}

impl Update {
    fn apply(self, value: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        if self.adam {
            for (((w, g), m), v) in value.iter_mut().zip(gradient).zip(first).zip(second) {
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.999 * *v + 0.001 * g * g;
                *w -= 1e-3 * (*m / self.first) / ((*v / self.second).sqrt() + 1e-8);
            }
        } else {
            for ((w, g), v) in value.iter_mut().zip(gradient).zip(second) {
                *v = 0.99 * *v + 0.01 * g * g;
                *w -= 1e-3 * g / (v.sqrt() + 1e-8);
            }
        }
    }
}
