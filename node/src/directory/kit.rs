//! The recovery kit (恢复包): one text file with everything that makes a member, for paper or a stick.
//!
//! Between two marks it is TOML: the profile, and every key with its public half in the open and its secret half as
//! PKCS#8 protected by the kit's own passphrase, which a machine chose and which is kept apart, on paper. Each secret
//! has a check, so that a letter that was typed wrongly is told apart from a wrong passphrase.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use ed25519_dalek::SigningKey;
use protocol::identity::{PublicKey, public_key};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::armour::{self, ArmourError, RANDOM_COST};
use super::files::{content_error, file_error};
use super::keystore::{KeyName, shown_public};
use super::passphrase::Passphrase;
use super::{DirectoryError, Profile};

/// The one layout that this build writes and reads.
const FORMAT: u32 = 1;
/// Groups of digits of a kit's passphrase.
const GROUPS: usize = 8;
/// Digits of a group. Forty digits are 132 bits.
const GROUP_DIGITS: usize = 5;
/// Longest kit, in bytes.
const KIT_BYTES_MAX: u64 = 1 << 20;
/// Most keys of a kit.
const KIT_KEYS_MAX: usize = 4_096;
/// Characters of a check.
const CHECK_CHARACTERS: usize = 8;

const BEGIN: &str = "=====BEGIN XIANMENG RECOVERY KIT=====";
const END: &str = "=====END XIANMENG RECOVERY KIT=====";

/// A key with its name.
pub type NamedKey = (KeyName, SigningKey);

/// What a kit holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format: u32,
    member: Profile,
    key: Vec<KitKey>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KitKey {
    name: String,
    public: PublicKey,
    check: String,
    secret: String,
}

/// What was read from a kit.
pub struct Kit {
    /// Who the member is.
    pub profile: Profile,
    /// Its keys.
    pub keys: Vec<NamedKey>,
}

/// Chooses a passphrase for a kit: eight groups of five digits.
pub fn choose_passphrase() -> Result<Passphrase, DirectoryError> {
    let mut text = Zeroizing::new(String::new());
    let mut digits = 0;
    while digits < GROUPS * GROUP_DIGITS {
        let mut bytes = Zeroizing::new([0; 64]);
        getrandom::fill(bytes.as_mut()).map_err(|error| content_error(Path::new("kit"), error))?;
        // Of 256 values the first 250 share out evenly among ten digits.
        for byte in bytes.iter().filter(|byte| **byte < 250).take(GROUPS * GROUP_DIGITS - digits) {
            if digits > 0 && digits % GROUP_DIGITS == 0 {
                text.push(' ');
            }
            text.push(char::from(b'0' + byte % 10));
            digits += 1;
        }
    }
    Ok(Passphrase::new(text.as_str()))
}

/// The digits of a kit's passphrase, however they were grouped or typed.
fn normal(passphrase: &Passphrase) -> Passphrase {
    let digit = |c: char| match c {
        '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32),
        '0'..='9' => Some(c),
        _ => None,
    };
    let digits: Zeroizing<String> = Zeroizing::new(passphrase.expose().chars().filter_map(digit).collect());
    Passphrase::new(digits.as_str())
}

/// Writes the text of a kit.
pub fn write(profile: &Profile, keys: &[NamedKey], passphrase: &Passphrase) -> Result<String, DirectoryError> {
    let malformed = |error: ArmourError| content_error(Path::new("kit"), error);
    let passphrase = normal(passphrase);
    let sealed = |(name, key): &NamedKey| {
        let secret = armour::write(key, Some((&passphrase, RANDOM_COST))).map_err(malformed)?.to_string();
        Ok(KitKey { name: name.to_string(), public: public_key(key), check: check(&secret), secret })
    };
    let key = keys.iter().map(sealed).collect::<Result<Vec<_>, DirectoryError>>()?;
    let content = Content { format: FORMAT, member: profile.clone(), key };
    let body = toml::to_string_pretty(&content).map_err(|error| content_error(Path::new("kit"), error))?;
    Ok(format!("{}\n{BEGIN}\n{body}{END}\n", heading(profile, keys)))
}

/// What people read: whose kit it is, what is in it, and how it is used.
fn heading(profile: &Profile, keys: &[NamedKey]) -> String {
    let mut text = format!(
        "县盟恢复包 Xianmeng recovery kit\n\n单位 Member  {}\n类别 Class   {}\n区划 Region  {}\n\n密钥 Keys\n",
        profile.name, profile.class, profile.region
    );
    for (name, key) in keys {
        let public = shown_public(*name, key);
        // Writing into a text cannot fail.
        let _ = writeln!(
            text,
            "  {:<14} {public}\n  {:<14} 指纹 fingerprint {}",
            name.to_string(),
            "",
            fingerprint(&public)
        );
    }
    text.push_str(
        "\n怎样使用\n\
         一、把本文件打印出来或存入 U 盘，锁进保险柜；口令另抄在纸上，分开保管。\n\
         二、电脑丢失或损坏后，在新电脑上执行：xianmeng recover --kit 本文件，按提示输入口令。\n\
         三、再向秘书处要一份邀请函，执行 xianmeng join 邀请函.json 和 xianmeng run。\n\
         四、密钥如果可能被盗，不要恢复使用：请立刻打电话给秘书处换钥。\n\n\
         How to use it\n\
         1. Print this file or put it on a stick, and lock it away. Keep the passphrase on paper, elsewhere.\n\
         2. When the computer is lost: on a new one run `xianmeng recover --kit THIS-FILE` and type the passphrase.\n\
         3. Ask the secretariat for an invitation, then `xianmeng join INVITATION.json` and `xianmeng run`.\n\
         4. If the keys may have been stolen, do not go on with them: call the secretariat to replace them.\n",
    );
    text
}

