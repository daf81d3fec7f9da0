//! People, their accounts, the audit log and storage, as an administrator and somebody who is invited use them: on a desk, on
//! a phone, and without scripts.

use beaconry_tests::{Browser, Device, Person};

use crate::setting::Setting;

const DEVICES: [Device; 3] = [Device::DESKTOP, Device::PHONE, Device::NO_SCRIPTS];
const PASSWORD: &str = "lamp river seven walnut";

#[tokio::test]
async fn somebody_is_invited_comes_in_again_gets_another_role_and_is_removed() {
    for device in DEVICES {
        let setting = Setting::new();
        let people = format!("{}/settings/people", setting.server.console);
        let (administrator, invited) = (Browser::start().await, Browser::start().await);
        administrator.come_in(&setting.session).await;
        let boss = Person::with(&administrator, device).await;
        let eve = Person::with(&invited, device).await;

        boss.opens(&people).await;
        boss.types("Their e-mail address", "eve@shop.example").await;
        let marketer = "Marketer: Makes and changes events, their tracking and the quarantine.";
        boss.presses("radio", marketer).await;
        boss.presses("button", "Make an invitation").await;
        boss.reads("eve@shop.example as Marketer, until").await;
        let shown = "The invitation; it is shown only now. Send it to them: it is good once, and for 7 days";
        let link = boss.reads_input(shown).await;

        eve.opens(&link).await;
        eve.reads("You come in as Marketer.").await;
        eve.types("Your name (optional)", "Eve").await;
        assert_eq!(eve.reads_input("E-mail address").await, "eve@shop.example");
        eve.types("Password", PASSWORD).await;
        eve.presses("button", "Come in").await;
        eve.reads("New event").await;
        eve.opens(&format!("{}/account", setting.server.console)).await;
        eve.reads("eve@shop.example, Marketer.").await;
        eve.types("What the console calls you", "Eve Ericsson").await;
        eve.presses("button", "Save the name").await;
        eve.reads("Eve Ericsson").await;
        eve.presses("button", "Log out everywhere").await;
        eve.types("E-mail address", "eve@shop.example").await;
        eve.types("Password", "not what it is at all").await;
        eve.presses("button", "Log in").await;
        eve.reads("This address and password do not go together.").await;
        eve.types("Password", PASSWORD).await;
        eve.presses("button", "Log in").await;
        eve.reads("New event").await;

        boss.opens(&people).await;
        boss.chooses("Role of Eve Ericsson", "Viewer").await;
        boss.presses("button", "Change the role of Eve Ericsson").await;
        boss.reads("The role is changed").await;
        boss.opens(&format!("{}/settings/audit", setting.server.console)).await;
        boss.chooses("Did what", "changed the role of").await;
        boss.presses("button", "Show").await;
        boss.reads("changed the role of").await;
        eve.opens(&setting.server.console).await;
        assert!(!eve.page().await.contains("New event"), "a viewer makes none");

        boss.opens(&people).await;
        boss.presses("DisclosureTriangle", "Remove…").await;
        boss.presses("button", "Remove Eve Ericsson").await;
        boss.reads("They are removed").await;
        eve.opens(&setting.server.console).await;
        eve.finds("button", "Log in").await;
        assert!(!boss.page().await.contains("eve@shop.example"));
    }
}

#[tokio::test]
async fn storage_says_what_is_there_and_what_goes_next() {
    for device in DEVICES {
        let setting = Setting::new();
        setting.event("Order placed", &["orderid:text"]);
        let key = setting.server.json(&["event", "show", "order-placed"])["key"].clone();
        let event = beaconry_tests::event(
            &beaconry_tests::event_id(1),
            key.as_str().unwrap(),
            1,
            serde_json::json!({ "source": "test", "orderid": "A-1" }),
        );
        let body = beaconry_tests::beacon(vec![event]);
        let posted = beaconry_tests::post(&setting.server.collector, "/c", &[], body.as_bytes());
        assert_eq!(posted.status, 204);
        let browser = Browser::start().await;
        browser.come_in(&setting.session).await;
        let person = Person::with(&browser, device).await;
        person.opens(&setting.server.console).await;
        person.presses("link", "Settings").await;
        person.presses("link", "Storage").await;
        person.reads("events.db").await;
        person.reads("Order placed 1 ").await;
        person.reads("Nothing is in quarantine, and there are no trials.").await;
    }
}
