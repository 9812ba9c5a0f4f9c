/*
 * What every fuzz target is: one function that must survive any bytes.
 *
 * configure --enable-fuzzing (clang) links it with libFuzzer; otherwise replay_main.c
 * feeds it the committed corpus, so that `make check` holds what was once found.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* the name is libFuzzer's */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
