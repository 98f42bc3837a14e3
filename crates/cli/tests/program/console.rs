//! Sources of `aws login`: the sign-in that the AWS CLI keeps is used, and where there is none its command is named.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::Lab;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sign_in_of_aws_login_is_used_and_where_it_is_missing_or_over_its_command_is_named() {
    let lab = Lab::open().await;
    let account = lab.simulator.accounts().remove(0);
    let node = lab.node(|node| node.account_id == account.account_id && node.online && !node.hybrid);
    let place = format!("region = {}\nendpoint_url = {}\n", node.region, lab.simulator.endpoint());
    let session = format!("arn:aws:iam::{}:user/console", account.account_id);
    std::fs::write(&lab.config, format!("[profile console]\n{place}login_session = {session}\n")).unwrap();
    std::fs::write(&lab.credentials, "").unwrap();
    let cache = lab.directory.path().join("login");
    std::fs::create_dir(&cache).unwrap();
    let place = cache.join(hex::encode(Sha256::digest(session.as_bytes()))).with_extension("json");
    let variables = [("AWS_LOGIN_CACHE_DIRECTORY", cache.to_str().unwrap())];
    let list = || lab.run_with(&["nodes", "--source", "console", "--csv"], &variables);

    let ran = list();
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.err.contains("aws login --profile console"), "{ran:?}");

    // As the AWS CLI writes it.
    let token = |expires: &str| {
        json!({
            "accessToken": {
                "accessKeyId": account.access_key_id,
                "secretAccessKey": account.secret_access_key,
                "sessionToken": account.session_token,
                "accountId": account.account_id,
                "expiresAt": expires,
            },
            "tokenType": "aws_sigv4",
            "refreshToken": "kept-for-later",
            "clientId": "arn:aws:signin:::devtools/same-device",
            "dpopKey": "needed by nobody before the token is renewed",
        })
        .to_string()
    };
    std::fs::write(&place, token("2099-01-01T00:00:00Z")).unwrap();
    let ran = list();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains(&node.id), "{ran:?}");

    std::fs::write(&place, token("2020-01-01T00:00:00Z")).unwrap();
    let ran = list();
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.err.contains("aws login --profile console"), "{ran:?}");
    lab.end().await;
}
