//! `scim-conformance load`: prepares data, puts the server under load, measures, verifies, cleans up, reports.
//!
//! A closed loop: each connection sends its next request when the last was answered, so latencies say how the server
//! does under that many clients and not under a given rate. CPU and memory come from `/proc`.

mod args;
mod check;
mod measure;
mod report;
mod seed;
mod stats;
mod worker;
mod workload;

use std::collections::HashSet;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use args::LoadArgs;
use args::Workload;
use report::{Report, Usage};
use stats::Stats;
use worker::{Phase, Run, Worker};

use crate::client::{ClientError, Target};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the measured process cannot be read: {0}")]
    Measure(#[from] std::io::Error),
    #[error("a connection's task failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Runs the command and prints its result.
pub(crate) fn run(args: LoadArgs) -> ExitCode {
    if let Err(reason) = args.check() {
        eprintln!("error: {reason}");
        return ExitCode::from(2);
    }
    let runtime = if args.threads == 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().build()
    } else {
        tokio::runtime::Builder::new_multi_thread().worker_threads(args.threads.into()).enable_all().build()
    };
    let json = args.json;
    match runtime.map_err(LoadError::from).and_then(|runtime| runtime.block_on(load(args))) {
        Ok(report) => {
            if json {
                println!("{}", report.json());
            } else {
                println!("{report}");
            }
            if report.stats.errors() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error}");
            match error {
                LoadError::Client(_) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

async fn load(args: LoadArgs) -> Result<Report, LoadError> {
    let target = Target::new(&args.url, args.token.as_deref(), args.ca.as_deref())?;
    // Refuses wrong process ids before anything is written.
    usage(&args)?;
    let run = Arc::new(Run::new(args, target, format!("load-{}", random_name())));
    stop_on_interrupt(&run);
    let workers = (0..run.args.connections).map(|index| Worker::new(&run, index)).collect();

    let mut workers = prepare(&run, workers).await?;
    let faultless = workers.iter().all(|worker| worker.stats.errors() == 0);
    let (mut seconds, mut used) = (0.0, Usage::default());
    if faultless && !run.is_in(Phase::Finish) {
        progress(&run, "under load");
        let working = each(workers, |mut worker| async move {
            worker.work().await;
            worker
        });
        let (worked, measured) = tokio::join!(working, measure(&run));
        workers = worked?;
        (seconds, used) = measured?;
        verify(&run, &mut workers).await;
    }
    run.enter(Phase::Finish);
    if !run.args.keep {
        workers = remove(&run, workers).await?;
    }
    let mut stats = Stats::default();
    for worker in workers {
        stats.add(worker.stats);
    }
    Ok(Report { args: run.args.clone(), seconds, stats, usage: used })
}

/// Makes or finds the users and groups that the workload needs.
async fn prepare(run: &Arc<Run>, workers: Vec<Worker>) -> Result<Vec<Worker>, LoadError> {
    if run.args.workload == Workload::Raw {
        return Ok(workers);
    }
    progress(run, "preparing");
    let mut workers = if run.args.existing {
        find_existing(run, workers).await
    } else {
        each(workers, |mut worker| async move {
            worker.seed().await;
            worker
        })
        .await?
    };
    let members: Vec<String> = workers.iter_mut().flat_map(|worker| std::mem::take(&mut worker.fillers)).collect();
    let faultless = workers.iter().all(|worker| worker.stats.errors() == 0);
    if let (true, Some(first)) = (faultless, workers.first_mut()) {
        if run.args.needs_member_groups() {
            first.seed_member_groups(&members).await;
        }
        if run.args.workload == Workload::Page
            && let Some(total) = first.count().await
        {
            let _ = run.total.set(total);
        }
    }
    if let Some(first) = workers.first_mut() {
        first.fillers = members;
    }
    Ok(workers)
}

/// Deals the server's own users out to the connections.
async fn find_existing(run: &Run, mut workers: Vec<Worker>) -> Vec<Worker> {
    if run.args.workload == Workload::Page {
        return workers;
    }
    let fillers = if run.args.needs_member_groups() { run.args.group_size } else { 0 };
    let wanted = usize::try_from(run.args.users.max(run.args.connections).saturating_add(fillers)).unwrap_or(0);
    let Some(first) = workers.first_mut() else { return workers };
    let mut users = first.existing(wanted).await;
    if users.len() < wanted {
        let found = users.len();
        first.stats.fault("too few users".into(), || format!("{wanted} needed, the server has {found}"));
    }
    first.fillers = users.drain(..users.len().min(fillers as usize)).map(|user| user.id).collect();
    for (place, user) in users.into_iter().enumerate() {
        let index = place % workers.len();
        if let Some(worker) = workers.get_mut(index) {
            worker.users.push(user);
        }
    }
    workers
}

/// Lets the load run, and measures after the warm-up.
async fn measure(run: &Run) -> Result<(f64, Usage), LoadError> {
    run.enter(Phase::Load);
    wait(run, run.args.warmup).await;
    let before = usage(&run.args)?;
    let begun = Instant::now();
    run.enter(Phase::Measure);
    wait(run, run.args.seconds).await;
    run.enter(Phase::Finish);
    let seconds = begun.elapsed().as_secs_f64();
    let after = usage(&run.args)?;
    let used = |before: Option<u64>, after: Option<u64>| Some(after?.saturating_sub(before?));
    let usage = Usage {
        server: used(before.server, after.server),
        database: used(before.database, after.database),
        client: used(before.client, after.client),
        memory: after.memory,
    };
    Ok((seconds, usage))
}

async fn wait(run: &Run, seconds: f64) {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        if run.is_in(Phase::Finish) {
            return;
        }
        tokio::time::sleep(left.min(Duration::from_millis(100))).await;
    }
}

fn usage(args: &LoadArgs) -> Result<Usage, LoadError> {
    Ok(Usage {
        server: args.pid.map(measure::tree_cpu_micros).transpose()?,
        database: args.database_pid.map(measure::tree_cpu_micros).transpose()?,
        client: Some(measure::tree_cpu_micros(std::process::id())?),
        memory: args.pid.map(measure::resident_kilobytes).transpose()?,
    })
}

/// Reads a part of the written users again, and the member groups whole.
async fn verify(run: &Run, workers: &mut [Worker]) {
    progress(run, "verifying");
    for worker in workers.iter_mut() {
        worker.verify().await;
    }
    let Some(groups) = run.member_groups.get() else { return };
    for group in groups {
        let expected: Vec<String> = workers.iter().flat_map(|worker| worker.members_of(group)).collect();
        let expected: HashSet<&str> = expected.iter().map(String::as_str).collect();
        if let Some(first) = workers.first_mut() {
            first.verify_group(group, &expected).await;
        }
    }
}

async fn remove(run: &Run, workers: Vec<Worker>) -> Result<Vec<Worker>, LoadError> {
    progress(run, "removing what was made");
    let workers = each(workers, |mut worker| async move {
        worker.remove_groups().await;
        worker
    })
    .await?;
    each(workers, |mut worker| async move {
        worker.remove_users().await;
        worker
    })
    .await
}

/// Does the same on every connection at once.
async fn each<F, D>(workers: Vec<Worker>, deed: D) -> Result<Vec<Worker>, LoadError>
where
    D: Fn(Worker) -> F,
    F: Future<Output = Worker> + Send + 'static,
{
    let tasks: Vec<_> = workers.into_iter().map(|worker| tokio::spawn(deed(worker))).collect();
    let mut workers = Vec::with_capacity(tasks.len());
    for task in tasks {
        workers.push(task.await?);
    }
    Ok(workers)
}

/// The first Ctrl-C ends the load and leads to the clean-up, the second one ends the process.
fn stop_on_interrupt(run: &Arc<Run>) {
    let run = Arc::clone(run);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            progress(&run, "stopping; press Ctrl-C again to leave the data behind");
            run.enter(Phase::Finish);
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(1);
        }
    });
}

fn progress(run: &Run, what: &str) {
    eprintln!("{}: {what}", run.prefix);
}

/// Eight letters that no other run has; the standard library's hash keys are random.
fn random_name() -> String {
    let mut number = RandomState::new().hash_one(std::process::id());
    let mut name = String::new();
    for _ in 0..8 {
        name.push(char::from(b'a' + u8::try_from(number % 26).unwrap_or(0)));
        number /= 26;
    }
    name
}
