//! One function per operation over storage and the pure engine. A service decides nothing that the protocol or the
//! domain decides, parses no header and writes no SQL; it reads, calls the engine, and commits one `Write`.

pub mod backoffice;
pub mod ids;
