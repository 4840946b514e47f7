//! `[database]`: where the samples are stored.

use std::path::PathBuf;

use crate::field::choice;
use crate::secret::Secret;
use crate::section::section;
use crate::url::is_loopback;

section! {
    /// Where samples are stored. The Unix socket with peer authentication needs no secret; a server
    /// on another machine is reached over verified TLS only.
    pub struct Database = "database" {
        /// Name or address of the server, or the directory of its Unix socket when it begins with a
        /// slash.
        host: String = "localhost".to_owned() => env("DB_HOST") filled();
        /// Port of the server; also part of the name of the socket.
        port: u16 = 5432 => env("DB_PORT") range(1, 65535);
        /// Database.
        name: String = "pqcrypta".to_owned() => env("DB_NAME") filled();
        /// Role to log in as.
        user: String = "pqcrypta_collector".to_owned() => env("DB_USER") filled();
        /// Password; better kept in a systemd credential named `db_password` or in `password_file`.
        password: Secret = Secret::default() => env("DB_PASS");
        /// File that holds the password and nothing else.
        password_file: Option<PathBuf> = None => env("DB_PASS_FILE") with(crate::machine::absolute);
        /// `auto` speaks plainly over the socket and the loopback and demands verified TLS of any
        /// other host; `verify-full` demands it everywhere but over the socket; `disable` never
        /// encrypts and is refused for any other host.
        sslmode: SslMode = SslMode::Auto => env("DB_SSLMODE");
        /// File with the certificates that may have signed the server's; the bundle of the system
        /// when empty.
        ssl_root_cert: Option<PathBuf> = None => env("DB_SSL_ROOT_CERT") with(crate::machine::absolute);
    }
}

impl Database {
    /// Returns whether `host` is the directory of a Unix socket.
    #[must_use]
    pub fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }

    /// Returns whether the link needs TLS, by `sslmode` and `host`.
    #[must_use]
    pub fn needs_tls(&self) -> bool {
        if self.is_socket() {
            return false;
        }
        match self.sslmode {
            SslMode::Auto => !is_loopback(&self.host),
            SslMode::Disable => false,
            SslMode::VerifyFull => true,
        }
    }
}

choice! {
    /// When the link to the server is encrypted.
    pub enum SslMode {
        /// Plain over socket and loopback, verified TLS otherwise.
        Auto = "auto",
        /// Always, with certificate and name verified.
        VerifyFull = "verify-full",
        /// Never; refused for another machine.
        Disable = "disable",
    }
}
