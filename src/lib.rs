//! Rollcall: a SCIM 2.0 provisioning service with an admin API. `ARCHITECTURE.md` is the map.

pub mod cli;
pub mod config;
pub mod domain;
pub mod http;
pub mod protocol;
pub mod service;
pub mod startup;
pub mod state;
pub mod storage;
pub mod telemetry;
