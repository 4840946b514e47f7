use crate::metric_table;

metric_table! {
    /// Proof of life, one row each 5 s while the database answers; not spooled, as a late heartbeat proves nothing.
    pub struct Heartbeat => "heartbeat" { class: Core, rollup: false, keep: Brief, every: Tick;
        /// The program: `collector`.
        component: String [Key None],
        /// `alive`.
        status: String [Detail None],
    }
}
