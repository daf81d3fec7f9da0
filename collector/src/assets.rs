//! `GET /s/…` and `GET /engine/…`: published snippets and engines, immutable, in the encoding the browser takes.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, VARY,
};
use hyper::{Method, Request, Response};

use beaconry_store::PublishedFile;

use crate::answer::{Answer, Refused};
use crate::server::Collector;

/// Whether this path is a published file's.
pub(crate) fn is_asset(path: &str) -> bool {
    path.starts_with("/s/") || path.starts_with("/engine/")
}

/// The file at the request's path. Its path names its content, so it may be kept for ever.
pub(crate) fn get(collector: &Collector, request: &Request<Incoming>) -> Answer {
    match collector.files.get(&collector.store, request.uri().path()) {
        Ok(Some(file)) => {
            let accepted =
                request.headers().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
            let answer = serve(&file, accepted.unwrap_or_default());
            if request.method() == Method::HEAD { answer.map(|_| Full::default()) } else { answer }
        }
        Ok(None) => Refused::NotFound.answer(),
        Err(error) => Refused::NotDurable(error.to_string()).answer(),
    }
}

fn serve(file: &PublishedFile, accepted: &str) -> Answer {
    let (encoding, body) = if takes(accepted, "br") {
        (Some("br"), &file.brotli)
    } else if takes(accepted, "gzip") {
        (Some("gzip"), &file.gzip)
    } else {
        (None, &file.body)
    };
    let mut answer = Response::new(Full::new(Bytes::copy_from_slice(body)));
    let headers = answer.headers_mut();
    if let Ok(mime) = HeaderValue::from_str(&file.mime) {
        headers.insert(CONTENT_TYPE, mime);
    }
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    let cross_origin = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(cross_origin, HeaderValue::from_static("cross-origin"));
    answer
}

/// Whether an `Accept-Encoding` header takes this encoding (RFC 9110, 12.5.3; `q=0` refuses it).
fn takes(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding))
            && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use super::takes;

    #[test]
    fn encodings_are_taken_as_offered() {
        assert!(takes("gzip, deflate, br", "br"));
        assert!(takes("gzip;q=0.5,BR", "br"));
        assert!(!takes("gzip, br;q=0", "br"));
        assert!(!takes("", "gzip"));
        assert!(!takes("brotli", "br"));
    }
}
