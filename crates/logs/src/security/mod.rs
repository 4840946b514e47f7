//! What events mean for the security of the host.
