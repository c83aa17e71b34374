//! `usipipo server add outline`.

use super::{Failure, Session, ensure_free, location, out, probe, read_stdin, server_name, store};
use crate::integrations::vpn::outline::{OutlineSecret, OutlineSettings};
use crate::models::server::NewServer;
use crate::models::vpn::Protocol;

/// Use an Outline server through its management API.
///
/// The API's address is a secret: whoever knows it rules the server. Pipe it in with --from-json, or set
/// OUTLINE_API_URL and OUTLINE_CERT_SHA256; what stands on a command line is seen by every user of this machine and
/// kept in the shell's history.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo server add outline nl-1 --location '🇳🇱 Amsterdam' --from-json
      # and paste the line that Outline's installer printed: {\"apiUrl\":\"https://…\",\"certSha256\":\"…\"}
  usipipo server add outline nl-1 --from-json < outline.json
  OUTLINE_API_URL=https://… OUTLINE_CERT_SHA256=… usipipo server add outline nl-1 --capacity 500")]
pub struct Add {
    /// Short name for operators
    #[arg(value_parser = server_name)]
    name: String,
    #[command(flatten)]
    access: Access,
    /// What people see, in the bot and in their app [default: the name]
    #[arg(long, value_parser = location)]
    location: Option<String>,
    /// Stands in access links instead of the server's own host, e.g. a domain that can move
    #[arg(long, value_name = "HOST")]
    hostname: Option<String>,
    /// Configs at most
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    capacity: u32,
}

/// The management API's address and certificate.
#[derive(Debug, clap::Args)]
pub struct Access {
    /// Address of the management API
    #[arg(long, value_name = "URL", env = "OUTLINE_API_URL", hide_env_values = true)]
    api_url: Option<String>,
    /// SHA-256 of its certificate, in hex
    #[arg(long, value_name = "HEX", env = "OUTLINE_CERT_SHA256", hide_env_values = true)]
    cert_sha256: Option<String>,
    /// Read what the installer printed from standard input
    #[arg(long)]
    from_json: bool,
}

impl Access {
    /// What was given; None when nothing was.
    pub fn secret(&self) -> Result<Option<OutlineSecret>, Failure> {
        if self.from_json {
            return from_json(&read_stdin("the line that the installer printed")?).map(Some);
        }
        match (&self.api_url, &self.cert_sha256) {
            (Some(api_url), Some(cert_sha256)) => {
                Ok(Some(OutlineSecret { api_url: api_url.clone(), cert_sha256: cert_sha256.clone() }))
            }
            (None, None) => Ok(None),
            _ => Err(needed()),
        }
    }
}

fn needed() -> Failure {
    Failure::Input("--from-json, or both --api-url and --cert-sha256 are needed".to_owned())
}

impl Add {
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        ensure_free(session, &self.name).await?;
        let secret = self.access.secret()?.ok_or_else(needed)?;
        let location = self.location.unwrap_or_else(|| self.name.clone());
        let settings = OutlineSettings { name: location.clone(), hostname: self.hostname };
        let new = NewServer {
            name: self.name,
            protocol: Protocol::Outline,
            location,
            settings: serde_json::to_string(&settings).expect("settings are plain data"),
            capacity: self.capacity,
        };
        let secret = serde_json::to_string(&secret).expect("a secret is plain data");
        out::line(probe(&new, &secret).await?);
        store(session, &new, &secret, &[]).await
    }
}

/// The installer's line, alone or within its whole output.
fn from_json(text: &str) -> Result<OutlineSecret, Failure> {
    let object = text.find('{').zip(text.rfind('}')).and_then(|(start, end)| text.get(start..=end));
    object.and_then(|object| serde_json::from_str(object).ok()).ok_or_else(|| {
        let text = "standard input holds no {\"apiUrl\":\"https://…\",\"certSha256\":\"…\"}";
        Failure::Input(text.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::from_json;

    #[test]
    fn the_installers_line_is_found_in_its_output() {
        let line = r#"{"apiUrl":"https://203.0.113.7:1/x","certSha256":"AA"}"#;
        let output =
            format!("CONGRATULATIONS!\n\u{1b}[1;32m{line}\u{1b}[0m\nIf you have connection problems");
        for text in [line, &output] {
            let secret = from_json(text).unwrap();
            assert_eq!(
                (secret.api_url.as_str(), secret.cert_sha256.as_str()),
                ("https://203.0.113.7:1/x", "AA")
            );
        }
        let refused = from_json("https://203.0.113.7:1/secret").unwrap_err().to_string();
        assert!(!refused.contains("secret"), "{refused}");
    }
}
