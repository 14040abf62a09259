use super::*;
use crate::charter::{Charter, Class};
use crate::testing::{FOUNDED_MS, Organisation};
use crate::value::Value;

#[derive(Default)]
struct Desk {
    view: View,
    bodies: BTreeMap<Place, Arc<[u8]>>,
}

impl BodySource for Desk {
    fn body(&self, place: Place) -> Option<Arc<[u8]>> {
        self.bodies.get(&place).cloned()
    }
}

impl Desk {
    fn of(charter: &Charter) -> Self {
        let mut desk = Self::default();
        desk.view.set_logs(charter.logs());
        desk
    }

    fn insert(&mut self, member: u32, entry: &VerifiedEntry) {
        let place = Place { log: member - 1, sequence: entry.header().sequence };
        self.bodies.insert(place, entry.body().expect("the entry has a body").clone());
        self.view.insert(place, entry);
    }

    fn record(&self, id: EntryId, as_of_ms: u64) -> Option<RecordState> {
        self.view.record(&id, as_of_ms, self)
    }
}

fn title(text: &str) -> BTreeMap<u16, Value> {
    BTreeMap::from([(1, Value::Text(text.into()))])
}

fn world() -> (Charter, Organisation, Organisation) {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let county = Organisation::new("奉节县", Class::County, 2);
    secretariat.admit(&mut charter, &county);
    (charter, secretariat, county)
}

const NOW: u64 = FOUNDED_MS + 10_000;

fn body(statement: Statement) -> Vec<u8> {
    statement.encode().expect("the statement keeps every rule")
}

#[test]
fn a_record_is_what_its_owner_last_said() {
    let (charter, secretariat, county) = world();
    let mut desk = Desk::of(&charter);
    let create = Statement::create([0; 16], 1, Some("XQ001".into()), title("旧"));
    let create = county.entry(&charter, None, NOW, 102, body(create));
    let id = create.id();
    let revise = Statement::revise([0; 16], 1, id, BTreeMap::from([(2, Value::Boolean(true))]), [1].into());
    let revise = county.entry(&charter, Some(&create), NOW + 1, 102, body(revise));
    let foreign = Statement::revise([0; 16], 1, id, title("别人的话"), BTreeSet::new());
    let foreign = secretariat.entry(&charter, None, NOW + 2, 102, body(foreign));
    let withdraw = Statement::withdraw([0; 16], 1, id, Some("已落地".into()));
    let withdraw = county.entry(&charter, Some(&revise), NOW + 3, 102, body(withdraw));
    // The secretariat's entry comes before the create that it speaks of: it waits, and is then set aside.
    desk.insert(1, &foreign);
    for entry in [&create, &revise, &withdraw] {
        desk.insert(2, entry);
    }
    assert_eq!(desk.record(id, NOW - 1), None);
    assert_eq!(desk.record(id, NOW).map(|record| record.fields), Some(title("旧")));
    let last = desk.record(id, NOW + 3).expect("the record is there");
    assert_eq!(last.fields, BTreeMap::from([(2, Value::Boolean(true))]));
    assert_eq!(last.withdrawn, Some(Some("已落地".into())));
    assert_eq!(last.label.to_string(), "2-1");
    assert_eq!(desk.view.by_label("2-1".parse().expect("a label")), Some(id));
    assert_eq!(desk.view.by_external(MemberNumber(2), 102, "XQ001"), Some(id));
    assert_eq!(desk.view.aside().values().collect::<Vec<_>>(), [&Aside::NotOwner]);
}

#[test]
fn a_statement_from_the_future_is_hidden_until_its_time_and_then_counts_in_log_order() {
    let (charter, _, county) = world();
    let mut desk = Desk::of(&charter);
    let create = county.entry(&charter, None, NOW, 102, body(Statement::create([0; 16], 1, None, title("一"))));
    let say = |text| body(Statement::revise([0; 16], 1, create.id(), title(text), BTreeSet::new()));
    let future = county.entry(&charter, Some(&create), NOW + 1_000, 102, say("二"));
    let present = county.entry(&charter, Some(&future), NOW + 1, 102, say("三"));
    [&create, &future, &present].into_iter().for_each(|entry| desk.insert(2, entry));
    assert_eq!(desk.view.versions(&create.id(), NOW + 1).len(), 2);
    let fields = |time| desk.record(create.id(), time).map(|record| record.fields);
    assert_eq!(fields(NOW + 1), Some(title("三")));
    assert_eq!(fields(NOW + 1_000), Some(title("三")), "log order decides, not the clock");
}

