//! The pictures that the examples draw.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

/// One curve: its name and its values, one for each epoch.
#[derive(Clone, Copy, Debug)]
pub struct Curve<'a> {
    /// The name in the legend.
    pub name: &'a str,
    /// The value of every epoch.
    pub values: &'a [f64],
}

const COLORS: [RGBColor; 4] =
    [RGBColor(31, 119, 180), RGBColor(214, 95, 14), RGBColor(44, 140, 60), RGBColor(120, 80, 170)];

/// Draws curves over the epochs as an SVG file.
///
/// # Errors
/// If the file cannot be written.
pub fn curves(path: impl AsRef<Path>, title: &str, curves: &[Curve<'_>]) -> Result<(), Box<dyn Error>> {
    let epochs = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0).max(2);
    let top = curves.iter().flat_map(|curve| curve.values).copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
    let area = SVGBackend::new(path.as_ref(), (720, 400)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d(1..epochs, 0.0..top * 1.05)?;
    chart.configure_mesh().x_desc("epoch").y_desc("loss").light_line_style(WHITE).draw()?;
    for (curve, color) in curves.iter().zip(COLORS.iter().cycle()) {
        let points = curve.values.iter().enumerate().map(|(i, &value)| (i + 1, value));
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE)
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    area.present()?;
    Ok(())
}
