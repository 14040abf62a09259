//! When a node may sign after a start (DESIGN 3.7): its disk alone cannot prove where its log ends.
//!
//! How many members it must hear from depends on what the disk says of itself. Times are in milliseconds.

/// Members that must confirm the head of the own log before a node signs whose disk proves nothing.
pub const CONFIRMATIONS: usize = 3;
/// How long such a node of a small federation waits for further members once it has heard from all that it can reach.
pub const CONFIRMATION_GRACE_MS: u64 = 30_000;
/// How long a node whose journal is sound waits to hear from one member.
pub const SOUND_GRACE_MS: u64 = 5_000;

/// How careful a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caution {
    /// The journal is sound, in the place where it was written: one member, or a few seconds without any.
    Sound,
    /// A first start: nothing was ever signed here.
    First,
    /// The journal is lost or behind, in the place where it was written.
    JournalLost,
    /// The directory may be a copy or a backup, or nothing is left of what was signed.
    Doubtful,
}

/// Whether a node has heard enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enough {
    /// It may sign.
    Yes,
    /// It has to wait.
    No,
    /// It may sign if every member with whom it is connected has confirmed.
    IfAllConnected,
}

/// Whether a node of that caution may sign, after so many of the `others` confirmed the head of its log.
pub fn enough(caution: Caution, others: usize, confirmed: usize, waited_ms: u64) -> Enough {
    let is = |enough: bool| if enough { Enough::Yes } else { Enough::No };
    match caution {
        Caution::Sound => is(confirmed > 0 || others == 0 || waited_ms >= SOUND_GRACE_MS),
        Caution::First => is(confirmed > 0 || others == 0),
        // The store of the only member there is holds whatever was acknowledged.
        Caution::JournalLost if others == 0 => Enough::Yes,
        Caution::Doubtful if others == 0 => Enough::No,
        Caution::JournalLost | Caution::Doubtful => {
            let small = others <= CONFIRMATIONS && waited_ms >= CONFIRMATION_GRACE_MS && confirmed > 0;
            match confirmed >= CONFIRMATIONS.min(others) {
                true => Enough::Yes,
                false if small => Enough::IfAllConnected,
                false => Enough::No,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_proves_nothing_needs_three_members_or_all_of_a_few() {
        for caution in [Caution::JournalLost, Caution::Doubtful] {
            assert_eq!(enough(caution, 9, 2, u64::MAX), Enough::No);
            assert_eq!(enough(caution, 9, 3, 0), Enough::Yes);
            assert_eq!(enough(caution, 2, 1, 0), Enough::No);
            assert_eq!(enough(caution, 2, 1, CONFIRMATION_GRACE_MS), Enough::IfAllConnected);
            assert_eq!(enough(caution, 2, 2, 0), Enough::Yes);
        }
        assert_eq!(
            (enough(Caution::JournalLost, 0, 0, 0), enough(Caution::Doubtful, 0, 0, 0)),
            (Enough::Yes, Enough::No)
        );
    }

    #[test]
    fn a_sound_journal_waits_a_few_seconds_and_a_first_start_for_a_member() {
        assert_eq!(enough(Caution::Sound, 9, 0, 0), Enough::No);
        assert_eq!(enough(Caution::Sound, 9, 0, SOUND_GRACE_MS), Enough::Yes);
        assert_eq!(
            (enough(Caution::First, 9, 0, u64::MAX), enough(Caution::First, 9, 1, 0)),
            (Enough::No, Enough::Yes)
        );
    }
}
