//! Somebody who is logged in to the console, over plain HTTP or in a browser.

use crate::http::{Answer, get, post};
use crate::server::Server;

/// The password of everybody whom tests let in.
pub const PASSWORD: &str = "correct horse battery staple";

/// A session of the console.
#[derive(Clone, Debug)]
pub struct Session {
    console: String,
    /// `name=value`, as the cookie travels.
    pub cookie: String,
}

impl Session {
    /// Lets an administrator in.
    pub fn administrator(server: &Server) -> Session {
        Session::of_role(server, "administrator")
    }

    /// Lets somebody with this role in: makes the person by the command line, and logs in with a password.
    pub fn of_role(server: &Server, role: &str) -> Session {
        let email = format!("{role}@example.com");
        let create = ["user", "create", &email, "--role", role, "--name", role, "--password-stdin"];
        let created = server.beaconry_reading(&create, PASSWORD);
        assert!(created.code == 0 || created.err.contains("nobody here has yet"), "{created:?}");
        Session::log_in(server, &email)
    }

    /// Logs in with an address and the password that tests use.
    pub fn log_in(server: &Server, email: &str) -> Session {
        let answer = log_in(&server.console, email, PASSWORD, "", &[]);
        assert_eq!(answer.status, 303, "{}", answer.text());
        Session { console: server.console.clone(), cookie: cookie(&answer) }
    }

    /// `http://host:port` of the console.
    pub fn console(&self) -> &str {
        &self.console
    }

    /// A page.
    pub fn get(&self, path: &str) -> Answer {
        get(&self.console, path, &[&format!("Cookie: {}", self.cookie)])
    }

    /// Sends a form from the console's own page.
    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let headers = [&*format!("Cookie: {}", self.cookie), &*format!("Origin: {}", self.console)];
        post_form(&self.console, path, &headers, form)
    }
}

/// Sends the log-in form, with further headers.
pub fn log_in(console: &str, email: &str, password: &str, next: &str, headers: &[&str]) -> Answer {
    let origin = format!("Origin: {console}");
    let form = [("email", email), ("password", password), ("next", next)];
    post_form(console, "/login", &[headers, &[&origin]].concat(), &form)
}

/// Sends a form, with these headers and no others.
pub fn post_form(console: &str, path: &str, headers: &[&str], form: &[(&str, &str)]) -> Answer {
    let pairs = form.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    let body = pairs.collect::<Vec<_>>().join("&");
    let kind = "Content-Type: application/x-www-form-urlencoded";
    post(console, path, &[headers, &[kind]].concat(), body.as_bytes())
}

/// The cookie that an answer sets, as it travels back.
pub fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").unwrap_or_default();
    set.split(';').next().unwrap_or_default().to_owned()
}

fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}
