//! Every bound of the protocol, in one place.
//!
//! Bounds on signed things are rules: breaking one makes the thing invalid, for everybody and for ever.
//! Bounds on messages and queues only protect the receiver: they delay and shed, and never decide validity.

/// Longest body of an entry, in bytes (DESIGN 3.4).
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Random bytes that open every body, so that the hash of an erased body reveals nothing.
pub const BODY_NONCE_BYTES: usize = 16;
/// Longest canonical charter block without its signatures, in bytes.
pub const BLOCK_BYTES_MAX: usize = 256 * 1024;
/// Most operations in one charter block.
pub const BLOCK_OPERATIONS_MAX: usize = 1_024;
/// Most signatures beside one charter block: a ballot of every member.
pub const BLOCK_SIGNATURES_MAX: usize = MEMBERS_MAX;
/// Fewest voting members that can decide by ballot: below it a federation has registrars and no assembly.
pub const ASSEMBLY_MEMBERS_MIN: usize = 3;
/// Most registrars that the charter can name.
pub const REGISTRARS_MAX: usize = 64;
/// Most seats that were ever granted.
pub const SEATS_MAX: usize = 65_536;
/// Longest ground of a decision, in bytes of UTF-8.
pub const REASON_BYTES_MAX: usize = 1_024;
/// Most entries that one erasure can name.
pub const ERASURE_TARGETS_MAX: usize = 512;
/// Most erasures that one acknowledgement can name.
pub const ACKNOWLEDGED_MAX: usize = 1_024;
/// Longest block that fits into a proposal, in bytes: the body of an entry without nonce, layout and length.
pub const PROPOSED_BLOCK_BYTES_MAX: usize = BODY_BYTES_MAX - BODY_NONCE_BYTES - 64;
/// Entries of one log that are kept though they are of another branch, because a seal may come back to them.
pub const DISPLACED_PER_LOG_MAX: usize = 65_536;
/// Most members of one federation.
pub const MEMBERS_MAX: usize = 20_000;
/// Most keys that one admission or one member can hold, over its whole life.
pub const KEYS_PER_MEMBER_MAX: usize = 256;
/// Longest name of a federation or a member, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 256;
/// Most fields in one statement.
pub const FIELDS_MAX: usize = 256;
/// Longest `external` number of a record, in bytes of UTF-8.
pub const EXTERNAL_BYTES_MAX: usize = 128;
/// Most elements in one list value.
pub const LIST_ELEMENTS_MAX: usize = 1_024;
/// Longest unit, code table name or code, in bytes of UTF-8.
pub const SYMBOL_BYTES_MAX: usize = 64;
/// Longest number as the author wrote it, in bytes of UTF-8.
pub const GIVEN_BYTES_MAX: usize = 128;
/// Longest file name, in bytes of UTF-8.
pub const FILE_NAME_BYTES_MAX: usize = 255;
/// Most addresses in one address entry.
pub const ADDRESSES_MAX: usize = 16;
/// Longest network address, in bytes of UTF-8.
pub const ADDRESS_BYTES_MAX: usize = 256;

/// Most keys to which one confidential document is wrapped.
pub const SEALED_WRAPS_MAX: usize = 256;
/// Most members that one confidential document names as its parties.
pub const SEALED_PARTIES_MAX: usize = 256;
/// Longest sealed value, in bytes, so that public fields fit beside it into one body.
pub const SEALED_BYTES_MAX: usize = 60 * 1024;
/// Shortest padded plaintext of a confidential document, in bytes: short texts all look alike.
pub const SEALED_PLAINTEXT_BYTES_MIN: usize = 256;
/// Most holders to which one charter operation wraps a class key, so that it fits a block that travels as an entry's
/// body while it is signed; further operations wrap it for the others.
pub const CLASS_KEY_WRAPS_MAX: usize = 512;

/// Longest reference to a lead in a token, in bytes of UTF-8.
pub const LEAD_REFERENCE_BYTES_MAX: usize = 64;
/// Longest contact in a token, in bytes of UTF-8: a name, an office and a telephone number.
pub const LEAD_CONTACT_BYTES_MAX: usize = 256;
/// Most elements that one request asks a holder to evaluate.
pub const LEAD_BATCH_MAX: usize = 64;
/// Evaluations that a holder makes for one member on one day unless the charter says otherwise. A county enters some
/// dozens of leads a week; 200 a day take in a year's book of a busy one within days, and leave somebody who tries out
/// the codes of a trade with some thousands of enterprises at it for weeks, in the figures of both holders.
pub const LEAD_EVALUATIONS_PER_DAY: u32 = 200;
/// Most evaluations that the charter can allow a member on one day at one holder.
pub const LEAD_EVALUATIONS_PER_DAY_MAX: u32 = 10_000;

/// How far ahead of the signer's clock a charter block may be dated before tools refuse to sign it (DESIGN 4.5).
pub const BLOCK_AHEAD_MS_MAX: u64 = 10 * 60 * 1_000;
/// How far ahead of its clock a node still shows an entry; anything later is stored, relayed and hidden (DESIGN 3.8).
pub const CLOCK_TOLERANCE_MS: u64 = 2 * 60 * 1_000;

