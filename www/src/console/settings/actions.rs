//! The words of the audit log, as people say them.

/// Each stable word with what somebody did.
const SAID: &[(&str, &str)] = &[
    ("section.create", "created the section"),
    ("section.change", "changed the section"),
    ("section.secret", "made a new secret for the tokens of"),
    ("event.create", "created the event"),
    ("event.edit", "edited the event"),
    ("event.apply", "changed, by definitions as code, the event"),
    ("event.hide", "hid the event"),
    ("tracking.enable", "enabled web tracking of"),
    ("tracking.disable", "disabled web tracking of"),
    ("tracking.regenerate", "regenerated the snippet of"),
    ("tracking.publish", "changed triggers and values, and published the snippet of"),
    ("tracking.set", "changed triggers and values of"),
    ("tracking.stale", "chose what happens to old snippets of"),
    ("tracking.unschedule", "dropped what was scheduled for"),
    ("tracking.settle", "did what was scheduled for"),
    ("tracking.seen", "saw the first beacon of the newest snippet of"),
    ("quarantine.replay", "replayed beacons of"),
    ("share.create", "made a link for a developer to"),
    ("share.end", "ended a link for a developer to"),
    ("attribute.create", "made the attribute"),
    ("attribute.change", "changed the attribute"),
    ("consent_list.create", "made the consent list"),
    ("consent_list.change", "changed the consent list"),
    ("segment.create", "made the segment"),
    ("segment.change", "changed the segment"),
    ("segment.delete", "deleted the segment"),
    ("profile.erase", "erased"),
    ("profile.lock", "erased, and locked for ever,"),
    ("person.add", "let in"),
    ("person.invite", "invited"),
    ("person.withdraw", "withdrew the invitation of"),
    ("person.rename", "changed the name of"),
    ("person.role", "changed the role of"),
    ("person.remove", "removed"),
    ("person.reset", "made a link to a new password for"),
    ("person.password", "set the password of"),
    ("person.login", "logged in as"),
    ("person.logout", "logged out as"),
    ("person.logout.everywhere", "logged out everywhere as"),
    ("webhook.create", "made the webhook"),
    ("webhook.delete", "deleted the webhook"),
    ("webhook.resend", "sent again what was given up of"),
    ("key.create", "made the API key"),
    ("key.revoke", "revoked the API key"),
    ("token.create", "made the personal token"),
    ("token.revoke", "revoked the personal token"),
    ("login.failed", "failed to log in as"),
];

/// What a word says; itself where it is not known here.
pub(super) fn said(action: &str) -> &str {
    SAID.iter().find(|(word, _)| *word == action).map_or(action, |(_, said)| said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use beaconry_store::ACTIONS;

    #[test]
    fn every_word_of_the_log_is_known_here_and_no_other() {
        for action in ACTIONS {
            assert_ne!(said(action), action);
        }
        let unknown = SAID.iter().find(|(word, _)| !ACTIONS.contains(word));
        assert_eq!(unknown, None, "nobody writes it");
    }
}
