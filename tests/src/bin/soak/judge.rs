//! Whether figures are flat: the slope over the entries that a node holds, after a warm-up, against what an entry may
//! cost; and whether what must come back did.

use crate::sample::{FIGURES, Sample};

const MIB: f64 = 1_048_576.0;
/// Part of the run that is not judged: caches fill, and buffers take their size.
pub const WARM_UP_PART: f64 = 0.3;
/// Pairs of samples that a slope is taken of, at most: of longer series every so manieth sample is looked at.
const SAMPLES_MAX: usize = 600;
/// Fewest samples of one process from which a slope is taken.
const SAMPLES_MIN: usize = 12;

/// Memory for 1,000 entries, once caches are full ([`crate::posts::RECORDS_AT_FIRST`]). docs/FIGURES.md, "Memory of a node for its records": 371 bytes for each record of a whole
/// node, 0.35 MiB for 1,000, with the catalogue full; times about three, because the allocator keeps what a burst took
/// and a run of minutes sees that as growth.
const MEMORY_OF_1000: f64 = 1.0 * MIB;
/// Resident memory counts pages of mapped files, too: the index (docs/FIGURES.md, "Searching": 521 bytes a document) and
/// what is merged of it, 0.5 MiB each for 1,000.
const RESIDENT_OF_1000: f64 = 2.0 * MIB;
/// Bytes on disk for 1,000 entries: the entry (517 bytes, docs/FIGURES.md: 414 KB for 800) at most 2.5 times in store and
/// journal of its author and 1.5 times in the index, which are that table's targets, and about 300 bytes of the line in
/// the log of logins and writes.
const DISK_OF_1000: f64 = 1_000.0 * (517.0 * (2.5 + 1.5) + 300.0);
/// What memory swings by: the buffer of the index (`node/src/search/limits.rs`) fills and empties. In a run of few entries
/// that is a slope; it is none when the end, at rest, is not above the beginning by more than that and the entries.
const MEMORY_SWING: f64 = 24.0 * MIB;
/// By how much open files may differ between the beginning of what is judged and the end.
const FILES_RETURN: f64 = 8.0;
/// The same for threads. Those that wait for the disk come and go with the requests of the moment.
const THREADS_RETURN: f64 = 16.0;
/// The same for queues: they are empty again, whatever they were in the beginning.
const QUEUE_RETURN: f64 = 0.0;

/// What is asked of a figure.
enum Rule {
    /// Growth for 1,000 entries.
    Slope(f64),
    /// Growth for 1,000 entries, unless the end is within that and a swing above the beginning.
    SlopeBeyond(f64, f64),
    /// How far the end, when everything is at rest, may be above the beginning.
    Return(f64),
    /// The most that may be left in the end.
    Empty(f64),
    /// Only told.
    Told,
}

fn rule(figure: usize) -> Rule {
    match FIGURES[figure] {
        "own memory" => Rule::SlopeBeyond(MEMORY_OF_1000, MEMORY_SWING),
        "resident memory" => Rule::SlopeBeyond(RESIDENT_OF_1000, MEMORY_SWING),
        "disk" => Rule::Slope(DISK_OF_1000),
        "open files" => Rule::Return(FILES_RETURN),
        "threads" => Rule::Return(THREADS_RETURN),
        "index lag" | "webhooks waiting" => Rule::Empty(QUEUE_RETURN),
        _ => Rule::Told,
    }
}

/// What was found of one figure of one node.
pub struct Line {
    /// The figure.
    pub figure: &'static str,
    /// At the beginning of what is judged, the middle of the first samples.
    pub first: f64,
    /// In the end, the middle of the last samples.
    pub last: f64,
    /// Growth for 1,000 entries; nothing from too few samples.
    pub slope: Option<f64>,
    /// The bound, in words.
    pub bound: String,
    /// Whether it held.
    pub held: bool,
}

/// Judges a node by its samples after the warm-up, and by those after everything had come to rest.
pub fn judge(samples: &[Sample], rest: &[Sample]) -> Vec<Line> {
    (0..FIGURES.len()).map(|figure| judge_figure(samples, rest, figure)).collect()
}

