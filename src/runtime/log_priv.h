/* The log from the inside: for who has somewhere else to write to. */
#ifndef RUNTIME_LOG_PRIV_H
#define RUNTIME_LOG_PRIV_H

#include "reeve/log.h"

/* Has it been started, and does it write lines of that level? Any thread. */
bool log_takes(enum rv_log_level level);

#endif
