//! A computer whose clock is wrong.

use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use fleetline_aws::{AwsSettings, AwsSources};
use fleetline_engine::SessionId;
use fleetline_engine::ports::{ControlPlanes, StreamUrl};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// How far AWS's clock is ahead.
const AHEAD: Duration = Duration::from_secs(600);

/// `20231114T221320Z` as seconds of the epoch.
fn epoch(signed_at: &str) -> i64 {
    let (date, time) = signed_at.trim_end_matches('Z').split_once('T').unwrap();
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    DateTime::from_str(&text, Format::DateTime).unwrap().secs()
}

fn ahead_by(signed_at: &str) -> i64 {
    epoch(signed_at) - DateTime::from(SystemTime::now()).secs()
}

/// An endpoint with a clock of its own, which refuses what is signed more than 5 minutes off it. Gives its address.
async fn endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                loop {
                    let (mut signed_at, mut length) = (String::new(), 0);
                    loop {
                        let mut line = String::new();
                        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                            return;
                        }
                        let Some((name, value)) = line.trim_end().split_once(": ") else {
                            if line.trim_end().is_empty() { break } else { continue }
                        };
                        match name.to_ascii_lowercase().as_str() {
                            "x-amz-date" => signed_at = value.to_owned(),
                            "content-length" => length = value.parse().unwrap(),
                            _ => {}
                        }
                    }
                    let mut body = vec![0; length];
                    stream.read_exact(&mut body).await.unwrap();
                    let now = DateTime::from(SystemTime::now() + AHEAD);
                    let off = (now.secs() - epoch(&signed_at)).abs();
                    let (status, body) = if off > 300 {
                        (
                            "400 Bad Request",
                            r#"{"__type":"InvalidSignatureException","message":"Signature expired"}"#,
                        )
                    } else {
                        ("200 OK", "{}")
                    };
                    let date = now.fmt(Format::HttpDate).unwrap();
                    let answer = format!(
                        "HTTP/1.1 {status}\r\ndate: {date}\r\ncontent-type: application/x-amz-json-1.1\r\n\
                         content-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn calls_and_the_data_channel_are_signed_at_the_time_that_aws_says() {
    let directory = tempfile::tempdir().unwrap();
    let settings = AwsSettings::from_files(directory.path().join("nothing"), None)
        .with_variable("AWS_ENDPOINT_URL", endpoint().await)
        .with_variable("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .with_variable("AWS_SECRET_ACCESS_KEY", "secret");
    let sources = AwsSources::new(settings);
    let control = sources.control_plane("environment", "eu-west-1").unwrap();
    let url = || StreamUrl::new("wss://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/s-1");
    let signed_at = async || {
        let headers = control.sign_upgrade(url()).await.unwrap();
        headers.into_iter().find(|header| header.name == "x-amz-date").unwrap().value.to_string()
    };
    assert!(ahead_by(&signed_at().await).abs() < 60, "nothing is known yet");
    // Refused once for the clock, then made again with what the refusal said.
    control.terminate_session(SessionId::new("s-1")).await.unwrap();
    let ahead = ahead_by(&signed_at().await);
    assert!((540..=660).contains(&ahead), "{ahead} s");
    control.resume_session(SessionId::new("s-1")).await.unwrap();
}
