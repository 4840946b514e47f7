//! The program; what it does is in the library of its name, which other tools describe it from.

fn main() -> std::process::ExitCode {
    pqcrypta::main()
}
