//! Links to point and click by: signed, for one origin, opened once, and over after a quarter of an hour.

use beaconry_model::pick::Pick;
use beaconry_model::section::Origin;
use beaconry_model::time::Timestamp;
use beaconry_store::EventNo;
use beaconry_store::picks::{LASTS, PickRefused, Trouble};

use crate::samples::open;

const SHOP: &str = "https://shop.example";
const NOW: Timestamp = Timestamp(1_795_435_200_000);

fn shop() -> Origin {
    Origin::try_from(SHOP.to_owned()).unwrap()
}

fn pick() -> Pick {
    let text = r##"{"page":"https://shop.example/","what":{"trigger":{"on":{"click":"#buy"}}}}"##;
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_is_picked_comes_to_the_form_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let picks = store.picks();
    let mut news = picks.watch();
    let token = picks.link("form", EventNo(7), shop(), NOW).unwrap();
    assert_eq!(picks.of("form").map(|picking| picking.opened), Some(false));
    let (event, key) = picks.open_link(&token, SHOP, NOW).unwrap();
    assert_eq!(event, EventNo(7));
    assert_eq!(picks.go_on(&key, SHOP, NOW), Ok(EventNo(7)));
    picks.trouble(&key, SHOP, Trouble::WasmRefused, NOW).unwrap();
    assert_eq!(picks.of("form").unwrap().trouble, Some(Trouble::WasmRefused));
    picks.pick(&key, SHOP, pick(), NOW).unwrap();
    let picking = picks.of("form").unwrap();
    assert_eq!((picking.opened, picking.trouble, picking.picks), (true, None, vec![pick()]));
    assert_eq!(picks.of("another"), None);
    for _ in 0..4 {
        assert_eq!(news.try_recv().unwrap(), "form");
    }
}

#[test]
fn a_link_opens_once_in_time_and_at_its_origin() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let picks = store.picks();
    let token = picks.link("form", EventNo(1), shop(), NOW).unwrap();
    let open = |token: &str, origin, after| picks.open_link(token, origin, NOW.plus(after)).err();
    assert_eq!(open(&token, "https://evil.example", 0), Some(PickRefused::Elsewhere(shop())));
    assert_eq!(open(&token, "null", 0), Some(PickRefused::Elsewhere(shop())));
    assert_eq!(open(&token, SHOP, LASTS), Some(PickRefused::Ended));
    assert_eq!(open(&token, SHOP, LASTS - 1), None);
    assert_eq!(open(&token, SHOP, LASTS - 1), Some(PickRefused::Opened));
}

#[test]
fn a_key_lasts_as_long_after_each_use() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let picks = store.picks();
    let token = picks.link("form", EventNo(1), shop(), NOW).unwrap();
    let (_, key) = picks.open_link(&token, SHOP, NOW).unwrap();
    let go_on = |after| picks.go_on(&key, SHOP, NOW.plus(after)).err();
    assert_eq!(go_on(LASTS - 1), None);
    assert_eq!(go_on(2 * LASTS - 2), None);
    assert_eq!(go_on(3 * LASTS - 2), Some(PickRefused::Ended));
    assert_eq!(picks.go_on("guessed", SHOP, NOW).err(), Some(PickRefused::Ended));
    let elsewhere = picks.go_on(&key, "https://evil.example", NOW).err();
    assert_eq!(elsewhere, Some(PickRefused::Elsewhere(shop())));
}

#[test]
fn what_was_not_signed_here_is_forged() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let token = open(one.path()).picks().link("form", EventNo(1), shop(), NOW).unwrap();
    let store = open(other.path());
    let (said, sign) = token.split_once('.').unwrap();
    let later = format!("{}00.{sign}", said);
    for forged in [token.as_str(), &later, "", ".", "zz.zz", &said.repeat(2), "€.€"] {
        let refused = store.picks().open_link(forged, SHOP, NOW).err();
        assert_eq!(refused, Some(PickRefused::Forged), "{forged}");
    }
}

#[test]
fn the_secret_stays_and_what_is_out_ends_with_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let token = open(folder.path()).picks().link("form", EventNo(1), shop(), NOW).unwrap();
    let again = open(folder.path()).picks().open_link(&token, SHOP, NOW).err();
    assert_eq!(again, Some(PickRefused::Ended), "signed here, and out no more");
}

#[test]
fn a_form_takes_a_bounded_number_of_picks() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let picks = store.picks();
    let token = picks.link("form", EventNo(1), shop(), NOW).unwrap();
    let (_, key) = picks.open_link(&token, SHOP, NOW).unwrap();
    let refused = (0..1_000).find_map(|_| picks.pick(&key, SHOP, pick(), NOW).err());
    assert_eq!(refused, Some(PickRefused::TooMany));
    for _ in 0..1_000 {
        picks.link("many", EventNo(1), shop(), NOW).unwrap();
    }
    let latest = picks.link("form", EventNo(1), shop(), NOW).unwrap();
    assert!(picks.open_link(&latest, SHOP, NOW).is_ok());
}
