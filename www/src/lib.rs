//! The console for people and the demo shop.
