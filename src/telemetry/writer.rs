//! Writes log lines on a thread of its own, from a bounded buffer: a pipe that nobody reads stalls no request. What does
//! not fit is dropped and counted. Lines are gathered for a moment, so that a busy server makes one system call for many.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that may wait for the pipe.
const CAPACITY: usize = 1024 * 1024;
/// How long the first line of a write waits for others.
const GATHER: Duration = Duration::from_millis(5);
/// How long `flush` waits for a pipe that may be stalled.
const FLUSH: Duration = Duration::from_secs(1);

/// Hands lines to the thread; cheap to clone.
#[derive(Clone)]
pub struct LogWriter(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    written: Condvar,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    /// Whether the thread is in the middle of a write.
    writing: bool,
    /// Whether somebody waits in `flush`.
    urgent: bool,
    /// Lines dropped since the last one that fitted.
    gap: u64,
}

impl LogWriter {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || for_thread.run(sink))?;
        Ok(LogWriter(shared))
    }

    /// Lines dropped since start, because the buffer was full.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Relaxed)
    }

    /// Waits until everything is written, but not for long.
    pub fn flush(&self) {
        let mut queue = self.0.lock();
        queue.urgent = true;
        self.0.filled.notify_one();
        let waited = self.0.written.wait_timeout_while(queue, FLUSH, |q| q.writing || !q.bytes.is_empty());
        waited.unwrap_or_else(PoisonError::into_inner).0.urgent = false;
    }

    fn push(&self, line: &[u8]) {
        let mut queue = self.0.lock();
        if queue.bytes.len() + line.len() > CAPACITY {
            queue.gap += 1;
            self.0.dropped.fetch_add(1, Relaxed);
            return;
        }
        let was_empty = queue.bytes.is_empty();
        queue.bytes.extend_from_slice(line);
        drop(queue);
        if was_empty {
            self.0.filled.notify_one();
        }
    }
}

/// One call a line: that is how `env_logger` writes to a pipe.
impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, mut sink: impl Write) {
        let mut batch = Vec::new();
        loop {
            let gap = self.take(&mut batch);
            // Where the pipe is gone there is nobody to tell.
            let _ = sink.write_all(&batch);
            if gap > 0 {
                let _ = writeln!(sink, "{}", super::format::gap_line(gap));
            }
            let _ = sink.flush();
            batch.clear();
            self.lock().writing = false;
            self.written.notify_all();
        }
    }

    /// Waits for lines and takes them; answers how many were dropped behind them.
    fn take(&self, batch: &mut Vec<u8>) -> u64 {
        let queue = self.filled.wait_while(self.lock(), |q| q.bytes.is_empty());
        let queue = queue.unwrap_or_else(PoisonError::into_inner);
        let gathered = self.filled.wait_timeout_while(queue, GATHER, |q| !q.urgent);
        let mut queue = gathered.unwrap_or_else(PoisonError::into_inner).0;
        std::mem::swap(&mut queue.bytes, batch);
        queue.writing = true;
        std::mem::take(&mut queue.gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// A sink that takes nothing until it is told to, and keeps what it took.
    struct Gate {
        open: mpsc::Receiver<()>,
        entered: mpsc::Sender<()>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.entered.send(()).ok();
            self.open.recv().ok();
            self.taken.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn stalled_sink_stalls_no_writer_and_drops_are_counted_and_told() {
        let (open, gate) = mpsc::channel();
        let (entered, in_write) = mpsc::channel();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let writer = LogWriter::start(Gate { open: gate, entered, taken: Arc::clone(&taken) }).unwrap();
        writer.push(b"first\n");
        in_write.recv().unwrap();
        let line = [b'x'; 1024];
        for _ in 0..CAPACITY / line.len() + 7 {
            writer.push(&line);
        }
        assert_eq!(writer.dropped(), 7);
        drop(open);
        writer.flush();
        let taken = String::from_utf8(taken.lock().unwrap().clone()).unwrap();
        assert!(taken.starts_with("first\nxxx"));
        assert!(taken.contains("7 log lines were dropped"), "{}", taken.len());
    }

    #[test]
    fn flush_writes_what_was_pushed() {
        let (open, gate) = mpsc::channel();
        let (entered, _in_write) = mpsc::channel();
        drop(open);
        let taken = Arc::new(Mutex::new(Vec::new()));
        let writer = LogWriter::start(Gate { open: gate, entered, taken: Arc::clone(&taken) }).unwrap();
        for _ in 0..100 {
            writer.push(b"a line\n");
        }
        writer.flush();
        assert_eq!(taken.lock().unwrap().len(), 700);
    }
}
