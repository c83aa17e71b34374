//! All integration tests, one binary. The folders follow the source.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod alerts;
mod architecture;
mod audit;
mod bot_setup;
mod callback;
mod catalogue;
mod cli;
mod client_bot;
mod config;
mod courier;
mod crash;
mod demo_qvapay;
mod demo_telegram;
mod deploy;
mod doctor;
mod http_layers;
mod i18n;
mod nginx;
mod outline;
mod payment;
mod people;
mod queue;
mod qvapay_client;
mod qvapay_vectors;
mod screens;
mod scripts;
mod stars;
mod stats;
mod story;
mod support;
mod telegram_api;
mod telegram_together;
mod telegram_update;
mod wireguard;
