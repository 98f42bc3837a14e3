//! AWS's published example of the signing process (IAM ListUsers) and its test-suite request `get-vanilla-query-order`
//! give the expected values; the secret in them is AWS's documentation example.

use http::Request;
use http::request::Parts;
use jiff::Timestamp;

use super::{Claim, SignatureProblem, signing_key};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn list_users(signature: &str) -> Parts {
    Request::builder()
        .method("GET")
        .uri("/?Action=ListUsers&Version=2010-05-08")
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .header("host", "iam.amazonaws.com")
        .header("x-amz-date", "20150830T123600Z")
        .header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date, Signature={signature}"
            ),
        )
        .body(())
        .unwrap()
        .into_parts()
        .0
}

const LIST_USERS: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

#[test]
fn signing_key_matches_the_published_example() {
    let key = signing_key(SECRET, "20150830", "us-east-1", "iam");
    assert_eq!(hex::encode(key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

#[test]
fn published_signature_is_accepted() {
    let parts = list_users(LIST_USERS);
    let claim = Claim::read(&parts).unwrap();
    assert_eq!(
        (claim.access_key.as_str(), claim.region.as_str(), claim.service.as_str()),
        ("AKIDEXAMPLE", "us-east-1", "iam")
    );
    assert_eq!(claim.verify(&parts, b"", SECRET, at("2015-08-30T12:36:30Z")), Ok(()));
}

#[test]
fn published_test_suite_query_order_is_accepted() {
    let parts = Request::builder()
        .uri("/?Param2=value2&Param1=value1")
        .header("host", "example.amazonaws.com")
        .header("x-amz-date", "20150830T123600Z")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        )
        .body(())
        .unwrap()
        .into_parts()
        .0;
    let claim = Claim::read(&parts).unwrap();
    assert_eq!(claim.verify(&parts, b"", SECRET, at("2015-08-30T12:36:00Z")), Ok(()));
}

#[test]
fn any_change_is_a_mismatch() {
    let now = at("2015-08-30T12:36:00Z");
    let parts = list_users(LIST_USERS);
    let claim = Claim::read(&parts).unwrap();
    assert_eq!(claim.verify(&parts, b"x", SECRET, now), Err(SignatureProblem::Mismatch));
    assert_eq!(claim.verify(&parts, b"", "another", now), Err(SignatureProblem::Mismatch));
    let parts = list_users("zz");
    let claim = Claim::read(&parts).unwrap();
    assert_eq!(claim.verify(&parts, b"", SECRET, now), Err(SignatureProblem::Mismatch));
}

#[test]
fn five_minutes_of_skew_are_allowed_and_no_more() {
    let parts = list_users(LIST_USERS);
    let claim = Claim::read(&parts).unwrap();
    for now in ["2015-08-30T12:31:00Z", "2015-08-30T12:41:00Z"] {
        assert_eq!(claim.verify(&parts, b"", SECRET, at(now)), Ok(()), "{now}");
    }
    assert_eq!(
        claim.verify(&parts, b"", SECRET, at("2015-08-30T12:41:01Z")),
        Err(SignatureProblem::Time(
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)".into()
        ))
    );
    assert_eq!(
        claim.verify(&parts, b"", SECRET, at("2015-08-30T12:30:59Z")),
        Err(SignatureProblem::Time(
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"
                .into()
        ))
    );
}

#[test]
fn unreadable_claims_are_named() {
    let read = |authorization: &str| {
        let parts = Request::builder()
            .uri("/")
            .header("host", "h")
            .header("x-amz-date", "20150830T123600Z")
            .header("authorization", authorization)
            .body(())
            .unwrap()
            .into_parts()
            .0;
        Claim::read(&parts).map(|_| ())
    };
    for bad in [
        "Basic abc",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request, SignedHeaders=x-amz-date, Signature=00",
        "AWS4-HMAC-SHA256 Credential=a/20150831/r/s/aws4_request, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request, Signature=00",
    ] {
        assert!(matches!(read(bad), Err(SignatureProblem::Malformed(_))), "{bad}");
    }
    let parts = Request::builder().uri("/").body(()).unwrap().into_parts().0;
    assert_eq!(Claim::read(&parts).map(|_| ()), Err(SignatureProblem::Missing));
}
