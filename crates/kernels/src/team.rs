//! Threads that share the jobs of one operation after another.
//!
//! A training step of a small model is hundreds of operations of some ten microseconds to a millisecond. To wake a sleeping
//! thread for each of them takes as long as the operation, so the members of a team watch for the next one for a while before
//! they sleep.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long a member watches before it sleeps.
const WATCH: Duration = Duration::from_micros(500);
/// Looks between two offers of the processor to others.
const LOOKS: usize = 64;

/// Runs `job` for 0 to `jobs` on this thread and on `threads - 1` others.
///
/// # Panics
/// If a job does, after all others have ended.
pub(crate) fn share(threads: usize, jobs: usize, job: &(dyn Fn(usize) + Sync)) {
    thread_local! {
        /// The team that this thread led last.
        static LAST: Cell<Option<Arc<Team>>> = const { Cell::new(None) };
    }
    let last = LAST.take().filter(|team| team.helpers.len() == threads - 1 && team.take());
    let team = last.unwrap_or_else(|| Team::free(threads));
    team.run(jobs, job);
    team.busy.store(false, Ordering::Release);
    LAST.set(Some(team));
}

/// Whether this thread is at a job, within which others are not shared.
pub(crate) fn at_a_job() -> bool {
    AT_A_JOB.get()
}

thread_local! {
    static AT_A_JOB: Cell<bool> = const { Cell::new(false) };
}

/// One that leads, and helpers. Several leaders at the same time have teams of their own.
struct Team {
    /// Whether somebody leads it.
    busy: AtomicBool,
    shared: Arc<Shared>,
    helpers: Vec<Thread>,
}

struct Shared {
    /// The number of the task, times [`TASK`]; [`OPEN`] while helpers may join it; how many are at work on it.
    state: AtomicU64,
    /// The job of the task and how many there are. Written while no helper is at work.
    work: Mutex<Option<Work>>,
    /// How many jobs of each member's share were taken.
    taken: Vec<Taken>,
    /// Which helpers sleep.
    asleep: Vec<AtomicBool>,
    /// What a job panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

const OPEN: u64 = 1 << 31;
const TASK: u64 = 1 << 32;

/// A counter with lines of the cache of its own.
#[derive(Default)]
#[repr(align(128))]
struct Taken(AtomicUsize);

/// A borrowed job: the leader waits until no helper has it any more.
#[derive(Clone, Copy)]
struct Work {
    job: *const (dyn Fn(usize) + Sync),
    jobs: usize,
}

// SAFETY: the job may be called from any thread.
unsafe impl Send for Work {}

/// All teams there are.
static TEAMS: Mutex<Vec<Arc<Team>>> = Mutex::new(Vec::new());

impl Team {
    /// A team of `threads` that nobody leads, which is now busy.
    fn free(threads: usize) -> Arc<Team> {
        let mut teams = TEAMS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(team) = teams.iter().find(|team| team.helpers.len() == threads - 1 && team.take()) {
            return team.clone();
        }
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            work: Mutex::new(None),
            taken: (0..threads).map(|_| Taken::default()).collect(),
            asleep: (1..threads).map(|_| AtomicBool::new(false)).collect(),
            panic: Mutex::new(None),
        });
        // A machine that gives no more threads has smaller teams.
        let helpers = (1..threads).map_while(|number| {
            let shared = shared.clone();
            let helper = thread::Builder::new().name(format!("kernels-{number}"));
            Some(helper.spawn(move || shared.help(number - 1)).ok()?.thread().clone())
        });
        let team = Arc::new(Team { busy: AtomicBool::new(true), helpers: helpers.collect(), shared });
        teams.push(team.clone());
        team
    }

    /// Whether it was free; now it is not.
    fn take(&self) -> bool {
        !self.busy.load(Ordering::Relaxed) && !self.busy.swap(true, Ordering::Acquire)
    }

    fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync)) {
        let shared = &*self.shared;
        // SAFETY: only the lifetime changes; no helper has the job when this function ends.
        let job: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(job) };
        let work = Work { job, jobs };
        *shared.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
        shared.taken.iter().for_each(|taken| taken.0.store(0, Ordering::Relaxed));
        let task = shared.state.load(Ordering::Relaxed) / TASK + 1;
        shared.state.store((task * TASK) | OPEN, Ordering::SeqCst);
        let asleep =
            self.helpers.iter().zip(&shared.asleep).filter(|(_, asleep)| asleep.load(Ordering::SeqCst));
        asleep.take(jobs - 1).for_each(|(helper, _)| helper.unpark());
        shared.work_off(work, 0);
        // Who has not come until now is not waited for.
        shared.state.fetch_and(!OPEN, Ordering::AcqRel);
        watch(|| shared.state.load(Ordering::Acquire) == task * TASK, thread::yield_now);
        let panicked = shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panicked) = panicked {
            self.busy.store(false, Ordering::Release);
            resume_unwind(panicked);
        }
    }
}

