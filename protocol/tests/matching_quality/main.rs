//! How good matching is, on labelled pairs, beside what one has without it.

mod measure;
mod methods;
mod set;

use measure::{Quality, measure};
use set::{LabelledSet, Split};

#[test]
fn look_at_tuning() {
    let set = LabelledSet::load();
    let (whole, families) = measure(&set, Split::Tuning, methods::ours);
    let show = |name: &str, quality: &Quality| {
        println!(
            "{name:24} {:3} {:.3} missed {} wrong {}",
            quality.subjects,
            quality.ndcg(),
            quality.missed,
            quality.wrong
        );
    };
    show("tuning", &whole);
    families.iter().for_each(|(name, quality)| show(name, quality));
    show("filters", &measure(&set, Split::Tuning, methods::filters_only).0);
    show("text", &measure(&set, Split::Tuning, methods::text_only).0);
    for (subject, pairs) in set.by_subject(Split::Tuning) {
        let ranking = methods::ours(&set, &subject);
        let mut shown: Vec<_> = pairs
            .iter()
            .map(|pair| {
                let place = ranking.found.iter().position(|id| *id == pair.candidate);
                (place.unwrap_or(9_999), ranking.excluded.contains(&pair.candidate), *pair)
            })
            .collect();
        shown.sort_by_key(|(place, ..)| *place);
        println!("== {} {}", pairs[0].family, pairs[0].names.0);
        for (place, excluded, pair) in shown {
            println!(
                "   {place:5} {} grade {} {} {}",
                if excluded { "EXCL" } else { "    " },
                pair.grade,
                if pair.excluded { "excl" } else { "" },
                pair.names.1
            );
        }
    }
}
