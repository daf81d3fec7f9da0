//! Who somebody is: keys in one form, tokens, attributes and consents.

use beaconry_model::attribute::{Attribute, defaults};
use beaconry_model::consent::{ConsentList, ConsentType};
use beaconry_model::error::Refusal;
use beaconry_model::fields::Limits;
use beaconry_model::identify::{BadToken, check_header, keys};
use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_model::value::Kind;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::samples::{NOON, name, section};

#[test]
fn a_key_has_one_form() {
    let check = |keyspace, text: &str, expected: Option<&str>| {
        let key = ProfileKey::new(keyspace, text).ok();
        assert_eq!(key.as_ref().map(ProfileKey::as_str), expected, "{keyspace} {text:?}");
    };
    check(Keyspace::Email, " Ada.Lovelace@Shop.EXAMPLE ", Some("ada.lovelace@shop.example"));
    check(Keyspace::Email, "åsa@exämple.se", Some("åsa@exämple.se"));
    for wrong in ["", "ada", "@shop.example", "ada@", "a da@shop.example", "ada@shop\n.example"] {
        check(Keyspace::Email, wrong, None);
    }
    check(Keyspace::Email, &format!("{}@shop.example", "a".repeat(250)), None);
    check(Keyspace::Mobile, "+46 (0)70-123 45.67", Some("+460701234567"));
    check(Keyspace::Mobile, "0046701234567", Some("+46701234567"));
    check(Keyspace::Mobile, "070-1234567", Some("0701234567"));
    for wrong in ["", "+", "1234", "+12345678901234567", "07o1234567", "+46+701234567"] {
        check(Keyspace::Mobile, wrong, None);
    }
    check(Keyspace::CrmId, " A-4711/é ", Some("A-4711/é"));
    check(Keyspace::CrmId, "a\u{0}b", None);
    check(
        Keyspace::Web,
        "019a0000-0000-7000-8000-000000000001",
        Some("019a0000-0000-7000-8000-000000000001"),
    );
    check(Keyspace::Web, &"x".repeat(65), None);
}

#[test]
fn a_keyspace_goes_by_its_address_or_its_word() {
    for keyspace in Keyspace::ALL {
        assert_eq!(Keyspace::try_from(keyspace.discriminator().to_string()), Ok(keyspace));
        assert_eq!(Keyspace::try_from(keyspace.word().to_string()), Ok(keyspace));
        assert_eq!(Keyspace::from_number(keyspace.number()), Some(keyspace));
    }
    let error = Keyspace::try_from("twitter".to_string()).unwrap_err().to_string();
    assert_eq!(
        error,
        "keyspace: expected com.apsis1.keyspaces.email, .mobile, .crm-id or .web, got \"twitter\""
    );
}

#[test]
fn the_claims_of_a_token_give_keys_for_a_while() {
    let at = |seconds: i64| NOON.0 / 1000 + seconds;
    let read = |claims: String| keys(&claims, "visitor-1", NOON);
    let said = |claims: String| {
        read(claims).map(|keys| keys.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let everything = format!(
        r#"{{"exp":{},"email":"Ada@shop.example","mobile":"+46 701234567","crm_id":"4711","visitor":"visitor-1","iss":"x"}}"#,
        at(60)
    );
    assert_eq!(
        said(everything).unwrap(),
        ["email ada@shop.example", "mobile +46701234567", "crm-id 4711"]
    );
    assert!(
        said(format!(r#"{{"exp":{},"crm_id":"1"}}"#, at(-59))).is_ok(),
        "a clock may be off by a minute"
    );
    assert!(said(format!(r#"{{"exp":{}.5,"crm_id":"1"}}"#, at(86_400))).is_ok());
    for (claims, code) in [
        (format!(r#"{{"exp":{},"crm_id":"1"}}"#, at(-60)), "expired"),
        (format!(r#"{{"exp":{},"crm_id":"1"}}"#, at(86_461)), "too_long"),
        (r#"{"exp":1e300,"crm_id":"1"}"#.to_string(), "too_long"),
        (format!(r#"{{"exp":{},"crm_id":"1","visitor":"visitor-2"}}"#, at(60)), "other_visitor"),
        (format!(r#"{{"exp":{},"email":"ada"}}"#, at(60)), "wrong_key"),
        (format!(r#"{{"exp":{}}}"#, at(60)), "malformed"),
        (r#"{"crm_id":"1"}"#.to_string(), "malformed"),
        ("[]".to_string(), "malformed"),
    ] {
        assert_eq!(read(claims.clone()).unwrap_err().code(), code, "{claims}");
    }
    assert_eq!(check_header(r#"{"typ":"JWT","alg":"HS256"}"#), Ok(()));
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"RS256"}"#, "{}", "x"] {
        assert!(matches!(check_header(header), Err(BadToken::Malformed(_))), "{header}");
    }
}

#[test]
fn an_attribute_is_typed_and_versioned() {
    let limits = |min| Limits { min: Some(min), ..Limits::default() };
    let mut size = Attribute::create(
        section().id,
        name("Shoe size"),
        Kind::Number,
        limits(15.0),
        ([1; 10], [2; 16]),
        NOON,
    )
    .unwrap();
    assert!(size.discriminator.starts_with("com.beaconry.attributes.custom-shoe-size-"));
    assert_eq!(size.check("42").unwrap().as_deref(), Some("42"));
    assert_eq!(size.check("null").unwrap(), None);
    for wrong in ["\"42\"", "4.5", "14", "[42]", "{}", "4 2"] {
        assert!(size.check(wrong).is_err(), "{wrong}");
    }
    let same = size.edit(Kind::Number, limits(15.0), [3; 16], NOON);
    assert_eq!(same, Err(Refusal::Unchanged { version: 1 }));
    size.edit(Kind::Decimal, Limits::default(), [3; 16], NOON.plus(5)).unwrap();
    assert_eq!(size.check("4.5").unwrap().as_deref(), Some("4.5"));
    assert_eq!(size.deprecated_at(&size.versions[0]), Some(NOON.plus(5)));
    assert_eq!(size.deprecated_at(size.current()), None);
}

#[test]
fn default_attributes_are_the_same_everywhere() {
    let all = defaults();
    let mut ids: Vec<_> =
        all.iter().map(|(_, attribute)| attribute.current().id.to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all.len());
    let (number, email) = &all[0];
    assert_eq!((*number, email.discriminator.as_str()), (1, "com.beaconry.attributes.email"));
    assert_eq!(email.current().id.as_str(), "62656163-6f6e-4279-a064-656661756c01");
    assert!(email.check(&format!("\"{}\"", "x".repeat(4_001))).is_err());
}

#[test]
fn of_two_consents_at_once_the_more_careful_one_holds() {
    assert!(
        ConsentType::OptOut > ConsentType::ConfirmedOptIn
            && ConsentType::ConfirmedOptIn > ConsentType::OptIn
    );
    assert!(ConsentType::OptIn.allows() && !ConsentType::OptOut.allows());
    let mut list = ConsentList::create(section().id, name("Newsletters"), [1; 10], NOON).unwrap();
    let topic = list.add_topic(name("Weekly"), [2; 10]).unwrap().discriminator.clone();
    assert!(list.topic(&topic).is_some());
    assert!(list.add_topic(name("Weekly"), [3; 10]).is_err());
}
