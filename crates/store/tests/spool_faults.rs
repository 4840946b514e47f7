//! The spool on a file system that tears, forgets, fills up and fails.

#![expect(
    unreachable_pub,
    reason = "the support modules are private to this test"
)]

#[path = "spool_support/consumer.rs"]
mod consumer;
#[path = "spool_support/damage.rs"]
mod damage;
#[path = "spool_support/failures.rs"]
mod failures;
#[path = "spool_support/machine.rs"]
mod machine;
#[path = "spool_support/sim.rs"]
mod sim;
