//! A hash for keys that strangers choose: quick, and with a secret of its own for each table.
//!
//! Each eight bytes are multiplied into the state, and the halves of the product are put together, as
//! wyhash and foldhash do. Without the secret nobody can tell which keys collide; what is stored or
//! leaves the process is never such a hash.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes hashers of one secret.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Default for Seeded {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0_u8))
    }
}

impl BuildHasher for Seeded {
    type Hasher = Folding;
    fn build_hasher(&self) -> Folding {
        Folding {
            state: self.0,
            secret: self.0.rotate_left(32) | 1,
        }
    }
}

/// Hashes one key.
#[derive(Clone, Debug)]
pub struct Folding {
    state: u64,
    secret: u64,
}

/// The fraction of the golden ratio: no pattern in its bits.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

impl Hasher for Folding {
    fn finish(&self) -> u64 {
        folded(self.state ^ GOLDEN, self.secret)
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((chunk, more)) = rest.split_first_chunk::<8>() {
            self.write_u64(u64::from_le_bytes(*chunk));
            rest = more;
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.write_u64(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(value.into());
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.state = folded(self.state ^ value, self.secret ^ GOLDEN);
    }

    fn write_u128(&mut self, value: u128) {
        self.write_u64(value as u64);
        self.write_u64((value >> 64) as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn keys_that_are_alike_have_hashes_that_are_not() {
        let hasher = Seeded::default();
        let names = (0..10_000).map(|n: u32| hasher.hash_one(format!("user{n}").as_str()));
        let numbers = (0..10_000_u128).map(|n| hasher.hash_one(n << 64));
        let lengths = (0..40).map(|n| hasher.hash_one(vec![0_u8; n].as_slice()));
        let hashes: Vec<u64> = names.chain(numbers).chain(lengths).collect();
        // A table looks at seven bits at the top and some at the bottom.
        let distinct = |bits: fn(u64) -> u64| {
            let bits = hashes.iter().map(|hash| bits(*hash));
            bits.collect::<HashSet<u64>>().len()
        };
        assert_eq!(distinct(|hash| hash), hashes.len());
        assert_eq!(distinct(|hash| hash >> 57), 128);
        assert_eq!(distinct(|hash| hash & 1023), 1024);
    }
}
