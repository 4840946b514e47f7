//! Packages: Debian's, rpm and an archive that installs itself, from one staged tree for each package.
//!
//! `contents` says which file is where. Programs are built with the profile `packaged`, with every path of the builder's
//! machine mapped to a neutral one, or taken from a directory. Times inside are those of the newest commit, so that the same
//! commit gives the same bytes.

mod archives;
mod contents;
mod manuals;
mod notices;
mod stage;

use anyhow::{Context as _, bail};
use config::Environment;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// How packages are made.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory with ready programs; they are built otherwise
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Directory of the packages
    #[arg(long, value_name = "DIR", default_value = "target/package")]
    out: PathBuf,
    /// Only these kinds
    #[arg(long, value_enum, value_name = "KIND")]
    only: Vec<Kind>,
    /// Compress quickly and leave out the packages of debug symbols, for tests
    #[arg(long)]
    quick: bool,
}

/// A kind of package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Debian packages
    Deb,
    /// rpm packages
    Rpm,
    /// An archive that installs itself
    Archive,
}

/// Everything that making a package needs to know.
#[derive(Debug)]
struct Order {
    checkout: PathBuf,
    /// Where it is worked and what is ready lies.
    out: PathBuf,
    /// Seconds since 1970 for every file inside.
    epoch: u64,
    is_quick: bool,
}

impl Order {
    fn stage(&self) -> PathBuf {
        self.out.join("stage")
    }
}

/// Makes the packages and prints each with its size and time.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    let out = env::current_dir()?.join(&options.out);
    fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let order = Order {
        epoch: epoch(&checkout)?,
        checkout,
        out,
        is_quick: options.quick,
    };
    let programs = match &options.from {
        Some(from) => env::current_dir()?.join(from),
        None => build(&order)?,
    };
    stage::write(&order, &programs)?;
    for kind in [Kind::Deb, Kind::Rpm, Kind::Archive] {
        if !options.only.is_empty() && !options.only.contains(&kind) {
            continue;
        }
        let begun = Instant::now();
        let made = match kind {
            Kind::Deb => archives::debian(&order)?,
            Kind::Rpm => archives::rpm(&order)?,
            Kind::Archive => archives::archive(&order)?,
        };
        let took = begun.elapsed().as_secs_f64();
        for path in made {
            let mib = fs::metadata(&path)?.len() as f64 / f64::from(1 << 20);
            println!("{mib:7.2} MiB  {}", path.display());
        }
        println!("{took:7.1} s    {kind:?}");
    }
    Ok(())
}

/// Returns the time of the newest commit, or what `SOURCE_DATE_EPOCH` says.
fn epoch(checkout: &Path) -> anyhow::Result<u64> {
    if let Some(given) = Environment::from_process().get("SOURCE_DATE_EPOCH") {
        return given
            .parse()
            .context("SOURCE_DATE_EPOCH is not a number of seconds");
    }
    let mut git = Command::new("git");
    git.args(["-c", "safe.directory=*", "log", "-1", "--format=%ct"])
        .current_dir(checkout);
    let output = git.output().context("cannot run git")?;
    let text = String::from_utf8(output.stdout)?;
    text.trim()
        .parse()
        .context("no commit to take a time from; set SOURCE_DATE_EPOCH")
}

/// Builds the programs and returns their directory.
fn build(order: &Order) -> anyhow::Result<PathBuf> {
    let target = order.out.join("build");
    let environment = Environment::from_process();
    let home = environment.get("HOME").unwrap_or("/root");
    let folder = |variable, name| match environment.get(variable) {
        Some(given) => given.to_owned(),
        None => format!("{home}/{name}"),
    };
    let cargo_home = folder("CARGO_HOME", ".cargo");
    let rustup_home = folder("RUSTUP_HOME", ".rustup");
    let checkout = order.checkout.to_string_lossy();
    // The last one that fits counts, so the more general comes first.
    let maps = [
        (home, "/home"),
        (&cargo_home, "/cargo"),
        (&rustup_home, "/rustup"),
        (&checkout, "/pqcrypta"),
    ];
    let flags = |option: &str| maps.map(|(from, to)| format!("{option}={from}={to}"));
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--profile=packaged", "--locked"])
        .args(notices::SHIPPED.map(|name| format!("--package={name}")))
        .arg("--target-dir")
        .arg(&target)
        .current_dir(&order.checkout)
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            flags("--remap-path-prefix").join("\u{1f}"),
        )
        // Cryptography is partly C.
        .env("CFLAGS", flags("-ffile-prefix-map").join(" "))
        .env("SOURCE_DATE_EPOCH", order.epoch.to_string());
    run_tool(&mut cargo)?;
    Ok(target.join("packaged"))
}

/// Runs a tool; its output is shown only if it fails.
fn run_tool(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot run {name}; is it installed?"))?;
    if !output.status.success() {
        bail!(
            "{name} failed ({}):\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}
