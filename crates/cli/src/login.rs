//! `fleetline login` and `fleetline logout`.

use clap::Args as ClapArgs;
use fleetline_app::Identities;
use fleetline_app::problem::describe_sign_in;
use fleetline_aws::SignInFailure;
use fleetline_signin::{Method, Prompt};
use url::{Host, Url};

use crate::console::{harmless, tell, write};
use crate::failure::Failure;
use crate::scope;

#[derive(Debug, ClapArgs)]
pub(crate) struct LoginArgs {
    /// AWS profile, or sso-session of the AWS configuration
    #[arg(value_name = "SOURCE|SESSION", required_unless_present = "start_url")]
    name: Option<String>,
    /// Sign in by the start URL of IAM Identity Center; it is remembered, without touching the AWS files
    #[arg(long, value_name = "URL", conflicts_with = "name", requires = "region")]
    start_url: Option<String>,
    /// Region of IAM Identity Center
    #[arg(long, value_name = "REGION", requires = "start_url")]
    region: Option<String>,
    /// Compare a code on a page of any device, instead of coming back to this computer
    #[arg(long)]
    device: bool,
    /// Open no browser; the page is printed only
    #[arg(long)]
    no_browser: bool,
    /// Print a JSON object when signed in
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct LogoutArgs {
    /// AWS profile, or sso-session of the AWS configuration
    #[arg(value_name = "SOURCE|SESSION")]
    name: String,
}

/// Signs in. The page goes to standard error, the result to standard output.
pub(crate) async fn run(args: LoginArgs) -> Result<u8, Failure> {
    let sources = scope::sources();
    let method = if args.device { Method::Device } else { Method::Browser };
    let person = Person { browser: !args.no_browser };
    let name = match (args.name, &args.start_url, &args.region) {
        (None, Some(url), Some(region)) => {
            sources.add_sign_in(url, region).map_err(|error| failed(url, &error))?
        }
        (name, ..) => name.unwrap_or_default(),
    };
    let signed_in = sources.sign_in(&name, method, &person).await.map_err(|error| failed(&name, &error))?;
    let end = jiff::Timestamp::from_millisecond(signed_in.expires_ms)
        .map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default();
    let line = if args.json {
        serde_json::json!({ "session": signed_in.session, "expires": end, "sources": signed_in.sources })
            .to_string()
    } else {
        harmless(&format!(
            "Signed in to {} until {end}, for {}.",
            signed_in.session,
            match signed_in.sources.as_slice() {
                [] => "no AWS profile yet".to_owned(),
                sources => sources.join(", "),
            }
        ))
    };
    write(&line)?;
    Ok(0)
}

/// Signs out.
pub(crate) async fn run_out(args: LogoutArgs) -> Result<u8, Failure> {
    let was = scope::sources().sign_out(&args.name).await;
    let line = match was {
        Ok(true) => "Signed out.",
        Ok(false) => "Nobody was signed in.",
        Err(error @ SignInFailure::Portal(_)) => {
            let hint = "The sign-in is forgotten on this computer, but AWS could not be told.";
            return Err(failed(&args.name, &error).with_hint(hint));
        }
        Err(error) => return Err(failed(&args.name, &error)),
    };
    write(line)?;
    Ok(0)
}

/// The person at the terminal.
struct Person {
    browser: bool,
}

impl Prompt for Person {
    fn visit(&self, url: &str, user_code: Option<&str>) {
        tell(&match user_code {
            Some(code) => {
                format!("Open {} and compare the code there with {}.", harmless(url), harmless(code))
            }
            None => format!("Open {} in a browser of this computer.", harmless(url)),
        });
        if !self.browser {
            return;
        }
        if !is_page(url) {
            return tell("That address is not opened by itself, because it is no web page.");
        }
        if let Err(error) = open::that_detached(url) {
            tell(&format!("The browser could not be opened ({error}); open the page yourself."));
        }
    }
}

/// Whether the address may be handed to the system, which would start any program for other schemes: HTTPS, or HTTP
/// on this computer.
fn is_page(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => url.has_host(),
        "http" => here,
        _ => false,
    }
}

fn failed(name: &str, failure: &SignInFailure) -> Failure {
    describe_sign_in(failure, name).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_pages_are_handed_to_the_system() {
        for page in
            ["https://device.sso.eu-central-1.amazonaws.com/?user_code=A", "http://127.0.0.1:1/device"]
        {
            assert!(is_page(page), "{page}");
        }
        for other in ["http://example.com/", "file:///etc/passwd", "ms-settings:", "-x", "javascript:1"] {
            assert!(!is_page(other), "{other}");
        }
    }
}
