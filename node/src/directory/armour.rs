//! One secret key as text: PKCS#8 in PEM (RFC 5958, RFC 8410, RFC 7468), which OpenSSL reads as well.
//!
//! A protected key is encrypted by PBES2: scrypt makes the key of AES-256-CBC from the passphrase. The public key stands
//! behind it in the open, so that nobody is asked for a passphrase only to be shown which keys there are.

use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey, KeypairBytes};
use ed25519_dalek::{SigningKey, VerifyingKey};
use pkcs8::der::{Decode, SecretDocument};
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::pkcs5::{EncryptionScheme, scrypt};
use pkcs8::{EncodePrivateKey, EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef};
use protocol::identity::{PublicKey, public_key as public_key_of};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use super::passphrase::Passphrase;

const PLAIN: &str = "PRIVATE KEY";
const PROTECTED: &str = "ENCRYPTED PRIVATE KEY";
const PUBLIC: &str = "PUBLIC KEY";

/// What one guess at a passphrase costs: scrypt's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Logarithm of the number of blocks.
    pub log_n: u8,
    /// Size of a block.
    pub r: u32,
    /// Rounds, one after the other.
    pub p: u32,
}

/// The cost for passphrases that people choose. OpenSSL refuses to use 32 MiB for this, so the rounds make up for the
/// memory: 16 MiB, five times.
pub const PASSPHRASE_COST: Cost = Cost { log_n: 14, r: 8, p: 5 };
/// The cost for passphrases of 128 bits that a machine chose: nobody guesses those at any cost.
pub const RANDOM_COST: Cost = Cost { log_n: 10, r: 8, p: 1 };
/// The most work that a file may ask for (log_n, r and p multiplied out), which bounds time and memory.
const COST_MAX: u64 = 1 << 24;
/// The most memory that a file may ask for, in bytes.
const COST_MEMORY_MAX: u64 = 256 << 20;
/// The most rounds that a file of another program may ask for.
const PBKDF2_ROUNDS_MAX: u32 = 10_000_000;
/// Bytes of salt.
const SALT_BYTES: usize = 16;

/// Why a key cannot be read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ArmourError {
    /// It is no key in this form.
    #[error("this is no ed25519 key in PKCS#8 PEM form")]
    Malformed,
    /// It is protected, and no passphrase was given.
    #[error("the key is protected by a passphrase")]
    Protected,
    /// The passphrase is wrong, or the text was changed.
    #[error("the passphrase does not open the key")]
    WrongPassphrase,
    /// The file asks for more work than this program is willing to do.
    #[error("the key asks for an unreasonable amount of work")]
    Cost,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}

/// Writes a key, protected when there is a passphrase.
pub fn write(key: &SigningKey, protection: Option<(&Passphrase, Cost)>) -> Result<Zeroizing<String>, ArmourError> {
    let malformed = |_| ArmourError::Malformed;
    let mut pair = KeypairBytes { secret_key: key.to_bytes(), public_key: None };
    let document = pair.to_pkcs8_der().map_err(malformed);
    pair.secret_key.zeroize();
    let (document, label) = match protection {
        None => (document?, PLAIN),
        Some((passphrase, cost)) => (encrypt(&document?, passphrase, cost)?, PROTECTED),
    };
    let mut text = document.to_pem(label, LineEnding::LF).map_err(|_| ArmourError::Malformed)?;
    let public = key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|_| ArmourError::Malformed)?;
    text.push_str(&public);
    Ok(text)
}

fn encrypt(document: &SecretDocument, passphrase: &Passphrase, cost: Cost) -> Result<SecretDocument, ArmourError> {
    let (mut salt, mut start) = ([0; SALT_BYTES], [0; 16]);
    getrandom::fill(&mut salt).and_then(|()| getrandom::fill(&mut start)).map_err(|_| ArmourError::Random)?;
    let cost = scrypt::Params::new(cost.log_n, cost.r, cost.p).map_err(|_| ArmourError::Cost)?;
    let parameters = Parameters::generate_scrypt_aes256cbc(cost, &salt, start).map_err(|_| ArmourError::Malformed)?;
    let info = PrivateKeyInfoRef::from_der(document.as_bytes()).map_err(|_| ArmourError::Malformed)?;
    info.encrypt_with_params(parameters, passphrase.bytes()).map_err(|_| ArmourError::Malformed)
}

/// Whether a key needs a passphrase.
pub fn is_protected(text: &str) -> bool {
    block(text, PROTECTED).is_some()
}

/// Reads a key. The passphrase of a key without protection is not looked at.
pub fn read(text: &str, passphrase: Option<&Passphrase>) -> Result<SigningKey, ArmourError> {
    let key = match (block(text, PROTECTED), block(text, PLAIN)) {
        (Some(_), _) if passphrase.is_none() => return Err(ArmourError::Protected),
        (Some(pem), _) => decrypt(pem, passphrase.ok_or(ArmourError::Protected)?)?,
        (None, Some(pem)) => {
            let document = SecretDocument::from_pem(pem).map_err(|_| ArmourError::Malformed)?.1;
            SigningKey::from_pkcs8_der(document.as_bytes()).map_err(|_| ArmourError::Malformed)?
        }
        (None, None) => bare(text)?,
    };
    match block(text, PUBLIC) {
        // CBC alone would let one that can write the file put another key in its place.
        Some(public) if read_public(public)? != public_key_of(&key) => Err(ArmourError::Malformed),
        _ => Ok(key),
    }
}

