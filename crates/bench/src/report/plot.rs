//! Latency against the number of fleets, as a picture.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::Report;

const SIZE: (u32, u32) = (900, 560);
const FONT: &str = "sans-serif";

/// One line of the plot.
struct Line {
    label: &'static str,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// Draws the plot into the file `path`.
///
/// # Errors
/// The file cannot be written.
pub fn plot(report: &Report, path: &Path) -> Result<()> {
    draw(report, path).map_err(|error| anyhow!("draw \"{}\": {error}", path.display()))
}

fn draw(report: &Report, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let lines = lines(report);
    let points = || lines.iter().flat_map(|line| &line.points);
    let most = |axis: fn(&(f64, f64)) -> f64| points().map(axis).fold(1., f64::max);
    let (x_most, y_most) = (most(|it| it.0) * 1.3, most(|it| it.1) * 1.5);
    let y_least = points().map(|it| it.1).fold(y_most, f64::min) / 1.5;
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Rollout of fleets of two: edit to completion", (FONT, 22))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d((0.9..x_most).log_scale(), (y_least..y_most).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("fleets")
        .y_desc("milliseconds")
        .label_style((FONT, 14))
        .light_line_style(WHITE.mix(0.))
        .x_label_formatter(&|it| format!("{it:.0}"))
        .y_label_formatter(&|it| format!("{it:.0}"))
        .draw()?;
    for Line { label, colour, points } in &lines {
        let style = colour.stroke_width(2);
        chart
            .draw_series(LineSeries::new(points.iter().copied(), style).point_size(3))?
            .label(*label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 14))
        .draw()?;
    area.present()?;
    Ok(())
}

fn lines(report: &Report) -> Vec<Line> {
    let curve = |of: fn(&super::Point) -> f64| {
        report.curve.iter().map(|it| (it.fleets as f64, of(it))).collect()
    };
    let lone = report.lone.iter().map(|it| (it.fleets as f64, it.took.p50_ms)).collect();
    let end = report.memory.iter().map(|it| it.fleets).max().unwrap_or(1) as f64;
    let chain = report.chain.mean_ms;
    vec![
        Line { label: "N at once: the last", colour: RED, points: curve(|it| it.last_ms) },
        Line { label: "N at once: p50", colour: BLUE, points: curve(|it| it.p50_ms) },
        Line { label: "one among N idle: p50", colour: GREEN, points: lone },
        Line { label: "one by hand", colour: BLACK, points: vec![(1., chain), (end, chain)] },
    ]
}
