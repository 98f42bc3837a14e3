use std::io::Write;
use std::process::{Command, Stdio};

use crate::terminal::{Terminal, size};
use crate::{Lab, at};

/// Opens a shell in a terminal and waits for its first prompt.
fn shell(lab: &Lab, variables: &[(&str, &str)]) -> Terminal {
    let node = lab.linux();
    let mut args = vec!["shell", node.id.as_str()];
    args.extend(at(&node));
    let mut terminal = Terminal::start(lab, &args, variables);
    terminal.expect("Enter ~ ? for help.");
    terminal.expect("$ ");
    terminal
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_size_is_right_at_the_first_prompt_and_after_a_resize() {
    let lab = Lab::open().await;
    let mut terminal = shell(&lab, &[]);
    terminal.write(b"echo \"[$(stty size)]\"\r");
    terminal.expect("[33 101]");
    terminal.master.resize(size(40, 132)).unwrap();
    // The change travels beside the input, so it is asked for until it is there.
    terminal.write(b"until [ \"$(stty size)\" = '40 132' ]; do sleep 0.05; done; echo \"[$(stty size)]\"\r");
    terminal.expect("[40 132]");
    terminal.write(b"exit\r");
    assert_eq!(terminal.wait().exit_code(), 0);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_keys_reach_the_node() {
    let lab = Lab::open().await;
    let mut terminal = shell(&lab, &[]);
    terminal.write(b"sh -c 'echo be\"\"gun; exec sleep 1000'\r");
    terminal.expect("begun");
    terminal.write(b"\x03");
    terminal.expect("$ ");
    terminal.write(b"echo \"[$?]\"\r");
    terminal.expect("[130]");

    terminal.write(b"sh -c 'echo be\"\"gun; exec sleep 1000'\r");
    terminal.expect("begun");
    terminal.write(b"\x1a");
    terminal.expect("Stopped");
    terminal.write(b"kill -9 %1; wait; echo do''ne\r");
    terminal.expect("done");

    for (key, shown) in [(b"\x13", "[19]"), (b"\x11", "[17]"), (b"\x1c", "[28]"), (b"\x19", "[25]")] {
        terminal.write(
            b"stty raw -echo; echo re''ady; printf '[%d]' \"'$(dd bs=1 count=1 2>/dev/null)\"; stty sane\r",
        );
        terminal.expect("ready");
        terminal.write(key);
        terminal.expect(shown);
    }
    terminal.write(b"\rexit\r");
    assert_eq!(terminal.wait().exit_code(), 0);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paste_of_a_megabyte_arrives_intact() {
    let lab = Lab::open().await;
    let mut terminal = shell(&lab, &[]);
    let paste: Vec<u8> = (0..1_048_576u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    terminal.write(b"stty raw -echo; echo re''ady; head -c 1048576 | cksum; stty sane\r");
    terminal.expect("ready");
    terminal.write(&paste);
    terminal.expect(&checksum(&paste));
    terminal.write(b"exit\r");
    assert_eq!(terminal.wait().exit_code(), 0);
    lab.end().await;
}

fn checksum(bytes: &[u8]) -> String {
    let mut child = Command::new("cksum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(bytes).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_terminal_is_as_before_after_exit_escape_kill_and_panic() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let mut args = vec!["shell", node.id.as_str()];
    args.extend(at(&node));
    type Leave = fn(&mut Terminal);
    let ways: [(&str, Leave, u32); 4] = [
        ("exit", |terminal| terminal.write(b"exit\r"), 0),
        (
            "escape",
            |terminal| {
                terminal.write(b"\r");
                terminal.expect("$ ");
                terminal.write(b"~");
                // The two keys must not arrive in one read, as they do not from a hand.
                std::thread::sleep(std::time::Duration::from_millis(200));
                terminal.write(b".");
            },
            0,
        ),
        ("SIGTERM", |terminal| kill("-TERM", terminal), 143),
        ("SIGHUP", |terminal| kill("-HUP", terminal), 129),
    ];
    for (way, leave, code) in ways {
        let mut terminal = Terminal::start(&lab, &args, &[]);
        let before = terminal.master.get_termios().unwrap();
        terminal.expect("$ ");
        assert_ne!(terminal.master.get_termios().unwrap(), before, "{way}: not raw");
        // A full-screen program is in the foreground when the session is left from outside.
        if code != 0 {
            terminal.write(b"printf '\\033[?1049h\\033[?25l'; echo be''gun\r");
            terminal.expect("begun");
        }
        leave(&mut terminal);
        assert_eq!(terminal.wait().exit_code(), code, "{way}: {}", terminal.text());
        assert_eq!(terminal.master.get_termios().unwrap(), before, "{way}");
        if code != 0 {
            terminal.expect("\x1b[?1049l");
            terminal.expect("\x1b[?25h");
        }
        lab.nothing_left().await;
    }

    let mut terminal = Terminal::start(&lab, &args, &[("FLEETLINE_TEST_PANIC", "1")]);
    let before = terminal.master.get_termios().unwrap();
    terminal.expect("panicked");
    assert_eq!(terminal.wait().exit_code(), 101);
    assert_eq!(terminal.master.get_termios().unwrap(), before);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_terminal_is_raw_again_after_the_program_was_stopped() {
    let lab = Lab::open().await;
    let mut terminal = shell(&lab, &[]);
    let raw = terminal.master.get_termios().unwrap();
    let tty = terminal.master.tty_name().unwrap();
    kill("-STOP", &terminal);
    assert!(Command::new("stty").arg("sane").arg("-F").arg(&tty).status().unwrap().success());
    assert_ne!(terminal.master.get_termios().unwrap(), raw);
    kill("-CONT", &terminal);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while terminal.master.get_termios().unwrap() != raw {
        assert!(std::time::Instant::now() < until, "still not raw");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    terminal.write(b"echo \"[$((6*7))]\"\rexit\r");
    terminal.expect("[42]");
    assert_eq!(terminal.wait().exit_code(), 0);
    lab.end().await;
}

fn kill(signal: &str, terminal: &Terminal) {
    assert!(Command::new("kill").args([signal, &terminal.pid()]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_is_resumed_and_nothing_is_lost() {
    let lab = Lab::open().await;
    let mut terminal = shell(&lab, &[]);
    terminal.write(b"echo be''gun; seq 1 20000; echo en''ded\r");
    terminal.expect("begun");
    for session in lab.simulator.control().sessions() {
        lab.simulator.control().cut_client_socket(&session.session_id).await.unwrap();
    }
    let shown = terminal.expect("ended");
    let numbers: Vec<u32> = shown.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert_eq!(numbers, (1..=20_000).collect::<Vec<u32>>());
    terminal.write(b"exit\r");
    assert_eq!(terminal.wait().exit_code(), 0);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_piped_script_runs_to_its_end_with_and_without_exit() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let mut args = vec!["shell", node.id.as_str()];
    args.extend(at(&node));
    for script in ["echo \"[$((6*7))]\"\nexit\n", "echo \"[$((6*7))]\"\n", "echo \"[$((6*7))]\""] {
        let ran = lab.run_fed(&args, script.as_bytes());
        assert_eq!(ran.code, Some(0), "{script:?}: {ran:?}");
        assert!(ran.out.contains("[42]"), "{script:?}: {ran:?}");
        assert!(ran.err.starts_with("Session ") && !ran.out.contains("Session "), "{ran:?}");
    }
    args.push("--quiet");
    let ran = lab.run_fed(&args, b"exit\n");
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    lab.end().await;
}
