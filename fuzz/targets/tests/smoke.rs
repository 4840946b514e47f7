//! Every target on its seeds and on mutations of them, the same in every run.

use fuzz_targets::TARGETS;
use testkit::Dice;

/// Mutations of each target.
const MUTATIONS: u64 = 2_000;

/// Changes a few bytes, removes or repeats a part, or continues with a part of another seed.
fn mutate(dice: &mut Dice, input: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..=dice.below(4) {
        if input.is_empty() {
            return;
        }
        let at = dice.index(input.len());
        let end = (at + dice.index(16)).min(input.len());
        match dice.below(5) {
            0 => input[at] ^= 1 << dice.below(8),
            1 => input[at] = dice.byte(),
            2 => drop(input.drain(at..end)),
            3 => {
                let part = input[at..end].to_vec();
                input.splice(at..at, part);
            }
            _ => {
                input.truncate(at);
                let from = dice.index(other.len());
                input.extend_from_slice(&other[from..]);
            }
        }
    }
}

#[test]
fn every_target_takes_its_seeds_and_mutations_of_them() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(seeds.len() >= 3, "{}: no seeds", target.name);
        for seed in &seeds {
            (target.run)(seed);
        }
        let mut dice = Dice::new(7);
        for _ in 0..MUTATIONS {
            let mut input = seeds[dice.index(seeds.len())].clone();
            let other = &seeds[dice.index(seeds.len())];
            mutate(&mut dice, &mut input, other);
            (target.run)(&input);
        }
    }
}

#[test]
fn every_target_has_a_binary() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz_targets");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string())
        .map(|name| name.expect("a name").trim_end_matches(".rs").to_owned())
        .collect();
    found.sort();
    let mut named: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    named.sort_unstable();
    assert_eq!(found, named);
}
