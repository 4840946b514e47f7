//! Keys that are recognised by their form.

use redact::text;

/// Keys that their issuers mark, hashes and codes: wherever they stand.
#[test]
fn every_marked_key_is_known() {
    let hex = "0123456789abcdef0123456789abcdef";
    let mixed = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
    let keys = [
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        "ASIAIOSFODNN7EXAMPLE".to_owned(),
        format!("ghp_{mixed}"),
        format!("github_pat_11A_{mixed}"),
        format!("glpat-{}", &mixed[..20]),
        format!("sk_live_{mixed}"),
        format!("rk_test_{mixed}"),
        format!("xoxb-1234567890-{mixed}"),
        format!("xapp-1-A0-{mixed}"),
        format!("AIza{}", &mixed[..35]),
        format!("npm_{}", &mixed[..36]),
        format!("pypi-AgEIcHlwaS5vcmc{mixed}"),
        format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{mixed}"),
        format!("dop_v1_{hex}{hex}"),
        format!("SK{hex}"),
        format!("SG.{}.{mixed}", &mixed[..22]),
        format!("123456789:AAF{}", &mixed[..32]),
        format!("sk-proj-{mixed}"),
        format!("sk-ant-api03-{mixed}"),
        format!("sk-{mixed}"),
        format!("hf_{}", &mixed[..34]),
        format!("gsk_{mixed}"),
        format!("shpat_{hex}"),
        format!("glsa_{mixed}"),
        format!("hvs.{mixed}"),
        format!("dapi{hex}"),
        format!("key-{hex}"),
        format!("ya29.{mixed}"),
        format!("GOCSPX-{}", &mixed[..28]),
        format!("dckr_pat_{mixed}"),
        format!("whsec_{mixed}"),
        format!("tskey-auth-{mixed}"),
        format!("NRAK-{}", mixed[..27].to_uppercase()),
        format!("rubygems_{hex}{hex}"),
        format!("xkeysib-{hex}{hex}-{mixed}"),
        "$2y$10$abcdefghijklmnopqrstuv1234567890ABCDEFGHIJKLMNOPQRSTUV".to_owned(),
        "$6$saltsalt$abcdefghijklmnopqrstuv1234567890".to_owned(),
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG".to_owned(),
        "$apr1$abcdefgh$0123456789abcdefghijkl".to_owned(),
        "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=".to_owned(),
        "pbkdf2_sha256$260000$abcdefgh$0123456789abcdefghij=".to_owned(),
        "SCRAM-SHA-256$4096:c2FsdHNhbHQ=$0123456789abcdef:0123456789abcdef".to_owned(),
        format!("md5{hex}"),
    ];
    for key in &keys {
        for frame in [
            "{}",
            "found {} in x",
            "x=\"{}\"",
            "https://h/{}/x",
            "[{}]",
            "user:{}:1",
        ] {
            let line = frame.replace("{}", key);
            let clean = text(&line);
            let tail = &key[key.len() - 10..];
            assert!(!clean.contains(tail), "{line}  became  {clean}");
        }
    }
}

/// Secret keys of AWS that no name is beside, drawn at random but for the first, which is that of the
/// documentation.
#[test]
fn an_unnamed_secret_key_is_known() {
    let beside = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    for line in [
        format!("AKIAIOSFODNN7EXAMPLE {beside}"),
        format!("AKIAIOSFODNN7EXAMPLE,{beside}"),
        format!("keys {beside} of ASIAIOSFODNN7EXAMPLE"),
        format!("AKIAIOSFODNN7EXAMPLE{beside}"),
        format!("AKIAIOSFODNN7EXAMPLE:{beside}"),
        format!("AKIAIOSFODNN7EXAMPLE/{beside}/x"),
        format!("AKIAIOSFODNN7EXAMPLE_{beside}"),
        format!("id=AKIAIOSFODNN7EXAMPLE-{beside}."),
        format!("AKIAIOSFODNN7EXAMPLE={beside}="),
        format!("AKIAIOSFODNN7EXAMPLE{beside}AKIAIOSFODNN7EXAMPLE"),
        format!("{{\"id\":\"AKIAIOSFODNN7EXAMPLE\",\"s\":\"{beside}\"}}"),
    ] {
        assert!(!text(&line).contains("K7MDENG"), "{}", text(&line));
        assert_eq!(text(&text(&line)), text(&line));
    }
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut state, mut missed) = (1_u64, 0);
    for _ in 0..1000 {
        let key: String = (0..40)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                char::from(LETTERS[(state >> 58) as usize])
            })
            .collect();
        if text(&format!("found {key} in env")).contains(&key) {
            missed += 1;
        }
    }
    assert!(missed <= 50, "{missed} of 1000");
}