/// Six groups of four digits that people can compare, made of one public key.
pub fn fingerprint(key: &PublicKey) -> String {
    let hash = blake3::hash(key.as_bytes());
    let group = |bytes: &[u8]| bytes.iter().fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte)) % 10_000;
    let groups: Vec<String> =
        hash.as_bytes().chunks_exact(4).take(6).map(|bytes| format!("{:04}", group(bytes))).collect();
    groups.join(" ")
}

/// Tells a letter that was typed wrongly; blanks and line breaks do not count.
fn check(secret: &str) -> String {
    let letters: String = secret.chars().filter(|c| !c.is_whitespace()).collect();
    let mut check = blake3::hash(letters.as_bytes()).to_hex().to_string();
    check.truncate(CHECK_CHARACTERS);
    check
}

/// Reads a kit from a file.
pub fn read(path: &Path, passphrase: &Passphrase) -> Result<Kit, DirectoryError> {
    let length = fs::metadata(path).map_err(file_error(path))?.len();
    if length > KIT_BYTES_MAX {
        return Err(content_error(path, format!("a recovery kit has at most {KIT_BYTES_MAX} bytes")));
    }
    let text = fs::read_to_string(path).map_err(file_error(path))?;
    parse(&text, passphrase, path)
}

fn parse(text: &str, passphrase: &Passphrase, path: &Path) -> Result<Kit, DirectoryError> {
    let body = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map(|(body, _)| body);
    let body = body.ok_or_else(|| content_error(path, "this is no recovery kit"))?;
    let content: Content = toml::from_str(body).map_err(|error| content_error(path, error))?;
    if content.format != FORMAT {
        return Err(content_error(path, format!("layout {} is not known, only {FORMAT}", content.format)));
    }
    if content.key.len() > KIT_KEYS_MAX {
        return Err(content_error(path, "it has too many keys"));
    }
    let passphrase = normal(passphrase);
    let mut keys = Vec::new();
    for entry in content.key {
        keys.push(open(entry, &passphrase, path)?);
    }
    Ok(Kit { profile: content.member, keys })
}

fn open(entry: KitKey, passphrase: &Passphrase, path: &Path) -> Result<NamedKey, DirectoryError> {
    let name = KeyName::parse(&entry.name);
    let name = name.ok_or_else(|| content_error(path, format!("there is no key {:?}", entry.name)))?;
    if check(&entry.secret) != entry.check {
        return Err(content_error(
            path,
            format!("a character of the key {name} is wrong; compare it with the original"),
        ));
    }
    let key = armour::read(&entry.secret, Some(passphrase)).map_err(|error| match error {
        ArmourError::WrongPassphrase => DirectoryError::WrongPassphrase { key: name.to_string() },
        other => content_error(path, other),
    })?;
    if public_key(&key) != entry.public {
        return Err(content_error(path, format!("the key {name} is not the one that it names")));
    }
    Ok((name, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::charter::Purpose;

    fn kit() -> (Profile, Vec<NamedKey>, Passphrase, String) {
        let profile = Profile { name: "奉节县\"甲\"".into(), class: "county".into(), region: "500236".into() };
        let keys: Vec<NamedKey> = Purpose::ALL
            .into_iter()
            .zip(1..)
            .map(|(purpose, seed)| (KeyName::current(purpose), SigningKey::from_bytes(&[seed; 32])))
            .collect();
        let passphrase = choose_passphrase().expect("there are random bytes");
        let text = write(&profile, &keys, &passphrase).expect("it is written");
        (profile, keys, passphrase, text)
    }

    #[test]
    fn a_kit_gives_back_what_was_put_in() {
        let (profile, keys, passphrase, text) = kit();
        assert_eq!(passphrase.expose().chars().filter(char::is_ascii_digit).count(), GROUPS * GROUP_DIGITS);
        let squeezed = Passphrase::new(passphrase.expose().replace(' ', "-"));
        let read = parse(&text, &squeezed, Path::new("kit")).expect("it opens");
        assert_eq!(read.profile, profile);
        let bytes = |keys: &[NamedKey]| keys.iter().map(|(name, key)| (*name, key.to_bytes())).collect::<Vec<_>>();
        assert_eq!(bytes(&read.keys), bytes(&keys));
        let full: String =
            passphrase.expose().chars().map(|c| char::from_u32(c as u32 + 0xFEE0).unwrap_or(c)).collect();
        assert!(parse(&text, &Passphrase::new(full), Path::new("kit")).is_ok(), "full-width digits are digits");
    }

    #[test]
    fn a_typing_error_is_no_wrong_passphrase() {
        let (_, _, passphrase, text) = kit();
        let other = choose_passphrase().expect("there are random bytes");
        let wrong = parse(&text, &other, Path::new("kit"));
        assert!(matches!(wrong, Err(DirectoryError::WrongPassphrase { .. })));
        let at = text.find("PRIVATE KEY-----\n").expect("there is a key") + 40;
        let mut typed = text.clone().into_bytes();
        typed[at] = if typed[at] == b'A' { b'B' } else { b'A' };
        let typed = String::from_utf8(typed).expect("it is text");
        assert!(matches!(parse(&typed, &passphrase, Path::new("kit")), Err(DirectoryError::Content { .. })));
        assert!(matches!(parse("", &passphrase, Path::new("kit")), Err(DirectoryError::Content { .. })));
    }
}
