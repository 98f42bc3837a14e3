//! KMS, as far as sealed sessions need it: GenerateDataKey, Decrypt and DescribeKey in AWS JSON 1.1
//! (protocol.md 5.6).
//!
//! Every account has one key in every Region, with the alias `alias/fleet-sessions`. A data key opens only under the
//! encryption context it was made with.

mod keys;
mod session;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::live::Ask;
use crate::shared::Shared;
use crate::ssm::validation::Violations;
use crate::ssm::{parse, permit};
use crate::world::Account;
use keys::{Context, Key, NotOurs};

pub(crate) use keys::arn;
pub use session::SessionKey;
pub(crate) use session::open_data_key;

/// Prefix of `X-Amz-Target`.
pub(crate) const TARGET_PREFIX: &str = "TrentService.";

/// Most bytes of a data key.
const MAX_DATA_KEY: i64 = 1024;

/// Answers an operation.
pub(crate) fn call(
    shared: &Shared,
    caller: &Caller,
    operation: &str,
    body: &[u8],
) -> Result<String, ApiFailure> {
    let answer = match operation {
        "GenerateDataKey" => generate(shared, caller, &parse(body)?),
        "Decrypt" => decrypt(shared, caller, &parse(body)?),
        "DescribeKey" => describe(shared, caller, &parse(body)?),
        _ => Err(ApiFailure::new("UnknownOperationException", "")),
    };
    answer.map(|answer| answer.to_string())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GenerateRequest {
    key_id: Option<String>,
    key_spec: Option<String>,
    number_of_bytes: Option<i64>,
    #[serde(default)]
    encryption_context: Context,
}

fn generate(shared: &Shared, caller: &Caller, request: &GenerateRequest) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.required("keyId", request.key_id.as_ref());
    violations.range("numberOfBytes", request.number_of_bytes, 1, MAX_DATA_KEY);
    violations.one_of("keySpec", request.key_spec.as_deref(), &["AES_256", "AES_128"]);
    violations.check()?;
    let bytes = match (request.key_spec.as_deref(), request.number_of_bytes) {
        (Some("AES_128"), None) => 16,
        (Some(_), None) => 32,
        (None, Some(bytes)) => usize::try_from(bytes).unwrap_or(1),
        _ => {
            return Err(ApiFailure::new(
                "ValidationException",
                "Please specify either number of bytes or key spec.",
            ));
        }
    };
    let key = named(shared, caller, request.key_id.as_deref().unwrap_or_default())?;
    permit(shared, caller, &[ask("kms:GenerateDataKey", &key)])?;
    usable(shared, &key)?;
    let mut plain = Zeroizing::new(vec![0_u8; bytes]);
    rand::fill(plain.as_mut_slice());
    let sealed = key.seal(&plain, &request.encryption_context).map_err(NotOurs::failure)?;
    Ok(json!({
        "CiphertextBlob": STANDARD.encode(sealed),
        "Plaintext": STANDARD.encode(&*plain),
        "KeyId": key.arn,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DecryptRequest {
    ciphertext_blob: Option<String>,
    key_id: Option<String>,
    #[serde(default)]
    encryption_context: Context,
}

fn decrypt(shared: &Shared, caller: &Caller, request: &DecryptRequest) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.required("ciphertextBlob", request.ciphertext_blob.as_ref());
    violations.check()?;
    let key = match request.key_id.as_deref() {
        Some(name) => named(shared, caller, name)?,
        None => Key::of(shared, caller.account(shared).plan.id, &caller.region),
    };
    permit(shared, caller, &[ask("kms:Decrypt", &key)])?;
    usable(shared, &key)?;
    let blob = STANDARD.decode(request.ciphertext_blob.as_deref().unwrap_or_default()).unwrap_or_default();
    let plain = key.open(&blob, &request.encryption_context).map_err(NotOurs::failure)?;
    Ok(json!({
        "Plaintext": STANDARD.encode(&*plain),
        "KeyId": key.arn,
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeRequest {
    key_id: Option<String>,
}

fn describe(shared: &Shared, caller: &Caller, request: &DescribeRequest) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.required("keyId", request.key_id.as_ref());
    violations.check()?;
    let key = named(shared, caller, request.key_id.as_deref().unwrap_or_default())?;
    permit(shared, caller, &[ask("kms:DescribeKey", &key)])?;
    let enabled = shared.live.is_key_enabled(&key.arn);
    Ok(json!({ "KeyMetadata": {
        "AWSAccountId": caller.account(shared).plan.id,
        "Arn": key.arn,
        "KeyId": key.id,
        "CreationDate": shared.world.began_ms as f64 / 1000.0,
        "Description": "Seals sessions",
        "Enabled": enabled,
        "KeyState": if enabled { "Enabled" } else { "Disabled" },
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "Origin": "AWS_KMS",
        "MultiRegion": false,
    } }))
}

fn ask<'a>(action: &'a str, key: &Key) -> Ask<'a> {
    Ask { action, resource: key.arn.clone(), named: true }
}

/// The caller's key of this id, alias or ARN.
fn named(shared: &Shared, caller: &Caller, name: &str) -> Result<Key, ApiFailure> {
    find(shared, caller.account(shared), &caller.region, name)
}

fn find(shared: &Shared, account: &Account, region: &str, name: &str) -> Result<Key, ApiFailure> {
    let key = Key::of(shared, account.plan.id, region);
    if key.is_named(name) {
        return Ok(key);
    }
    let place = format!("arn:aws:kms:{region}:{}:", account.plan.id);
    let full = if name.starts_with("arn:") {
        name.to_owned()
    } else if name.starts_with("alias/") {
        format!("{place}{name}")
    } else {
        format!("{place}key/{name}")
    };
    let text = if full.contains(":alias/") {
        format!("Alias {full} is not found.")
    } else {
        format!("Key '{full}' does not exist")
    };
    Err(ApiFailure::new("NotFoundException", text))
}

fn usable(shared: &Shared, key: &Key) -> Result<(), ApiFailure> {
    if shared.live.is_key_enabled(&key.arn) {
        return Ok(());
    }
    Err(ApiFailure::new("DisabledException", format!("{} is disabled.", key.arn)))
}

impl NotOurs {
    /// KMS says no more than this.
    fn failure(self) -> ApiFailure {
        ApiFailure::new("InvalidCiphertextException", "")
    }
}