fn judge_figure(samples: &[Sample], rest: &[Sample], figure: usize) -> Line {
    let values = |samples: &[Sample]| -> Vec<f64> { samples.iter().map(|sample| sample.figures[figure]).collect() };
    let quarter = samples.len().div_ceil(4);
    let first = middle(values(&samples[..quarter]));
    let last = middle(values(rest));
    let slope = slope(samples, figure);
    let entries = rest.last().map_or(0.0, |end| end.entries) - samples.first().map_or(0.0, |begin| begin.entries);
    let (bound, held) = match rule(figure) {
        Rule::Slope(most) => (format!("slope {}", shown(figure, most)), slope.is_none_or(|slope| slope <= most)),
        Rule::SlopeBeyond(most, swing) => {
            let held = slope.is_none_or(|slope| slope <= most) || last <= first + swing + most * entries / 1_000.0;
            (format!("slope {}", shown(figure, most)), held)
        }
        Rule::Return(back) => (format!("end {back:+}"), last <= first + back),
        Rule::Empty(most) => (format!("end {most}"), last <= most),
        Rule::Told => ("-".to_owned(), true),
    };
    Line { figure: FIGURES[figure], first, last, slope, bound, held }
}

/// A value for people.
pub fn shown(figure: usize, value: f64) -> String {
    match FIGURES[figure] {
        "own memory" | "resident memory" | "disk" => format!("{:.2} MiB", value / MIB),
        _ => format!("{value:.2}"),
    }
}

/// The middle of these; nothing of none.
pub fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The slope for 1,000 entries after Theil and Sen: the middle of the slopes of all pairs of samples of one process. A
/// few samples that stand out do not move it.
fn slope(samples: &[Sample], figure: usize) -> Option<f64> {
    let step = samples.len().div_ceil(SAMPLES_MAX).max(1);
    let chosen: Vec<&Sample> = samples.iter().step_by(step).collect();
    let mut slopes = Vec::new();
    for (index, one) in chosen.iter().enumerate() {
        let later = chosen[index + 1..].iter().filter(|other| other.process == one.process);
        slopes.extend(
            later
                .filter(|other| other.entries > one.entries)
                .map(|other| (other.figures[figure] - one.figures[figure]) / (other.entries - one.entries) * 1_000.0),
        );
    }
    (slopes.len() >= SAMPLES_MIN * (SAMPLES_MIN - 1) / 2).then(|| middle(slopes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::COUNTERS;

    fn series(of: impl Fn(usize) -> (u32, f64)) -> Vec<Sample> {
        let sample = |number: usize| {
            let (process, value) = of(number);
            let mut figures = [0.0; FIGURES.len()];
            figures[0] = value;
            Sample { process, entries: number as f64 * 1_000.0, figures, counters: [0.0; COUNTERS.len()] }
        };
        (0..100).map(sample).collect()
    }

    #[test]
    fn a_line_has_its_slope_whatever_a_few_samples_say() {
        let samples = series(|number| (1, if number % 10 == 0 { 1e9 } else { number as f64 * 2_000.0 }));
        let found = slope(&samples, 0).expect("enough samples");
        assert!((found - 2_000.0).abs() < 1e-6, "{found}");
    }

    #[test]
    fn what_a_restart_changes_is_no_slope() {
        let samples = series(|number| if number < 50 { (1, 5.0) } else { (2, 1e9) });
        assert_eq!(slope(&samples, 0), Some(0.0));
        assert_eq!(slope(&samples[..5], 0), None);
    }

    #[test]
    fn a_leak_is_found_and_a_flat_line_is_not() {
        let leak = series(|number| (1, 1e8 + number as f64 * 1_000.0 * 4_096.0));
        assert!(!judge(&leak, &leak[90..])[0].held, "4 KiB an entry");
        let flat = series(|number| (1, 1e8 + number as f64 * 1_000.0 * 400.0 + (number % 7) as f64 * 1e5));
        assert!(judge(&flat, &flat[90..])[0].held, "400 bytes an entry, and noise");
    }
}