/// Entries of one log that wait for a predecessor.
pub const STAGED_PER_LOG_MAX: usize = 256;
/// Entries of all logs together that wait for a predecessor.
pub const STAGED_MAX: usize = 8_192;
/// Bytes of bodies that wait for a predecessor, over all logs.
pub const STAGED_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Records that a change is said to touch one by one; beyond it, everything is touched.
pub const TOUCHED_RECORDS_MAX: usize = 65_536;
/// Bodies that a view's positions name as missing; where more are missing, whoever comes back looks at everything.
pub const POSITIONS_MISSING_MAX: usize = 1_024;

/// Longest frame on a sync stream, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A chunk of entries is closed when its uncompressed payload passes this many bytes.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// Largest uncompressed payload that a chunk may claim, in bytes: one full chunk and one body beyond it.
pub const CHUNK_BYTES_MAX: usize = CHUNK_BYTES + BODY_BYTES_MAX + 4_096;
/// Most spans in one range request.
pub const SPANS_PER_REQUEST_MAX: usize = 256;
/// Most entries that one range request may ask for.
pub const ENTRIES_PER_REQUEST_MAX: u64 = 4_096;
/// Range requests to one peer that may be unanswered at a time (DESIGN 5.4).
pub const REQUESTS_IN_FLIGHT_MAX: usize = 2;
/// Positions probed in one step of a bisection.
pub const PROBES_PER_STEP: u64 = 16;
/// Bytes of charter blocks in one message, after which the receiver asks again.
pub const BLOCKS_MESSAGE_BYTES: usize = 1024 * 1024;
/// Fork proofs in one message. There is one proof per signing key, and the charter bounds the keys.
pub const PROOFS_PER_MESSAGE_MAX: usize = 4_096;
/// Messages with fork proofs that one side may send in a session.
pub const PROOFS_MESSAGES_MAX: u32 = 64;
/// Messages that one sync session may exchange before it is ended; the next session goes on where it stopped.
pub const SESSION_MESSAGES_MAX: u64 = 200_000;

/// Longest gossip message, in bytes: header, signature and a body of up to [`GOSSIP_BODY_BYTES_MAX`].
pub const GOSSIP_BYTES_MAX: usize = 16 * 1024;
/// A longer body is announced by its header and fetched (DESIGN 5.1).
pub const GOSSIP_BODY_BYTES_MAX: usize = 8 * 1024;
/// Heads in the claim of an audit bundle: logs of a federation that hold an entry that counts.
pub const CLAIM_HEADS_MAX: usize = 65_536;

/// Heads in one health beacon; the rest follows in the next one.
pub const BEACON_HEADS_MAX: usize = 512;
/// Longest frame on a stream of beacons, in bytes.
pub const RELAY_FRAME_BYTES_MAX: usize = 64 * 1024;
/// Ids of beacons in one offer or request.
pub const RELAY_IDS_MAX: usize = 2_048;
/// Beacons that may be awaited from one partner, and ids of which it is remembered that it has them.
pub const RELAY_WANTED_MAX: usize = 4_096;

/// Candidates whose texts are compared: the best by everything else. Part of what a match is (SPEC, section 20).
pub const MATCH_TEXT_CANDIDATES: usize = 1_000;
/// Candidates that are read again at a time, until no further one can come among those that are shown.
pub const MATCH_READ_RECORDS: usize = 128;
/// Most matches of one answer.
pub const MATCH_FOUND_MAX: usize = 200;
/// Excluded candidates that an answer lists; beyond them they are counted only.
pub const MATCH_EXCLUDED_LISTED_MAX: usize = 100;
/// Industries of one record that are compared.
pub const MATCH_INDUSTRIES_MAX: usize = 8;
/// Industries of one record that it rules out.
pub const MATCH_RULED_OUT_MAX: usize = 4;
/// Divisions that one record wants beside named regions.
pub const MATCH_TARGETS_MAX: usize = 2;
/// Characters of a record's texts that are compared.
pub const MATCH_TEXT_CHARACTERS_MAX: usize = 4_000;
/// Records that are looked at in one piece, so that pieces can be shared among processors.
pub const MATCH_CHUNK_RECORDS: usize = 16_384;

/// Records of one kind by which one member may name another member's record and be looked at when that is judged: the
/// first that it created. A project has a handful of commitments, a fund a few dozen cases.
pub const LINKS_PER_STRANGER_MAX: usize = 64;

/// Records of one sort that a survey names beside their number.
pub const SURVEY_SHOWN_MAX: usize = 20;
/// Lines of one survey.
pub const SURVEY_LINES_MAX: usize = 1_000;
/// Records that a draft of a pooled need names.
pub const POOL_SOURCES_MAX: usize = 400;

/// Periods before the present one that are looked at for a duty: five years of months, more than a year of weeks.
pub const DUTY_PERIODS_BACK_MAX: usize = 60;
/// Records that are named as evidence of one duty in one period; all of them are counted.
pub const DUTY_EVIDENCE_MAX: usize = 3;
