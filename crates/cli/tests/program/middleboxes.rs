//! What stands between a client and AWS in real networks: squid that wants a password, and haproxy that cuts idle streams.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use fleetline_simulator::{SessionView, SimulatorConfig, UpgradeSigning};

use super::forwards::{Forwarding, echo, exchanged, forward};
use super::servers::{Server, is_root, run};
use super::{Lab, Ran, at, ssh};

/// squid that lets `me` with the password `canary` through, and that alone knows where `simulator.test` is.
fn squid() -> Server {
    Server::start(|port, directory| {
        let hash = run(Command::new("openssl").args(["passwd", "-apr1", "canary"])).out;
        std::fs::write(directory.join("users"), format!("me:{hash}")).unwrap();
        std::fs::write(directory.join("hosts"), "127.0.0.1 api.simulator.test gateway.simulator.test\n")
            .unwrap();
        let config = format!(
            "http_port 127.0.0.1:{port}\n\
             auth_param basic program /usr/lib/squid/basic_ncsa_auth {0}/users\n\
             acl known proxy_auth REQUIRED\n\
             acl tunnels method CONNECT\n\
             http_access allow tunnels known\n\
             http_access deny all\n\
             hosts_file {0}/hosts\n\
             visible_hostname squid.test\n\
             access_log stdio:{0}/access\n\
             cache_log {0}/cache\n\
             pid_filename {0}/pid\n\
             coredump_dir {0}\n\
             netdb_filename none\n\
             pinger_enable off\n\
             shutdown_lifetime 0 seconds\n",
            directory.display(),
        );
        std::fs::write(directory.join("squid.conf"), config).unwrap();
        if is_root() {
            // Root's squid works as this user.
            run(Command::new("chown").args(["-R", "proxy"]).arg(directory));
        }
        let mut command = Command::new("/usr/sbin/squid");
        command.args(["-N", "-f"]).arg(directory.join("squid.conf"));
        command
    })
}

/// haproxy in front of `gateway`, closing WebSockets on which nothing passed for `idle`.
fn haproxy(gateway: u16, idle: &str) -> Server {
    Server::start(|port, directory| {
        let config = format!(
            "defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n  timeout tunnel {idle}
frontend clients\n  bind 127.0.0.1:{port}\n  default_backend gateway
backend gateway\n  server one 127.0.0.1:{gateway}\n"
        );
        std::fs::write(directory.join("haproxy.cfg"), config).unwrap();
        let mut command = Command::new("/usr/sbin/haproxy");
        command.args(["-db", "-f"]).arg(directory.join("haproxy.cfg"));
        command
    })
}

fn port_of(lab: &Lab) -> u16 {
    lab.simulator.endpoint().rsplit(':').next().unwrap().parse().unwrap()
}

