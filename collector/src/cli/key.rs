//! `beaconry key` and `beaconry token`: what lets programs in.

use clap::{Args, Subcommand, ValueEnum};

use beaconry_model::key::{Grant, Sections};
use beaconry_model::names::Name;
use beaconry_model::profile::Keyspace;
use beaconry_store::{ApiKey, Keys, PersonalToken};

use super::Context;
use super::error::CliError;
use super::output::{columns, json_value, line, row};

/// Whom the audit names for what is done here.
const ACTOR: &str = "command line";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A new API key for an outside system. Its secret is shown once.
    Create(Create),
    /// Every API key, and what it may do.
    List,
    /// Let an API key's tokens in no more.
    Revoke {
        /// Its client id.
        client_id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What people call it, like "Shop's back end".
    name: String,
    /// A section it is for, by name or id. Can be given several times.
    #[arg(long, required_unless_present = "all_sections", conflicts_with = "all_sections")]
    section: Vec<String>,
    /// It is for all sections, also those to come. Deleting and locking profiles needs that.
    #[arg(long)]
    all_sections: bool,
    /// A keyspace it is for. Can be given several times; web visitors only where they are named.
    #[arg(long, required = true)]
    keyspace: Vec<KeyspaceWord>,
    /// It may read.
    #[arg(long)]
    read: bool,
    /// It may write.
    #[arg(long, required_unless_present = "read")]
    write: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KeyspaceWord {
    Email,
    Mobile,
    CrmId,
    Web,
}

impl From<KeyspaceWord> for Keyspace {
    fn from(word: KeyspaceWord) -> Keyspace {
        match word {
            KeyspaceWord::Email => Keyspace::Email,
            KeyspaceWord::Mobile => Keyspace::Mobile,
            KeyspaceWord::CrmId => Keyspace::CrmId,
            KeyspaceWord::Web => Keyspace::Web,
        }
    }
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        let keys = Keys::open(&context.folder()?)?;
        match self {
            Command::Create(create) => create.run(context, &keys),
            Command::List => list(context, &keys.list()?),
            Command::Revoke { client_id } => {
                keys.revoke(&client_id, ACTOR, context.clock.now())?;
                list(context, &keys.list()?)
            }
        }
    }
}

impl Create {
    fn run(self, context: &Context, keys: &Keys) -> Result<(), CliError> {
        let snapshot = context.registry()?.snapshot()?;
        let sections = if self.all_sections {
            Sections::All
        } else {
            let ids = self.section.iter().map(|words| Ok(snapshot.section(words)?.id.clone()));
            Sections::Some(ids.collect::<Result<_, CliError>>()?)
        };
        let keyspaces = self.keyspace.into_iter().map(Keyspace::from).collect();
        let may = Grant::new(sections, keyspaces, self.read, self.write)?;
        let made = keys.create(&Name::try_from(self.name)?, may, ACTOR, context.clock.now())?;
        if context.json {
            json_value(&made);
        } else {
            columns(&[
                row(["client_id", &made.key.client_id]),
                row(["client_secret", &made.client_secret]),
            ]);
            line(
                "\nThe secret is shown this once. Exchange both for an access token with POST /oauth/token.",
            );
        }
        Ok(())
    }
}

fn list(context: &Context, keys: &[ApiKey]) -> Result<(), CliError> {
    if context.json {
        json_value(&keys);
    } else if keys.is_empty() {
        line(
            "no API key yet; make one with: beaconry key create \"My back end\" --all-sections --keyspace email --read --write",
        );
    } else {
        columns(&keys.iter().map(text).collect::<Vec<_>>());
    }
    Ok(())
}

fn text(key: &ApiKey) -> Vec<String> {
    let sections = match key.may.sections() {
        Sections::All => "all sections".to_owned(),
        Sections::Some(ids) => ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(" "),
    };
    let keyspaces: Vec<_> = key.may.keyspaces().iter().map(|keyspace| keyspace.word()).collect();
    let uses = [beaconry_model::key::Use::Read, beaconry_model::key::Use::Write];
    let uses: Vec<_> =
        uses.into_iter().filter(|what| key.may.allows(*what)).map(|what| what.word()).collect();
    let state = match (key.revoked, key.used) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) => format!("last token {at}"),
        (None, None) => "never used".to_owned(),
    };
    row([&key.client_id, &key.name, &sections, &keyspaces.join(","), &uses.join(","), &state])
}

/// `beaconry token`.
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// A new personal token, for what only administrators may do by API. It is shown once.
    Create {
        /// What people call it, like "Laptop".
        name: String,
        /// Whose it is, as the audit log is to call them.
        #[arg(long, default_value = ACTOR)]
        owner: String,
        /// For how many days it is good.
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
    /// Every personal token.
    List,
    /// Let a personal token in no more.
    Revoke {
        /// Its number.
        number: i64,
    },
}

impl Token {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        let (keys, now) = (Keys::open(&context.folder()?)?, context.clock.now());
        match self {
            Token::Create { name, owner, days } => {
                let made = keys.create_token(&Name::try_from(name)?, &owner, days, now)?;
                if context.json {
                    json_value(&made);
                } else {
                    line(&made.token);
                    line(&format!(
                        "\nIt is shown this once, and good until {}.",
                        made.personal.until
                    ));
                }
                Ok(())
            }
            Token::List => tokens(context, &keys.tokens()?),
            Token::Revoke { number } => {
                keys.revoke_token(number, ACTOR, now)?;
                tokens(context, &keys.tokens()?)
            }
        }
    }
}

fn tokens(context: &Context, tokens: &[PersonalToken]) -> Result<(), CliError> {
    if context.json {
        json_value(&tokens);
        return Ok(());
    }
    let text = |token: &PersonalToken| {
        let state = match token.revoked {
            Some(at) => format!("revoked {at}"),
            None => format!("until {}", token.until),
        };
        row([&token.number.to_string(), &token.name, &token.owner, &state])
    };
    columns(&tokens.iter().map(text).collect::<Vec<_>>());
    Ok(())
}
