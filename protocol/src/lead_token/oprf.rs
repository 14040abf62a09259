//! The oblivious pseudorandom function: RFC 9497, mode VOPRF, suite ristretto255-SHA512. No other file uses the library.
//!
//! Randomness comes in as a seed. What is blinded or proven goes into the derivation beside it, so that a seed used
//! twice by mistake repeats nothing but the same message.

use std::fmt;

use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use voprf::{
    BlindedElement, EvaluationElement, Group, PreparedEvaluationElement, Proof, Ristretto255, VoprfClient, VoprfServer,
};

use crate::bytes::{LayoutError, Reader};
use crate::identity::{FederationId, MemberNumber};
use crate::limits::LEAD_BATCH_MAX;

/// Bytes of an element of the group.
pub(super) const ELEMENT_BYTES: usize = 32;
/// Bytes of a proof.
pub(super) const PROOF_BYTES: usize = 64;
/// Bytes of an output of the function.
pub(super) const OUTPUT_BYTES: usize = 64;
/// What a holder's key is derived with (`DeriveKeyPair`), beside its seed.
const KEY_INFO: &[u8] = b"xianmeng/lead-holder-key/1";
/// What a holder evaluates to show that it has its key.
const POSSESSION_DOMAIN: &[u8] = b"xianmeng/lead-holder/1";

/// Why an evaluation is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OprfError {
    /// Bytes that are no element of the group, or its identity.
    #[error("the bytes are no element of the group")]
    Element,
    /// Nothing, or more than [`LEAD_BATCH_MAX`].
    #[error("a batch holds 1 to {LEAD_BATCH_MAX} elements")]
    Batch,
    /// The proof does not show that the key was used which the charter names.
    #[error("the proof does not hold for the holder's key")]
    Proof,
}

/// The public key of a holder: an element of ristretto255.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HolderPublic(#[serde(with = "hex_bytes")] pub [u8; ELEMENT_BYTES]);

impl HolderPublic {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; ELEMENT_BYTES] {
        &self.0
    }

    /// The first characters, for people.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..4])
    }

    fn element(&self) -> Result<<Ristretto255 as Group>::Elem, OprfError> {
        Ristretto255::deserialize_elem(&self.0).map_err(|_| OprfError::Element)
    }
}

impl fmt::Display for HolderPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for HolderPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HolderPublic({})", self.short())
    }
}

/// The hexadecimal form in files that people see.
mod hex_bytes {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<const N: usize, S: Serializer>(bytes: &[u8; N], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, const N: usize, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(bytes)
    }
}

/// The secret key of a holder. It is wiped when dropped, and never shown.
#[derive(Clone)]
pub struct HolderKey(VoprfServer<Ristretto255>);

impl HolderKey {
    /// The key that follows from 32 secret bytes, by `DeriveKeyPair` of RFC 9497.
    pub fn derive(seed: &[u8; 32]) -> Self {
        Self(
            VoprfServer::new_from_seed(seed, KEY_INFO)
                .expect("seed and info are short, and 256 tries do not all give 0"),
        )
    }

    /// Its public half.
    pub fn public(&self) -> HolderPublic {
        HolderPublic(Ristretto255::serialize_elem(self.0.get_public_key()).into())
    }

    /// What the key makes of blinded elements, and the proof of it.
    pub fn evaluate(&self, blinded: &[[u8; ELEMENT_BYTES]], seed: &[u8; 32]) -> Result<Evaluation, OprfError> {
        check_batch(blinded.len())?;
        let read = |bytes: &[u8; ELEMENT_BYTES]| BlindedElement::<Ristretto255>::deserialize(bytes);
        let elements = blinded.iter().map(read).collect::<Result<Vec<_>, _>>().map_err(|_| OprfError::Element)?;
        let parts: Vec<&[u8]> = blinded.iter().map(<[u8; ELEMENT_BYTES]>::as_slice).collect();
        let mut random = SeededRandom::new(seed, b"prove", &parts);
        let prepared: Vec<PreparedEvaluationElement<Ristretto255>> =
            self.0.batch_blind_evaluate_prepare(elements.iter()).collect();
        let finished = self.0.batch_blind_evaluate_finish(&mut random, elements.iter(), &prepared);
        let finished = finished.map_err(|_| OprfError::Batch)?;
        Ok(Evaluation {
            elements: finished.messages.map(|element| element.serialize().into()).collect(),
            proof: proof_bytes(&finished.proof),
        })
    }

    /// Shows that this key is `member`'s in a federation.
    pub fn possession(&self, federation: &FederationId, member: MemberNumber, seed: &[u8; 32]) -> Possession {
        let blinded = bare(&possession_input(federation, member));
        let evaluated = self.evaluate(&[blinded.message()], seed).expect("one element that was made here");
        Possession { element: evaluated.elements[0], proof: evaluated.proof }
    }
}

