//! What is inside the programs: the libraries of others with their licences (NOTICE), and the same as a bill of materials in the
//! format CycloneDX 1.5 (<https://cyclonedx.org/docs/1.5/json/>).
//!
//! Both follow from the locks: crates that the programs link on this platform, and npm packages in the dashboard's
//! bundle. A licence's text is listed once, with all that are under it.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages of the workspace whose programs are shipped.
pub(super) const SHIPPED: [&str; 5] = [
    "pqcrypta",
    "pqcrypta-collector",
    "pqcrypta-monitor",
    "pqcrypta-analytics",
    "pqcrypta-health-check",
];

/// A library of others.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Library {
    name: String,
    version: String,
    /// `cargo` or `npm`, as in a package URL.
    registry: &'static str,
    /// SPDX expression.
    licence: String,
    home: Option<String>,
    /// SHA-256 of its archive, from the lock, hexadecimal.
    sha256: Option<String>,
    /// Where its files are.
    folder: PathBuf,
}

impl Library {
    /// Returns its package URL.
    fn purl(&self) -> String {
        format!(
            "pkg:{}/{}@{}",
            self.registry,
            self.name.replace('@', "%40"),
            self.version
        )
    }
}

/// Writes NOTICE and sbom.cdx.json.
pub(super) fn write(checkout: &Path, into: &Path) -> anyhow::Result<()> {
    let mut libraries = crates(checkout)?;
    libraries.extend(npm_packages(checkout)?);
    fs::write(into.join("NOTICE"), notice(&libraries))?;
    let bill = serde_json::to_string_pretty(&bill(&libraries))?;
    fs::write(into.join("sbom.cdx.json"), bill + "\n")?;
    Ok(())
}

/// Returns the crates of others that the programs link.
fn crates(checkout: &Path) -> anyhow::Result<BTreeSet<Library>> {
    let output = Command::new("cargo")
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--filter-platform=x86_64-unknown-linux-gnu",
        ])
        .current_dir(checkout)
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let checksums = checksums(&fs::read_to_string(checkout.join("Cargo.lock"))?);
    let linked = linked(&metadata);
    let all = metadata["packages"].as_array().context("no packages")?;
    let ours = |package: &&Value| package["source"].is_string();
    all.iter()
        .filter(|package| linked.contains(text(&package["id"])))
        .filter(ours)
        .map(|package| crate_of(package, &checksums))
        .collect()
}

fn crate_of(
    package: &Value,
    checksums: &BTreeMap<(String, String), String>,
) -> anyhow::Result<Library> {
    let (name, version) = (
        text(&package["name"]).to_owned(),
        text(&package["version"]).to_owned(),
    );
    let manifest = Path::new(text(&package["manifest_path"]));
    let licence = package["license"]
        .as_str()
        .with_context(|| format!("{name} {version} states no licence"))?;
    Ok(Library {
        registry: "cargo",
        licence: licence.replace('/', " OR "),
        home: package["repository"].as_str().map(str::to_owned),
        sha256: checksums.get(&(name.clone(), version.clone())).cloned(),
        folder: manifest.parent().unwrap_or(manifest).to_owned(),
        name,
        version,
    })
}

/// Returns the identifiers of the packages that the shipped programs link: what they depend on other than for
/// building and testing.
fn linked(metadata: &Value) -> BTreeSet<&str> {
    let nodes: BTreeMap<&str, &Value> = array(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| (text(&node["id"]), node))
        .collect();
    let mut open: Vec<&str> = array(&metadata["packages"])
        .iter()
        .filter(|package| SHIPPED.contains(&text(&package["name"])) && package["source"].is_null())
        .map(|package| text(&package["id"]))
        .collect();
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !found.insert(id) {
            continue;
        }
        let deps = nodes.get(id).map_or(&[][..], |node| array(&node["deps"]));
        let is_linked = |dep: &&Value| {
            array(&dep["dep_kinds"])
                .iter()
                .any(|kind| kind["kind"].is_null())
        };
        open.extend(deps.iter().filter(is_linked).map(|dep| text(&dep["pkg"])));
    }
    found
}

/// Returns the SHA-256 of each archive that a Cargo.lock names.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let value = |line: &str, key: &str| {
        let rest = line.strip_prefix(key)?.strip_prefix(" = \"")?;
        rest.strip_suffix('"').map(str::to_owned)
    };
    let mut found = BTreeMap::new();
    for entry in lock.split("[[package]]") {
        let of = |key: &str| entry.lines().find_map(|line| value(line, key));
        if let (Some(name), Some(version), Some(checksum)) =
            (of("name"), of("version"), of("checksum"))
        {
            found.insert((name, version), checksum);
        }
    }
    found
}

