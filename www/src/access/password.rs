//! Passwords: Argon2id as OWASP asks for it, off the async threads, and never many at a time.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use beaconry_model::error::Invalid;
use beaconry_store::Hashed;

/// Memory of one hash in KiB, passes over it and lanes: OWASP's Password Storage Cheat Sheet, Argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// The shortest password in characters; NIST SP 800-63B asks for length, and for no mixture of letters.
const SHORTEST: usize = 12;
/// The longest password in bytes.
const LONGEST: usize = 256;
/// Log-ins that may wait for their turn; more are asked to come back.
const WAITING: usize = 32;

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or(Params::DEFAULT);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A password that may be set: long enough, and not the person's own address.
pub fn acceptable(password: &str, email: &str) -> Result<(), Invalid> {
    let expected =
        "at least 12 characters, like four words that have nothing to do with each other";
    if password.chars().count() < SHORTEST {
        return Err(Invalid::new("password", expected, "fewer"));
    }
    if password.len() > LONGEST {
        return Err(Invalid::new("password", "at most 256 bytes", "more"));
    }
    let mut letters: Vec<char> = password.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    if letters.len() < 5
        || password.to_lowercase().contains(email.trim().to_lowercase().as_str())
            && !email.is_empty()
    {
        let expected =
            "one that nobody guesses: not your address, and not a few characters over and over";
        return Err(Invalid::new("password", expected, "such a one"));
    }
    Ok(())
}

/// A password in the form that is kept. Takes 19 MiB; a whole log-in takes some 30 ms with it.
pub fn hash(password: &str) -> Result<Hashed, String> {
    let hashed = argon2().hash_password(password.as_bytes()).map_err(|error| error.to_string())?;
    Ok(Hashed(hashed.to_string()))
}

/// Whether a password is the kept one; compared in constant time.
fn is(password: &str, kept: &Hashed) -> bool {
    let Ok(parsed) = PasswordHash::new(&kept.0) else { return false };
    argon2().verify_password(password.as_bytes(), &parsed).is_ok()
}

/// What an unknown account's password is held against, so that it takes as long as a known one's.
static NOBODY: LazyLock<Hashed> =
    LazyLock::new(|| hash("nobody has this password").unwrap_or(Hashed(String::new())));

/// Too many log-ins at the same time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Busy;

/// Hashes and compares passwords on threads of their own, a few at a time.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Passwords {
    /// Half of the cores at the most: the collector needs the others.
    fn default() -> Passwords {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Passwords {
            turns: Arc::new(Semaphore::new((cores / 2).max(1))),
            waiting: Arc::new(Semaphore::new(WAITING)),
        }
    }
}

impl Passwords {
    /// Whether this is the kept password. Where none is kept, it takes as long, and is none.
    pub(crate) async fn is(&self, password: String, kept: Option<Hashed>) -> Result<bool, Busy> {
        self.work(move || match &kept {
            Some(kept) => is(&password, kept),
            None => {
                let _ = is(&password, &NOBODY);
                false
            }
        })
        .await
    }

    /// A password in the form that is kept.
    pub(crate) async fn hash(&self, password: String) -> Result<Hashed, Busy> {
        self.work(move || hash(&password)).await?.map_err(|_| Busy)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let _place = self.waiting.try_acquire().map_err(|_| Busy)?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| Busy)?;
        let worked = tokio::task::spawn_blocking(move || {
            // Given back when the work is done, even where nobody waits for it any more.
            let _turn = turn;
            work()
        });
        worked.await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_kept_as_argon2id_with_owasps_parameters() {
        let kept = hash("correct horse battery").unwrap();
        assert!(kept.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept:?}");
        assert_ne!(kept, hash("correct horse battery").unwrap(), "each has a salt of its own");
        assert!(is("correct horse battery", &kept));
        assert!(!is("correct horse batterx", &kept) && !is("", &kept));
        assert!(!is("anything", &Hashed(String::new())));
    }

    #[test]
    fn what_is_short_or_guessed_is_refused() {
        let table = [
            ("correct horse battery", true),
            ("twelve chars", true),
            ("eleven char", false),
            ("aaaaaaaaaaaaaaaa", false),
            ("ADA@example.com", false),
            ("my ada@example.com 1", false),
            (&"long ".repeat(60), false),
        ];
        for (password, fine) in table {
            assert_eq!(acceptable(password, "ada@example.com").is_ok(), fine, "{password}");
        }
    }

    #[tokio::test]
    async fn more_than_can_wait_are_asked_to_come_back() {
        let passwords =
            Passwords { turns: Arc::new(Semaphore::new(1)), waiting: Arc::new(Semaphore::new(0)) };
        assert_eq!(passwords.is("x".to_owned(), None).await, Err(Busy));
        let passwords = Passwords::default();
        assert_eq!(passwords.is("x".to_owned(), None).await, Ok(false));
        let kept = passwords.hash("correct horse battery".to_owned()).await.unwrap();
        assert_eq!(passwords.is("correct horse battery".to_owned(), Some(kept)).await, Ok(true));
    }
}
