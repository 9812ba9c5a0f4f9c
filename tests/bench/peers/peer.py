"""The works of ../works.h in asyncio, and with --uvloop in uvloop.

usage: peer.py [--uvloop] WORK MS    prints what bench_runtime --one does
"""
import asyncio
import os
import sys
import time

GATHERED, CALLERS, CHILDREN = 10000, 64, 8


async def nothing():
    pass


def no_call():
    pass


async def spawn_join(n):
    for _ in range(n):
        await asyncio.create_task(nothing())


async def yields(n):
    for _ in range(n):
        await asyncio.sleep(0)


async def switches(n):
    await asyncio.gather(yields(n // 2), yields(n // 2))


async def future_switches(n):
    loop = asyncio.get_running_loop()
    ball = [loop.create_future(), loop.create_future()]
    left = n

    async def play(me):
        nonlocal left
        while left > 0:
            await ball[me]
            ball[me] = loop.create_future()
            left -= 1
            if not ball[1 - me].done():
                ball[1 - me].set_result(None)

    ball[0].set_result(None)
    await asyncio.gather(play(0), play(1))


async def queue_of(n, size):
    queue = asyncio.Queue(size)

    async def put():
        for _ in range(n):
            await queue.put(queue)

    async def get():
        for _ in range(n):
            await queue.get()

    await asyncio.gather(put(), get())


async def queue_1(n):
    await queue_of(n, 1)


async def queue_64(n):
    await queue_of(n, 64)


async def gather(n):
    for _ in range(n // GATHERED):
        await asyncio.gather(*[nothing() for _ in range(GATHERED)])


async def calls(n):
    loop = asyncio.get_running_loop()
    for _ in range(n):
        await loop.run_in_executor(None, no_call)


async def calls_64(n):
    await asyncio.gather(*[calls(n // CALLERS) for _ in range(CALLERS)])


async def children(n):
    async def share():
        for _ in range(n // CHILDREN):
            child = await asyncio.create_subprocess_exec("/bin/true")
            await child.wait()

    await asyncio.gather(*[share() for _ in range(CHILDREN)])


async def deadlines(n):
    for _ in range(n):
        await asyncio.wait_for(nothing(), 1)


async def deadlines_yielding(n):
    for _ in range(n):
        await asyncio.wait_for(asyncio.sleep(0), 1)


async def lock(n):
    free = asyncio.Lock()
    for _ in range(n):
        async with free:
            pass


async def lock_contended(n):
    shared = asyncio.Lock()

    async def share():
        for _ in range(n // CHILDREN):
            async with shared:
                await asyncio.sleep(0)

    await asyncio.gather(*[share() for _ in range(CHILDREN)])


WORKS = {
    "C1": (spawn_join, 1),
    "C2": (switches, 2),
    "C2f": (future_switches, 2),
    "C3": (queue_1, 1),
    "C3b": (queue_64, 1),
    "C5": (gather, GATHERED),
    "C6": (calls, 1),
    "C6b": (calls_64, CALLERS),
    "C7": (children, CHILDREN),
    "C8": (deadlines, 1),
    "C8b": (deadlines_yielding, 1),
    "C9": (lock, 1),
    "C9b": (lock_contended, CHILDREN),
}


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


async def sleepers(n):
    late = []
    before = resident_bytes()

    async def sleeper():
        began = time.monotonic()
        await asyncio.sleep(1)
        late.append(time.monotonic() - began - 1)

    tasks = [asyncio.create_task(sleeper()) for _ in range(n)]
    await asyncio.sleep(0)
    size = resident_bytes() - before
    for task in tasks:
        await task
    late.sort()
    print(f"{size / n:.0f} {late[n - 1 - n // 100] * 1e3:.2f}")


async def measure(work, unit, ms):
    n = unit
    is_warm = ms <= 0
    while True:
        began = time.perf_counter_ns()
        await work(n)
        took = time.perf_counter_ns() - began
        if took < ms * 1e6 / 2:
            n = int(n * min(max(0.75 * ms * 1e6 / max(took, 1), 2), 100))
            n = -(-n // unit) * unit
        elif is_warm:
            break
        is_warm = True
    print(f"{took / n:.2f}")


def main(args):
    if args and args[0] == "--uvloop":
        import uvloop

        uvloop.install()
        del args[0]
    name, amount = args
    if name == "C4":
        asyncio.run(sleepers(int(amount)))
    else:
        asyncio.run(measure(*WORKS[name], float(amount)))


if __name__ == "__main__":
    main(sys.argv[1:])
