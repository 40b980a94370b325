//! The shell: one pass for all kinds, its adapters and wiring.
