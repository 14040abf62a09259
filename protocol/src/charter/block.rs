//! Charter blocks: layout, hash, and the signatures beside them (DESIGN 4.1).
//!
//! The hash leaves the signatures out, so any set of signers that reaches the threshold serves.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;

use super::operation::Operation;
use crate::bytes::{LayoutError, Reader, put_count};
use crate::identity::{BlockHash, Domain, FederationId, PublicKey, Signature, public_key, sign, verify};
use crate::limits::{BLOCK_BYTES_MAX, BLOCK_OPERATIONS_MAX, BLOCK_SIGNATURES_MAX};

const BLOCK_LAYOUT: u8 = 1;
const SUITE_ED25519_BLAKE3: u8 = 1;

/// One link of the charter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// 1 in the genesis block, one more in each that follows.
    pub version: u32,
    /// Hash of the block before it; zero in the genesis block.
    pub previous: BlockHash,
    /// When it was made, in milliseconds since 1970 (UTC); never before the block before it.
    pub time_ms: u64,
    /// When a node that has nothing newer begins to warn, in milliseconds since 1970 (UTC).
    pub expires_ms: u64,
    /// What it does, in order.
    pub operations: Vec<Operation>,
}

impl Block {
    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![BLOCK_LAYOUT, SUITE_ED25519_BLAKE3];
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(self.previous.as_bytes());
        out.extend_from_slice(&self.time_ms.to_le_bytes());
        out.extend_from_slice(&self.expires_ms.to_le_bytes());
        put_count(&mut out, self.operations.len());
        self.operations.iter().for_each(|operation| operation.encode(&mut out));
        out
    }

    /// Reads the canonical bytes to their end.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        if bytes.len() > BLOCK_BYTES_MAX {
            let (found, bound) = (bytes.len() as u64, BLOCK_BYTES_MAX as u64);
            return Err(LayoutError::Bound { field: "block length", found, bound });
        }
        let mut reader = Reader::new(bytes);
        let block = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(block)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        if reader.u8("block layout")? != BLOCK_LAYOUT {
            return Err(LayoutError::Rule { field: "block layout", rule: "must be 1" });
        }
        if reader.u8("block suite")? != SUITE_ED25519_BLAKE3 {
            return Err(LayoutError::Rule { field: "block suite", rule: "must be 1" });
        }
        let version = reader.u32("block version")?;
        let previous = BlockHash(reader.array("previous block")?);
        let time_ms = reader.u64("block time")?;
        let expires_ms = reader.u64("block expiry")?;
        let count = reader.count(BLOCK_OPERATIONS_MAX, "operations")?;
        let operations = (0..count).map(|_| Operation::read(reader)).collect::<Result<_, _>>()?;
        Ok(Self { version, previous, time_ms, expires_ms, operations })
    }

    /// BLAKE3 of the canonical bytes.
    pub fn hash(&self) -> BlockHash {
        BlockHash(*blake3::hash(&self.encode()).as_bytes())
    }
}

/// A block with the signatures of governance keys, in ascending order of key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBlock {
    block: Block,
    hash: BlockHash,
    signatures: BTreeMap<PublicKey, Signature>,
}

impl SignedBlock {
    /// A block that nobody has signed yet.
    ///
    /// Errors when it breaks a bound or rule of its layout, so that no registrar signs what no reader accepts.
    pub fn unsigned(block: Block) -> Result<Self, LayoutError> {
        if block.operations.len() > BLOCK_OPERATIONS_MAX {
            let (found, bound) = (block.operations.len() as u64, BLOCK_OPERATIONS_MAX as u64);
            return Err(LayoutError::Bound { field: "operations", found, bound });
        }
        let signed = Self { hash: block.hash(), block, signatures: BTreeMap::new() };
        // A length that does not fit its field would read back as something else.
        match Self::decode(&signed.encode())? {
            back if back == signed => Ok(signed),
            _ => Err(LayoutError::Rule { field: "block", rule: "must read back as it was written" }),
        }
    }

    /// Adds the signature of `key`. `federation` is zero for the genesis block.
    pub fn sign(&mut self, key: &SigningKey, federation: &FederationId) {
        let signature = sign(key, Domain::Block, &self.domain_federation(federation), self.hash.as_bytes());
        self.signatures.insert(public_key(key), signature);
    }

    /// Adds a signature that was made elsewhere.
    pub fn add_signature(&mut self, key: PublicKey, signature: Signature) {
        self.signatures.insert(key, signature);
    }

    /// Lets go of signatures that do not hold.
    pub fn keep_valid(&mut self, federation: &FederationId) {
        let valid = self.signers(federation);
        self.signatures.retain(|key, _| valid.contains(key));
    }

    /// Every signature, by key.
    pub fn signatures(&self) -> &BTreeMap<PublicKey, Signature> {
        &self.signatures
    }

    /// The keys whose signatures hold.
    pub fn signers(&self, federation: &FederationId) -> Vec<PublicKey> {
        let federation = self.domain_federation(federation);
        let holds = |key: &PublicKey, signature: &Signature| {
            verify(key, Domain::Block, &federation, self.hash.as_bytes(), signature)
        };
        self.signatures.iter().filter(|(key, signature)| holds(key, signature)).map(|(key, _)| *key).collect()
    }

    /// The genesis block is signed before the federation has an id.
    fn domain_federation(&self, federation: &FederationId) -> FederationId {
        if self.block.version == 1 { FederationId::ZERO } else { *federation }
    }

    /// The canonical form: length of the block, the block, count of signatures, each key with its signature.
    pub fn encode(&self) -> Vec<u8> {
        let block = self.block.encode();
        let mut out = (block.len() as u32).to_le_bytes().to_vec();
        out.extend_from_slice(&block);
        put_count(&mut out, self.signatures.len());
        for (key, signature) in &self.signatures {
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(signature.as_bytes());
        }
        out
    }

    /// Reads the canonical form to its end. Signatures are not verified here.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(bytes);
        let length = reader.u32("block length")? as usize;
        if length > BLOCK_BYTES_MAX {
            let (found, bound) = (length as u64, BLOCK_BYTES_MAX as u64);
            return Err(LayoutError::Bound { field: "block length", found, bound });
        }
        let block = Block::decode(reader.bytes(length, "block")?)?;
        let mut signatures = BTreeMap::new();
        for _ in 0..reader.count(BLOCK_SIGNATURES_MAX, "block signatures")? {
            let key = PublicKey(reader.array("signer")?);
            if signatures.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(LayoutError::Rule { field: "signer", rule: "must be in strictly ascending order" });
            }
            signatures.insert(key, Signature(reader.array("block signature")?));
        }
        reader.finish()?;
        Ok(Self { hash: block.hash(), block, signatures })
    }

    /// The block.
    pub fn block(&self) -> &Block {
        &self.block
    }

    /// Its hash.
    pub fn hash(&self) -> BlockHash {
        self.hash
    }
}