/// Returns the npm packages in the dashboard's bundle: those that are not for building alone.
fn npm_packages(checkout: &Path) -> anyhow::Result<BTreeSet<Library>> {
    let lock: Value =
        serde_json::from_str(&fs::read_to_string(checkout.join("ui/package-lock.json"))?)?;
    let entries = lock["packages"]
        .as_object()
        .context("no packages in ui/package-lock.json")?;
    let bundled = entries.iter().filter_map(|(path, entry)| {
        let name = path.strip_prefix("node_modules/")?;
        let is_tool = ["dev", "devOptional"]
            .iter()
            .any(|key| entry[key].as_bool() == Some(true));
        (!is_tool).then_some((name, path, entry))
    });
    let libraries = bundled.map(|(name, path, entry)| Library {
        name: name.to_owned(),
        version: text(&entry["version"]).to_owned(),
        registry: "npm",
        licence: text(&entry["license"]).to_owned(),
        home: None,
        sha256: None,
        folder: checkout.join("ui").join(path),
    });
    Ok(libraries.collect())
}

/// Returns the notice: a list, then each text with those that are under it.
fn notice(libraries: &BTreeSet<Library>) -> String {
    let mut page = String::from(
        "The programs of pqcrypta contain these libraries. The text of each licence follows, with the libraries that\n\
         are under it; where several may be chosen, all are given.\n\n",
    );
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for library in libraries {
        let name = format!("{} {}", library.name, library.version);
        let home = library.home.as_deref().unwrap_or("");
        let _infallible = writeln!(page, "{name} ({}) {home}", library.licence);
        for licence in licence_texts(&library.folder) {
            texts.entry(licence).or_default().insert(name.clone());
        }
    }
    for (licence, under) in texts {
        let under: Vec<&str> = under.iter().map(String::as_str).collect();
        let line = "-".repeat(80);
        let _infallible = write!(
            page,
            "\n{line}\n{}\n{line}\n\n{licence}\n",
            under.join(", ")
        );
    }
    page
}

/// Returns the texts of licences and notices in a folder.
fn licence_texts(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = name.to_uppercase();
            ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"]
                .iter()
                .any(|start| name.starts_with(start))
        })
        .collect();
    files.sort();
    let read = |path: PathBuf| Some(fs::read_to_string(path).ok()?.trim().replace('\r', ""));
    files.into_iter().filter_map(read).collect()
}

/// Returns the bill of materials.
fn bill(libraries: &BTreeSet<Library>) -> Value {
    let component = |library: &Library| {
        let mut component = json!({
            "type": "library",
            "bom-ref": library.purl(),
            "name": library.name,
            "version": library.version,
            "purl": library.purl(),
            "licenses": [{"expression": library.licence}],
        });
        if let Some(sha256) = &library.sha256 {
            component["hashes"] = json!([{"alg": "SHA-256", "content": sha256}]);
        }
        component
    };
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {
            "type": "application",
            "name": "pqcrypta",
            "version": env!("CARGO_PKG_VERSION"),
            "licenses": [{"expression": "MIT"}],
        }},
        "components": libraries.iter().map(component).collect::<Vec<_>>(),
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn what_is_linked_or_bundled_is_named_and_tools_are_not() {
        let mut libraries = crates(&checkout()).unwrap();
        libraries.extend(npm_packages(&checkout()).unwrap());
        let names: BTreeSet<&str> = libraries.iter().map(|one| one.name.as_str()).collect();
        for linked in ["tokio", "tokio-postgres", "rustls", "preact", "uplot"] {
            assert!(names.contains(linked), "{linked}");
        }
        for tool in [
            "proptest",
            "insta",
            "rcgen",
            "clap_mangen",
            "vite",
            "typescript",
        ] {
            assert!(!names.contains(tool), "{tool}");
        }
        let cargo = libraries.iter().filter(|one| one.registry == "cargo");
        for library in cargo {
            assert!(library.sha256.is_some(), "{library:?}");
        }
        let page = notice(&libraries);
        assert!(page.contains("Permission is hereby granted"), "{page}");
        let bill = bill(&libraries);
        assert_eq!(array(&bill["components"]).len(), libraries.len());
    }

    #[test]
    fn a_name_with_a_scope_is_escaped_in_its_url() {
        let library = Library {
            name: "@preact/signals".to_owned(),
            version: "2.0.0".to_owned(),
            registry: "npm",
            licence: "MIT".to_owned(),
            home: None,
            sha256: None,
            folder: PathBuf::new(),
        };
        assert_eq!(library.purl(), "pkg:npm/%40preact/signals@2.0.0");
    }
}
