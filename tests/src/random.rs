//! Random numbers whose seed is printed, so that a failure can be had again.

/// SplitMix64: small, fast and good enough to choose moments and bits.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// From the variable `ACTH_SEED`, else from the clock; the seed is printed.
    pub fn for_test(name: &str) -> Self {
        let seed = seed();
        eprintln!("{name}: seed {seed} (again: ACTH_SEED={seed})");
        Self(seed)
    }

    /// The series of this seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// Takes one of two ways, the first `in_ten` times of ten.
    pub fn chance(&mut self, in_ten: u64) -> bool {
        self.below(10) < in_ten
    }

    /// The next 64 bits.
    pub fn next_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; the slight bias does not matter here.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_bits() % bound.max(1)
    }
}

/// The variable `ACTH_SEED`, else the clock.
pub fn seed() -> u64 {
    let given = std::env::var("ACTH_SEED").ok();
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(clock)
}

fn clock() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |age| age.as_nanos() as u64)
}