#[test]
fn what_cannot_be_read_is_set_aside_and_the_log_goes_on() {
    let (charter, _, county) = world();
    let mut desk = Desk::of(&charter);
    let garbage = county.entry(&charter, None, NOW, 102, vec![9; 40]);
    let unknown = body(Statement::create([0; 16], 9, None, title("新类别")));
    let unknown = county.entry(&charter, Some(&garbage), NOW, 9_999, unknown);
    desk.insert(2, &garbage);
    desk.insert(2, &unknown);
    assert_eq!(desk.view.aside().values().collect::<Vec<_>>(), [&Aside::Quarantined]);
    assert_eq!(desk.record(unknown.id(), NOW).map(|record| record.kind), Some(9_999));
}

#[test]
fn of_two_creates_that_restate_one_entry_the_first_in_log_order_does_whichever_came_first() {
    let (charter, _, county) = world();
    let lost = EntryId([7; 32]);
    let restate = |text| Statement { origin: Some(lost), ..Statement::create([0; 16], 1, None, title(text)) };
    let first = county.entry(&charter, None, NOW, 102, body(restate("一")));
    let second = county.entry(&charter, Some(&first), NOW, 102, body(restate("二")));
    for order in [[&first, &second], [&second, &first]] {
        let mut desk = Desk::of(&charter);
        order.into_iter().for_each(|entry| desk.insert(2, entry));
        assert_eq!(desk.view.restated(&lost), Some(first.id()));
    }
}

#[test]
fn an_erased_create_keeps_its_label_and_its_number_is_free() {
    let (charter, _, county) = world();
    let create = |text| body(Statement::create([0; 16], 1, Some("XQ001".into()), title(text)));
    let first = county.entry(&charter, None, NOW, 102, create("一"));
    let second = county.entry(&charter, Some(&first), NOW, 102, create("二"));
    let mut desk = Desk::of(&charter);
    desk.view.insert_erased(Place { log: 1, sequence: 0 }, &first.without_body(), true);
    desk.insert(2, &second);
    assert!(desk.view.is_erased(&first.id()));
    assert_eq!(desk.view.label(&second.id()).map(|label| label.to_string()), Some("2-2".into()));
    assert_eq!(desk.view.by_external(MemberNumber(2), 102, "XQ001"), Some(second.id()));
    assert_eq!(desk.view.list(None, None).collect::<Vec<_>>(), [second.id()]);
}

#[test]
fn the_heir_of_a_record_speaks_after_its_author_and_the_author_no_longer() {
    let (mut charter, secretariat, county) = world();
    let create = county.entry(&charter, None, NOW, 102, body(Statement::create([0; 16], 1, None, title("一"))));
    let say = |text| body(Statement::revise([0; 16], 1, create.id(), title(text), BTreeSet::new()));
    let early = secretariat.entry(&charter, None, NOW, 102, say("尚未接手"));
    let own = county.entry(&charter, Some(&create), NOW, 102, say("二"));
    secretariat.expel(&mut charter, &county, None);
    let reason = String::new();
    let given = crate::charter::Operation::Reassign { from: MemberNumber(2), to: MemberNumber(1), reason };
    secretariat.try_append(&mut charter, vec![given]).expect("the records of a former member can be given");
    let late = county.entry(&charter, Some(&own), NOW, 102, say("已经移交"));
    let heir = secretariat.entry(&charter, Some(&early), NOW, 102, say("三"));
    let mut desk = Desk::of(&charter);
    // The heir's log has the lower number; that its turn comes later is what counts.
    for (member, entry) in [(1, &early), (1, &heir), (2, &create), (2, &own), (2, &late)] {
        desk.insert(member, entry);
    }
    assert_eq!(desk.record(create.id(), NOW).map(|record| record.fields), Some(title("三")));
    let versions: Vec<EntryId> = desk.view.versions(&create.id(), NOW).iter().map(|version| version.entry).collect();
    assert_eq!(versions, [create.id(), own.id(), heir.id()]);
    assert_eq!(desk.view.aside().values().collect::<Vec<_>>(), [&Aside::NotOwner, &Aside::NotOwner]);
}
