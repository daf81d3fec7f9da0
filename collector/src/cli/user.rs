//! `beaconry user`: who may use the console, from the server itself, where nobody has to log in.

use std::io::{self, BufRead};

use clap::Subcommand;

use beaconry_model::names::Name;
use beaconry_store::{Hashed, NewPerson, People, Person, Role, Token};
use beaconry_www::access::password;

use super::Context;
use super::error::CliError;
use super::output::{columns, json_value, line, row};

/// Whom the audit names for what is done here.
const ACTOR: &str = "command line";
/// Where people reach the console while no server has said otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:4001";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everybody who may use the console, and what they may do.
    List,
    /// Let somebody in: prints a link for them to choose a password by, good once and for seven days.
    Create {
        /// Their e-mail address, which they log in with.
        email: String,
        /// What they may do: viewer, marketer or administrator.
        #[arg(long, value_parser = role)]
        role: Role,
        /// Make the account at once, with the password on standard input, and print no link.
        #[arg(long)]
        password_stdin: bool,
        /// What the console calls them; their address where it is left out. With the link they say it themselves.
        #[arg(long, requires = "password_stdin")]
        name: Option<String>,
    },
    /// Help somebody who is locked out: prints a link to a new password, good once and for a day.
    Reset {
        /// Their e-mail address.
        email: String,
        /// Set the password on standard input at once, and print no link.
        #[arg(long)]
        password_stdin: bool,
    },
}

fn role(word: &str) -> Result<Role, String> {
    let unknown = || format!("expected viewer, marketer or administrator, got \"{word}\"");
    Role::from_word(word).ok_or_else(unknown)
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        let people = People::open(&context.folder()?)?;
        match self {
            Command::List => list(context, &people),
            Command::Create { email, role, password_stdin: true, name } => {
                create(context, &people, email, role, name)
            }
            Command::Create { email, role, .. } => {
                let link = people.invite(&email, role, ACTOR, context.clock.now())?;
                say_link(context, &people, &link)
            }
            Command::Reset { email, password_stdin } => {
                reset(context, &people, &email, password_stdin)
            }
        }
    }
}

fn list(context: &Context, people: &People) -> Result<(), CliError> {
    let (people, invited) = (people.list()?, people.invitations(context.clock.now())?);
    if context.json {
        json_value(&serde_json::json!({ "people": people, "invited": invited }));
    } else if people.is_empty() && invited.is_empty() {
        line("nobody yet; `beaconry serve` prints a link that makes the first administrator");
    } else {
        let in_it = people.iter().map(text);
        let invited = invited.iter().map(|invited| {
            let until = format!("invited until {}", invited.until);
            row([&invited.email, invited.role.word(), &until])
        });
        columns(&in_it.chain(invited).collect::<Vec<_>>());
    }
    Ok(())
}

fn create(
    context: &Context,
    people: &People,
    email: String,
    role: Role,
    name: Option<String>,
) -> Result<(), CliError> {
    let name = Name::try_from(name.unwrap_or_else(|| email.clone()))?;
    let password = Some(password_for(&email)?);
    let new = NewPerson { email, name, role, password };
    let person = people.add(&new, ACTOR, context.clock.now())?;
    if context.json {
        json_value(&person)
    } else {
        columns(&[text(&person)])
    }
    Ok(())
}

fn reset(
    context: &Context,
    people: &People,
    email: &str,
    password_stdin: bool,
) -> Result<(), CliError> {
    let (person, now) = (people.find(&beaconry_store::email(email)?)?, context.clock.now());
    if !password_stdin {
        let link = people.reset_link(person.number, ACTOR, now)?;
        return say_link(context, people, &link);
    }
    people.set_password(person.number, &password_for(&person.email)?, ACTOR, now)?;
    if context.json {
        json_value(&person);
    } else {
        line(&format!("{}: the new password is set, and every session is ended", person.email));
    }
    Ok(())
}

/// The first line of standard input, in the form that is kept.
fn password_for(email: &str) -> Result<Hashed, CliError> {
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed).map_err(CliError::io("standard input"))?;
    let typed = typed.trim_end_matches(['\r', '\n']);
    password::acceptable(typed, email)?;
    password::hash(typed).map_err(|why| CliError::Usage(format!("password: {why}")))
}

fn say_link(context: &Context, people: &People, link: &Token) -> Result<(), CliError> {
    let url = people.console_url()?.unwrap_or_else(|| DEFAULT_URL.to_owned());
    let link = format!("{url}/enter/{}", link.as_str());
    if context.json {
        json_value(&serde_json::json!({ "link": link }));
    } else {
        line(&link);
    }
    Ok(())
}

fn text(person: &Person) -> Vec<String> {
    let how = if person.has_password { "" } else { "no password" };
    row([&person.email, person.role.word(), &person.name, how])
}
