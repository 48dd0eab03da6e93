//! CPU time and memory of the measured processes, from `/proc` (Linux only).
//!
//! A tree's time is that of every living process below the root plus, from each of these, the time of children it
//! has waited for: a backend that ends while being measured moves from the first to the second and is counted once.

use std::collections::HashMap;
use std::fs;
use std::io;

/// Microseconds per tick of `/proc/*/stat`: `USER_HZ` is 100 on every Linux architecture.
const TICK_MICROS: u64 = 10_000;

/// One process's line of `/proc/PID/stat`, as far as it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    parent: u32,
    /// Ticks of the process and of the children it has waited for, user and system.
    ticks: u64,
}

/// CPU microseconds that the process `root` and everything below it have used since they started.
pub(crate) fn tree_cpu_micros(root: u32) -> io::Result<u64> {
    let processes = processes()?;
    if !processes.contains_key(&root) {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("no process {root}")));
    }
    Ok(tree_ticks(&processes, root) * TICK_MICROS)
}

/// Resident memory of one process in kB: now, and at its highest.
pub(crate) fn resident_kilobytes(pid: u32) -> io::Result<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    Ok((field_kilobytes(&status, "VmRSS:"), field_kilobytes(&status, "VmHWM:")))
}

fn field_kilobytes(status: &str, name: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

fn processes() -> io::Result<HashMap<u32, Process>> {
    let mut found = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end between the listing and the reading.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        if let Some(process) = parse_stat(&stat) {
            found.insert(pid, process);
        }
    }
    Ok(found)
}

/// Reads `pid (name) state ppid …`; the name may hold blanks and parentheses, so fields count from its last one.
fn parse_stat(stat: &str) -> Option<Process> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    // proc(5): field 4 is ppid, 14 to 17 are utime, stime, cutime, cstime; `fields` begins with field 3.
    let parent = u32::try_from(number(1)?).ok()?;
    Some(Process { parent, ticks: number(11)? + number(12)? + number(13)? + number(14)? })
}

fn tree_ticks(processes: &HashMap<u32, Process>, root: u32) -> u64 {
    let mut ticks = 0;
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        ticks += processes.get(&pid).map_or(0, |process| process.ticks);
        open.extend(processes.iter().filter(|(child, process)| process.parent == pid && **child != pid).map(|p| *p.0));
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_behind_a_name_with_parentheses() {
        let stat = "42 (a) b) c) S 7 42 42 0 -1 4194560 9 9 9 9 100 20 3 4 20 0 1 0 5 6 7";
        assert_eq!(parse_stat(stat), Some(Process { parent: 7, ticks: 127 }));
        assert_eq!(parse_stat("42 (cut S 7"), None);
        assert_eq!(parse_stat("42 (short) S 7 42"), None);
    }

    #[test]
    fn a_tree_holds_its_descendants_and_nobody_else() {
        let tree = [(1, 0, 1), (10, 1, 100), (11, 10, 20), (12, 11, 3), (20, 1, 5000)];
        let processes = tree.into_iter().map(|(pid, parent, ticks)| (pid, Process { parent, ticks })).collect();
        assert_eq!(tree_ticks(&processes, 10), 123);
        assert_eq!(tree_ticks(&processes, 12), 3);
        assert_eq!(tree_ticks(&processes, 99), 0);
    }

    #[test]
    fn an_ended_child_keeps_its_time_through_its_parent() {
        let before = HashMap::from([(1, Process { parent: 0, ticks: 10 }), (2, Process { parent: 1, ticks: 7 })]);
        let after = HashMap::from([(1, Process { parent: 0, ticks: 10 + 7 })]);
        assert_eq!(tree_ticks(&before, 1), tree_ticks(&after, 1));
    }

    #[test]
    fn this_process_is_measurable_and_a_missing_one_is_an_error() {
        let pid = std::process::id();
        assert!(tree_cpu_micros(pid).is_ok());
        let (now, highest) = resident_kilobytes(pid).unwrap();
        assert!(now > 0 && highest >= now);
        assert!(tree_cpu_micros(u32::MAX).is_err());
        assert!(resident_kilobytes(u32::MAX).is_err());
    }

    #[test]
    fn memory_is_read_by_name() {
        let status = "Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n";
        assert_eq!(field_kilobytes(status, "VmRSS:"), 1024);
        assert_eq!(field_kilobytes(status, "VmSwap:"), 0);
    }
}
