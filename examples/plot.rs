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

const COLORS: [RGBColor; 5] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 95, 14),
    RGBColor(44, 140, 60),
    RGBColor(120, 80, 170),
    RGBColor(190, 30, 90),
];
const GRAY: RGBColor = RGBColor(225, 225, 225);
const FONT: &str = "sans-serif";

/// Drawn this much larger than shown: the backend rounds to whole pixels, and curves would become stairs.
const FINE: u32 = 4;

/// Draws curves over the epochs as an SVG file: the curves on the left, their names on the right.
///
/// # Errors
/// If the file cannot be written.
pub fn curves(path: impl AsRef<Path>, title: &str, curves: &[Curve<'_>]) -> Result<(), Box<dyn Error>> {
    // A letter of the legend is 14 pixels high and about 7 wide.
    let longest = curves.iter().map(|curve| curve.name.chars().count()).max().unwrap_or(0);
    let (chart, legend, height) = (600, 40 + 7 * longest as u32, 380);
    let mut svg = String::new();
    draw(&mut svg, [chart, legend, height].map(|length| length * FINE), title, curves)?;

    let size = |factor| format!("width=\"{}\" height=\"{}\"", (chart + legend) * factor, height * factor);
    std::fs::write(path, svg.replacen(&size(FINE), &size(1), 1))?;
    Ok(())
}

fn draw(
    svg: &mut String,
    [width, legend, height]: [u32; 3],
    title: &str,
    curves: &[Curve<'_>],
) -> Result<(), Box<dyn Error>> {
    let epochs = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0).max(2);
    let values = curves.iter().flat_map(|curve| curve.values).copied();
    let top = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
    let font = |size: u32| (FONT, size * FINE).into_font();
    let pixels = |n: u32| (n * FINE) as i32;

    let picture = SVGBackend::with_string(svg, (width + legend, height)).into_drawing_area();
    picture.fill(&WHITE)?;
    let (left, right) = picture.split_horizontally(width);
    let mut chart = ChartBuilder::on(&left)
        .caption(title, font(18))
        .margin(pixels(12))
        .x_label_area_size(pixels(42))
        .y_label_area_size(pixels(52))
        .build_cartesian_2d(1..epochs, 0.0..if top > 0.0 { top * 1.05 } else { 1.0 })?;
    chart
        .configure_mesh()
        .x_desc("epoch")
        .y_desc("loss")
        .axis_desc_style(font(15))
        .label_style(font(13))
        .axis_style(BLACK.stroke_width(FINE))
        .set_all_tick_mark_size(pixels(5))
        .bold_line_style(GRAY.stroke_width(FINE))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (number, (curve, color)) in curves.iter().zip(COLORS.iter().cycle()).enumerate() {
        let points = curve.values.iter().enumerate().map(|(i, &value)| (i + 1, value));
        let points = points.filter(|(_, value)| value.is_finite());
        chart.draw_series(LineSeries::new(points, color.stroke_width(2 * FINE)))?;
        let y = pixels(56 + 24 * number as u32);
        right.draw(&PathElement::new([(0, y), (pixels(24), y)], color.stroke_width(3 * FINE)))?;
        right.draw(&Text::new(curve.name, (pixels(32), y - pixels(6)), font(14)))?;
    }
    picture.present()?;
    Ok(())
}