impl fmt::Debug for HolderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HolderKey of {:?}", self.public())
    }
}

fn check_batch(length: usize) -> Result<(), OprfError> {
    if (1..=LEAD_BATCH_MAX).contains(&length) { Ok(()) } else { Err(OprfError::Batch) }
}

fn proof_bytes(proof: &Proof<Ristretto255>) -> [u8; PROOF_BYTES] {
    let mut bytes = [0; PROOF_BYTES];
    bytes.copy_from_slice(&proof.serialize());
    bytes
}

/// That a holder has the secret of its key: the evaluation of a text that names federation and member, with its proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Possession {
    element: [u8; ELEMENT_BYTES],
    proof: [u8; PROOF_BYTES],
}

impl Possession {
    /// Bytes of the canonical form.
    pub const BYTES: usize = ELEMENT_BYTES + PROOF_BYTES;

    /// The canonical form.
    pub fn encode(&self) -> Vec<u8> {
        [self.element.as_slice(), &self.proof].concat()
    }

    /// Reads the canonical form.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self { element: reader.array("possession element")?, proof: reader.array("possession proof")? })
    }

    /// Whether it shows that `key` is `member`'s in this federation.
    pub fn holds(&self, federation: &FederationId, member: MemberNumber, key: &HolderPublic) -> bool {
        let evaluation = Evaluation { elements: vec![self.element], proof: self.proof };
        finish(&[bare(&possession_input(federation, member))], &evaluation, key).is_ok()
    }
}

fn possession_input(federation: &FederationId, member: MemberNumber) -> Vec<u8> {
    [POSSESSION_DOMAIN, federation.as_bytes(), &member.0.to_le_bytes()].concat()
}

/// What a holder answers to a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The evaluated elements, in the order of the request.
    pub elements: Vec<[u8; ELEMENT_BYTES]>,
    /// One proof for all of them.
    pub proof: [u8; PROOF_BYTES],
}

impl Evaluation {
    /// The outputs for what was blinded, once the proof holds for the key.
    pub fn finish(&self, blinded: &[Blinded], key: &HolderPublic) -> Result<Vec<[u8; OUTPUT_BYTES]>, OprfError> {
        finish(blinded, self, key)
    }
}

/// An input under a blind that only its maker knows.
pub struct Blinded {
    input: Vec<u8>,
    state: VoprfClient<Ristretto255>,
    message: [u8; ELEMENT_BYTES],
}

impl Blinded {
    /// What the holder is sent: it says nothing about the input.
    pub fn message(&self) -> [u8; ELEMENT_BYTES] {
        self.message
    }

    fn with(input: &[u8], random: &mut (impl RngCore + CryptoRng)) -> Self {
        let blinded = VoprfClient::blind(input, random).expect("the inputs are short, and none hashes to the identity");
        Self { input: input.to_vec(), state: blinded.state, message: blinded.message.serialize().into() }
    }
}

impl fmt::Debug for Blinded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blinded({})", hex::encode(&self.message[..4]))
    }
}

/// Blinds an input. Each use needs a fresh seed, each holder another one.
pub fn blind(input: &[u8], seed: &[u8; 32]) -> Blinded {
    Blinded::with(input, &mut SeededRandom::new(seed, b"blind", &[input]))
}

/// An input as it is: under the blind 1.
fn bare(input: &[u8]) -> Blinded {
    Blinded::with(input, &mut ScalarOne)
}

fn finish(
    blinded: &[Blinded],
    evaluation: &Evaluation,
    key: &HolderPublic,
) -> Result<Vec<[u8; OUTPUT_BYTES]>, OprfError> {
    check_batch(blinded.len())?;
    if evaluation.elements.len() != blinded.len() {
        return Err(OprfError::Batch);
    }
    let read = |bytes: &[u8; ELEMENT_BYTES]| EvaluationElement::<Ristretto255>::deserialize(bytes);
    let elements = evaluation.elements.iter().map(read).collect::<Result<Vec<_>, _>>();
    let elements = elements.map_err(|_| OprfError::Element)?;
    let proof = Proof::<Ristretto255>::deserialize(&evaluation.proof).map_err(|_| OprfError::Proof)?;
    let inputs: Vec<&[u8]> = blinded.iter().map(|one| one.input.as_slice()).collect();
    let states: Vec<VoprfClient<Ristretto255>> = blinded.iter().map(|one| one.state.clone()).collect();
    let outputs = VoprfClient::batch_finalize(&inputs, &states, &elements, &proof, key.element()?);
    let outputs = outputs.map_err(|_| OprfError::Proof)?;
    outputs.map(|output| output.map(Into::into).map_err(|_| OprfError::Batch)).collect()
}

