//! Compressing files and writing the list of them.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// A file of the pages.
pub(crate) struct File {
    /// Below the base path.
    path: String,
    content: Vec<u8>,
}

/// Reads every file of a folder, by path.
pub(crate) fn read(folder: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    read_into(folder, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn read_into(folder: &Path, prefix: &str, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read_into(&entry.path(), &format!("{path}/"), files)?;
        } else if !path.ends_with("manifest.json") && !path.ends_with(".map") {
            let content = fs::read(entry.path())?;
            files.push(File { path, content });
        }
    }
    Ok(())
}

/// Returns the page that states why the dashboard is missing.
pub(crate) fn placeholder(problem: &str) -> File {
    let problem = problem
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let content = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<base href=\"/monitor/\">\n\
         <title>pqcrypta-collector</title>\n</head>\n<body>\n<h1>The dashboard was not built</h1>\n\
         <p>This program was built without its pages: {problem}</p>\n\
         <p>Install Node 20.19 or 22.12 and npm, then build again; or name built pages in UI_DIST.</p>\n\
         <p>The figures themselves are served: <a href=\"api/v1/now\">now</a>, \
         <a href=\"api/v1/meta\">meta</a>.</p>\n</body>\n</html>\n"
    );
    File {
        path: "index.html".to_owned(),
        content: content.into_bytes(),
    }
}

/// Writes the files with their compressed forms, and `assets.rs` that lists them.
pub(crate) fn write(files: &[File], out: &Path) -> io::Result<()> {
    let folder = out.join("ui-packed");
    crate::clear(&folder)?;
    fs::create_dir_all(&folder)?;
    let mut list = String::from("static ASSETS: &[Asset] = &[\n");
    for (at, file) in files.iter().enumerate() {
        let store = |form: &str, content: &[u8]| -> io::Result<String> {
            let path = folder.join(format!("{at}.{form}"));
            fs::write(&path, content)?;
            Ok(format!("include_bytes!({:?})", path.display().to_string()))
        };
        let smaller = |form: &str, content: Vec<u8>| -> io::Result<String> {
            if content.len() * 10 < file.content.len() * 9 {
                Ok(format!("Some({})", store(form, &content)?))
            } else {
                Ok("None".to_owned())
            }
        };
        let plain = store("plain", &file.content)?;
        let brotli = smaller("br", brotli(&file.content)?)?;
        let gzip = smaller("gz", gzip(&file.content)?)?;
        // Writing to a String cannot fail.
        let _infallible = writeln!(
            list,
            "    Asset {{ path: {:?}, kind: {:?}, plain: {plain}, brotli: {brotli}, gzip: {gzip} }},",
            file.path,
            kind(&file.path)
        );
    }
    list.push_str("];\n");
    fs::write(out.join("assets.rs"), list)
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn brotli(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut out, 64 * 1024, 11, 22);
    writer.write_all(content)?;
    drop(writer);
    Ok(out)
}

fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(content)?;
    writer.finish()
}