/// A simulator over TLS that wants signed upgrades, and the variables that lead to it through squid alone.
async fn behind(squid: &Server, password: &str) -> (Lab, Vec<(&'static str, String)>) {
    let lab = Lab::new(SimulatorConfig {
        tls: true,
        upgrade_signing: UpgradeSigning::Required,
        demo_denials: false,
        ..SimulatorConfig::default()
    })
    .await;
    let port = port_of(&lab);
    let variables = vec![
        ("HTTPS_PROXY", format!("http://me:{password}@127.0.0.1:{}", squid.port)),
        ("AWS_ENDPOINT_URL", format!("https://api.simulator.test:{port}")),
        ("AWS_ENDPOINT_URL_SSMMESSAGES", format!("https://gateway.simulator.test:{port}")),
    ];
    (lab, variables)
}

/// Waits for a line of squid's log with all of `words`; it is written when a tunnel has ended.
fn logged(squid: &Server, words: &[&str]) -> String {
    let mut log = String::new();
    for _ in 0..200 {
        log = std::fs::read_to_string(squid.path("access")).unwrap();
        if log.lines().any(|line| words.iter().all(|word| line.contains(word))) {
            return log;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("no line with {words:?}: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_forwards_and_ssh_pass_squid_with_a_password() {
    let squid = squid();
    let (lab, variables) = behind(&squid, "canary").await;
    let node = lab.linux();
    let mut args = vec!["exec", node.id.as_str()];
    args.extend(at(&node));
    args.extend(["--", "sh", "-c", "echo out; exit 7"]);
    let ran = Ran::of(lab.command(&args).envs(variables.clone()).output().unwrap());
    assert_eq!((ran.code, ran.out.as_str()), (Some(7), "out\n"), "{ran:?}");

    let mut command = forward(&lab, &node, &[&format!("0:{}", echo()), "-q"]);
    command.envs(variables.clone());
    let mut forwarding = Forwarding::start(command);
    let address = forwarding.line();
    let sent: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    assert!(exchanged(&address, &sent) == sent, "bytes differ");
    assert_eq!(forwarding.interrupt(), Some(130));

    let server = ssh::Server::start();
    let mut client = server.client(&lab, "ssh", &node);
    client.envs(variables).args([&format!("{}@{}", ssh::user(), node.id), "echo over squid"]);
    let ran = ssh::run(client).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "over squid\n"), "{ran:?}");
    lab.nothing_left().await;

    // Calls and data channels both went this way, under the name that the password belongs to.
    let port = port_of(&lab);
    for name in ["api", "gateway"] {
        logged(&squid, &["TCP_TUNNEL/200", &format!("CONNECT {name}.simulator.test:{port} me ")]);
    }
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_squid_refuses_is_named_and_not_shown() {
    let squid = squid();
    let (lab, variables) = behind(&squid, "wrongcanary").await;
    let node = lab.linux();
    let command = |word: &str, rest: &[&str]| {
        let mut args = vec![word];
        args.extend(at(&node));
        args.push(&node.id);
        args.extend(rest);
        Ran::of(lab.command(&args).envs(variables.clone()).output().unwrap())
    };
    let words: [(&str, &[&str]); 3] =
        [("exec", &["--", "true"]), ("forward", &["0:80"]), ("ssh-proxy", &["22"])];
    for (word, rest) in &words {
        let ran = command(word, rest);
        ran.refused(6);
        let named = format!("the proxy 127.0.0.1:{} does not accept the user name and password", squid.port);
        assert!(ran.err.contains(&named), "{word}: {ran:?}");
        assert!(!ran.err.contains("canary"), "{word}: {ran:?}");
    }
    assert_eq!(lab.simulator.control().sessions().len(), 0);
    let log = logged(&squid, &["TCP_DENIED/407"]);
    assert!(!log.contains("TCP_TUNNEL"), "{log}");
    // The call and one look at why it failed; nothing is tried again.
    assert!(log.matches("TCP_DENIED/407").count() <= 2 * words.len(), "{log}");
    lab.end().await;
}

/// Sends one byte over an open connection and reads it back.
fn passes(mut stream: &TcpStream, byte: u8) {
    stream.write_all(&[byte]).unwrap();
    let mut back = [0];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(back, [byte]);
}

/// A forward behind haproxy with an open connection over which a byte has passed.
async fn idle_forward(idle: &str) -> (Lab, Server, Forwarding, TcpStream) {
    let lab = Lab::open().await;
    let haproxy = haproxy(port_of(&lab), idle);
    let node = lab.linux();
    let mut command = forward(&lab, &node, &[&format!("0:{}", echo()), "-q"]);
    command.env("AWS_ENDPOINT_URL_SSMMESSAGES", format!("http://127.0.0.1:{}", haproxy.port));
    let mut forwarding = Forwarding::start(command);
    let stream = TcpStream::connect(forwarding.line()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    passes(&stream, b'a');
    (lab, haproxy, forwarding, stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_streams_that_haproxy_cuts_are_resumed_and_the_open_connection_lives_on() {
    let (lab, haproxy, forwarding, stream) = idle_forward("3s").await;
    for sockets in [2, 3] {
        let cut = |sessions: &[SessionView]| sessions.iter().any(|s| s.client_sockets >= sockets);
        let control = lab.simulator.control();
        let waited = control.wait_for(cut);
        tokio::time::timeout(Duration::from_secs(20), waited)
            .await
            .expect("haproxy cuts, the forward comes back")
            .unwrap();
        passes(&stream, b'b');
    }
    drop(stream);
    assert_eq!(forwarding.interrupt(), Some(130));
    lab.end().await;
    drop(haproxy);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "two minutes of silence; run by hand with --run-ignored all"]
async fn idle_streams_outlive_a_haproxy_that_cuts_at_55_seconds() {
    let (lab, haproxy, forwarding, stream) = idle_forward("55s").await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    let sockets: Vec<u64> = lab.simulator.control().sessions().iter().map(|s| s.client_sockets).collect();
    assert_eq!(sockets, [1], "our pings keep the socket");
    passes(&stream, b'b');
    drop(stream);
    assert_eq!(forwarding.interrupt(), Some(130));
    lab.end().await;
    drop(haproxy);
}
