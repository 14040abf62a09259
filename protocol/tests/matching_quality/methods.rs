//! Three ways to rank what could fit: ours, and the two that one has without it.

use std::collections::{BTreeMap, BTreeSet};

use protocol::identity::EntryId;
use protocol::kind::KindSet;
use protocol::kind::normalise_header;
use protocol::limits::MATCH_FOUND_MAX;
use protocol::matching::{Question, Rules, texts_of};

use crate::set::{LabelledSet, today_ms};

/// What a method found for a subject, the best first, and what it excluded.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    pub found: Vec<EntryId>,
    pub excluded: BTreeSet<EntryId>,
}

/// Ours. Each kind is asked for by itself, so that no limit cuts anything off.
pub fn ours(set: &LabelledSet, subject: &EntryId) -> Ranking {
    let rules = Rules::builtin();
    let profile = set.catalogue.get(subject).expect("subjects can be matched");
    let (mut ranked, mut excluded) = (Vec::new(), BTreeSet::new());
    for kind in rules.partners(profile.kind()) {
        let question = Question {
            subject: profile,
            kinds: &[kind],
            as_of_ms: today_ms(),
            limit: MATCH_FOUND_MAX,
            list_excluded: true,
        };
        let answer = set.catalogue.matches(rules, &question, &mut |ids| set.read(ids));
        let answer = answer.unwrap_or_else(|why| panic!("{:?}: {why}", set.records[subject].external));
        ranked.extend(answer.found.iter().map(|found| (std::cmp::Reverse(found.rate), found.id)));
        excluded.extend(answer.excluded.iter().map(|excluded| excluded.id));
    }
    ranked.sort();
    Ranking { found: ranked.into_iter().map(|(_, id)| id).collect(), excluded }
}

/// Kinds and hard conditions only, the newest first.
pub fn filters_only(set: &LabelledSet, subject: &EntryId) -> Ranking {
    let Ranking { mut found, excluded } = ours(set, subject);
    found.sort_by_key(|id| std::cmp::Reverse(set.records[id].created_ms));
    Ranking { found, excluded }
}

/// What searching for the subject's own words finds: pairs of characters ranked by BM25, over the kinds that could fit.
pub fn text_only(set: &LabelledSet, subject: &EntryId) -> Ranking {
    /// The usual constants.
    const K1: f64 = 1.2;
    const B: f64 = 0.75;
    let kinds = Rules::builtin().partners(set.records[subject].kind);
    let documents: BTreeMap<EntryId, Vec<(char, char)>> = set
        .records
        .values()
        .filter(|record| kinds.contains(&record.kind) && record.id != *subject)
        .map(|record| (record.id, bigrams(&texts_of(Rules::builtin(), KindSet::builtin(), record))))
        .collect();
    let mut frequency: BTreeMap<(char, char), f64> = BTreeMap::new();
    for document in documents.values() {
        let distinct: BTreeSet<_> = document.iter().copied().collect();
        distinct.into_iter().for_each(|pair| *frequency.entry(pair).or_default() += 1.0);
    }
    let count = documents.len() as f64;
    let mean = documents.values().map(Vec::len).sum::<usize>() as f64 / count.max(1.0);
    let asked: BTreeSet<_> =
        bigrams(&texts_of(Rules::builtin(), KindSet::builtin(), &set.records[subject])).into_iter().collect();
    let score = |document: &Vec<(char, char)>| -> f64 {
        let length = document.len() as f64;
        let of = |pair: &(char, char)| {
            let often = document.iter().filter(|found| *found == pair).count() as f64;
            let in_documents = frequency.get(pair).copied().unwrap_or_default();
            let rare = (1.0 + (count - in_documents + 0.5) / (in_documents + 0.5)).ln();
            rare * often * (K1 + 1.0) / (often + K1 * (1.0 - B + B * length / mean))
        };
        asked.iter().map(of).sum()
    };
    let mut ranked: Vec<(f64, EntryId)> = documents.iter().map(|(id, document)| (score(document), *id)).collect();
    ranked.retain(|(score, _)| *score > 0.0);
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    Ranking { found: ranked.into_iter().map(|(_, id)| id).collect(), excluded: BTreeSet::new() }
}

fn bigrams(texts: &[String]) -> Vec<(char, char)> {
    let mut pairs = Vec::new();
    for text in texts {
        let characters: Vec<char> = normalise_header(text).chars().collect();
        pairs.extend(characters.windows(2).map(|pair| (pair[0], pair[1])));
    }
    pairs
}
