//! People: who is in and for how long, links that are good once, and an administrator who is always left.

use beaconry_model::names::Name;
use beaconry_model::time::{DAY_MS, Timestamp};
use beaconry_store::{
    AuditFilter, AuditLog, Folder, Hashed, IDLE_MS, LONGEST_MS, NewPerson, People, Person, Purpose,
    Role, Store, email,
};

use crate::samples::open;

const HOUR_MS: i64 = 3_600_000;

struct Setting {
    folder: Folder,
    people: People,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

fn setting() -> Setting {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open(temporary.path()).unwrap();
    let people = People::open(&folder).unwrap();
    Setting { folder, people, now: Timestamp(1_800_000_000_000), _folder: temporary }
}

fn hashed(text: &str) -> Hashed {
    Hashed(text.to_owned())
}

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

impl Setting {
    fn add(&self, email: &str, role: Role) -> Person {
        let password = Some(hashed("kept"));
        let new = NewPerson { email: email.to_owned(), name: name("Ada"), role, password };
        self.people.add(&new, "test", self.now).unwrap()
    }

    fn actions(&self) -> Vec<String> {
        let log = AuditLog::open(&self.folder).unwrap();
        let (entries, _) = log.page(&AuditFilter::default(), None, 100).unwrap();
        entries.into_iter().map(|entry| entry.action).collect()
    }
}

#[test]
fn a_session_ends_when_nothing_is_asked_for_and_after_a_week_in_any_case() {
    let setting = setting();
    let (people, start) = (&setting.people, setting.now);
    let ada = setting.add("ada@example.com", Role::Viewer);
    let token = people.start_session(ada.number, start).unwrap();
    let is_in = |token: &str, at: Timestamp| people.session(token, at).unwrap().is_some();
    assert!(!is_in("", start) && !is_in("guessed", start));
    assert!(is_in(token.as_str(), start.plus(IDLE_MS - 1)), "asked for in time");
    assert!(!is_in(token.as_str(), start.plus(2 * IDLE_MS)), "nothing was asked for");

    let token = people.start_session(ada.number, start).unwrap();
    let mut at = start;
    while at < start.plus(LONGEST_MS) {
        assert!(is_in(token.as_str(), at), "used every hour");
        at = at.plus(HOUR_MS);
    }
    assert!(!is_in(token.as_str(), start.plus(LONGEST_MS)));

    // A stream that stays open asks whether the session is there, which does not keep it alive.
    let token = people.start_session(ada.number, start).unwrap();
    for hour in 0..12 {
        assert!(people.is_in(token.as_str(), start.plus(hour * HOUR_MS)).unwrap());
    }
    assert!(!people.is_in(token.as_str(), start.plus(IDLE_MS)).unwrap());
}

#[test]
fn a_new_password_another_role_and_a_removal_count_at_once() {
    let setting = setting();
    let (people, now) = (&setting.people, setting.now);
    setting.add("root@example.com", Role::Administrator);
    let ada = setting.add("ada@example.com", Role::Marketer);
    let (first, second) = (
        people.start_session(ada.number, now).unwrap(),
        people.start_session(ada.number, now).unwrap(),
    );
    assert_ne!(first, second);
    people.change_role(ada.number, Role::Viewer, "test", now).unwrap();
    assert_eq!(people.session(first.as_str(), now).unwrap().unwrap().role, Role::Viewer);
    people.end_session(first.as_str(), &ada, now).unwrap();
    assert!(people.session(first.as_str(), now).unwrap().is_none());
    assert!(people.session(second.as_str(), now).unwrap().is_some());
    people.set_password(ada.number, &hashed("new"), "test", now).unwrap();
    assert!(people.session(second.as_str(), now).unwrap().is_none());
    let third = people.start_session(ada.number, now).unwrap();
    people.remove(ada.number, "test", now).unwrap();
    assert!(people.session(third.as_str(), now).unwrap().is_none());
    assert!(people.password("ada@example.com").unwrap().is_none());
    let again = setting.add("ada@example.com", Role::Viewer);
    assert_ne!(again.number, ada.number, "a number is never given twice");
}

#[test]
fn an_administrator_is_always_left() {
    let setting = setting();
    let (people, now) = (&setting.people, setting.now);
    let first = setting.add("first@example.com", Role::Administrator);
    let refused = people.remove(first.number, "test", now).unwrap_err().to_string();
    assert!(refused.contains("at least one administrator"), "{refused}");
    assert!(people.change_role(first.number, Role::Viewer, "test", now).is_err());
    assert_eq!(people.list().unwrap()[0].role, Role::Administrator, "what was refused did nothing");
    let second = setting.add("second@example.com", Role::Administrator);
    people.change_role(first.number, Role::Viewer, "test", now).unwrap();
    assert!(people.remove(second.number, "test", now).is_err());
    people.remove(first.number, "test", now).unwrap();
}

#[test]
fn a_link_is_good_once_and_for_its_time() {
    let setting = setting();
    let (people, now) = (&setting.people, setting.now);
    let use_link = |token: &str, at| {
        people.use_link(token, "ada@example.com", &name("Ada"), &hashed("kept"), at).unwrap()
    };
    let void = people.first_link(now).unwrap().unwrap();
    let first = people.first_link(now).unwrap().unwrap();
    assert!(use_link(void.as_str(), now).is_none(), "an older one is void");
    assert!(use_link("guessed", now).is_none());
    let ada = use_link(first.as_str(), now.plus(90 * DAY_MS)).unwrap();
    assert_eq!((ada.role, ada.email.as_str()), (Role::Administrator, "ada@example.com"));
    assert!(use_link(first.as_str(), now).is_none(), "it is used");
    assert!(people.first_link(now).unwrap().is_none(), "there is an administrator");

    let week = now.plus(7 * DAY_MS);
    let invite = |email: &str| people.invite(email, Role::Viewer, "test", now).unwrap();
    let late = invite("bob@example.com");
    assert!(people.link(late.as_str(), week.plus(-1)).unwrap().is_some());
    assert!(people.link(late.as_str(), week).unwrap().is_none(), "seven days");
    let again = invite("bob@example.com");
    assert!(people.link(late.as_str(), now).unwrap().is_none(), "the newer one counts");
    let bob = use_link(again.as_str(), now).unwrap();
    assert_eq!((bob.role, bob.email.as_str()), (Role::Viewer, "bob@example.com"), "as invited");
    assert!(people.invite("BOB@example.com ", Role::Viewer, "test", now).is_err());
    let gone = invite("eve@example.com");
    people.withdraw(people.invitations(now).unwrap()[0].number, "test", now).unwrap();
    assert!(use_link(gone.as_str(), now).is_none(), "it is withdrawn");

    let reset = people.reset_link(bob.number, "test", now).unwrap();
    let purpose = people.link(reset.as_str(), now).unwrap().unwrap().purpose;
    assert_eq!(purpose, Purpose::Reset(bob.clone()));
    assert!(people.link(reset.as_str(), now.plus(DAY_MS)).unwrap().is_none(), "a day");
    assert_eq!(use_link(reset.as_str(), now).unwrap().number, bob.number);
    assert!(use_link(reset.as_str(), now).is_none(), "it is used");
}

#[test]
fn the_log_says_who_came_and_counts_who_did_not() {
    let setting = setting();
    let (people, now) = (&setting.people, setting.now);
    let ada = setting.add("ada@example.com", Role::Administrator);
    people.start_session(ada.number, now).unwrap();
    for second in 0..30 {
        people.note_failed(Some(&ada), now.plus(second * 1_000)).unwrap();
        people.note_failed(None, now.plus(second * 1_000)).unwrap();
    }
    people.note_failed(Some(&ada), now.plus(2 * HOUR_MS)).unwrap();
    let expected = ["login.failed", "login.failed", "login.failed", "person.login", "person.add"];
    assert_eq!(setting.actions(), expected, "one entry an account and hour");
    let log = AuditLog::open(&setting.folder).unwrap();
    let (entries, _) = log.page(&AuditFilter::default(), None, 100).unwrap();
    let of_ada = entries.iter().filter(|entry| entry.thing == "ada@example.com");
    let counted: Vec<_> = of_ada.filter_map(|entry| entry.after.clone()).collect();
    assert!(counted[0].contains("\"failed\":1") && counted[1].contains("\"failed\":30"));
}

#[test]
fn the_log_reads_both_databases_as_one_page_by_page() {
    let temporary = tempfile::tempdir().unwrap();
    let store: std::sync::Arc<Store> = open(temporary.path());
    let people = People::open(store.folder()).unwrap();
    let start = store.clock().now();
    for n in 0..20 {
        let at = start.plus(n);
        if n % 3 == 0 {
            crate::samples::add_section(&mut store.registry(), &format!("Section {n}"), at);
        } else {
            let email = format!("p{n}@example.com");
            people
                .invite(&email, Role::Viewer, if n % 2 == 0 { "even" } else { "odd" }, at)
                .unwrap();
        }
    }
    let log = AuditLog::open(store.folder()).unwrap();
    let (mut place, mut times) = (None, Vec::new());
    loop {
        let (entries, next) = log.page(&AuditFilter::default(), place, 3).unwrap();
        times.extend(entries.iter().map(|entry| entry.at.0 - start.0));
        let Some(next) = next else { break };
        place = Some(next.to_string().parse().unwrap());
    }
    assert_eq!(times, (0..20).rev().collect::<Vec<_>>());

    let count = |filter: AuditFilter| log.page(&filter, None, 100).unwrap().0.len();
    let all = AuditFilter::default;
    assert_eq!(count(AuditFilter { actor: Some("even".to_owned()), ..all() }), 6);
    assert_eq!(count(AuditFilter { action: Some("section.create".to_owned()), ..all() }), 7);
    let thing = |text: &str, ids: &[&str]| {
        Some((text.to_owned(), ids.iter().map(|id| (*id).to_owned()).collect()))
    };
    assert_eq!(count(AuditFilter { thing: thing("P1@Example", &[]), ..all() }), 1);
    assert_eq!(count(AuditFilter { thing: thing("%", &["p2@example.com"]), ..all() }), 1);
    let (actors, actions) = log.words().unwrap();
    assert!(actors.contains(&"odd".to_owned()) && actions.contains(&"person.invite".to_owned()));
}

#[test]
fn an_address_means_one_person_however_it_is_typed() {
    assert_eq!(email(" Ada@Example.COM ").unwrap(), "ada@example.com");
    let long = format!("{}@example.com", "a".repeat(250));
    for wrong in ["", "ada", "@example.com", "ada@", "a da@example.com", "a@b@c", "<a@b>", &long] {
        assert!(email(wrong).is_err(), "{wrong}");
    }
    let setting = setting();
    setting.add("Ada@example.com", Role::Viewer);
    assert!(setting.people.find("ada@example.com").is_ok());
    let new = NewPerson {
        email: "ADA@example.com".to_owned(),
        name: name("Ada"),
        role: Role::Viewer,
        password: None,
    };
    let taken = setting.people.add(&new, "test", setting.now).unwrap_err().to_string();
    assert!(taken.contains("one that nobody here has yet"), "{taken}");
}
