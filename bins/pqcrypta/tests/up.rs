//! `pqcrypta up` as a whole: real server, real collector, real monitor.
//!
//! The other programs lie beside this package's in the target directory, so they must be built:
//! `cargo build --workspace --bins`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod running;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use running::{PQCRYPTA, START, STOP, Up, messages, messages_of, place, wait_for_silence};

fn pid_of(state: &Path, name: &str) -> Pid {
    let record = fs::read_to_string(state.join("processes")).unwrap();
    let line = record
        .lines()
        .find(|line| line.starts_with(name))
        .expect(&record);
    Pid::from_raw(line.split(' ').nth(1).unwrap().parse().unwrap()).unwrap()
}

#[test]
fn stores_samples_stops_in_time_and_continues() {
    let (_dir, state) = place();
    let up = Up::start(&state);
    assert!(
        up.monitor.starts_with("http://127.0.0.1:") && up.monitor.ends_with("/monitor/"),
        "{}",
        up.monitor
    );
    up.wait_for_samples(2);
    let first = up.samples();
    up.stop();
    wait_for_silence(&state, Duration::ZERO);

    let up = Up::start(&state);
    assert!(up.samples() >= first, "{} samples of {first}", up.samples());
    up.wait_for_samples(first + 1);
    assert_eq!(up.ask("SELECT count(*) FROM collector.agent_runs"), 2);
    assert_eq!(
        up.ask("SELECT count(*) FROM collector.agent_runs WHERE outcome = 'vanished'"),
        0
    );
    up.stop();
    wait_for_silence(&state, Duration::ZERO);
}

#[test]
fn refuses_a_state_directory_in_use() {
    let (_dir, state) = place();
    let up = Up::start(&state);
    let second = Command::new(PQCRYPTA)
        .arg("up")
        .arg("--state-dir")
        .arg(&state)
        .output()
        .unwrap();
    assert!(!second.status.success());
    let text = String::from_utf8_lossy(&second.stderr);
    assert!(text.contains("another `pqcrypta up` runs"), "{text}");
    assert!(second.stdout.is_empty());
    up.wait_for_samples(1);
    up.stop();
}

#[test]
fn leaves_no_orphan_when_it_is_killed() {
    let (_dir, state) = place();
    let mut up = Up::start(&state);
    up.signal(Signal::KILL);
    up.end(STOP);
    wait_for_silence(&state, STOP);
    let up = Up::start(&state);
    up.wait_for_samples(1);
    up.stop();
}

#[test]
fn starts_after_everything_was_killed() {
    let (_dir, state) = place();
    let mut up = Up::start(&state);
    up.wait_for_samples(1);
    for name in ["collector", "monitor", "postgres"] {
        kill_process(pid_of(&state, name), Signal::KILL).unwrap();
    }
    up.signal(Signal::KILL);
    up.end(STOP);
    let up = Up::start(&state);
    up.wait_for_samples(1);
    up.stop();
    wait_for_silence(&state, Duration::ZERO);
}

#[test]
fn restarts_what_dies() {
    let (_dir, state) = place();
    let up = Up::start(&state);
    up.wait_for_samples(1);
    for name in ["collector", "postgres"] {
        kill_process(pid_of(&state, name), Signal::KILL).unwrap();
    }
    let begin = Instant::now();
    while !(messages(&state).contains("collector started again")
        && messages(&state).contains("postgres started again"))
    {
        assert!(begin.elapsed() < START, "{}", messages(&state));
        sleep(Duration::from_millis(100));
    }
    sleep(Duration::from_secs(2));
    let before = up.samples();
    up.wait_for_samples(before + 2);
    up.stop();
}

#[test]
fn a_server_that_does_not_come_back_is_explained_once() {
    let (_dir, state) = place();
    let up = Up::start(&state);
    // Refused at each start, and read at no other time.
    let settings = state.join("postgres/data/postgresql.conf");
    let good = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("{good}\nno_such_setting = on\n")).unwrap();
    kill_process(pid_of(&state, "postgres"), Signal::KILL).unwrap();
    let refused = |text: &str| text.matches("postgres ended (exit status: 1)").count();
    let begin = Instant::now();
    while refused(&messages(&state)) < 2 {
        assert!(begin.elapsed() < START, "{}", messages(&state));
        sleep(Duration::from_millis(100));
    }
    let text = messages(&state);
    let log = state.join("log/postgres.log");
    let shown = format!("the end of {}:", log.display());
    // Once after it was killed, when its log has no reason yet, and once for the reason.
    assert!(
        text.contains("unrecognized configuration parameter \"no_such_setting\""),
        "{text}"
    );
    assert!(text.contains(&format!("; see {}", log.display())), "{text}");
    assert_eq!(text.matches(&shown).count(), 2, "{text}");
    fs::write(&settings, good).unwrap();
    up.stop();
}

#[test]
fn other_subcommands_find_what_the_demo_runs() {
    let (_dir, state) = place();
    let up = Up::start_as(Path::new(PQCRYPTA), &state, &["--demo"], None);
    up.wait_for_samples(1);
    let begin = Instant::now();
    loop {
        let doctor = Command::new(PQCRYPTA)
            .arg("doctor")
            .arg("--config")
            .arg(state.join("settings.toml"))
            // A variable of another purpose, as in the environment of `up`.
            .env_remove("API_METRICS_URL")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&doctor.stdout).into_owned();
        let of = |name: &str| text.lines().find(|line| line.contains(name));
        let found = ["target api:", "target proxy:"].map(|name| of(name).unwrap_or_default());
        // The applications may still be starting.
        if found
            .iter()
            .all(|line| line.starts_with("ok") && !line.contains("nobody named it"))
        {
            break;
        }
        assert!(begin.elapsed() < START, "{text}");
        sleep(Duration::from_millis(200));
    }
    up.stop();
    wait_for_silence(&state, Duration::ZERO);
}

