//! The brain: pure, synchronous, total.