fn decrypt(pem: &str, passphrase: &Passphrase) -> Result<SigningKey, ArmourError> {
    let document = SecretDocument::from_pem(pem).map_err(|_| ArmourError::Malformed)?.1;
    let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| ArmourError::Malformed)?;
    check_cost(&info.encryption_algorithm)?;
    let opened = info.decrypt(passphrase.bytes()).map_err(|_| ArmourError::WrongPassphrase)?;
    SigningKey::from_pkcs8_der(opened.as_bytes()).map_err(|_| ArmourError::WrongPassphrase)
}

/// A file comes from elsewhere when it is a recovery kit: it must not make this machine work for ever.
fn check_cost(scheme: &EncryptionScheme) -> Result<(), ArmourError> {
    let EncryptionScheme::Pbes2(parameters) = scheme else { return Err(ArmourError::Malformed) };
    let bounded = match &parameters.kdf {
        Kdf::Scrypt(scrypt) => {
            let (n, r) = (scrypt.cost_parameter, u64::from(scrypt.block_size));
            let memory = n.saturating_mul(r).saturating_mul(128);
            let work = n.saturating_mul(r).saturating_mul(u64::from(scrypt.parallelization));
            memory <= COST_MEMORY_MAX && work <= COST_MAX
        }
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count <= PBKDF2_ROUNDS_MAX,
        _ => false,
    };
    if bounded { Ok(()) } else { Err(ArmourError::Cost) }
}

/// The public half, without any passphrase. A text that names none is read as a whole.
pub fn public_key(text: &str) -> Result<PublicKey, ArmourError> {
    match block(text, PUBLIC) {
        Some(pem) if is_protected(text) => read_public(pem),
        _ => read(text, None).map(|key| public_key_of(&key)),
    }
}

fn read_public(pem: &str) -> Result<PublicKey, ArmourError> {
    let key = VerifyingKey::from_public_key_pem(pem).map_err(|_| ArmourError::Malformed)?;
    Ok(PublicKey(key.to_bytes()))
}

/// The form of the first trial nodes: 64 hexadecimal characters. It is written nowhere any more.
fn bare(text: &str) -> Result<SigningKey, ArmourError> {
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), secret.as_mut()).map_err(|_| ArmourError::Malformed)?;
    Ok(SigningKey::from_bytes(&secret))
}

/// The first block of that label, with its frame and its last line break.
fn block<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let from = text.find(&begin)?;
    let until = from + text[from..].find(&end)? + end.len();
    Some(&text[from..until])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { log_n: 4, r: 8, p: 1 };

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    #[test]
    fn a_key_survives_with_and_without_a_passphrase() {
        let plain = write(&key(), None).expect("it is written");
        assert!(!is_protected(&plain));
        assert_eq!(read(&plain, None).expect("it reads back").to_bytes(), key().to_bytes());

        let (right, wrong) = (Passphrase::new("一句很长的口令"), Passphrase::new("另一句"));
        let sealed = write(&key(), Some((&right, CHEAP))).expect("it is written");
        assert!(is_protected(&sealed));
        assert_eq!(read(&sealed, Some(&right)).expect("it opens").to_bytes(), key().to_bytes());
        assert_eq!(read(&sealed, Some(&wrong)).err(), Some(ArmourError::WrongPassphrase));
        assert_eq!(read(&sealed, None).err(), Some(ArmourError::Protected));
        assert_eq!(public_key(&sealed), Ok(public_key_of(&key())));
        assert_eq!(public_key(&plain), Ok(public_key_of(&key())));
    }

    #[test]
    fn a_key_beside_another_public_key_is_refused() {
        let (mine, other) = (write(&key(), None), write(&SigningKey::from_bytes(&[8; 32]), None));
        let (mine, other) = (mine.expect("it is written"), other.expect("it is written"));
        let private = block(&mine, PLAIN).expect("it is there");
        let public = block(&other, PUBLIC).expect("it is there");
        assert_eq!(read(&format!("{private}\n{public}\n"), None).err(), Some(ArmourError::Malformed));
        assert_eq!(read("no key", None).err(), Some(ArmourError::Malformed));
    }

    #[test]
    fn a_file_cannot_ask_for_endless_work() {
        let greedy = Cost { log_n: 16, r: 8, p: 64 };
        let cost = scrypt::Params::new(greedy.log_n, greedy.r, greedy.p).expect("scrypt allows it");
        let parameters = Parameters::generate_scrypt_aes256cbc(cost, &[0; SALT_BYTES], [0; 16]).expect("sound");
        assert_eq!(check_cost(&parameters.into()), Err(ArmourError::Cost));
    }

    #[test]
    fn the_first_form_is_still_read() {
        let text = format!("{}\n", "07".repeat(32));
        assert_eq!(read(&text, None).expect("it reads").to_bytes(), key().to_bytes());
        assert_eq!(public_key(&text), Ok(public_key_of(&key())));
    }
}
