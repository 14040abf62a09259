//! The test vectors of the protocol, in `vectors/` beside `SPEC.md`.
//!
//! By default this checks that every file is what the code generates and that every vector gets the verdict that it
//! states. With `XIANMENG_WRITE_VECTORS=1` the files are written anew. Nothing here is random: keys follow from seeds,
//! and ed25519 signatures from keys and content.

mod acts;
mod bundles;
mod case;
mod charters;
mod chunks;
mod entries;
mod erasures;
mod leads;
mod logs;
mod messages;
mod operations;
mod refusals;
mod roster;
mod sealed;
mod signatures;
mod small;
mod statements;
mod system;
mod values;

use case::File;

fn files() -> Vec<File> {
    vec![
        signatures::file(),
        entries::file(),
        entries::fork_proofs(),
        statements::file(),
        values::file(),
        sealed::file(),
        small::addresses(),
        system::proposals(),
        system::endorsements(),
        system::erasures(),
        system::acknowledgements(),
        small::beacons(),
        small::relay(),
        small::frontiers(),
        operations::applications(),
        operations::blocks(),
        charters::file(),
        logs::file(),
        leads::secrets(),
        leads::tokens(),
        leads::messages(),
        messages::file(),
        messages::heads(),
        chunks::file(),
        bundles::file(),
    ]
}

#[test]
fn every_file_is_what_the_code_says_and_every_verdict_holds() {
    let write = std::env::var_os("XIANMENG_WRITE_VECTORS").is_some_and(|value| value == "1");
    // A vector names the sample, so it is there first.
    bundles::settle_sample(write);
    for file in files() {
        file.settle(write);
    }
}
