//! What PostgreSQL calls its severities and the parts of an event, in every language.
//!
//! From PostgreSQL's own message catalogues: `src/backend/po/*.po`, `error_severity()` and
//! `send_message_to_server_log()` of `utils/error/elog.c`; those of release 15 as Debian ships them
//! (`msgunfmt /usr/share/locale/*/LC_MESSAGES/postgres-15.mo`, which a test compares), and the last there is of the
//! languages that releases 15 to 18 name in `po/LINGUAS` without shipping enough of them (Indonesian, Polish,
//! Portuguese, Turkish). Which of them a server writes is its `lc_messages`.

/// One catalogue's words; empty where it leaves the English one.
struct Language {
    /// In the order of [`SEVERITIES`].
    severities: [&'static str; 8],
    /// In the order of [`PARTS`]; `|` parts what was changed over time.
    parts: [&'static str; 7],
}

/// PostgreSQL's words for severities.
const SEVERITIES: [&str; 8] = [
    "DEBUG", "LOG", "INFO", "NOTICE", "WARNING", "ERROR", "FATAL", "PANIC",
];

/// Parts of an event: PostgreSQL's own word and the name in the context.
pub(crate) const PARTS: [(&str, &str); 7] = [
    ("DETAIL", "detail"),
    ("HINT", "hint"),
    ("QUERY", "query"),
    ("CONTEXT", "context"),
    ("LOCATION", "location"),
    ("STATEMENT", "statement"),
    ("BACKTRACE", "backtrace"),
];

#[rustfmt::skip]
const LANGUAGES: &[Language] = &[
    // German
    Language {
        severities: ["", "", "", "HINWEIS", "WARNUNG", "FEHLER", "FATAL", "PANIK"],
        parts: ["", "TIPP|TIP", "ANFRAGE", "ZUSAMMENHANG|KONTEXT", "ORT", "ANWEISUNG", ""],
    },
    // Spanish
    Language {
        severities: ["", "", "", "", "", "", "", ""],
        parts: ["DETALLE", "SUGERENCIA", "CONSULTA", "CONTEXTO", "UBICACIÓN", "SENTENCIA", ""],
    },
    // French
    Language {
        severities: ["", "", "", "", "ATTENTION", "ERREUR", "", ""],
        parts: ["DÉTAIL", "ASTUCE", "REQUÊTE", "CONTEXTE", "EMPLACEMENT", "INSTRUCTION", "PILE D'APPEL"],
    },
    // Indonesian
    Language {
        severities: ["", "", "", "", "PERINGATAN", "", "", "PANIK"],
        parts: ["DETIL", "PETUNJUK", "", "KONTEKS", "LOKASI", "PERNYATAAN", ""],
    },
    // Italian
    Language {
        severities: ["", "", "", "NOTIFICA", "ATTENZIONE", "ERRORE", "FATALE", "PANICO"],
        parts: ["DETTAGLI", "SUGGERIMENTO", "", "CONTESTO", "POSIZIONE", "ISTRUZIONE", ""],
    },
    // Japanese
    Language {
        severities: ["", "", "", "", "", "", "", ""],
        parts: ["詳細", "ヒント", "問い合わせ", "文脈|コンテキスト", "場所", "文|ステートメント", "バックトレース"],
    },
    // Georgian; notices and warnings have one word.
    Language {
        severities: ["გამართვა", "ჟურნალი", "ინფორმაცია", "", "გაფრთხილება", "შეცდომა", "ფატალური", "პანიკა"],
        parts: ["დეტალები|დეტალი", "მინიშნება", "მოთხოვნა", "კონტექსტი", "მდებარეობა", "ოპერატორი", "სტეკი"],
    },
    // Korean
    Language {
        severities: ["디버그", "로그", "정보", "알림", "경고", "오류", "치명적오류", "손상"],
        parts: ["상세정보", "힌트", "쿼리", "내용|구문", "위치", "명령 구문|명령", "역추적"],
    },
    // Polish
    Language {
        severities: ["", "DZIENNIK", "INFORMACJA", "UWAGA", "OSTRZEŻENIE", "BŁĄD", "KATASTROFALNY", "PANIKA"],
        parts: ["SZCZEGÓŁY", "PODPOWIEDŹ", "ZAPYTANIE", "KONTEKST", "POZYCJA", "WYRAŻENIE", ""],
    },
    // Portuguese of Brazil
    Language {
        severities: ["DEPURAÇÃO", "", "", "NOTA", "AVISO", "ERRO", "", "PÂNICO"],
        parts: ["DETALHE", "DICA", "CONSULTA", "CONTEXTO", "LOCAL", "COMANDO", ""],
    },
    // Russian
    Language {
        severities: ["ОТЛАДКА", "СООБЩЕНИЕ", "ИНФОРМАЦИЯ", "ЗАМЕЧАНИЕ", "ПРЕДУПРЕЖДЕНИЕ", "ОШИБКА", "ВАЖНО", "ПАНИКА"],
        parts: ["ПОДРОБНОСТИ", "ПОДСКАЗКА", "ЗАПРОС", "КОНТЕКСТ", "ПОЛОЖЕНИЕ", "ОПЕРАТОР", "СТЕК"],
    },
    // Swedish
    Language {
        severities: ["", "LOGG", "", "NOTIS", "VARNING", "FEL", "FATALT", "PANIK"],
        parts: ["DETALJ", "TIPS", "FRÅGA", "KONTEXT", "PLATS", "SATS", ""],
    },
    // Turkish
    Language {
        severities: ["", "", "BİLGİ|BILGI", "NOT", "UYARI", "HATA", "ÖLÜMCÜL|ÖLÜMCÜL (FATAL)", "KRİTİK"],
        parts: ["AYRINTI|DETAY", "İPUCU", "SORGU", "ORTAM|BAĞLAM|İÇERİK", "YER", "KOMUT|İFADE|DURUM", ""],
    },
    // Ukrainian
    Language {
        severities: ["НАЛАГОДЖЕННЯ", "ЗАПИСУВАННЯ", "ІНФОРМАЦІЯ", "ПОВІДОМЛЕННЯ", "ПОПЕРЕДЖЕННЯ", "ПОМИЛКА", "ФАТАЛЬНО", "ПАНІКА"],
        parts: ["ВІДОМОСТІ|ДЕТАЛІ", "УКАЗІВКА|ПІДКАЗКА", "ЗАПИТ", "КОНТЕКСТ", "РОЗТАШУВАННЯ", "ІНСТРУКЦІЯ", "ВІДСТЕЖУВАТИ"],
    },
    // Chinese, simplified
    Language {
        severities: ["调试", "日志", "信息", "注意", "警告", "错误", "致命错误", "比致命错误还过分的错误"],
        parts: ["详细信息|描述", "提示", "查询", "上下文|背景", "位置", "语句", ""],
    },
];

/// Bytes of a word at most: `比致命错误还过分的错误` has 33.
pub(super) const LONGEST: usize = 48;

/// What a word before the colon means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The severity in PostgreSQL's word.
    Severity(&'static str),
    /// Name of a part of the event before.
    Part(&'static str),
}

/// Returns what a word means, in whatever language.
pub(super) fn of(word: &str) -> Option<Word> {
    if let Some(at) = SEVERITIES.iter().position(|known| *known == word) {
        return Some(Word::Severity(SEVERITIES[at]));
    }
    if let Some((_, name)) = PARTS.iter().find(|(known, _)| *known == word) {
        return Some(Word::Part(name));
    }
    let numbered = word
        .strip_prefix("DEBUG")
        .is_some_and(|level| matches!(level, "1" | "2" | "3" | "4" | "5"));
    if numbered {
        return Some(Word::Severity("DEBUG"));
    }
    // All are in capitals, where their script has them.
    if word.is_empty() || word.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let is = |known: &&str| known.split('|').any(|known| known == word);
    LANGUAGES.iter().find_map(|language| {
        let severity = language.severities.iter().position(is);
        let part = || language.parts.iter().position(is);
        severity
            .map(|at| Word::Severity(SEVERITIES[at]))
            .or_else(|| part().map(|at| Word::Part(PARTS[at].1)))
    })
}

/// Returns a word, its colon and what follows: `ERREUR:  …`, `INSTRUCTION :  …`, `语句：…`.
pub(super) fn leading(text: &str) -> Option<(&str, &str)> {
    let mut end = None;
    for (at, c) in text.char_indices() {
        if at > LONGEST {
            break;
        }
        if matches!(c, ':' | '：') {
            end = Some((at, at + c.len_utf8()));
            break;
        }
    }
    let (word, after) = end?;
    Some((
        text[..word].trim_end_matches([' ', '\u{a0}', '\u{202f}']),
        &text[after..],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_known_once_and_fits() {
        let mut seen: Vec<(&str, Word)> = Vec::new();
        for language in LANGUAGES {
            let severities = language
                .severities
                .iter()
                .zip(SEVERITIES.map(Word::Severity));
            let parts = language
                .parts
                .iter()
                .zip(PARTS.map(|(_, name)| Word::Part(name)));
            for (words, meaning) in severities.chain(parts) {
                for word in words.split('|').filter(|word| !word.is_empty()) {
                    assert!(word.len() <= LONGEST, "{word}");
                    assert_eq!(of(word), Some(meaning), "{word}");
                    let other = seen
                        .iter()
                        .find(|(known, other)| *known == word && *other != meaning);
                    assert_eq!(other, None, "{word} means two things");
                    seen.push((word, meaning));
                }
            }
        }
        assert!(seen.len() > 150, "{}", seen.len());
        assert_eq!(of(""), None);
    }

    /// Returns the string of a catalogue of GNU gettext (its manual, *The Format of GNU MO Files*).
    fn translated<'a>(catalogue: &'a [u8], id: &str) -> Option<&'a str> {
        let number = |at: usize| {
            let bytes = catalogue.get(at..at + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().unwrap()) as usize)
        };
        let text = |table: usize, at: usize| {
            let (length, from) = (number(table + at * 8)?, number(table + at * 8 + 4)?);
            std::str::from_utf8(catalogue.get(from..from + length)?).ok()
        };
        let (count, ids, texts) = (number(8)?, number(12)?, number(16)?);
        (0..count)
            .find(|at| text(ids, *at) == Some(id))
            .and_then(|at| text(texts, at))
    }

    /// Every catalogue that is installed here.
    #[test]
    fn the_words_are_those_of_the_catalogues() {
        let mut checked = 0;
        for language in std::fs::read_dir("/usr/share/locale")
            .into_iter()
            .flatten()
            .flatten()
        {
            let messages = language.path().join("LC_MESSAGES");
            for file in std::fs::read_dir(messages).into_iter().flatten().flatten() {
                if !file.file_name().to_string_lossy().starts_with("postgres-") {
                    continue;
                }
                let catalogue = std::fs::read(file.path()).unwrap();
                let place = file.path();
                for severity in SEVERITIES {
                    let Some(word) = translated(&catalogue, severity) else {
                        continue;
                    };
                    // Georgian has one word for two.
                    let same = of(word) == Some(Word::Severity(severity))
                        || (severity == "NOTICE" && of(word) == Some(Word::Severity("WARNING")));
                    assert!(same, "{place:?}: {severity} {word}");
                }
                for (part, name) in PARTS {
                    let ids = [format!("{part}:  "), format!("{part}:  %s:%d\n")];
                    for text in ids.iter().filter_map(|id| translated(&catalogue, id)) {
                        let (word, _) = leading(text).unwrap();
                        assert_eq!(of(word), Some(Word::Part(name)), "{place:?}: {text}");
                        checked += 1;
                    }
                }
            }
        }
        if checked == 0 {
            eprintln!("SKIPPED: no catalogue of PostgreSQL is installed");
        }
    }

    #[test]
    fn a_word_ends_at_its_colon() {
        let cases = [
            ("ERROR:  x", Some(("ERROR", "  x"))),
            ("INSTRUCTION :  x", Some(("INSTRUCTION", "  x"))),
            ("DÉTAIL\u{a0}: x", Some(("DÉTAIL", " x"))),
            ("语句：x", Some(("语句", "x"))),
            ("no colon", None),
        ];
        for (text, expected) in cases {
            assert_eq!(leading(text), expected, "{text}");
        }
    }
}
