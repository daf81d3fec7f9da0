//! What an API key may do, and what no key can be.

use beaconry_model::key::{Grant, Sections, Use};
use beaconry_model::names::SectionId;
use beaconry_model::profile::Keyspace;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn section(random: &str) -> SectionId {
    SectionId::try_from(format!("com.beaconry.sections.shop-{random}")).unwrap()
}

#[test]
fn a_grant_covers_what_it_names_and_no_more() {
    let here = section("0123456789");
    let grant = Grant::new(
        Sections::Some(vec![here.clone()]),
        vec![Keyspace::CrmId, Keyspace::Email, Keyspace::Email],
        true,
        false,
    )
    .unwrap();
    assert_eq!(grant.keyspaces(), [Keyspace::Email, Keyspace::CrmId]);
    assert!(grant.covers(&here) && !grant.covers(&section("9876543210")));
    assert!(grant.reaches(Keyspace::Email) && !grant.reaches(Keyspace::Web));
    assert!(grant.allows(Use::Read) && !grant.allows(Use::Write));
    let all = Grant::new(Sections::All, vec![Keyspace::Email], true, true).unwrap();
    assert!(all.covers(&here) && !all.reaches(Keyspace::Web));
}

#[test]
fn a_grant_of_nothing_is_none() {
    let email = || vec![Keyspace::Email];
    let table = [
        (Grant::new(Sections::Some(vec![]), email(), true, true), "sections: expected"),
        (Grant::new(Sections::All, vec![], true, true), "keyspaces: expected"),
        (Grant::new(Sections::All, email(), false, false), "permissions: expected"),
    ];
    for (grant, message) in table {
        assert!(grant.unwrap_err().to_string().starts_with(message));
    }
}

#[test]
fn a_grant_is_read_back_as_it_was_written() {
    for sections in [Sections::All, Sections::Some(vec![section("0123456789")])] {
        let grant = Grant::new(sections, Keyspace::ALL.to_vec(), false, true).unwrap();
        let text = serde_json::to_string(&grant).unwrap();
        assert_eq!(serde_json::from_str::<Grant>(&text).unwrap(), grant);
    }
    assert!(
        serde_json::from_str::<Grant>(
            r#"{"sections":"some","keyspaces":["email"],"read":true,"write":true}"#
        )
        .is_err()
    );
}
