//! Publish on one node until it is readable through the API of another that has no link to it, against the commit on
//! the author's node alone.

use std::time::{Duration, Instant};

use harness::node::Line;

const SAMPLES: usize = 300;
const PAUSE: Duration = Duration::from_millis(30);
const LIMIT: Duration = Duration::from_secs(10);

pub fn run() {
    let line = Line::found(&["秘书处", "奉节县", "夏邑县"]);
    let (author, reader) = (line.nodes[0].api(), line.nodes[2].api());
    let agent = ureq::Agent::new_with_defaults();
    let (mut commits, mut whole) = (Vec::new(), Vec::new());
    for number in 0..SAMPLES {
        std::thread::sleep(PAUSE);
        let body = serde_json::json!({
            "kind": "demand",
            "fields": { "需求名称": format!("第{number}号需求"), "需求类别": "招商" },
        });
        let begun = Instant::now();
        let request = agent.post(format!("http://{}/v1/records", author.0));
        let request = request.header("Authorization", format!("Bearer {}", author.1));
        let mut answer = request.send_json(&body).expect("the record is published");
        commits.push(begun.elapsed());
        let text = answer.body_mut().read_to_string().expect("the answer is text");
        let published: serde_json::Value = serde_json::from_str(&text).expect("the answer is JSON");
        let record = published["records"][0].as_str().expect("a record").to_owned();
        let url = format!("http://{}/v1/records/{record}", reader.0);
        let authorization = format!("Bearer {}", reader.1);
        while agent.get(&url).header("Authorization", &authorization).call().is_err() {
            assert!(begun.elapsed() < LIMIT, "record {number} did not arrive");
            std::thread::sleep(Duration::from_micros(500));
        }
        whole.push(begun.elapsed());
    }
    let line = |name: &str, samples: &mut Vec<Duration>| {
        samples.sort();
        let at = |share: f64| samples[((samples.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
        println!("  {name}: median {:.1} ms, 99th percentile {:.1} ms", at(0.5), at(0.99));
        at(0.99)
    };
    println!("live: {SAMPLES} records published on A, read on C, with B between");
    let commit = line("durable on A (baseline)", &mut commits);
    let all = line("readable on C (target: 99th percentile under 50 ms)", &mut whole);
    println!("  ratio of 99th percentiles {:.1}", all / commit);
}