#[test]
fn sighup_has_the_settings_read_again() {
    let (_dir, state) = place();
    let up = Up::start(&state);
    let config = state.with_extension("toml");
    let good = fs::read_to_string(&config).unwrap();
    let own = format!(
        "[[logs.source]]\nname = \"own\"\npath = \"{}\"\n",
        messages_of(&state).display()
    );
    for (text, words) in [
        (
            good.replace("system_secs = 1", "system_secs = 2"),
            "setting changed",
        ),
        (
            good.replace("system_secs = 1", "system_secs = 0"),
            "toml:2: intervals.system_secs",
        ),
        (format!("{good}{own}"), "logs.source[1].path"),
    ] {
        fs::write(&config, text).unwrap();
        up.signal(Signal::HUP);
        let begin = Instant::now();
        while !messages(&state).contains(words) {
            assert!(begin.elapsed() < START, "no {words}: {}", messages(&state));
            sleep(Duration::from_millis(50));
        }
    }
    let before = up.samples();
    up.wait_for_samples(before + 1);
    assert!(
        !messages(&state).contains("ended ("),
        "{}",
        messages(&state)
    );
    up.stop();
}

#[test]
fn refuses_a_source_that_is_its_own_output() {
    let (dir, state) = place();
    fs::create_dir_all(state.join("log")).unwrap();
    fs::write(state.join("log/postgres.log"), "").unwrap();
    let messages = dir.path().join("up.messages");
    for path in ["up.messages", "up.*", "state/log/*"] {
        let config = dir.path().join("own.toml");
        let path = dir.path().join(path);
        let path = path.display();
        let text = format!("[[logs.source]]\nname = \"own\"\npath = \"{path}\"\n");
        fs::write(&config, text).unwrap();
        let status = Command::new(PQCRYPTA)
            .args(["up", "--listen", "127.0.0.1:0", "--state-dir"])
            .arg(&state)
            .arg("--config")
            .arg(&config)
            .stderr(Stdio::from(fs::File::create(&messages).unwrap()))
            .status()
            .unwrap();
        let printed = fs::read_to_string(&messages).unwrap();
        assert_eq!(status.code(), Some(78), "{path}: {printed}");
        assert!(
            printed.contains("own.toml:3: logs.source[1].path"),
            "{path}: {printed}"
        );
    }
}

#[test]
fn a_second_signal_is_obeyed_at_once() {
    let (_dir, state) = place();
    let mut up = Up::start(&state);
    // It cannot stop in good order now, for which it would have two and a half seconds.
    kill_process(pid_of(&state, "collector"), Signal::STOP).unwrap();
    up.signal(Signal::TERM);
    sleep(Duration::from_millis(200));
    up.signal(Signal::TERM);
    let (status, took) = up.end(STOP);
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(2), "took {took:?}");
    wait_for_silence(&state, Duration::ZERO);
}

#[test]
fn ends_by_itself() {
    let (_dir, state) = place();
    let output = Command::new(PQCRYPTA)
        .args(["up", "--listen", "127.0.0.1:0", "--for", "1", "--state-dir"])
        .arg(&state)
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{err}");
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        matches!(lines[..], [a, b] if a.starts_with("monitor: ") && b.starts_with("database: ")),
        "{out}"
    );
    let command = format!(
        "{PQCRYPTA} status --config {}\n",
        state.join("settings.toml").display()
    );
    assert!(err.contains(&command), "{err}");
    wait_for_silence(&state, Duration::ZERO);
}

#[test]
fn says_which_program_is_missing() {
    let (dir, state) = place();
    let alone = dir.path().join("pqcrypta");
    fs::copy(PQCRYPTA, &alone).unwrap();
    let output = Command::new(&alone)
        .arg("up")
        .arg("--state-dir")
        .arg(&state)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("pqcrypta-collector is missing") && text.contains("cargo build"),
        "{text}"
    );
    assert!(!state.exists());
}

#[test]
fn an_address_of_others_is_refused_before_anything_is_made() {
    let (_dir, state) = place();
    for (address, words) in [
        ("0.0.0.0:8099", "127.0.0.1"),
        ("[::]:0", "127.0.0.1"),
        ("192.0.2.1:0", "127.0.0.1"),
        ("localhost", "an address and a port"),
    ] {
        let output = Command::new(PQCRYPTA)
            .args(["up", "--listen", address, "--state-dir"])
            .arg(&state)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{address}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("--listen") && text.contains(words), "{text}");
        assert!(!text.contains("MONITOR_LISTEN"), "{text}");
        assert!(!state.exists(), "{address}");
    }
}

#[test]
fn faulty_settings_end_with_78() {
    let (dir, state) = place();
    let config = dir.path().join("bad.toml");
    fs::write(&config, "[intervals]\nsystem_secs = 0\n").unwrap();
    let output = Command::new(PQCRYPTA)
        .arg("up")
        .arg("--state-dir")
        .arg(&state)
        .arg("--config")
        .arg(&config)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("bad.toml:2: intervals.system_secs"), "{text}");
}
