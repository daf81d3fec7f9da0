//! What a section is to know of people, defined in its settings by somebody at a browser.

use beaconry_tests::{Browser, Person};

use crate::setting::Setting;

#[tokio::test]
async fn attributes_consent_lists_and_the_secret_are_made_on_a_sections_page() {
    let setting = Setting::new();
    let section = setting.server.json(&["section", "list"])[0]["id"].as_str().unwrap().to_owned();
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    browser.open(&format!("{}/sections/{section}", setting.server.console)).await;
    let person = Person::at(&browser);

    person.types("New attribute", "Shoe size").await;
    person.chooses("Its type", "Number with decimals").await;
    person.presses("button", "Add the attribute").await;
    person.reads("Shoe size Number with decimals com.beaconry.attributes.custom-shoe-size-").await;

    person.types("New consent list", "Newsletters").await;
    person.types("Its first topic", "Weekly").await;
    person.presses("button", "Add the list").await;
    person.types("New topic of Newsletters", "Offers").await;
    person.presses("button", "Add a topic to Newsletters").await;
    person.reads("Weekly, Offers").await;
    person.types("New topic of Newsletters", "Weekly").await;
    person.presses("button", "Add a topic to Newsletters").await;
    person.reads("expected each name once in a list").await;

    person.presses("button", "Make the secret").await;
    let secret = person.reads_input("Secret").await;
    assert_eq!(secret.len(), 64);
    person.finds("button", "Make a new secret").await;
    let page = setting.session.get(&format!("/sections/{section}")).text();
    assert!(!page.contains(&secret), "it is shown once");

    let attributes = setting.server.json(&["attribute", "list"]);
    let made = attributes.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&made["name"], &made["versions"][0]["type"]),
        (&"Shoe size".into(), &"decimal".into())
    );
    let audit = setting.session.get("/settings/audit").text();
    for words in
        ["made the attribute", "made the consent list", "made a new secret for the tokens of"]
    {
        assert!(audit.contains(words), "{words}");
    }
    assert!(!audit.contains(&secret));
}

#[test]
fn what_does_not_fit_is_said_beside_the_form() {
    let setting = Setting::new();
    let section = setting.server.json(&["section", "list"])[0]["id"].as_str().unwrap().to_owned();
    for (path, form, place) in [
        (
            "attributes",
            &[("attribute-name", " "), ("attribute-type", "text")],
            "error-attribute-name",
        ),
        (
            "attributes",
            &[("attribute-name", "Shoe size"), ("attribute-type", "size")],
            "error-attribute-type",
        ),
        ("consent-lists", &[("list-name", "Letters"), ("list-topic", "")], "error-list-topic"),
    ] {
        let refused = setting.session.post(&format!("/sections/{section}/{path}"), form);
        assert_eq!(refused.status, 422, "{form:?}");
        let text = refused.text();
        let said = text.split(&format!("id=\"{place}\"")).nth(1).unwrap_or_default();
        assert!(said.split("</p>").next().unwrap().contains("xpected"), "{form:?}: {said}");
    }
    let none = format!("/sections/{section}/consent-lists/none/topics");
    assert_eq!(setting.session.post(&none, &[("topic-name", "Weekly")]).status, 404);
}
