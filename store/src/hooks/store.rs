//! What a server does with webhooks, beside sending.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use beaconry_model::error::Invalid;
use beaconry_model::webhook::{NewWebhook, Webhook};

use super::known::{HookSecret, KnownWebhook, hook_remarks};
use super::outbox::begin;
use super::state::{self, DeadLetter, WebhookState};
use crate::audit::AuditEntry;
use crate::error::StoreError;
use crate::schema::EVENTS;
use crate::store::Store;

/// How many webhooks a section may have.
const MOST: usize = 100;

/// A webhook that was just made. Its secret is shown now and never again.
#[derive(Clone, Debug)]
pub struct MadeWebhook {
    /// The webhook.
    pub hook: Webhook,
    /// What its posts are signed with.
    pub secret: HookSecret,
}

/// Webhooks.
impl Store {
    /// Lets webhooks post to this machine and to private networks, and without encryption.
    pub fn allow_private_webhooks(&self) {
        self.profiler.shared.hooks.private.store(true, Ordering::Release);
    }

    /// Whether webhooks may post to this machine and to private networks.
    pub fn private_webhooks(&self) -> bool {
        self.profiler.shared.hooks.private.load(Ordering::Acquire)
    }

    /// Makes a webhook, which hears of what comes from now on.
    pub fn add_webhook(&self, new: NewWebhook, actor: &str) -> Result<MadeWebhook, StoreError> {
        let (now, snapshot) = (self.clock().now(), self.snapshot());
        let random = crate::random::bytes().map_err(StoreError::from)?;
        let hook = Webhook::create(new, random, now)?;
        self.check_webhook(&hook)?;
        let here = snapshot.webhooks().iter().filter(|known| known.hook.section == hook.section);
        if here.count() >= MOST {
            return Err(Invalid::new("webhooks", "at most 100 in a section", "one more").into());
        }
        let secret = HookSecret::new()?;
        let number = self.registry().add_webhook(&hook, &secret, actor, now)?;
        let events = EVENTS.open_to_read(self.folder())?;
        begin(&self.profiler.shared.hooks.lock(), &events, number, self.profiler.committed())?;
        self.reload()?;
        Ok(MadeWebhook { hook, secret })
    }

    fn check_webhook(&self, hook: &Webhook) -> Result<(), Invalid> {
        if !self.private_webhooks() && !hook.url.is_https() {
            return Err(Invalid::new("url", "an address that begins with https://", "http://"));
        }
        if !self.private_webhooks() && hook.url.is_private() {
            let expected = "an address on the internet, or a server started with --webhooks-to-private-addresses";
            return Err(Invalid::new("url", expected, hook.url.host()));
        }
        match hook_remarks(&self.snapshot(), hook).into_iter().next() {
            Some(wrong) => {
                let expected = "visible events of the section with their versions, and sound segments of it, which one of the \
                                chosen keyspaces may read";
                Err(Invalid::new("topics", expected, wrong))
            }
            None => Ok(()),
        }
    }

    /// Deletes a webhook, with all that waits for it and all that was given up.
    pub fn delete_webhook(&self, discriminator: &str, actor: &str) -> Result<(), StoreError> {
        let number = self.snapshot().webhook(discriminator)?.number;
        self.registry().delete_webhook(discriminator, actor, self.clock().now())?;
        self.reload()?;
        state::remove(&self.profiler.shared.hooks.lock(), number)?;
        Ok(())
    }

    /// How every webhook does, by its number.
    pub fn webhook_states(&self) -> Result<HashMap<u32, WebhookState>, StoreError> {
        Ok(state::all(&self.profiler.shared.hooks.lock())?)
    }

    /// What was given up of a webhook below this number, newest first.
    pub fn dead_letters(
        &self,
        known: &KnownWebhook,
        before: i64,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        Ok(state::dead(&self.profiler.shared.hooks.lock(), known.number, before, limit)?)
    }

    /// Has what was given up be posted again: one, or all of a webhook. Says how many.
    pub fn resend(
        &self,
        known: &KnownWebhook,
        number: Option<i64>,
        actor: &str,
    ) -> Result<usize, StoreError> {
        let (hooks, now) = (&self.profiler.shared.hooks, self.clock().now());
        let count = state::resend(&hooks.lock(), known.number, number, now)?;
        hooks.woken.store(true, Ordering::Release);
        if count > 0 {
            self.registry().note(&AuditEntry {
                at: now,
                actor: actor.to_owned(),
                action: "webhook.resend".to_owned(),
                thing: known.hook.discriminator.clone(),
                before: None,
                after: Some(format!("{{\"deliveries\":{count}}}")),
            })?;
        }
        Ok(count)
    }
}
