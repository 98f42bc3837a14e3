//! What a person sees in the browser.

use http::{HeaderValue, Response, StatusCode};

use super::Query;
use super::state::{SignInAnswer, SignIns};
use crate::http::reply::{Body, plain};

/// The page an authorization code comes from. The person's word is the member `answer`.
pub(super) fn authorize(sign_ins: &SignIns, query: &Query, now_ms: i64) -> Response<Body> {
    let asked =
        (query.get("client_id"), query.get("redirect_uri"), query.get("state"), query.get("code_challenge"));
    let (Some(client), Some(redirect_uri), Some(state), Some(challenge)) = asked else {
        return refuse("The request is not complete.");
    };
    if query.get("response_type") != Some("code") || query.get("code_challenge_method") != Some("S256") {
        return refuse("Only a code with an S256 challenge is given.");
    }
    // An address that is not the client's must not learn of anything.
    if !sign_ins.may_redirect(client, redirect_uri) {
        return refuse("The program or the address it wants to be called at is not registered.");
    }
    let code = || sign_ins.make_code(client, redirect_uri, challenge, now_ms);
    match (sign_ins.answer(), query.get("answer")) {
        (SignInAnswer::WrongState, _) => send_back(redirect_uri, &[("code", &code()), ("state", "another")]),
        (SignInAnswer::Denies, _) | (SignInAnswer::Asks, Some("deny")) => send_back(
            redirect_uri,
            &[("error", "access_denied"), ("error_description", "The request was denied"), ("state", state)],
        ),
        (SignInAnswer::Allows, _) | (SignInAnswer::Asks, Some("allow")) => {
            send_back(redirect_uri, &[("code", &code()), ("state", state)])
        }
        (SignInAnswer::Asks, _) => {
            ask("A program on this computer wants to reach your accounts.", "/authorize", query)
        }
    }
}

/// The page a user code is confirmed on.
pub(super) fn device(sign_ins: &SignIns, query: &Query, now_ms: i64) -> Response<Body> {
    let Some(user_code) = query.get("user_code") else { return refuse("The code is missing.") };
    let allowed = match (sign_ins.answer(), query.get("answer")) {
        (SignInAnswer::Allows, _) | (SignInAnswer::Asks, Some("allow")) => true,
        (SignInAnswer::Denies, _) | (SignInAnswer::Asks, Some("deny")) => false,
        _ => {
            let text = format!("Does your program show the code {user_code}?");
            return ask(&text, "/device", query);
        }
    };
    match (sign_ins.decide(user_code, allowed, now_ms), allowed) {
        (false, _) => refuse("The code is unknown or has expired."),
        (true, true) => page(StatusCode::OK, "<p>Confirmed. This page can be closed.</p>"),
        (true, false) => page(StatusCode::OK, "<p>Denied. This page can be closed.</p>"),
    }
}

fn ask(text: &str, path: &str, query: &Query) -> Response<Body> {
    let link = |answer: &str| {
        quick_xml::escape::escape(format!("{path}?{}", query.with("answer", answer))).into_owned()
    };
    let body = format!(
        "<p>{}</p><p><a id=\"allow\" href=\"{}\">Allow</a> <a id=\"deny\" href=\"{}\">Deny</a></p>",
        quick_xml::escape::escape(text),
        link("allow"),
        link("deny")
    );
    page(StatusCode::OK, &body)
}

fn refuse(text: &str) -> Response<Body> {
    page(StatusCode::BAD_REQUEST, &format!("<p>{}</p>", quick_xml::escape::escape(text)))
}

fn page(status: StatusCode, body: &str) -> Response<Body> {
    let text = format!("<!doctype html><meta charset=\"utf-8\"><title>Simulated sign-in</title>{body}\n");
    plain(status, "text/html; charset=utf-8", text)
}

fn send_back(redirect_uri: &str, members: &[(&str, &str)]) -> Response<Body> {
    let Ok(mut url) = url::Url::parse(redirect_uri) else { return refuse("The address is not valid.") };
    url.query_pairs_mut().extend_pairs(members);
    let mut response = plain(StatusCode::FOUND, "text/plain", "");
    if let Ok(place) = HeaderValue::from_str(url.as_str()) {
        response.headers_mut().insert(http::header::LOCATION, place);
    }
    response
}
