//! What a model predicts.

use mlp_nn::Predictor;
use mlp_tensor::{Element, Tensor};

use crate::{Model, TrainError};

impl<E: Element> Model<E> {
    /// The predictions for the rows of `x`, `[n, k]`. Where the loss is one of probabilities these are probabilities,
    /// whether or not the network ends in an activation; with a hinge loss they are scores, above 0 for yes. Numbers are in
    /// the targets' units. Where a task was set that the loss does not have, they are what the loss makes of the network's
    /// output. May be called from many threads at once.
    ///
    /// # Errors
    /// If `x` is not a table with the network's number of features, or holds NaN or infinity.
    pub fn predict(&self, x: &Tensor<E>) -> Result<Tensor<E>, TrainError> {
        Ok(self.scaled(Predictor::for_rows(&self.network, x.rows())).with_output(self.output())?.predict(x)?)
    }

    /// What the network's last layer gives for the rows of `x`: logits, if the network ends without an activation.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict_raw(&self, x: &Tensor<E>) -> Result<Tensor<E>, TrainError> {
        Ok(self.scaled(Predictor::for_rows(&self.network, x.rows())).predict(x)?)
    }

    /// The prediction for one row, as [`Model::predict`] makes it.
    ///
    /// For very many rows one by one, a [`Model::predictor`] is quicker.
    ///
    /// # Errors
    /// If the row has another length than the network's rows, or holds NaN or infinity.
    pub fn predict_row(&self, row: &[E]) -> Result<Vec<E>, TrainError> {
        let shape = [&[1], self.network.architecture().input_shape()].concat();
        let expected = self.network.architecture().input_features();
        if row.len() != expected {
            return Err(mlp_nn::NnError::RowLength { what: "input", expected, found: row.len() }.into());
        }
        Ok(self.predict(&Tensor::from_vec(row.to_vec(), shape))?.into_vec())
    }

    /// The number of the class of every row of `x`: the one with the largest prediction; of yes and no, 1 where the
    /// prediction is above the threshold.
    ///
    /// # Errors
    /// As [`Model::predict`]; if the task has no classes, or several labels a row.
    pub fn predict_classes(&self, x: &Tensor<E>) -> Result<Vec<usize>, TrainError> {
        Ok(self.output().classes(&self.predict(x)?)?)
    }

    /// The name of the class of every row of `x`.
    ///
    /// # Errors
    /// As [`Model::predict_classes`], and if the classes have no names.
    pub fn predict_labels(&self, x: &Tensor<E>) -> Result<Vec<&str>, TrainError> {
        Ok(self.output().labels(&self.predict(x)?)?)
    }

    /// 1 where the prediction means yes and 0 where it means no, in the shape of the predictions: for several labels a
    /// row.
    ///
    /// # Errors
    /// As [`Model::predict`], and if the task has no classes.
    pub fn predict_indicators(&self, x: &Tensor<E>) -> Result<Tensor<E>, TrainError> {
        Ok(self.output().indicators(&self.predict(x)?)?)
    }

    /// The model frozen for predictions, with its scaler and its output: what [`Model::predict`] gives, for single rows
    /// without allocations, from many threads. Further training does not change it.
    ///
    /// ```
    /// use mlp_nn::{Dense, Loss, Sequential};
    /// use mlp_train::Model;
    ///
    /// let model = Model::builder(Sequential::new(2).add(Dense::new(1))).loss(Loss::MeanSquaredError).build()?;
    /// let predictor = model.predictor();
    /// let mut output = [0.0];
    /// predictor.predict_row(&[0.5, -1.0], &mut output)?;
    /// # Ok::<(), mlp_train::TrainError>(())
    /// ```
    pub fn predictor(&self) -> Predictor<E> {
        match self.scaled(Predictor::new(&self.network)).with_output(self.output()) {
            Ok(predictor) => predictor,
            Err(error) => unreachable!("a model's output was checked against its network: {error}"),
        }
    }

    fn scaled(&self, predictor: Predictor<E>) -> Predictor<E> {
        match &self.scaler {
            Some(scaler) => predictor.standardize(scaler.mean(), scaler.scale()),
            None => predictor,
        }
    }
}
