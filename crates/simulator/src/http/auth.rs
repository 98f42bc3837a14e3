//! Who calls: the signature is checked and the caller found, with each service's own words for what is wrong.

use http::StatusCode;
use http::request::Parts;
use jiff::Timestamp;

use super::failure::{ApiFailure, Dialect};
use crate::shared::Shared;
use crate::sigv4::{Claim, SignatureProblem};
use crate::sts::Lookup;
use crate::world::Account;

/// A caller whose signature is right.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Index of the account.
    pub(crate) account: usize,
    /// Region of the credential scope.
    pub(crate) region: String,
    /// Whether it is the account's user, or a session of it without a code: it may call STS only.
    pub(crate) as_user: bool,
}

impl Caller {
    pub(crate) fn account<'a>(&self, shared: &'a Shared) -> &'a Account {
        &shared.world.accounts[self.account]
    }

    /// Who it is, as AWS says it.
    pub(crate) fn arn(&self, shared: &Shared) -> String {
        let account = self.account(shared);
        if self.as_user { account.user_arn() } else { account.caller_arn() }
    }
}

/// Checks the signature of a request to `service`.
pub(crate) fn authenticate(
    shared: &Shared,
    dialect: Dialect,
    service: &str,
    parts: &Parts,
    body: &[u8],
) -> Result<Caller, ApiFailure> {
    let claim = Claim::read(parts).map_err(|problem| signature_failure(dialect, problem))?;
    if claim.service != service {
        return Err(signature_failure(
            dialect,
            SignatureProblem::Time(format!("Credential should be scoped to correct service: '{service}'. ")),
        ));
    }
    let key = Key::find(shared, &claim).map_err(|over| match over {
        true => expired(dialect),
        false => unknown_key(dialect),
    })?;
    claim
        .verify(parts, body, &key.secret, Timestamp::now())
        .map_err(|problem| signature_failure(dialect, problem))?;
    if shared.live.is_expired(key.account) {
        return Err(expired(dialect));
    }
    let caller = Caller { account: key.account, region: claim.region, as_user: key.as_user };
    if caller.as_user && service != "sts" {
        return Err(without_code(shared, dialect, &caller));
    }
    Ok(caller)
}

/// What an access key opens.
struct Key {
    account: usize,
    secret: String,
    as_user: bool,
}

impl Key {
    /// # Errors
    /// Whether the key is over; otherwise it is unknown.
    fn find(shared: &Shared, claim: &Claim) -> Result<Self, bool> {
        let token = claim.session_token.as_deref();
        if let Some(account) = shared.world.account_by_key(&claim.access_key) {
            let known = &shared.world.accounts[account];
            return match token == Some(known.session_token.as_str()) {
                true => Ok(Self { account, secret: known.secret_key.clone(), as_user: false }),
                false => Err(false),
            };
        }
        if let Some(account) = shared.world.account_by_user_key(&claim.access_key) {
            let secret = shared.world.accounts[account].user_secret.clone();
            return if token.is_none() { Ok(Self { account, secret, as_user: true }) } else { Err(false) };
        }
        match shared.issued.find(&claim.access_key, token, shared.now_ms()) {
            Lookup::Known(key) => {
                Ok(Self { account: key.account, secret: key.secret_key, as_user: key.as_user })
            }
            Lookup::Over => Err(true),
            Lookup::Unknown => Err(false),
        }
    }
}

/// The policy that many organizations give their users: nothing without MFA.
fn without_code(shared: &Shared, dialect: Dialect, caller: &Caller) -> ApiFailure {
    let text = format!(
        "User: {} is not authorized to perform this action with an explicit deny in an identity-based policy",
        caller.arn(shared)
    );
    match dialect {
        Dialect::Json => ApiFailure::new("AccessDeniedException", text),
        Dialect::Ec2 => ApiFailure::new("UnauthorizedOperation", text).with_status(StatusCode::FORBIDDEN),
        Dialect::Query | Dialect::S3 => {
            ApiFailure::new("AccessDenied", text).with_status(StatusCode::FORBIDDEN)
        }
    }
}