impl Shared {
    /// Takes jobs until none is left: first those of this member's share, then of the others'. What one operation wrote, the
    /// next often reads in jobs of the same numbers, and it lies in the cache of the processor that wrote it.
    fn work_off(&self, work: Work, member: usize) {
        let before = AT_A_JOB.replace(true);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let members = self.taken.len();
            for member in (member..members).chain(0..member) {
                let share = member * work.jobs / members..(member + 1) * work.jobs / members;
                loop {
                    let number = share.start + self.taken[member].0.fetch_add(1, Ordering::Relaxed);
                    if number >= share.end {
                        break;
                    }
                    // SAFETY: the leader keeps the job until all are done.
                    unsafe { (*work.job)(number) };
                }
            }
        }));
        AT_A_JOB.set(before);
        if let Err(panicked) = outcome {
            self.taken.iter().for_each(|taken| taken.0.store(work.jobs, Ordering::Relaxed));
            *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panicked);
        }
    }

    /// What helper `number` does for ever.
    fn help(&self, number: usize) {
        let mut seen = 0;
        loop {
            let wanted = || {
                let state = self.state.load(Ordering::SeqCst);
                state & OPEN != 0 && state / TASK != seen
            };
            watch(wanted, || {
                self.asleep[number].store(true, Ordering::SeqCst);
                while !wanted() {
                    thread::park();
                }
                self.asleep[number].store(false, Ordering::SeqCst);
            });
            let join = |state| (state & OPEN != 0).then_some(state + 1);
            let Ok(state) = self.state.fetch_update(Ordering::AcqRel, Ordering::Relaxed, join) else {
                continue;
            };
            seen = state / TASK;
            let work = *self.work.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(work) = work {
                self.work_off(work, number + 1);
            }
            self.state.fetch_sub(1, Ordering::Release);
        }
    }
}

/// Returns when `done` holds. Watches for a while, and then calls `patience` whenever it does not.
fn watch(done: impl Fn() -> bool, patience: impl Fn()) {
    let start = Instant::now();
    loop {
        for _ in 0..LOOKS {
            if done() {
                return;
            }
            std::hint::spin_loop();
        }
        if start.elapsed() < WATCH { thread::yield_now() } else { patience() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_is_done_once_whoever_leads() {
        thread::scope(|scope| {
            for leader in 0..3 {
                scope.spawn(move || {
                    for round in 0..2000 {
                        let jobs = 1 + (round * 7 + leader) % 23;
                        let done: Vec<AtomicUsize> = (0..jobs).map(|_| AtomicUsize::new(0)).collect();
                        share(4, jobs, &|job| {
                            assert!(at_a_job());
                            done[job].fetch_add(1, Ordering::Relaxed);
                        });
                        assert!(done.iter().all(|done| done.load(Ordering::Relaxed) == 1));
                        if round % 500 == 0 {
                            thread::sleep(2 * WATCH);
                        }
                    }
                    assert!(!at_a_job());
                });
            }
        });
    }

    #[test]
    fn a_panic_reaches_the_leader_and_the_team_goes_on() {
        for _ in 0..50 {
            let panicked = catch_unwind(|| share(3, 20, &|job| assert!(job != 13, "the thirteenth")));
            let message = *panicked.unwrap_err().downcast::<&str>().unwrap();
            assert_eq!(message, "the thirteenth");
            let done = AtomicUsize::new(0);
            share(3, 20, &|_| _ = done.fetch_add(1, Ordering::Relaxed));
            assert_eq!(done.into_inner(), 20);
        }
    }
}
