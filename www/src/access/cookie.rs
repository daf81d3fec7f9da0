//! The session's cookie: how it is written, and how it is read back.

use axum::http::{HeaderMap, HeaderValue, header};

use beaconry_store::{LONGEST_MS, Token};

use super::site::Site;

/// The cookie that carries a session. No script reads it, and no form of another site sends it along.
pub(crate) fn cookie(site: &Site, token: &Token) -> HeaderValue {
    written(site, token.as_str(), LONGEST_MS / 1000)
}

/// What takes the cookie out of the browser.
pub(crate) fn removed_cookie(site: &Site) -> HeaderValue {
    written(site, "", 0)
}

fn written(site: &Site, value: &str, seconds: i64) -> HeaderValue {
    let secure = if site.is_https() { "; Secure" } else { "" };
    let name = site.cookie_name();
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The token that a request's cookie carries.
pub(crate) fn read_cookie<'a>(site: &Site, headers: &'a HeaderMap) -> Option<&'a str> {
    let name = site.cookie_name();
    let lines = headers.get_all(header::COOKIE).into_iter();
    let cookies = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    cookies
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(found, value)| (found == name && !value.is_empty()).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(public: Option<&str>) -> Site {
        let public = public.map(|url| url.to_owned().try_into().unwrap());
        Site::new("127.0.0.1:4001".parse().unwrap(), public).unwrap()
    }

    #[test]
    fn it_is_kept_from_scripts_and_other_sites_and_by_https_from_plain_http() {
        let text = |site: &Site| removed_cookie(site).to_str().unwrap().to_owned();
        assert_eq!(text(&site(None)), "beaconry-4001=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
        assert_eq!(
            text(&site(Some("https://console.example"))),
            "__Host-beaconry=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
        );
    }

    #[test]
    fn it_is_found_among_others() {
        let read = |line: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_static(line));
            read_cookie(&site(None), &headers).map(str::to_owned)
        };
        assert_eq!(read("basket=a; beaconry-4001=secret; x=y").as_deref(), Some("secret"));
        assert_eq!(read("beaconry-4002=secret"), None);
        assert_eq!(read("beaconry-4001="), None);
    }
}
