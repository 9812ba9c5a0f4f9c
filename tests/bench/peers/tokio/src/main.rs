//! The works of ../../works.h in tokio.
//!
//! usage: peer_tokio THREADS WORK MS    prints what bench_runtime --one does
//! THREADS 1 is the current-thread runtime. The works run in a task, as a program's own
//! code does, and not in block_on, which may stand in a thread of its own.

use std::fs;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::sync::{mpsc, oneshot, Mutex};
use tokio::task::{spawn, spawn_blocking, yield_now, JoinHandle};
use tokio::time::{sleep, timeout};

const GATHERED: usize = 10000;
const CALLERS: usize = 64;
const CHILDREN: usize = 8;

async fn nothing() {}

/// Until all have ended.
async fn join(tasks: Vec<JoinHandle<()>>) {
    for t in tasks {
        t.await.unwrap();
    }
}

async fn spawn_join(n: usize) {
    for _ in 0..n {
        spawn(nothing()).await.unwrap();
    }
}

async fn switches(n: usize) {
    let ping = move || async move {
        for _ in 0..n / 2 {
            yield_now().await;
        }
    };
    join(vec![spawn(ping()), spawn(ping())]).await;
}

/// What a turn hands over: where to play to.
struct Ball(oneshot::Sender<Ball>);

async fn play(mut ball: oneshot::Receiver<Ball>, n: usize) {
    for _ in 0..n {
        let Ball(to) = match ball.await {
            Ok(b) => b,
            Err(_) => return, // the other has played all its turns
        };
        let (back, next) = oneshot::channel();
        ball = next;
        let _ = to.send(Ball(back));
    }
}

async fn future_switches(n: usize) {
    let (to_first, first) = oneshot::channel();
    let (to_second, second) = oneshot::channel();
    let tasks = vec![spawn(play(first, n / 2)), spawn(play(second, n / 2))];
    let _ = to_first.send(Ball(to_second));
    join(tasks).await;
}

async fn queue_of(n: usize, max: usize) {
    let (put, mut get) = mpsc::channel::<usize>(max);
    let putter = spawn(async move {
        for i in 0..n {
            put.send(i).await.unwrap();
        }
    });
    let getter = spawn(async move {
        for _ in 0..n {
            get.recv().await.unwrap();
        }
    });
    join(vec![putter, getter]).await;
}

async fn queue_1(n: usize) {
    queue_of(n, 1).await;
}

async fn queue_64(n: usize) {
    queue_of(n, 64).await;
}

async fn gather(n: usize) {
    for _ in 0..n / GATHERED {
        join((0..GATHERED).map(|_| spawn(nothing())).collect()).await;
    }
}

async fn calls(n: usize) {
    for _ in 0..n {
        spawn_blocking(|| ()).await.unwrap();
    }
}

async fn calls_64(n: usize) {
    join((0..CALLERS).map(|_| spawn(calls(n / CALLERS))).collect()).await;
}

async fn some_children(n: usize) {
    for _ in 0..n {
        let status = Command::new("/bin/true").status().await.unwrap();
        assert!(status.success());
    }
}

async fn children(n: usize) {
    join((0..CHILDREN).map(|_| spawn(some_children(n / CHILDREN))).collect()).await;
}

async fn deadlines(n: usize) {
    for _ in 0..n {
        timeout(Duration::from_secs(1), nothing()).await.unwrap();
    }
}

async fn deadlines_yielding(n: usize) {
    for _ in 0..n {
        timeout(Duration::from_secs(1), yield_now()).await.unwrap();
    }
}

async fn lock(n: usize) {
    let free = Mutex::new(());
    for _ in 0..n {
        let _held = free.lock().await;
    }
}

async fn lock_contended(n: usize) {
    let shared = Arc::new(Mutex::new(()));
    let share = || {
        let shared = shared.clone();
        async move {
            for _ in 0..n / CHILDREN {
                let _held = shared.lock().await;
                yield_now().await;
            }
        }
    };
    join((0..CHILDREN).map(|_| spawn(share())).collect()).await;
}

fn resident_bytes() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

async fn sleepers(n: usize) {
    let before = resident_bytes();
    let tasks: Vec<JoinHandle<f64>> = (0..n)
        .map(|_| {
            spawn(async move {
                let began = Instant::now();
                sleep(Duration::from_secs(1)).await;
                began.elapsed().as_secs_f64() * 1e3 - 1e3
            })
        })
        .collect();
    yield_now().await;
    let size = resident_bytes() - before;
    let mut late = Vec::with_capacity(n);
    for t in tasks {
        late.push(t.await.unwrap());
    }
    late.sort_by(|a, b| a.partial_cmp(b).unwrap());
    println!("{} {:.2}", size / n, late[n - 1 - n / 100]);
}

type Work = fn(usize) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! work {
    ($name:ident) => {
        |n| Box::pin($name(n))
    };
}

fn find(name: &str) -> Option<(Work, usize)> {
    Some(match name {
        "C1" => (work!(spawn_join), 1),
        "C2" => (work!(switches), 2),
        "C2f" => (work!(future_switches), 2),
        "C3" => (work!(queue_1), 1),
        "C3b" => (work!(queue_64), 1),
        "C5" => (work!(gather), GATHERED),
        "C6" => (work!(calls), 1),
        "C6b" => (work!(calls_64), CALLERS),
        "C7" => (work!(children), CHILDREN),
        "C8" => (work!(deadlines), 1),
        "C8b" => (work!(deadlines_yielding), 1),
        "C9" => (work!(lock), 1),
        "C9b" => (work!(lock_contended), CHILDREN),
        _ => return None,
    })
}

async fn measure(work: Work, unit: usize, ms: f64) {
    let mut n = unit;
    let mut is_warm = ms <= 0.0;
    loop {
        let began = Instant::now();
        work(n).await;
        let took = began.elapsed().as_nanos() as f64;
        if took < ms * 1e6 / 2.0 {
            let factor = (0.75 * ms * 1e6 / took).clamp(2.0, 100.0);
            n = ((n as f64 * factor) as usize + unit - 1) / unit * unit;
        } else if is_warm {
            println!("{:.2}", took / n as f64);
            return;
        }
        is_warm = true;
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.len() != 4 {
        eprintln!("usage: peer_tokio THREADS WORK MS");
        std::process::exit(2);
    }
    let threads: usize = args[1].parse().expect("THREADS");
    let amount: f64 = args[3].parse().expect("MS");
    let rt = if threads == 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().build()
    } else {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
    }
    .expect("runtime");
    if args[2] == "C4" {
        rt.block_on(async { spawn(sleepers(amount as usize)).await.unwrap() });
    } else if let Some((work, unit)) = find(&args[2]) {
        rt.block_on(async move { spawn(measure(work, unit, amount)).await.unwrap() });
    } else {
        println!("-");
    }
}
