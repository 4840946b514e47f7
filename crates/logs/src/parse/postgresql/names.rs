//! Which quoted words of a message are names.
//!
//! A message quotes names and constants alike. A constant is never stored, so that a quoted text counts
//! as one **unless** something states that it is a name; what is not understood costs a name and keeps no
//! constant. It is a name where its statement, without constants, shows it as well, and where a word of
//! [`BEFORE`] or [`AFTER`] stands next to it.
//!
//! Both lists are from PostgreSQL's catalogues (see [`super::words`]): the words that translators put
//! beside the quotes of `table "%s"`, `constraint "%s"` and the like, without those that are beside the
//! quotes of a value in any message of any language.

/// Words before a name. Scripts that part words by blanks need a whole word.
#[rustfmt::skip]
const BEFORE: &[&str] = &[
    // English
    "table", "relation", "column", "constraint", "index", "view", "sequence", "schema", "database", "role", "user", "type",
    "extension", "language", "tablespace", "server", "subscription", "publication", "slot", "parameter", "file", "directory",
    "socket", "trigger", "rule", "policy", "collation", "domain", "cursor", "portal", "prepared statement", "savepoint", "encoding",
    "library", "partition", "function", "sql function", "fonction sql", "función sql", "funzione sql", "sql-funktion", "sql-функция", "функция sql", "socket unix", "unix-сокет", "tâche de fond",
    "background worker", "user=", "identity=", "procedure", "aggregate", "method", "worker", "host", "wrapper", "subdirectory", "program",
    "operator class", "operator family", "statistics object", "conversion", "address", "backend", "service", "plugin",
    // German
    "spalte", "tabelle", "relation", "datei", "index", "benutzer", "parameter", "constraint", "datenbank", "schema", "sicht", "erweiterung",
    "slot", "rolle", "server", "subskription", "kodierung", "fremdtabelle", "funktion", "publikation", "sequenz", "typ", "zeitzonendatei",
    "sprache", "systemspalte", "konfigurationsdatei", "datenverzeichnis", "verzeichnis", "sperrdatei", "bibliothek", "statistikdatei",
    "schlüsseldatei", "konfigurationsparameter", "sichtspalte", "domäne", "serverdatei", "ereignistrigger", "regel", "standardpartition",
    "zugriffsmethode", "operatorfamilie", "operatorklasse", "sortierfolge", "template-datenbank", "socketdatei", "logdatei", "zielrelation",
    "replikationszielrelation", "unterverzeichnis", "nichtleere partition",
    // Spanish
    "tabla", "relación", "columna", "archivo", "índice", "usuario", "base de datos", "directorio de datos", "directorio", "servidor", "parámetro",
    "esquema", "restricción", "restricción «check»", "extensión", "tipo", "particionada", "rol", "suscripción", "codificación", "publicación", "partición", "función",
    "vista", "heredada", "secuencia", "lenguaje", "materializada", "biblioteca", "bloqueo", "dominio", "unicidad", "exclusión", "foránea", "disparador", "configuración",
    // French
    "colonne", "table", "fichier", "utilisateur", "utilisateur ", "paramètre", "répertoire", "contrainte", "serveur", "schéma", "partitionnée", "rôle",
    "encodage", "distante", "héritée", "fonction", "souscription", "vue", "base de données", "données", "système", "séquence", "matérialisée", "langage",
    "verrou", "curseur", "bibliothèque", "vérification", "contrainte unique", "étrangère", "hôte", "règle", "domaine", "portail", "généré", "unique", "exclusion",
    // Italian
    "relazione", "colonna", "tabella", "indice", "utente", "parametro", "vincolo", "estensione", "partizionata", "ruolo", "sottoscrizione", "partizione",
    "funzione", "codifica", "pubblicazione", "sequenza", "ereditata", "linguaggio", "cursore", "libreria", "controllo", "dominio", "regola", "univoco", "esterna",
    "file", "directory", "savepoint",
    // Swedish
    "tabell", "tabellen", "kolumn", "kolumnen", "relationen", "fil", "filen", "användare", "katalog", "katalogen", "vy", "databasen", "databas", "utökning",
    "utökningen", "replikeringsslot", "villkor", "villkoret", "nyckel-villkoret", "kodning", "prenumeration", "funktionen", "publicering", "markör", "språk",
    "rollen", "roll", "integritetsvillkor", "värd", "sekvens", "sekvensen", "typen", "låsfil", "konfigurationsfil", "bibliotek", "domän", "regel", "indexet",
    // Russian and Ukrainian
    "столбец", "столбца", "столбце", "столбцу", "отношение", "отношения", "отношении", "отношению", "отношений", "таблица", "таблицы", "таблице", "таблицу",
    "файл", "файла", "файле", "индекс", "индекса", "индексе", "ограничение", "ограничения", "ограничение-проверку", "ограничение-исключение", "уникальности",
    "внешнего ключа", "параметр", "пользователь", "пользователя", "пользователю", "схема", "схемы", "схеме", "схему", "роль", "роли", "база данных", "базы данных",
    "базу данных", "базе данных", "базы", "база", "триггер", "триггера", "представление", "представления", "представлении", "подписка", "подписки", "подписке", "расширение",
    "расширения", "сервер", "сервера", "сервере", "кодировка", "кодировки", "функция", "функцию", "тип", "типа", "последовательность", "последовательности", "секция",
    "секции", "секцию", "портал", "публикация", "публикации", "публикацию", "курсор", "курсоре", "язык", "языка", "каталог", "каталога", "каталоге", "правило",
    "слот", "домена", "компьютера", "компьютер", "узла", "пространство", "библиотека", "библиотеку", "сокета", "блокировки",
    "стовпець", "стовпця", "стовпці", "відношення", "відношенні", "таблиці", "таблицю", "файлі", "файлу", "індекс", "індексу", "обмеження", "обмеження перевірку",
    "унікальності", "зовнішнього ключа", "користувач", "користувача", "схемі", "ролі", "бази даних", "база даних", "базу даних", "тригер", "подання", "підписки", "підписка",
    "розширення", "кодування", "послідовність", "публікації", "публікація", "мови", "хосту", "домену", "бібліотека", "бібліотеку",
    // Polish, Portuguese, Indonesian
    "tabeli", "tabela", "tabelę", "kolumna", "kolumny", "kolumnie", "relacja", "relacji", "relację", "ograniczenie", "ograniczenia", "indeks", "indeksu", "rola", "roli",
    "użytkownik", "użytkownika", "baza danych", "bazy danych", "bazy", "plik", "pliku", "funkcja", "schemat", "schematu", "katalogu", "folderu",
    "relação", "coluna", "restrição", "restrição de unicidade", "índice", "usuário", "banco de dados", "arquivo", "diretório", "função", "esquema", "visão", "sequência",
    "tabel", "relasi", "kolom", "constraint", "indeks", "basis data", "direktori", "fungsi", "skema",
    // Georgian
    "ურთიერთობა", "ურთიერთობის", "ურთიერთობისთვის", "ურთიერთობაზე", "ურთიერთობაში", "სვეტი", "სვეტის", "სვეტში", "ცხრილი", "ცხრილის", "ცხრილისთვის", "ცხრილზე", "ფაილი", "ფაილის",
    "შეზღუდვა", "შეზღუდვას", "შეზღუდვის", "ინდექსი", "ინდექსის", "სქემაში", "სქემა", "ბაზა", "მომხმარებელი", "მომხმარებლისთვის", "როლი", "ფუნქცია", "ტრიგერი", "კურსორი",
    "გაფართოება", "ხედი", "მიმდევრობა", "სერვერი", "საქაღალდე",
    // Korean, before
    "사용자", "호스트", "릴레이션",
];

