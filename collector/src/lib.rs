//! The data plane: bytes, checked, durable, answer.
