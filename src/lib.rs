//! uSipipo: Telegram bots and payment webhooks that sell, deliver and look after VPN and proxy access.
//! docs/ARCHITECTURE.md is the map.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crud;
pub mod crypto;
pub mod db;
pub mod demo;
pub mod fault;
pub mod handlers;
pub mod i18n;
pub mod ids;
pub mod integrations;
pub mod jobs;
pub mod machine;
pub mod models;
pub mod money;
pub mod queue;
pub mod router;
pub mod services;
pub mod telemetry;
pub mod work;