/// Words before a name in scripts that part no words.
#[rustfmt::skip]
const BEFORE_WITHIN: &[&str] = &[
    // Japanese
    "リレーション", "テーブル", "列", "カラム", "インデックス", "ユーザー", "データベース", "パラメータ", "機能拡張", "ロール", "制約", "シーケンス", "ビュー", "サーバー", "言語",
    "関数", "スキーマ", "カーソル", "エンコーディング", "符号化方式", "トリガ", "トリガー", "スロット", "ファイル", "ホスト", "パーティション", "サブスクリプション", "パブリケーション", "ドメイン",
    // Chinese
    "关系", "用户", "表", "列", "索引", "文件", "字段", "订阅", "数据库", "参数", "函数", "约束", "扩展", "游标", "语言", "角色", "服务器", "模式", "表空间", "视图", "序列", "主机", "目录",
    "触发器", "后台工作进程", "套接字", "ソケット", "バックグラウンドワーカー", "sql函数", "sql 函数", "sql関数", "分区", "发布", "编码",
];

/// Words after a name, in languages that put them there.
#[rustfmt::skip]
const AFTER: &[&str] = &[
    // Korean
    "테이블", "칼럼", "릴레이션", "뷰", "인덱스", "고유 제약", "체크 제약", "제약", "참조키", "데이터베이스", "롤", "역할", "사용자", "파일", "디렉터리", "함수", "스키마", "시퀀스", "확장", "트리거", "이름의 릴레이션",
    "이름의 칼럼", "언어", "서버", "파티션",
    // Turkish
    "tablosu", "tablosun", "nesnesi", "sütunu", "sütunun", "kolonu", "veritabanı", "rolü", "rolün", "dosyası", "şeması", "fonksiyonu", "kısıtlama", "constraint", "indeks", "dizini",
];

/// Bytes before a quote that are examined; the longest of [`BEFORE`] has 48.
const NEAR: usize = 64;

/// Returns whether a word states that what the quote here begins is a name, or one after its end.
pub(super) fn names(before: &str, after: &str) -> bool {
    let before = before.trim_end_matches([' ', '\u{a0}', '\u{202f}', '\n']);
    let mut from = before.len().saturating_sub(NEAR);
    while !before.is_char_boundary(from) {
        from += 1;
    }
    let near = before[from..].replace('\n', " ").to_lowercase();
    let whole = |word: &&str| {
        let stem = near.strip_suffix(*word);
        stem.is_some_and(|stem| !stem.ends_with(char::is_alphanumeric))
    };
    BEFORE.iter().any(whole)
        || BEFORE_WITHIN.iter().any(|word| near.ends_with(word))
        || AFTER
            .iter()
            .any(|word| after.trim_start_matches(' ').starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_word_beside_it() {
        let cases = [
            ("duplicate key value violates unique constraint ", "", true),
            ("invalid input syntax for type integer: ", "", false),
            ("verletzt Unique-Constraint ", "", true),
            ("SQL statement ", "", false),
            ("prepared statement ", "", true),
            ("syntax error at or near ", "", false),
            ("la contrainte de clé\nétrangère ", "", true),
            ("违反唯一约束", "", true),
            ("一意性制約", "", true),
            ("중복된 키 값이 ", " 고유 제약 조건을 위반함", true),
            ("値", "は型integerの範囲外です", false),
            ("Wert ", " ist außerhalb", false),
            ("unstable ", "", false),
            ("", "", false),
        ];
        for (before, after, expected) in cases {
            assert_eq!(names(before, after), expected, "{before}|{after}");
        }
    }
}
