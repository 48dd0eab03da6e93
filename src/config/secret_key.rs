//! The key that seals stored secrets and cursors: from a setting, from the operator's file, or from a file that the first
//! start makes beside the SQLite file. A key file that others may read is refused.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{SecretKey, Settings};

/// Where the secret key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretKeySource {
    /// Given as such.
    Value(SecretKey),
    /// A file the operator made.
    File(PathBuf),
    /// A file that the first start makes (beside the SQLite file).
    Made(PathBuf),
    /// Not given, though the database needs it.
    Missing,
}

/// How to mend a key that is missing or no key.
const MEND: &str = "`rollcall secret-key` prints a new one; keep it, since what it sealed cannot be read without it";

impl SecretKey {
    /// A new key from the operating system's generator.
    ///
    /// # Errors
    /// The generator's, as a text.
    pub fn generate() -> Result<Self, String> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|e| format!("the system's random generator failed: {e}"))?;
        Ok(SecretKey(bytes))
    }

    /// Reads base64 of 32 bytes.
    ///
    /// # Errors
    /// What is wrong, without the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| format!("is not base64; {MEND}"))?;
        let bytes: [u8; 32] =
            bytes.try_into().map_err(|b: Vec<u8>| format!("holds {} bytes instead of 32; {MEND}", b.len()))?;
        if bytes.iter().all(|b| Some(b) == bytes.first()) {
            return Err(format!("is one byte repeated, which anybody can guess; {MEND}"));
        }
        Ok(SecretKey(bytes))
    }

    /// Base64, as `parse` reads it.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }
}

impl Settings {
    /// The secret key; makes its file where the settings say so.
    ///
    /// # Errors
    /// What is wrong and how to mend it.
    pub fn load_secret_key(&self) -> Result<SecretKey, String> {
        match &self.secret_key {
            SecretKeySource::Value(key) => Ok(key.clone()),
            SecretKeySource::File(path) => read(path),
            SecretKeySource::Made(path) => read_or_make(path),
            SecretKeySource::Missing => {
                Err(format!("ROLLCALL_SECRET_KEY or ROLLCALL_SECRET_KEY_FILE must be set with PostgreSQL: {MEND}"))
            }
        }
    }

    /// Checks what is there of the secret key, and makes nothing.
    ///
    /// # Errors
    /// What is wrong and how to mend it.
    pub fn check_secret_key(&self) -> Result<(), String> {
        match &self.secret_key {
            SecretKeySource::Made(path) if !path.exists() => Ok(()),
            _ => self.load_secret_key().map(drop),
        }
    }
}

fn read(path: &Path) -> Result<SecretKey, String> {
    let shown = path.display();
    let about = |e: std::io::Error| format!("cannot read the secret key file {shown}: {e}");
    let mode = std::fs::metadata(path).map_err(about)?.permissions().mode();
    // The group may read: that is how orchestrators mount secrets for a service of another owner.
    if mode & 0o007 != 0 {
        return Err(format!(
            "every user of this machine can use the secret key file {shown} (mode {:04o}): `chmod 600 {shown}`, and \
             consider the key known",
            mode & 0o7777
        ));
    }
    let text = std::fs::read_to_string(path).map_err(about)?;
    SecretKey::parse(&text).map_err(|e| format!("the secret key file {shown} {e}"))
}

fn read_or_make(path: &Path) -> Result<SecretKey, String> {
    if !path.exists() {
        make(path).map_err(|e| format!("cannot make the secret key file {}: {e}", path.display()))?;
    }
    read(path)
}

/// Makes the file whole or not at all, and never over another one: two processes may start at once, or one may be killed.
fn make(path: &Path) -> Result<(), String> {
    let key = SecretKey::generate()?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let draft = PathBuf::from(name);
    let written = (|| {
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        writeln!(file, "{}", key.to_base64())?;
        file.sync_all()?;
        match std::fs::hard_link(&draft, path) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    })();
    // Best effort: the draft holds a key that nothing uses where the link failed.
    let _ = std::fs::remove_file(&draft);
    written.map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_read_as_it_was_printed() {
        let key = SecretKey::generate().unwrap();
        assert_eq!(SecretKey::parse(&format!("{}\n", key.to_base64())), Ok(key));
    }

    #[test]
    fn text_that_is_no_key_is_refused_without_being_shown() {
        let cases = [
            ("", "0 bytes"),
            ("c2hvcnQ=", "5 bytes"),
            ("no base64!", "not base64"),
            (&STANDARD.encode([0; 32]), "repeated"),
        ];
        for (text, expected) in cases {
            let problem = SecretKey::parse(text).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
            assert!(text.is_empty() || !problem.contains(text));
        }
    }

    #[test]
    fn made_file_is_private_and_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let settings = Settings { secret_key: SecretKeySource::Made(path.clone()), ..Settings::default() };
        settings.check_secret_key().unwrap();
        assert!(!path.exists());
        let key = settings.load_secret_key().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(settings.load_secret_key().unwrap(), key);
        make(&path).unwrap();
        assert_eq!(settings.load_secret_key().unwrap(), key);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn file_that_others_may_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        make(&path).unwrap();
        for (mode, fine) in
            [(0o600, true), (0o400, true), (0o440, true), (0o644, false), (0o604, false), (0o602, false)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&path).is_ok(), fine, "{mode:o}");
        }
    }
}
