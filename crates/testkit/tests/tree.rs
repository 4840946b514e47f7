//! Trees hold what they were given.

use testkit::Tree;

#[test]
fn a_tree_holds_files_directories_and_links() {
    let tree = Tree::new([("stat", "cpu 1 2 3\n"), ("1/comm", "init\n"), ("1/fd/", "")]).unwrap();
    tree.link("1/exe", "/sbin/init").unwrap();
    tree.write("/1/comm", b"\xff\xfe").unwrap();
    assert_eq!(
        std::fs::read_to_string(tree.at("stat")).unwrap(),
        "cpu 1 2 3\n"
    );
    assert_eq!(std::fs::read(tree.at("1/comm")).unwrap(), b"\xff\xfe");
    assert!(tree.at("1/fd").is_dir());
    assert_eq!(
        std::fs::read_link(tree.at("1/exe")).unwrap(),
        std::path::Path::new("/sbin/init")
    );
    tree.remove("1").unwrap();
    assert!(!tree.at("1").is_dir());
}
