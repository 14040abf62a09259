//! Hours of a federation in minutes: four real nodes at many times the real rate, and figures that must stay flat.
//! `docs/LOAD.md` says how to read it.
//!
//! `cargo soak` takes about ten minutes, `cargo soak --minutes N` as long as is said. Exit code 0: everything is flat and
//! came back; 1: something is not; 2: the command cannot be read. `XIANMENG_SEED` repeats what is random.

mod judge;
mod posts;
mod rate;
mod sample;
mod work;

use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use harness::machine;

use posts::{NODES, Posts, RESTARTED};
use rate::Pace;
use sample::{COUNTERS, FIGURES, Sample};
use work::{Done, Remembered, WATCHERS};

/// Minutes of a run unless others are asked for, and the most that can be.
const MINUTES: u64 = 10;
const MINUTES_MAX: u64 = 24 * 60;
/// Time between two samples of every node.
const SAMPLE_PAUSE: Duration = Duration::from_secs(5);
/// Time between two restarts of the one node that is started again, and how long before the end there is none.
const RESTART_PAUSE: Duration = Duration::from_secs(120);
const RESTART_NOT_BEFORE_END: Duration = Duration::from_secs(60);
/// How long the nodes may take to come to rest in the end.
const REST_WAIT: Duration = Duration::from_secs(240);
/// Threads that wait for the disk go when they had nothing to do for ten seconds.
const CALM_PAUSE: Duration = Duration::from_secs(15);
/// Samples that are taken when everything is at rest, each after this pause.
const REST_SAMPLES: usize = 5;
const REST_PAUSE: Duration = Duration::from_secs(2);
/// Part of the planned statements that must have been acknowledged: a run that did less stands for less.
const STATEMENTS_PART_MIN: f64 = 0.8;
/// Part of all requests that may fail: those that a restart cut off.
const FAILED_PART_MAX: f64 = 0.005;
/// How often the main thread looks whether something is due.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let minutes = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Some(MINUTES),
        ["--minutes", minutes] => minutes.parse().ok().filter(|minutes| (1..=MINUTES_MAX).contains(minutes)),
        _ => None,
    };
    let Some(minutes) = minutes else {
        eprintln!("cargo soak [--minutes 1..{MINUTES_MAX}]");
        return ExitCode::from(2);
    };
    let seed = harness::seed();
    println!("{}; {}; seed {seed}", machine::describe(), machine::load());
    rate::explain(NODES);
    let begun = Instant::now();
    let posts = Posts::found();
    println!(
        "{} records are there at first, on every node after {:.0} s",
        posts::RECORDS_AT_FIRST,
        begun.elapsed().as_secs_f64()
    );
    let run = run(&posts, Duration::from_secs(minutes * 60), seed);
    verdict(&posts, run, seed, minutes)
}

/// What a run brought.
struct Run {
    time: Duration,
    samples: Vec<Vec<Sample>>,
    rest: Vec<Vec<Sample>>,
    done: Done,
    restarts: u32,
    remembered: Remembered,
    faults: Vec<String>,
}

fn run(posts: &Posts, time: Duration, seed: u64) -> Run {
    let (done, pace, remembered) = (Done::default(), Pace::here(), Mutex::new(VecDeque::new()));
    let samples: Vec<Mutex<Vec<Sample>>> = posts.all.iter().map(|_| Mutex::default()).collect();
    let begun = Instant::now();
    let restarts = std::thread::scope(|scope| {
        for (number, post) in (0..).zip(&posts.all) {
            let (done, pace, remembered) = (&done, &pace, &remembered);
            let seed = |task: u64| seed ^ (number << 8 | task);
            let seeds: [u64; 4] = [seed(0), seed(1), seed(2), seed(3)];
            scope.spawn(move || work::write(post, done, pace, seeds[0], remembered));
            scope.spawn(move || work::ask(post, done, pace, seeds[1], remembered));
            scope.spawn(move || work::read_pages(post, done, pace, seeds[2]));
            for watcher in 0..WATCHERS as u64 {
                scope.spawn(move || work::watch(post, done, pace, seeds[3] ^ (watcher << 4)));
            }
        }
        for (post, samples) in posts.all.iter().zip(&samples) {
            let done = &done;
            scope.spawn(move || watch_node(post, samples, done));
        }
        let restarts = tend(posts, begun, time);
        done.end();
        restarts
    });
    let mut faults = Vec::new();
    if !posts.come_to_rest(REST_WAIT) {
        faults.push(format!("the nodes did not come to rest within {} s", REST_WAIT.as_secs()));
    }
    let rest = at_rest(posts);
    let samples = samples.into_iter().map(|samples| samples.into_inner().expect("nobody panicked")).collect();
    Run { time, samples, rest, done, restarts, remembered, faults }
}

/// Starts one node again now and then, until the run is over.
fn tend(posts: &Posts, begun: Instant, time: Duration) -> u32 {
    let (mut restarts, mut due) = (0, RESTART_PAUSE);
    while begun.elapsed() < time {
        if begun.elapsed() >= due && begun.elapsed() + RESTART_NOT_BEFORE_END < time {
            posts.all[RESTARTED].restart();
            restarts += 1;
            due += RESTART_PAUSE;
        }
        std::thread::sleep(LOOK_PAUSE);
    }
    restarts
}

