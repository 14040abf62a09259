//! `toolkit`: which of the 14 items of the county toolkit “八库两清单两册一图一指南” a county has (F025 of the
//! requirements). What the items are stands in `items.toml`.
//!
//! An item is there when the county published it among its resources, or records of the kind that makes it up. The three
//! libraries of persons never leave the county's own node, so that only this node can count them.

use std::collections::BTreeSet;

use clap::Args;
use node::api::types::{CharterView, LocalList, RecordList};
use protocol::kind::Kind;
use serde::{Deserialize, Serialize};

use super::statements;
use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::home;
use crate::time;

/// The items.
const ITEMS: &str = include_str!("items.toml");
/// Resources of the toolkit have categories that hold these characters.
const CATEGORY: &str = "工具包";
/// The kinds that hold resources and contacts.
const RESOURCE: &str = "resource";
const CONTACT: &str = "contact";
/// Records in one answer.
const PAGE: usize = 500;

/// Arguments of `toolkit`.
#[derive(Debug, Args)]
pub struct ToolkitArguments {
    /// 县的行政区划代码（GB/T 2260），例如 500236。
    /// The county's division code (GB/T 2260), for instance 500236
    #[arg(value_name = "DIVISION_CODE")]
    division_code: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Items {
    item: Vec<Item>,
}

/// An item of the toolkit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    /// 库, 清单, 册, 图 or 指南.
    part: String,
    /// Its Chinese name.
    name: String,
    /// Its English name.
    en: String,
    /// Records that make it up.
    records: Option<Records>,
    /// Of a library of persons, the category of the contacts in it.
    people: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Records {
    kind: String,
    #[serde(rename = "where")]
    condition: Option<String>,
}

/// What a county has of its toolkit.
#[derive(Debug, Serialize)]
struct Report {
    division_code: String,
    /// Items that it has.
    have: usize,
    /// Items that there are.
    of: usize,
    /// Names of those that it has not.
    missing: Vec<String>,
    /// The time of the answer.
    as_of_ms: u64,
    /// Whether this is the county's own node, which alone can count the libraries of persons.
    own_node: bool,
    items: Vec<Found>,
}

/// What was found of an item.
#[derive(Debug, Serialize)]
struct Found {
    part: String,
    name: String,
    en: String,
    present: bool,
    /// Labels of the resources that are the item.
    resources: Vec<String>,
    /// Records of the kind that makes it up.
    records: usize,
    /// Documents of this node.
    local: usize,
    /// Whether it is a library of persons.
    personal: bool,
}

/// Says what is there and what is missing.
pub fn perform(context: &Context, arguments: &ToolkitArguments) -> Result<(), Failure> {
    let client = context.client()?;
    let county = County::find(context, &client, &arguments.division_code)?;
    let found = items()?.into_iter().map(|item| county.look_for(&client, item)).collect::<Result<Vec<_>, _>>()?;
    let missing: Vec<String> = found.iter().filter(|item| !item.present).map(|item| item.name.clone()).collect();
    let report = Report {
        division_code: county.code,
        have: found.len() - missing.len(),
        of: found.len(),
        missing,
        as_of_ms: time::now_ms(),
        own_node: county.local.is_some(),
        items: found,
    };
    context.out.json(&report);
    say(context, &report);
    Ok(())
}

fn items() -> Result<Vec<Item>, Failure> {
    toml::from_str::<Items>(ITEMS).map(|items| items.item).map_err(Failure::internal)
}

/// A county, and what is needed to look for its items.
struct County {
    code: String,
    /// Members of that division.
    members: BTreeSet<u32>,
    /// Resources of its toolkit: label and name.
    resources: Vec<(String, String)>,
    /// The documents of this node, if the county runs it.
    local: Option<LocalList>,
}

impl County {
    fn find(context: &Context, client: &Client, code: &str) -> Result<Self, Failure> {
        let conditions = [format!("division_code={code}"), format!("category~{CATEGORY}")];
        let listed = certain(client, statements::kind(RESOURCE)?, &conditions, None)?;
        let charter: CharterView = client.get("/v1/charter", &[])?;
        let members = charter.members.iter().filter(|member| member.region == code).map(|member| member.number);
        let profile = context.directory()?.profile().map_err(|error| home::directory_failure(&error))?;
        let local = (profile.region == code).then(|| client.get("/v1/local", &[])).transpose()?;
        Ok(Self { code: code.to_owned(), members: members.collect(), resources: listed, local })
    }

    fn look_for(&self, client: &Client, item: Item) -> Result<Found, Failure> {
        let resources = self.resources.iter().filter(|(_, title)| title.contains(&item.name));
        let resources: Vec<String> = resources.map(|(label, _)| label.clone()).collect();
        let records = item.records.as_ref().map_or(Ok(0), |records| self.count(client, records))?;
        let local = self.local.as_ref().map_or(0, |list| kept(list, &item));
        let present = !resources.is_empty() || records > 0 || local > 0;
        let Item { part, name, en, people, .. } = item;
        Ok(Found { part, name, en, present, resources, records, local, personal: people.is_some() })
    }

