//! Strict verification: what it accepts, and each rule of it broken once.

use ed25519_dalek::SigningKey;
use protocol::identity::{Domain, FederationId, PublicKey, Signature, public_key, sign, verify};
use serde_json::{Value, json};

use crate::case::{File, Judged, Vector, array, bad, bytes, good};

const FEDERATION: FederationId = FederationId([9; 32]);
/// What the edge cases below sign, in the domain of entries.
const CONTENT: [u8; 32] = [7; 32];
const DOMAINS: [(&str, Domain); 4] = [
    ("entry", Domain::Entry),
    ("block", Domain::Block),
    ("possession", Domain::Possession),
    ("beacon", Domain::Beacon),
];

/// Keys and signatures that only a hostile or careless author makes. They were computed from the curve's equations
/// for [`FEDERATION`] and [`CONTENT`]; the lax equation or the cofactored one accepts most of them.
const HONEST: &str = "f27cb81402e6860c926ff81f393d14340e41a70bc0b0195cf64a90b348cb2fc4";
const MIXED: &str = "988b8b06afc3abd50c44e1396f4587342176485abb80721cfde8385f5e9320ce";
const SIGNED: &str = "ef4f62f8479733ad879cfaced3c89a9c39dd4fc795ef2efa1c3eafe4d729a081\
                      d71b3e8fa43fea815de8111fa7f1a6fb9ae638e814ccbc696651ed0c2374c30e";
const SIGNED_PLUS_ORDER: &str = "ef4f62f8479733ad879cfaced3c89a9c39dd4fc795ef2efa1c3eafe4d729a081\
                                 c4ef33ecbea2fcd9338509c285eb85109be638e814ccbc696651ed0c2374c31e";
const COMMITMENT_IDENTITY: &str = "0100000000000000000000000000000000000000000000000000000000000000\
                                   156180647e0eee9f9b33b207fee6e6fa53065cbb09ed19b8a5e903e442183303";
const COMMITMENT_NOT_CANONICAL: &str = "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f\
                                        5420d49b9301b25a4f7cbebba5ac0c2c322dbd0942266b5a0375a8a65a3d7902";
const MIXED_EXACT: &str = "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df\
                           25befd108a5403bd3e053f10c92070600149ac320099daffbbe74914c5617701";
const MIXED_COFACTORED: &str = "5866666666666666666666666666666666666666666666666666666666666666\
                                2c45dcee69cc9e0b4bcbda01c7688943b2a2aa2c974a4bba4e268154e77d8101";
const BASE_AND_ONE: &str = "5866666666666666666666666666666666666666666666666666666666666666\
                            0100000000000000000000000000000000000000000000000000000000000000";
const ORDER_8_EXACT: &str = "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df\
                             0500000000000000000000000000000000000000000000000000000000000000";
const IDENTITY: &str = "0100000000000000000000000000000000000000000000000000000000000000";
const IDENTITY_NOT_CANONICAL: &str = "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
const ORDER_8: &str = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
const OFF_CURVE: &str = "0200000000000000000000000000000000000000000000000000000000000000";

fn judge(vector: &Value) -> Judged {
    let domain = DOMAINS.into_iter().find(|(name, _)| vector["domain"] == *name).expect("a domain").1;
    let federation = FederationId(array(vector, "federation"));
    let (key, signature) = (PublicKey(array(vector, "key")), Signature(array(vector, "signature")));
    let holds = verify(&key, domain, &federation, &bytes(vector, "input"), &signature);
    (if holds { "ok" } else { "signature" }.into(), None)
}

fn given(domain: &str, federation: FederationId, content: &[u8], key: PublicKey, signature: Signature) -> Value {
    json!({
        "domain": domain, "federation": federation.to_string(), "input": hex::encode(content),
        "key": key.to_string(), "signature": signature.to_string(),
    })
}

fn edge(key: &str, signature: &str) -> Value {
    let (key, signature) = (key.parse().expect("a key"), signature.parse().expect("a signature"));
    given("entry", FEDERATION, &CONTENT, key, signature)
}

pub fn file() -> File {
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = public_key(&key);
    let mut vectors: Vec<Vector> = DOMAINS
        .into_iter()
        .map(|(name, domain)| {
            let signature = sign(&key, domain, &FEDERATION, b"content");
            good(format!("domain {name}"), given(name, FEDERATION, b"content", public, signature))
        })
        .collect();
    let signature = sign(&key, Domain::Entry, &FEDERATION, b"content");
    let other = FederationId([8; 32]);
    vectors.extend([
        bad(
            "another domain",
            given("block", FEDERATION, b"content", public, signature),
            "signature",
            "a signature holds for its domain only",
        ),
        bad(
            "another federation",
            given("entry", other, b"content", public, signature),
            "signature",
            "a signature holds for its federation only",
        ),
        bad(
            "other content",
            given("entry", FEDERATION, b"contents", public, signature),
            "signature",
            "a signature holds for its content only",
        ),
        good("honest key, computed by hand", edge(HONEST, SIGNED)),
        bad("S plus the group order", edge(HONEST, SIGNED_PLUS_ORDER), "signature", "S is below the group order"),
        bad("R is the identity", edge(HONEST, COMMITMENT_IDENTITY), "signature", "R is not of small order"),
        bad(
            "R is the identity in another encoding",
            edge(HONEST, COMMITMENT_NOT_CANONICAL),
            "signature",
            "R is not of small order, and is the canonical encoding of its point",
        ),
        bad("the key is the identity", edge(IDENTITY, BASE_AND_ONE), "signature", "the key is not of small order"),
        bad(
            "the key is the identity in another encoding",
            edge(IDENTITY_NOT_CANONICAL, BASE_AND_ONE),
            "signature",
            "the key is not of small order, in whatever encoding",
        ),
        bad("the key has order 8", edge(ORDER_8, ORDER_8_EXACT), "signature", "the key is not of small order"),
        bad("the key is no point", edge(OFF_CURVE, BASE_AND_ONE), "signature", "the key is a point of the curve"),
        good("a key with a part of small order, exact equation", edge(MIXED, MIXED_EXACT)),
        bad(
            "a key with a part of small order, cofactored equation only",
            edge(MIXED, MIXED_COFACTORED),
            "signature",
            "the equation is the one without cofactor",
        ),
    ]);
    File {
        name: "signatures",
        about: "Strict ed25519 over domain prefix || federation || input. SPEC.md, section 3.",
        judge,
        vectors,
    }
}