fn unknown_key(dialect: Dialect) -> ApiFailure {
    let invalid = "The security token included in the request is invalid.";
    match dialect {
        Dialect::Json => ApiFailure::new("UnrecognizedClientException", invalid),
        Dialect::Ec2 => ec2_auth_failure(),
        Dialect::Query => ApiFailure::new("InvalidClientTokenId", invalid).with_status(StatusCode::FORBIDDEN),
        Dialect::S3 => ApiFailure::new(
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        )
        .with_status(StatusCode::FORBIDDEN),
    }
}

fn expired(dialect: Dialect) -> ApiFailure {
    let text = "The security token included in the request is expired";
    match dialect {
        Dialect::Json => ApiFailure::new("ExpiredTokenException", text),
        Dialect::Ec2 => ApiFailure::new("RequestExpired", "Request has expired."),
        Dialect::Query => ApiFailure::new("ExpiredToken", text).with_status(StatusCode::FORBIDDEN),
        Dialect::S3 => ApiFailure::new("ExpiredToken", "The provided token has expired."),
    }
}

fn ec2_auth_failure() -> ApiFailure {
    ApiFailure::new("AuthFailure", "AWS was not able to validate the provided access credentials")
        .with_status(StatusCode::UNAUTHORIZED)
}

fn signature_failure(dialect: Dialect, problem: SignatureProblem) -> ApiFailure {
    const TWICE: &str = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization \
         header should be specified";
    const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. \
         Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
    match (dialect, problem) {
        (Dialect::Json, SignatureProblem::Missing) => {
            ApiFailure::new("MissingAuthenticationTokenException", "Missing Authentication Token")
        }
        (Dialect::Json, SignatureProblem::Malformed(text)) => {
            ApiFailure::new("IncompleteSignatureException", text)
        }
        (Dialect::Json, SignatureProblem::Time(text)) => ApiFailure::new("InvalidSignatureException", text),
        (Dialect::Json, SignatureProblem::Mismatch) => ApiFailure::new("InvalidSignatureException", MISMATCH),
        (Dialect::Json, SignatureProblem::Twice) => ApiFailure::new("InvalidSignatureException", TWICE),
        (Dialect::S3, SignatureProblem::Missing) => {
            ApiFailure::new("AccessDenied", "Access Denied").with_status(StatusCode::FORBIDDEN)
        }
        (Dialect::S3, SignatureProblem::Malformed(text)) => {
            ApiFailure::new("AuthorizationHeaderMalformed", text)
        }
        (Dialect::S3, SignatureProblem::Time(_)) => ApiFailure::new(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        )
        .with_status(StatusCode::FORBIDDEN),
        (Dialect::S3, SignatureProblem::Twice) => ApiFailure::new("InvalidArgument", TWICE),
        (Dialect::S3, SignatureProblem::Mismatch) => {
            ApiFailure::new("SignatureDoesNotMatch", MISMATCH).with_status(StatusCode::FORBIDDEN)
        }
        (Dialect::Ec2, SignatureProblem::Time(_)) => {
            ApiFailure::new("RequestExpired", "Request has expired.")
        }
        (Dialect::Ec2, _) => ec2_auth_failure(),
        (Dialect::Query, SignatureProblem::Missing) => {
            ApiFailure::new("MissingAuthenticationToken", "Request is missing Authentication Token")
                .with_status(StatusCode::FORBIDDEN)
        }
        (Dialect::Query, SignatureProblem::Malformed(text)) => ApiFailure::new("IncompleteSignature", text),
        (Dialect::Query, SignatureProblem::Time(text)) => {
            ApiFailure::new("SignatureDoesNotMatch", text).with_status(StatusCode::FORBIDDEN)
        }
        (Dialect::Query, SignatureProblem::Twice) => ApiFailure::new("IncompleteSignature", TWICE),
        (Dialect::Query, SignatureProblem::Mismatch) => {
            ApiFailure::new("SignatureDoesNotMatch", MISMATCH).with_status(StatusCode::FORBIDDEN)
        }
    }
}