    /// The county's records that make an item up: by division where they say it, else by who owns them.
    fn count(&self, client: &Client, records: &Records) -> Result<usize, Failure> {
        let kind = statements::kind(&records.kind)?;
        let mut conditions: Vec<String> = records.condition.iter().cloned().collect();
        if kind.field_named("division_code").is_some() {
            conditions.push(format!("division_code={}", self.code));
            return certain(client, kind, &conditions, None).map(|records| records.len());
        }
        let counts = self.members.iter().map(|owner| Ok(certain(client, kind, &conditions, Some(*owner))?.len()));
        counts.sum()
    }
}

/// Documents of this node that make an item up: the resource itself, which may not leave, or persons.
fn kept(list: &LocalList, item: &Item) -> usize {
    let is_item = |document: &&node::api::types::LocalDocument| match document.kind.as_str() {
        RESOURCE => document.title.contains(&item.name),
        CONTACT => item.people.as_ref().is_some_and(|people| {
            document.fields.get("category").is_some_and(|category| category.contains(people.as_str()))
        }),
        _ => false,
    };
    list.documents.iter().filter(is_item).count()
}

/// Labels and titles of the records that certainly fit: one that does not say is of no county.
fn certain(
    client: &Client,
    kind: &Kind,
    conditions: &[String],
    owner: Option<u32>,
) -> Result<Vec<(String, String)>, Failure> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", PAGE.to_string()), ("kind", kind.name().to_owned())];
        query.extend(owner.map(|owner| ("owner", owner.to_string())));
        query.extend(conditions.iter().map(|condition| ("where", condition.clone())));
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let page: RecordList = client.get("/v1/records", &query)?;
        let fitting = page.records.into_iter().filter(|listed| listed.unknown.is_empty());
        found.extend(fitting.map(|listed| (listed.record.label, listed.record.title)));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

fn say(context: &Context, report: &Report) {
    let row = |item: &Found| {
        let mut evidence = item.resources.clone();
        evidence.extend((item.records > 0).then(|| format!("记录 {} 条", item.records)));
        evidence.extend((item.local > 0).then(|| format!("本机 {} 份", item.local)));
        let mark = if item.present { "有" } else { "缺" };
        vec![item.part.clone(), item.name.clone(), mark.to_owned(), evidence.join("、")]
    };
    context.out.table(&["类", "项", "有无", "依据"], report.items.iter().map(row).collect());
    let as_of = time::show(report.as_of_ms);
    context.out.line(format!("{} {}/{}  截至 as of {as_of}", report.division_code, report.have, report.of));
    if report.missing.is_empty() {
        return;
    }
    let names =
        |name: fn(&Found) -> &str| report.items.iter().filter(|item| !item.present).map(name).collect::<Vec<_>>();
    context.out.say(
        format!("缺：{}。", names(|item| &item.name).join("、")),
        format!("Missing: {}.", names(|item| &item.en).join(", ")),
    );
    if !report.own_node && report.items.iter().any(|item| item.personal && !item.present) {
        context.out.say(
            "个人信息库不出本县节点，只有在该县自己的节点上才能清点。",
            "Libraries of persons stay on the county's own node and can be counted only there.",
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use node::api::types::LocalDocument;
    use protocol::kind::KindSet;
    use protocol::kind::filter::Filter;

    use super::*;

    #[test]
    fn the_items_are_eight_libraries_two_lists_two_handbooks_an_atlas_and_a_guide() {
        let items = items().expect("the list can be read");
        let mut parts: BTreeMap<&str, usize> = BTreeMap::new();
        items.iter().for_each(|item| *parts.entry(&item.part).or_default() += 1);
        assert_eq!(parts, BTreeMap::from([("库", 8), ("清单", 2), ("册", 2), ("图", 1), ("指南", 1)]));
        let set = KindSet::builtin();
        for Records { kind, condition } in items.iter().filter_map(|item| item.records.as_ref()) {
            let kind = set.kind_named(kind).expect("a built-in kind");
            condition.iter().for_each(|text| drop(Filter::parse(kind, text).expect("a good condition")));
        }
        let contact = set.kind_named(CONTACT).and_then(|kind| kind.field_named("category")).expect("it has one");
        for people in items.iter().filter_map(|item| item.people.as_ref()) {
            assert!(contact.suggest.contains(people), "{people} is a category of contacts");
        }
    }

    #[test]
    fn a_library_of_persons_is_its_contacts_or_the_resource_that_stayed() {
        let document = |kind: &str, title: &str, category: &str| LocalDocument {
            id: String::new(),
            kind: kind.into(),
            kind_zh: String::new(),
            external: None,
            title: title.into(),
            fields: BTreeMap::from([("category".to_owned(), category.to_owned())]),
            created_ms: 0,
            notices: Vec::new(),
        };
        let documents = vec![
            document(RESOURCE, "某县企业家资源库", "工具包-库"),
            document(CONTACT, "甲", "企业家"),
            document(CONTACT, "乙", "乡情"),
        ];
        let list = LocalList { documents, counts: BTreeMap::new() };
        let items = items().expect("the list can be read");
        let counts: Vec<usize> = items.iter().take(4).map(|item| kept(&list, item)).collect();
        assert_eq!(counts, [2, 0, 1, 0]);
    }
}
