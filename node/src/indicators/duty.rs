//! Where the rates of duties come from: from what is kept in step for what stands now, and from the entries themselves
//! for what stood at another time or at the heads of a bulletin.

use protocol::charter::Charter;
use protocol::duty::{Ledger, Rate, Rules, Times, rate};
use protocol::indicator::DutyRate;
use protocol::kind::KindSet;
use protocol::value::Date;
use protocol::view::{Place, View};

use crate::core::Core;
use crate::duties::{self, deeds};

/// As of any time: later entries are judged, too, when they are asked for.
const END_OF_TIME_MS: u64 = u64::MAX;

/// How a duty was performed in its last full period, as everything that this node holds says.
pub(super) fn present(core: &Core, shelf: &duties::Shelf, rule: &str, as_of_ms: u64) -> Option<DutyRate> {
    duties::rate(core, shelf, rule, as_of_ms).map(figure)
}

/// The ledger of the records of a view.
pub(super) fn ledger(view: &View, charter: &Charter, core: &Core, kinds: &KindSet) -> Ledger {
    let mut ledger = Ledger::default();
    for id in view.ids(END_OF_TIME_MS) {
        ledger.put(id, deeds((charter, view, &Held(core)), core, kinds, &id));
    }
    ledger
}

/// How a duty was performed in its last full period, as a ledger says.
pub(super) fn past(charter: &Charter, ledger: &Ledger, rule: &str, as_of_ms: u64) -> Option<DutyRate> {
    rate(charter, ledger, Rules::builtin(), rule, as_of_ms).map(figure)
}

/// The logs that this node holds: what stands before a place is the same at every later length.
struct Held<'a>(&'a Core);

impl Times for Held<'_> {
    fn latest_ms_before(&self, place: Place) -> u64 {
        self.0.read(|state| Times::latest_ms_before(&state.replica, place))
    }
}

/// That nothing changed performs the duty as well (F091).
fn figure(rate: Rate) -> DutyRate {
    DutyRate {
        from: Date::of_ms(rate.span.start_ms),
        until: Date::of_ms(rate.span.end_ms - 1),
        owed: rate.owed as usize,
        performed: (rate.met + rate.met_no_change) as usize,
        evidence: rate.evidence.into_iter().map(|(_, evidence)| evidence.record).collect(),
    }
}
