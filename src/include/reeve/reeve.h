/* The whole of libreeve. */
#ifndef REEVE_REEVE_H
#define REEVE_REEVE_H

#include "reeve/base.h"
#include "reeve/ctx.h"
#include "reeve/debug.h"
#include "reeve/dns.h"
#include "reeve/executor.h"
#include "reeve/file.h"
#include "reeve/future.h"
#include "reeve/gen.h"
#include "reeve/group.h"
#include "reeve/inet.h"
#include "reeve/limits.h"
#include "reeve/log.h"
#include "reeve/loop.h"
#include "reeve/net.h"
#include "reeve/path.h"
#include "reeve/pipe.h"
#include "reeve/process.h"
#include "reeve/procpool.h"
#include "reeve/queue.h"
#include "reeve/runner.h"
#include "reeve/scope.h"
#include "reeve/signal.h"
#include "reeve/stream.h"
#include "reeve/sync.h"
#include "reeve/task.h"
#include "reeve/transport.h"
#include "reeve/udp.h"
#include "reeve/wait.h"

#endif
