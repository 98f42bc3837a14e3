//! Logs and trails read from moto, an implementation of AWS that is independent of our simulator: what is signed here
//! without an SDK is proven by it. Runs `python -m moto.server` with the Python that the variable `FLEETLINE_AWS_PYTHON`
//! names; without the variable it says that it was skipped.
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::process::Stdio;

use fleetline_aws::AwsSources;
use fleetline_history::{ObjectPlace, RecordSources, StreamPlace};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Puts an object, events and a trail there with boto3.
const WORLD: &str = r#"
import sys, time, boto3
endpoint, region = sys.argv[1:]
make = lambda service: boto3.client(service, endpoint_url=endpoint, region_name=region)
s3 = make("s3")
s3.create_bucket(Bucket="corp.logs", CreateBucketConfiguration={"LocationConstraint": region})
s3.put_object(Bucket="corp.logs", Key="ssm/a b+é=~.log", Body=bytes(range(256)) * 4)
logs = make("logs")
logs.create_log_group(logGroupName="/corp/sessions")
logs.create_log_stream(logGroupName="/corp/sessions", logStreamName="a-1")
now = int(time.time() * 1000)
events = [{"timestamp": now + i, "message": '{"sessionData": ["line %d"]}' % i} for i in range(300)]
logs.put_log_events(logGroupName="/corp/sessions", logStreamName="a-1", logEvents=events)
trail = make("cloudtrail")
trail.create_trail(Name="main", S3BucketName="corp.logs", IsMultiRegionTrail=True)
trail.start_logging(Name="main")
"#;

#[tokio::test]
async fn objects_events_and_trails_are_read_there_too() {
    const REGION: &str = "eu-west-1";
    let Some(python) = std::env::var_os("FLEETLINE_AWS_PYTHON") else {
        println!("SKIPPED: FLEETLINE_AWS_PYTHON does not name a Python with moto");
        return;
    };
    let mut server = Command::new(&python)
        .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let endpoint = loop {
        let line = lines.next_line().await.unwrap().expect("the server says where it listens");
        if let Some((_, address)) = line.split_once("Running on ") {
            break address.trim().to_owned();
        }
    };
    // What it says later must not fill the pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let made = Command::new(&python)
        .args(["-c", WORLD, &endpoint, REGION])
        .env("AWS_ACCESS_KEY_ID", "AKIATEST")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .await
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let directory = tempfile::tempdir().unwrap();
    let (config, credentials) = (directory.path().join("config"), directory.path().join("credentials"));
    std::fs::write(&config, format!("[profile moto]\nregion = {REGION}\nendpoint_url = {endpoint}\n"))
        .unwrap();
    std::fs::write(&credentials, "[moto]\naws_access_key_id = AKIATEST\naws_secret_access_key = test\n")
        .unwrap();
    let sources = AwsSources::from_files(config, Some(credentials));
    let calls = sources.records("moto", REGION).unwrap();

    let object = ObjectPlace { bucket: "corp.logs".into(), key: "ssm/a b+é=~.log".into() };
    let mut bytes = Vec::new();
    loop {
        let from = u64::try_from(bytes.len()).unwrap();
        let window = calls.object(object.clone(), from, 300).await.unwrap().expect("it is there");
        assert_eq!(window.size, 1_024);
        bytes.extend(window.bytes);
        if u64::try_from(bytes.len()).unwrap() == window.size {
            break;
        }
    }
    assert_eq!(bytes, (0..=255_u8).cycle().take(1_024).collect::<Vec<_>>());
    for missing in [
        ObjectPlace { key: "nothing.log".into(), ..object.clone() },
        ObjectPlace { bucket: "no-such-bucket".into(), ..object },
    ] {
        assert_eq!(calls.object(missing, 0, 10).await.unwrap(), None);
    }

    let stream = StreamPlace { group: "/corp/sessions".into(), stream: "a-1".into() };
    let (mut output, mut next) = (Vec::new(), None);
    loop {
        let window = calls.events(stream.clone(), next).await.unwrap().expect("it is there");
        output.extend(window.events.iter().flat_map(fleetline_history::LogEvent::output));
        if window.is_end {
            break;
        }
        next = Some(window.next);
    }
    let lines: Vec<String> = (0..300).map(|number| format!("line {number}\n")).collect();
    assert_eq!(String::from_utf8(output).unwrap(), lines.concat());
    let missing = StreamPlace { stream: "nobody-1".into(), ..stream };
    assert_eq!(calls.events(missing, None).await.unwrap(), None);

    let trails = calls.trails().await.unwrap();
    assert_eq!((trails.len(), trails[0].name.as_str(), trails[0].logging), (1, "main", Some(true)));
}
