//! What leaves the outbox, as it arrives in a real chat.

mod configs;
mod notices;
mod scene;
mod sending;