fn watch_node(post: &posts::Post, samples: &Mutex<Vec<Sample>>, done: &Done) {
    let directory = post.directory();
    let mut due = Instant::now();
    while !done.is_over() {
        if Instant::now() >= due {
            due += SAMPLE_PAUSE;
            let sample = post.desk().and_then(|desk| sample::take(post, &desk, &directory));
            samples.lock().expect("nobody panicked").extend(sample);
        }
        std::thread::sleep(LOOK_PAUSE);
    }
}

/// Samples of every node when nothing is going on any more.
fn at_rest(posts: &Posts) -> Vec<Vec<Sample>> {
    let mut rest: Vec<Vec<Sample>> = posts.all.iter().map(|_| Vec::new()).collect();
    std::thread::sleep(CALM_PAUSE);
    for _ in 0..REST_SAMPLES {
        std::thread::sleep(REST_PAUSE);
        for (post, rest) in posts.all.iter().zip(&mut rest) {
            rest.extend(post.desk().and_then(|desk| sample::take(post, &desk, &post.directory())));
        }
    }
    rest
}

fn verdict(posts: &Posts, mut run: Run, seed: u64, minutes: u64) -> ExitCode {
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let statements = count(&run.done.statements);
    let hours = statements as f64 / rate::statements_per_hour();
    let planned = Pace::here().statements * run.time.as_secs_f64();
    let (answers, pages, watches) = (count(&run.done.answers), count(&run.done.pages), count(&run.done.watches));
    let (failed, skipped, events) = (count(&run.done.failed), count(&run.done.skipped), count(&run.done.events));
    println!();
    println!(
        "{statements} statements in {minutes} min (planned {planned:.0}): {hours:.0} hours of a federation, {:.1} days; {answers} answers, {pages} pages, \
         {watches} watches with {events} events, {} restarts of node {RESTARTED}; {failed} failed, {skipped} turns skipped",
        hours / 24.0,
        run.restarts,
    );
    if (statements as f64) < planned * STATEMENTS_PART_MIN {
        run.faults.push(format!("only {statements} of {planned:.0} statements were acknowledged"));
    }
    let all = statements + answers + pages + watches + failed;
    if failed as f64 > all as f64 * FAILED_PART_MAX {
        run.faults.push(format!("{failed} of {all} requests failed"));
    }
    if events == 0 || watches == 0 {
        run.faults.push("no watch told anything".into());
    }
    missing(posts, &run.remembered, &mut run.faults);
    table(&run.samples, &run.rest, &mut run.faults);
    run.faults.iter().for_each(|fault| println!("FAULT: {fault}"));
    if run.faults.is_empty() {
        println!("soak: flat over {hours:.0} hours of a federation; seed {seed}");
        return ExitCode::SUCCESS;
    }
    println!("soak: FAILED; again: XIANMENG_SEED={seed} cargo soak --minutes {minutes}");
    ExitCode::FAILURE
}

/// The last records that were acknowledged must be on every node.
fn missing(posts: &Posts, remembered: &Remembered, faults: &mut Vec<String>) {
    let records = remembered.lock().expect("nobody panicked");
    for (number, post) in posts.all.iter().enumerate() {
        let Some(desk) = post.desk() else {
            faults.push(format!("node {number} is not there"));
            continue;
        };
        let missing =
            records.iter().filter(|record| !desk.client.get(&format!("/v1/records/{record}")).is_ok()).count();
        if missing > 0 {
            faults.push(format!("{missing} of {} acknowledged records are not on node {number}", records.len()));
        }
    }
    println!("{} acknowledged records looked up on every node", records.len());
}

fn table(samples: &[Vec<Sample>], rest: &[Vec<Sample>], faults: &mut Vec<String>) {
    println!(
        "{:<5} {:<17} {:>12} {:>12} {:>14}  {:<22} verdict",
        "node", "figure", "first", "last", "per 1,000", "bound"
    );
    for (number, (samples, rest)) in samples.iter().zip(rest).enumerate() {
        let judged = &samples[(samples.len() as f64 * judge::WARM_UP_PART) as usize..];
        let (Some(first), Some(last)) = (judged.first(), rest.last()) else {
            faults.push(format!("node {number} could not be sampled"));
            continue;
        };
        for (figure, line) in judge::judge(judged, rest).into_iter().enumerate() {
            let slope = line.slope.map_or("-".to_owned(), |slope| judge::shown(figure, slope));
            let (from, to) = (judge::shown(figure, line.first), judge::shown(figure, line.last));
            let verdict = if line.held { "flat" } else { "NOT FLAT" };
            println!("{number:<5} {:<17} {from:>12} {to:>12} {slope:>14}  {:<22} {verdict}", line.figure, line.bound);
            if !line.held {
                faults.push(format!("node {number}: {} is not flat", line.figure));
            }
        }
        let disk = FIGURES.iter().position(|figure| *figure == "disk").map_or(f64::NAN, |disk| last.figures[disk]);
        println!(
            "{number:<5} entries {:.0} to {:.0}; {:.0} bytes on disk for each",
            first.entries,
            last.entries,
            disk / last.entries
        );
        let counters = COUNTERS.iter().zip(last.counters).filter(|(_, count)| *count > 0.0);
        let counters: Vec<String> = counters.map(|(name, count)| format!("{name} {count}")).collect();
        if !counters.is_empty() {
            println!("{number:<5} since its start: {}", counters.join(", "));
        }
    }
}
