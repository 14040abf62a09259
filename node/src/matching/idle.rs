//! Funds that lie idle, paired with the projects and needs of money that fit them best (F043 of the requirements).

use super::Shelf;
use super::ask::recommendations;
use crate::api::types::{IdleFund, IdleFundFit, IdleFundsView, MatchPart, MatchView};
use crate::core::Core;

/// What is told of each fund when the caller does not say.
pub const FITS: usize = 3;
/// Most that is told of each fund.
pub const FITS_MAX: usize = 20;
/// Funds for which one answer looks for what fits: those that have been idle longest.
const FUNDS_PAIRED_MAX: usize = 20;
/// Reasons that are told of each.
const REASONS_MAX: usize = 3;

/// Adds what fits to the funds that have been idle longest. Blocks: it reads bodies from the disk.
pub fn pair(core: &Core, shelf: &Shelf, view: &mut IdleFundsView, fits: usize) {
    view.matching_complete = shelf.is_complete();
    if fits == 0 {
        return;
    }
    for fund in view.idle.iter_mut().take(FUNDS_PAIRED_MAX) {
        view.paired += 1;
        pair_one(core, shelf, fund, fits);
    }
}

fn pair_one(core: &Core, shelf: &Shelf, fund: &mut IdleFund, fits: usize) {
    match recommendations(core, shelf, Some(&fund.fund.id), fits) {
        Ok(found) => {
            let matches = found.funds.into_iter().filter_map(|found| found.matches);
            fund.fits = matches.flat_map(|matches| matches.found).map(fit).collect();
        }
        Err(error) => (fund.unmatched_zh, fund.unmatched_en) = (Some(error.zh()), Some(error.to_string())),
    }
}

/// A match with the reasons that add most to it; what is not known is no reason.
fn fit(found: MatchView) -> IdleFundFit {
    let mut known: Vec<&MatchPart> = found.parts.iter().filter(|part| part.value.is_some() && part.part > 0).collect();
    known.sort_by_key(|part| std::cmp::Reverse(part.part));
    known.truncate(REASONS_MAX);
    IdleFundFit {
        reasons_zh: known.iter().map(|part| part.reason_zh.clone()).collect(),
        reasons_en: known.iter().map(|part| part.reason_en.clone()).collect(),
        record: found.record,
        score: found.score,
    }
}
