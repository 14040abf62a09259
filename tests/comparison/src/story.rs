//! The same work for every system, step by step.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::meter::Meter;
use crate::process::{TooSlow, wait};
use crate::system::{About, System};

/// Records published one by one while the receiver runs, after some that are not counted.
const SAMPLES: usize = 300;
const SAMPLES_UNCOUNTED: usize = 20;
const PAUSE: Duration = Duration::from_millis(30);
/// How often the receiver is asked for a record that is on its way, and how long at most.
const POLL_LIVE: Duration = Duration::from_micros(500);
const LIVE_LONGEST: Duration = Duration::from_secs(10);
/// What still travels when everything is there, acknowledgements for instance, belongs to it.
const TRAILING: Duration = Duration::from_millis(500);
/// A system that is too slow tries again with a tenth, not below this.
const RECORDS_MIN: usize = 1_000;

/// What was measured. Times in seconds.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// With how many records.
    pub records: usize,
    /// Publishing all of them at the author.
    pub publish_s: f64,
    /// An empty receiver, from its start until it has everything.
    pub catch_up_s: f64,
    /// Bytes on loopback meanwhile.
    pub catch_up_bytes: u64,
    /// What the receiver then had to do for itself, such as indexing.
    pub settle_s: f64,
    /// Published at the author until readable at the receiver.
    pub live_p50_s: f64,
    /// The slowest of a hundred.
    pub live_p99_s: f64,
    /// How many records the receiver had when its disk was looked at.
    pub held: usize,
    /// The receiver's records on disk.
    pub store_bytes: u64,
    /// Everything it keeps.
    pub disk_bytes: u64,
    /// Start of the receiver with everything on disk, until it answers.
    pub start_s: f64,
    /// After that, until it knows that there is nothing new.
    pub same_s: f64,
    /// Bytes from the start on.
    pub same_bytes: u64,
    /// How many records were new then.
    pub fresh: usize,
    /// After another start, until it has those.
    pub fresh_s: f64,
    /// Bytes from the start on.
    pub fresh_bytes: u64,
}

/// How one system did.
pub struct Outcome {
    /// Its name.
    pub name: &'static str,
    /// What it says of itself; nothing if it could not be founded.
    pub about: Option<About>,
    /// The figures, or why there are none.
    pub figures: Result<Figures>,
    /// Why there were fewer records than wanted.
    pub fewer: Option<String>,
}

/// What makes a system in a folder.
pub type Make<'a> = dyn Fn(&Path) -> Result<Box<dyn System>> + 'a;

/// Measures one system; with fewer records if it is too slow for so many.
pub fn tell(name: &'static str, make: &Make, folder: &Path, meter: &Meter, records: usize) -> Outcome {
    let mut outcome = Outcome { name, about: None, figures: Ok(Figures::default()), fewer: None };
    let mut count = records;
    loop {
        let place = folder.join(format!("{name}-{count}"));
        outcome.figures = tell_once(make, &place, meter, count, &mut outcome.about);
        if let Err(error) = std::fs::remove_dir_all(&place) {
            eprintln!("{name}: {} stays: {error}", place.display());
        }
        match &outcome.figures {
            Err(error) if error.is::<TooSlow>() && count / 10 >= RECORDS_MIN => {
                outcome.fewer = Some(format!("with {count} records: {error:#}"));
                count /= 10;
            }
            _ => return outcome,
        }
    }
}

fn tell_once(make: &Make, folder: &Path, meter: &Meter, records: usize, about: &mut Option<About>) -> Result<Figures> {
    std::fs::create_dir_all(folder)?;
    let mut system = make(folder)?;
    let system = system.as_mut();
    *about = Some(system.found().context("founding")?);
    let empty = (disk(&system.receiver_store()), disk(&[system.receiver_root()]));
    let mut figures = Figures { records, ..Figures::default() };
    step(system, "publishing");
    figures.publish_s = timed(|| system.publish(0..records)).context("publishing")?;
    system.settle().context("after publishing")?;

    step(system, "catching up");
    let (started, caught_up, bytes) = round(system, meter, records, records).context("catching up")?;
    (figures.catch_up_s, figures.catch_up_bytes) = (started + caught_up, bytes);
    ensure!(system.check()? == records, "something is missing at the receiver after catching up");
    figures.settle_s = timed(|| system.settle())?;

    step(system, "live");
    let mut samples = live(system, records).context("live")?;
    samples.sort();
    let at = |share: f64| samples[((samples.len() - 1) as f64 * share) as usize].as_secs_f64();
    (figures.live_p50_s, figures.live_p99_s) = (at(0.5), at(0.99));
    let mut total = records + SAMPLES + SAMPLES_UNCOUNTED;
    system.settle()?;
    system.stop_receiver().context("stopping")?;
    figures.held = total;
    figures.store_bytes = disk(&system.receiver_store()).saturating_sub(empty.0);
    figures.disk_bytes = disk(&[system.receiver_root()]).saturating_sub(empty.1);

    step(system, "nothing new");
    let (start_s, same_s, bytes) = round(system, meter, total, 0).context("nothing new")?;
    (figures.start_s, figures.same_s, figures.same_bytes) = (start_s, same_s, bytes);
    system.stop_receiver().context("stopping")?;

    step(system, "1 % new");
    figures.fresh = records / 100;
    system.publish(total..total + figures.fresh).context("publishing more")?;
    total += figures.fresh;
    system.settle()?;
    let (_, fresh_s, bytes) = round(system, meter, total, figures.fresh).context("1 % new")?;
    (figures.fresh_s, figures.fresh_bytes) = (fresh_s, bytes);
    ensure!(system.check()? == total, "something is missing at the receiver in the end");
    system.stop_receiver().context("stopping")?;
    Ok(figures)
}

/// Starts the receiver and waits until it has everything; how long each took, and the bytes of both together.
fn round(system: &mut dyn System, meter: &Meter, total: usize, fresh: usize) -> Result<(f64, f64, u64)> {
    // The receiver's ports are known once it runs; before that nobody asks it.
    meter.set_control_ports(system.control_ports());
    let mark = meter.mark()?;
    let started = timed(|| system.start_receiver())?;
    meter.set_control_ports(system.control_ports());
    let complete = timed(|| system.wait_complete(total, fresh))?;
    std::thread::sleep(TRAILING);
    Ok((started, complete, meter.since(mark)?))
}

fn live(system: &mut dyn System, first: usize) -> Result<Vec<Duration>> {
    let mut samples = Vec::with_capacity(SAMPLES);
    for number in 0..SAMPLES + SAMPLES_UNCOUNTED {
        std::thread::sleep(PAUSE);
        let begun = Instant::now();
        let handle = system.publish_one(first + number)?;
        wait("a record is readable at the receiver", POLL_LIVE, LIVE_LONGEST, || system.is_readable(&handle))?;
        if number >= SAMPLES_UNCOUNTED {
            samples.push(begun.elapsed());
        }
    }
    Ok(samples)
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed().as_secs_f64())
}

fn step(system: &dyn System, what: &str) {
    eprintln!("{}: {what}", system.name());
}

/// Bytes that paths take on disk.
fn disk(paths: &[PathBuf]) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let of_one = |path: &PathBuf| match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => {
            let inside = std::fs::read_dir(path).map(|inside| inside.flatten().map(|entry| entry.path()).collect());
            disk(&inside.unwrap_or_else(|_| Vec::new()))
        }
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    };
    paths.iter().map(of_one).sum()
}
