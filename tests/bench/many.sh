#!/bin/sh
# Thousands of tasks asleep, and thousands of stacks in use: all sleep at once, all wake, all
# find their stacks as they left them, and the memory goes back to the system. bench_many
# without arguments does the same with a million.
exec tests/bench/bench_many 20000 10000
