//! The last step before a statement is signed: what is for some readers only is sealed for them.

use std::collections::{BTreeMap, BTreeSet};

use protocol::sealed::{Context, Readers, SealRequest, seal};
use protocol::statement::FIELD_SEALED;
use protocol::value::Value;

use super::error::RecordError;
use super::prepare::{Author, Prepared};
use crate::confidential;
use crate::core::{Core, now_ms};

/// What is to become of a statement that was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settled {
    /// It goes as it is.
    AsItIs,
    /// Fields of its record are sealed for these readers, all of them or the confidential ones.
    Seal {
        /// The readers.
        readers: Readers,
        /// What is sealed: all confidential fields of the record, as they will be.
        sealed: BTreeMap<u16, Value>,
        /// What is set in clear.
        set: BTreeMap<u16, Value>,
        /// Fields that stood in clear until now.
        cleared: BTreeSet<u16>,
    },
    /// Nothing of its record is sealed from now on.
    Clear {
        /// What is set.
        set: BTreeMap<u16, Value>,
        /// What is cleared.
        cleared: BTreeSet<u16>,
    },
}

/// Puts the statement into the form in which it leaves.
pub(super) fn carry_out(
    core: &Core,
    author: &Author<'_>,
    mut prepared: Prepared,
    settled: Settled,
) -> Result<Prepared, RecordError> {
    match settled {
        Settled::AsItIs => return Ok(prepared),
        Settled::Clear { set, cleared } => {
            prepared.statement.cleared = cleared;
            prepared.statement.fields = set;
        }
        Settled::Seal { readers, sealed, set, cleared } => {
            let recipients = core
                .read(|state| confidential::recipients(state.replica.charter(), &readers, author.member, now_ms()))?;
            let context = Context::of(&core.federation(), author.member, prepared.kind, &prepared.statement);
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(|_| RecordError::Randomness)?;
            let request = SealRequest { context, readers, recipients: &recipients, fields: &sealed };
            let value = Value::Sealed(seal(&request, &seed).map_err(RecordError::Sealing)?);
            prepared.statement.cleared = cleared;
            prepared.statement.fields = set;
            prepared.statement.fields.insert(FIELD_SEALED, value);
        }
    }
    prepared.body = prepared.statement.encode()?;
    Ok(prepared)
}