/// Random bytes drawn from the caller's seed.
struct SeededRandom(blake3::OutputReader);

impl SeededRandom {
    fn new(seed: &[u8; 32], purpose: &[u8], parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("xianmeng/lead-randomness/1");
        hasher.update(seed);
        for part in std::iter::once(&purpose).chain(parts) {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        Self(hasher.finalize_xof())
    }
}

impl RngCore for SeededRandom {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl CryptoRng for SeededRandom {}

/// The source of which the library, which reads a scalar from 64 little-endian bytes, draws the scalar 1. What is
/// blinded with it is public.
struct ScalarOne;

impl RngCore for ScalarOne {
    fn next_u32(&mut self) -> u32 {
        1
    }

    fn next_u64(&mut self) -> u64 {
        1
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
        if let Some(first) = bytes.first_mut() {
            *first = 1;
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for ScalarOne {}

#[cfg(test)]
mod vectors {
    //! The vectors of RFC 9497, appendix A.1.2, on the library as it is used here.

    use super::*;

    /// Gives the library the scalar that a vector names.
    struct Given([u8; 32]);

    impl RngCore for Given {
        fn next_u32(&mut self) -> u32 {
            0
        }

        fn next_u64(&mut self) -> u64 {
            0
        }

        fn fill_bytes(&mut self, bytes: &mut [u8]) {
            bytes.fill(0);
            bytes[..32].copy_from_slice(&self.0);
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
            self.fill_bytes(bytes);
            Ok(())
        }
    }

    impl CryptoRng for Given {}

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).expect("hexadecimal").try_into().expect("as long as the type")
    }

    const KEY: &str = "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909";
    const PUBLIC: &str = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e";
    const BLIND: &str = "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706";
    const BLIND_TWO: &str = "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e";
    const PROOF_RANDOM: &str = "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e";
    const BLINDED: &str = "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945";
    const EVALUATED: &str = "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e";
    const PROOF: &str = "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06\
                         6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d";
    const OUTPUT: &str = "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d\
                          a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c";

    #[test]
    fn a_batch_of_one_is_that_of_the_standard() {
        let server = VoprfServer::<Ristretto255>::new_with_key(&bytes::<32>(KEY)).expect("a scalar");
        assert_eq!(HolderKey(server.clone()).public().0, bytes(PUBLIC));
        let one = Blinded::with(&[0], &mut Given(bytes(BLIND)));
        assert_eq!(one.message(), bytes(BLINDED));
        let element = BlindedElement::<Ristretto255>::deserialize(&one.message()).expect("an element");
        let answer = server.blind_evaluate(&mut Given(bytes(PROOF_RANDOM)), &element);
        assert_eq!(answer.message.serialize().as_slice(), bytes::<32>(EVALUATED));
        assert_eq!(proof_bytes(&answer.proof), bytes(PROOF));
        let evaluation = Evaluation { elements: vec![bytes(EVALUATED)], proof: bytes(PROOF) };
        assert_eq!(evaluation.finish(&[one], &HolderPublic(bytes(PUBLIC))), Ok(vec![bytes(OUTPUT)]));
    }

    #[test]
    fn the_seed_of_the_standard_gives_its_key() {
        let server = VoprfServer::<Ristretto255>::new_from_seed(&[0xa3; 32], b"test key").expect("a short seed");
        assert_eq!(HolderKey(server).public().0, bytes(PUBLIC));
    }

    #[test]
    fn a_batch_of_two_has_one_proof() {
        let first = Blinded::with(&[0], &mut Given(bytes(BLIND)));
        let second = Blinded::with(&[0x5a; 17], &mut Given(bytes(BLIND_TWO)));
        assert_eq!(second.message(), bytes("90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654"));
        let evaluated = bytes("cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a");
        let proof = "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a\
                     5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08";
        let other = "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60\
                     356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6";
        let blinded = [first, second];
        let expected = Ok(vec![bytes(OUTPUT), bytes(other)]);
        let given = Evaluation { elements: vec![bytes(EVALUATED), evaluated], proof: bytes(proof) };
        assert_eq!(given.finish(&blinded, &HolderPublic(bytes(PUBLIC))), expected);
        let key = HolderKey(VoprfServer::new_with_key(&bytes::<32>(KEY)).expect("a scalar"));
        let messages = [blinded[0].message(), blinded[1].message()];
        let made = key.evaluate(&messages, &[7; 32]).expect("two elements");
        assert_eq!(made.elements, given.elements);
        assert_eq!(made.finish(&blinded, &key.public()), expected);
    }
}
