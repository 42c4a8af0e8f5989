//! How large a network's description from a stranger may be.

/// How large a description may be that was not written by the program itself.
///
/// A few bytes can describe a network that no machine can run: branches that hand on their input double a row, however
/// often they are written one behind the other. A description is checked against these limits while it is planned,
/// before anything is made from it. The defaults are those of `docs/format.md`; what goes beyond them can be raised by
/// whoever trusts where a file comes from. A network that is built in code has none.
///
/// ```
/// use mlp_nn::{Concat, Dense, Limits, Sequential, Stack};
///
/// let double = |network: Sequential| network.add(Concat::new([Stack::new(), Stack::new()]));
/// let network = (0..30).fold(Sequential::new(4), |network, _| double(network)).add(Dense::new(1));
/// let error = network.check_within(&Limits::default()).unwrap_err();
/// assert!(error.to_string().contains("at most 16777216"), "{error}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The axes of a row, and of a weight; 8.
    pub axes: usize,
    /// Layers in all, those inside of others and the branches of each [`Concat`](crate::Concat) counted as well; 1,024.
    pub layers: usize,
    /// Layers inside of each other; 32. What reads files stops at a depth of its own besides, whatever this says.
    pub depth: usize,
    /// The weights and buffers of all layers; 4,096. In a file, as many tensors that callbacks remember besides.
    pub tensors: usize,
    /// The bytes of a name, paths included, and of any other string; 256.
    pub name: usize,
    /// The values of one row, those of the input and of every layer's output added up; 2²⁴.
    pub values: usize,
    /// The settings of users' layers; 1,024. What reads a file counts those of all users' parts together, and as one each
    /// the parts themselves, callbacks, and what these remember beside tensors.
    pub settings: usize,
    /// What other lists hold in all, such as the columns of every [`SelectColumns`](crate::SelectColumns) and the names of
    /// features and classes; 2¹⁴. Names of more columns need it raised: each takes many times its bytes in a file.
    pub entries: usize,
    /// The columns of a scaler in front of the network; 2¹⁷.
    pub scaler: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            axes: 8,
            layers: 1024,
            depth: 32,
            tensors: 4096,
            name: 256,
            values: 1 << 24,
            settings: 1024,
            entries: 1 << 14,
            scaler: 1 << 17,
        }
    }
}

impl Limits {
    /// No limits, for what one has written oneself.
    pub const fn unlimited() -> Self {
        let all = usize::MAX;
        Self {
            axes: all,
            layers: all,
            depth: all,
            tensors: all,
            name: all,
            values: all,
            settings: all,
            entries: all,
            scaler: all,
        }
    }
}
