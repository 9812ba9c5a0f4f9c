// The works of ../works.h in Node.
//
// usage: node peer.js WORK MS    prints what bench_runtime --one does
//
// Node's standard library has no queue and no lock for its tasks: those here are as one
// writes them. Its thread pool takes no function of the caller's; a random byte is the
// cheapest of what goes there.
'use strict';
const { spawn } = require('child_process');
const { randomFill } = require('crypto');

const GATHERED = 10000, CALLERS = 64, CHILDREN = 8;

async function nothing() {}

async function yieldOnce() {
  await undefined;
}

function share(count, fn) {
  return Promise.all(Array.from({ length: count }, () => fn()));
}

async function spawnJoin(n) {
  for (let i = 0; i < n; i++) await nothing();
}

async function switches(n) {
  await share(2, async () => {
    for (let i = 0; i < n / 2; i++) await undefined;
  });
}

function makeFuture() {
  const f = {};
  f.done = new Promise((resolve) => { f.set = resolve; });
  return f;
}

async function futureSwitches(n) {
  const ball = [makeFuture(), makeFuture()];
  let left = n;
  const play = async (me) => {
    while (left > 0) {
      await ball[me].done;
      ball[me] = makeFuture();
      left--;
      ball[1 - me].set();
    }
  };
  ball[0].set();
  await Promise.all([play(0), play(1)]);
}

class Queue {
  constructor(max) {
    this.max = max;
    this.items = [];
    this.getters = [];
    this.putters = [];
  }

  async put(item) {
    while (this.items.length >= this.max)
      await new Promise((resolve) => this.putters.push(resolve));
    this.items.push(item);
    this.getters.shift()?.();
  }

  async get() {
    while (this.items.length === 0)
      await new Promise((resolve) => this.getters.push(resolve));
    const item = this.items.shift();
    this.putters.shift()?.();
    return item;
  }
}

async function queueOf(n, max) {
  const queue = new Queue(max);
  const put = async () => { for (let i = 0; i < n; i++) await queue.put(queue); };
  const get = async () => { for (let i = 0; i < n; i++) await queue.get(); };
  await Promise.all([put(), get()]);
}

async function gather(n) {
  for (; n >= GATHERED; n -= GATHERED) await share(GATHERED, nothing);
}

const byte = Buffer.alloc(1);

function call() {
  return new Promise((resolve, reject) => {
    randomFill(byte, (err) => (err ? reject(err) : resolve()));
  });
}

async function calls(n) {
  for (let i = 0; i < n; i++) await call();
}

async function calls64(n) {
  await share(CALLERS, () => calls(n / CALLERS));
}

function child() {
  return new Promise((resolve, reject) => {
    const c = spawn('/bin/true', [], { stdio: 'inherit' });
    c.on('error', reject);
    c.on('exit', resolve);
  });
}

async function children(n) {
  await share(CHILDREN, async () => {
    for (let i = 0; i < n / CHILDREN; i++) await child();
  });
}

async function waitFor(fn, ms) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), ms);
  });
  try {
    return await Promise.race([fn(), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function deadlines(n) {
  for (let i = 0; i < n; i++) await waitFor(nothing, 1000);
}

async function deadlinesYielding(n) {
  for (let i = 0; i < n; i++) await waitFor(yieldOnce, 1000);
}

class Lock {
  constructor() {
    this.held = false;
    this.waiters = [];
  }

  async acquire() {
    if (this.held) await new Promise((resolve) => this.waiters.push(resolve));
    else this.held = true;
  }

  release() { // to the first who waits
    const next = this.waiters.shift();
    if (next) next();
    else this.held = false;
  }
}

async function lock(n) {
  const free = new Lock();
  for (let i = 0; i < n; i++) {
    await free.acquire();
    free.release();
  }
}

async function lockContended(n) {
  const shared = new Lock();
  await share(CHILDREN, async () => {
    for (let i = 0; i < n / CHILDREN; i++) {
      await shared.acquire();
      await undefined;
      shared.release();
    }
  });
}

const WORKS = {
  C1: [spawnJoin, 1],
  C2: [switches, 2],
  C2f: [futureSwitches, 2],
  C3: [(n) => queueOf(n, 1), 1],
  C3b: [(n) => queueOf(n, 64), 1],
  C5: [gather, GATHERED],
  C6: [calls, 1],
  C6b: [calls64, CALLERS],
  C7: [children, CHILDREN],
  C8: [deadlines, 1],
  C8b: [deadlinesYielding, 1],
  C9: [lock, 1],
  C9b: [lockContended, CHILDREN],
};

async function sleepers(n) {
  const late = [];
  const before = process.memoryUsage.rss();
  const all = share(n, async () => {
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    late.push(performance.now() - began - 1000);
  });
  const size = process.memoryUsage.rss() - before;
  await all;
  late.sort((a, b) => a - b);
  console.log(`${(size / n).toFixed(0)} ${late[n - 1 - Math.floor(n / 100)].toFixed(2)}`);
}

async function measure(work, unit, ms) {
  let n = unit;
  for (let isWarm = ms <= 0; ; isWarm = true) {
    const began = process.hrtime.bigint();
    await work(n);
    const took = Number(process.hrtime.bigint() - began);
    if (took < ms * 1e6 / 2) {
      const factor = Math.min(Math.max(0.75 * ms * 1e6 / Math.max(took, 1), 2), 100);
      n = Math.ceil(n * factor / unit) * unit;
    } else if (isWarm) {
      console.log((took / n).toFixed(2));
      return;
    }
  }
}

const [name, amount] = process.argv.slice(2);
if (name === 'C4') sleepers(Number(amount));
else measure(...WORKS[name], Number(amount));
