//! Files, detection on made-up computers, and plans.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

fn desktop() -> Desktop {
    Desktop::new("127.0.0.1:13389".parse().unwrap(), "web-1 (i-1)")
}

fn user(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

fn lines(file: &[u8]) -> Vec<String> {
    assert_eq!(&file[..2], [0xff, 0xfe]);
    let units: Vec<u16> = file[2..].chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).unwrap();
    assert!(text.ends_with("\r\n"));
    text.trim_end().split("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_file_shares_nothing_unless_it_is_asked_for() {
    let plain = lines(&rdp_file(&desktop()));
    for line in [
        "full address:s:127.0.0.1:13389",
        "screen mode id:i:2",
        "redirectclipboard:i:0",
        "redirectprinters:i:0",
        "redirectsmartcards:i:0",
        "drivestoredirect:s:",
        "camerastoredirect:s:",
        "audiomode:i:2",
        "audiocapturemode:i:0",
        "authentication level:i:2",
    ] {
        assert!(plain.iter().any(|l| l == line), "{line} is not in {plain:#?}");
    }
    let shared = Desktop {
        user: Some(user("Ännchen")),
        domain: Some(user("CORP")),
        screen: Screen::Window { width: 1280, height: 720 },
        all_monitors: true,
        clipboard: true,
        drives: true,
        printers: true,
        sound: true,
        ..desktop()
    };
    let shared = lines(&rdp_file(&shared));
    for line in [
        "username:s:Ännchen",
        "domain:s:CORP",
        "desktopwidth:i:1280",
        "use multimon:i:1",
        "redirectclipboard:i:1",
        "drivestoredirect:s:*",
        "audiomode:i:0",
    ] {
        assert!(shared.iter().any(|l| l == line), "{line} is not in {shared:#?}");
    }
}

proptest! {
    #[test]
    fn files_have_only_known_keys_and_one_value_a_line(
        name in "\\PC{1,20}|[a-z:\\\\@.]{1,20}", title in "[^x]{0,20}", bits in 0u8..64
    ) {
        let bit = |n: u8| bits >> n & 1 == 1;
        let named = Desktop {
            title,
            user: UserName::new(&name),
            domain: UserName::new(&name).filter(|_| bit(0)),
            all_monitors: bit(1), clipboard: bit(2), drives: bit(3), printers: bit(4), sound: bit(5),
            ..desktop()
        };
        let lines = lines(&rdp_file(&named));
        for line in &lines {
            prop_assert!(!line.contains(['\r', '\n', '\0']));
            let (key, rest) = line.split_once(':').unwrap();
            prop_assert!(RDP_KEYS.contains(&key), "{}", key);
            prop_assert!(rest.starts_with("s:") || rest.starts_with("i:"));
            prop_assert!(!key.contains("password"));
        }
        for client in [Client::FreeRdp("/f".into(), FreeRdpVersion::V2), Client::Remmina("/r".into())] {
            let plan = plan(&client, &named, true).unwrap();
            for argument in &plan.arguments {
                let argument = argument.to_str().unwrap();
                prop_assert!(argument.starts_with(['/', '+', '-']), "{}", argument);
                prop_assert!(!argument.contains(['\r', '\n', '\0']));
            }
            if let Some(file) = plan.file {
                let text = String::from_utf8(file.bytes).unwrap();
                prop_assert!(text.lines().skip(1).all(|line| line.contains('=')));
                prop_assert!(!text.contains("password"));
            }
        }
    }
}

#[test]
fn names_that_could_be_options_or_lines_are_refused() {
    for bad in [
        "",
        "-x",
        "/p:secret",
        "+x",
        "@f",
        "a\"b",
        "a'b",
        "a\nb",
        "a\0b",
        " a",
        "a ",
        "a\u{85}b",
        &"a".repeat(257),
    ] {
        assert_eq!(UserName::new(bad), None, "{bad:?}");
    }
    for good in ["Administrator", "CORP\\ann", "ann@corp.example", "ann:x", "管理者"] {
        assert!(UserName::new(good).is_some(), "{good}");
    }
}

struct Computer {
    system: System,
    programs: BTreeMap<&'static str, (&'static str, &'static str)>,
    files: Vec<&'static str>,
}

impl Environment for Computer {
    fn system(&self) -> System {
        self.system
    }

    fn find(&self, program: &str) -> Option<PathBuf> {
        self.programs.get(program).map(|(path, _)| PathBuf::from(path))
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.iter().any(|file| Path::new(file) == path)
    }

    fn windows_directory(&self) -> Option<PathBuf> {
        Some(PathBuf::from("/win"))
    }

    fn home(&self) -> Option<PathBuf> {
        Some(PathBuf::from("/home/me"))
    }

    fn printed(&self, program: &Path, argument: &str) -> Option<String> {
        assert_eq!(argument, "/version");
        self.programs
            .values()
            .find(|(path, _)| Path::new(path) == program)
            .map(|(_, text)| (*text).to_owned())
    }
}

#[test]
fn clients_are_found_in_order_of_preference() {
    const V2: &str = "This is FreeRDP version 2.11.7 (2.11.7)\n";
    const V3: &str = "This is FreeRDP version 3.22.0 (n/a)\n";
    let linux = Computer {
        system: System::Unix,
        programs: BTreeMap::from([
            ("xfreerdp", ("/usr/bin/xfreerdp", V2)),
            ("sdl-freerdp3", ("/usr/bin/sdl-freerdp3", V3)),
            ("wlfreerdp", ("/usr/bin/wlfreerdp", "something else")),
            ("remmina", ("/usr/bin/remmina", "")),
        ]),
        files: vec![],
    };
    let v3 = Client::FreeRdp("/usr/bin/sdl-freerdp3".into(), FreeRdpVersion::V3);
    let v2 = Client::FreeRdp("/usr/bin/xfreerdp".into(), FreeRdpVersion::V2);
    assert_eq!(detect(&linux), [v3, v2, Client::Remmina("/usr/bin/remmina".into())]);
    let mac = Computer {
        system: System::MacOs,
        programs: BTreeMap::from([("xfreerdp", ("/opt/xfreerdp", V3))]),
        files: vec!["/home/me/Applications/Windows App.app", "/Applications/Microsoft Remote Desktop.app"],
    };
    let names: Vec<_> = detect(&mac).iter().map(Client::name).collect();
    assert_eq!(names, ["Windows App", "Microsoft Remote Desktop", "FreeRDP 3"]);
    let windows = Computer {
        system: System::Windows,
        programs: BTreeMap::new(),
        files: vec!["/win/System32/mstsc.exe"],
    };
    assert_eq!(detect(&windows), [Client::Mstsc("/win/System32/mstsc.exe".into())]);
    let bare = Computer { system: System::Unix, programs: BTreeMap::new(), files: vec![] };
    assert_eq!(detect(&bare), []);
}

fn words(plan: &LaunchPlan) -> Vec<&str> {
    plan.arguments.iter().map(|argument| argument.to_str().unwrap()).collect()
}

#[test]
fn freerdp_gets_a_password_by_its_standard_input() {
    let client = Client::FreeRdp("/usr/bin/xfreerdp".into(), FreeRdpVersion::V2);
    let signed_in = Desktop { user: Some(user("Administrator")), ..desktop() };
    let first = plan(&client, &signed_in, true).unwrap();
    assert_eq!(first.password, PasswordRoute::StandardInput);
    assert_eq!(
        words(&first),
        [
            "/v:127.0.0.1:13389",
            "/t:web-1 (i-1)",
            "/u:Administrator",
            "/d:",
            "/f",
            "-clipboard",
            "/audio-mode:2",
            "-suppress-output",
            "+auto-reconnect",
            "/auto-reconnect-max-retries:20",
            "/cert:tofu",
            "/from-stdin:force",
        ]
    );
    let pinned = Desktop { pin: Some(CertificatePin([0xab; 32])), ..desktop() };
    let pinned = plan(&client, &pinned, true).unwrap();
    assert_eq!(pinned.password, PasswordRoute::Typed, "without a user the line would be taken for one");
    let digest = format!("/cert:deny,fingerprint:sha256:{}", ["ab"; 32].join(":"));
    assert_eq!(words(&pinned).last(), Some(&digest.as_str()));
}

#[test]
fn mstsc_needs_a_file_as_soon_as_something_must_not_be_shared() {
    let client = Client::Mstsc("C:\\Windows\\System32\\mstsc.exe".into());
    let nobody = plan(&client, &Desktop { user: None, ..desktop() }, true).unwrap();
    assert_eq!(nobody.password, PasswordRoute::Typed, "an entry names who signs in");
    let ann = Desktop { user: UserName::new("ann"), ..desktop() };
    let private = plan(&client, &ann, true).unwrap();
    assert_eq!(private.file.as_ref().map(|file| file.extension), Some("rdp"));
    assert_eq!(
        private.password,
        PasswordRoute::WindowsCredential { target: "TERMSRV/127.0.0.1".into(), user: "ann".into() }
    );
    let open = Desktop { clipboard: true, printers: true, sound: true, ..desktop() };
    let open = plan(&client, &open, false).unwrap();
    assert_eq!(words(&open), ["/v:127.0.0.1:13389", "/f"]);
    assert_eq!((open.file, open.password), (None, PasswordRoute::Typed));
}

#[test]
fn macos_and_remmina_read_a_file() {
    let mac = plan(&Client::WindowsApp("/Applications/Windows App.app".into()), &desktop(), true).unwrap();
    assert_eq!(mac.program, Path::new("/usr/bin/open"));
    assert_eq!(words(&mac), ["-a", "/Applications/Windows App.app"]);
    assert_eq!(mac.file.unwrap().extension, "rdp");
    let remmina = plan(&Client::Remmina("/usr/bin/remmina".into()), &desktop(), true).unwrap();
    assert_eq!(words(&remmina), ["-c"]);
    let file = String::from_utf8(remmina.file.unwrap().bytes).unwrap();
    assert!(
        file.starts_with("[remmina]\nprotocol=RDP\nname=web-1 (i-1)\nserver=127.0.0.1:13389\n"),
        "{file}"
    );
}

#[test]
fn only_listeners_of_this_computer_and_whole_paths_are_used() {
    let elsewhere = Desktop::new("10.0.0.1:3389".parse().unwrap(), "x");
    let client = Client::Remmina("/usr/bin/remmina".into());
    assert_eq!(plan(&client, &elsewhere, false), Err(PlanRefused::NotLoopback));
    let client = Client::FreeRdp("xfreerdp".into(), FreeRdpVersion::V3);
    assert_eq!(plan(&client, &desktop(), false), Err(PlanRefused::Program("xfreerdp".into())));
}

#[cfg(unix)]
#[test]
fn a_file_for_a_client_is_private_and_goes_away() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let file = crate::ClientFile::write(home.path(), "rdp", b"x").unwrap();
    let other = crate::ClientFile::write(home.path(), "rdp", b"y").unwrap();
    let path = file.path().to_owned();
    assert_ne!(path, other.path());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(path.extension().unwrap(), "rdp");
    drop(file);
    assert!(!path.exists() && other.path().exists());
}

#[test]
fn this_computer_can_be_asked() {
    for client in detect(&Here) {
        println!("found {} at {client:?}", client.name());
    }
    #[cfg(unix)]
    assert!(Here.find("sh").unwrap().is_absolute());
    assert_eq!(Here.find("no-such-program"), None);
}
