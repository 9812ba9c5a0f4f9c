/*
 * Where a thread is, asked by a signal: the handler runs in that thread and looks at what
 * it has interrupted.
 *
 * It runs on a stack of its own, so that a task's stack needs no room for the kernel's
 * frame and the unwinder, and none of it counts as used. Unwinding takes no lock and
 * allocates nothing once the unwinder is loaded (_dl_find_object, glibc 2.35), save in a
 * process that registers frames of code made at run time.
 */
#include "config.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/loop_priv.h"
#include "runtime/stall_priv.h"

enum {
	ALTSTACK_SIZE = 64 * 1024, /* besides what the kernel puts there */
	ROOM_MIN = 6 * 1024,       /* what unwinding needs, and some */
	SHOWN_MAX = 8,             /* frames named in a report */
};

/*
 * ThreadSanitizer calls a handler late, when the thread comes by one of its interceptors:
 * what it would see then is somewhere else.
 */
#define MAY_SAMPLE (!CORO_TSAN)

/* this thread's */
static __thread struct {
	struct stall *stall; /* whose step runs; the handler reads it */
	pid_t tid;           /* 0: not prepared yet */
} here __attribute__((tls_model("initial-exec")));

static pthread_key_t altstack_key;
static bool have_altstack_key;
static atomic_int sample_signal; /* 0: none */
static sigset_t not_ours;        /* blocked where the signal was chosen */

/* -- the handler ------------------------------------------------------------------- */

static void *interrupted_at(const ucontext_t *uc)
{
#if defined(__x86_64__)
	return (void *)(uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (void *)(uintptr_t)uc->uc_mcontext.pc;
#else
	return NULL; /* the handler's own frames are shown as well */
#endif
}

/* The alternate stack may be another's, and small. */
static bool has_room(void)
{
	uintptr_t at = (uintptr_t)__builtin_frame_address(0);
	const struct rv_task *t = current.task;
	stack_t ss;

	if (sigaltstack(NULL, &ss) == 0 && (ss.ss_flags & SS_ONSTACK))
		return at - (uintptr_t)ss.ss_sp >= ROOM_MIN;
	/* somebody has switched it off */
	return !t || !t->coro || at - (uintptr_t)t->coro->stack >= ROOM_MIN;
}

static void sample_take(struct sample *x, const struct stall *s, const ucontext_t *uc)
{
	const void *at = interrupted_at(uc);

	x->lasted = rv_now() - atomic_load(&s->began);
	x->task_id = s->task_id;
	memcpy(x->task_name, s->task_name, sizeof(x->task_name));
	x->callback = s->loop->callback;
	x->n = has_room() ? backtrace(x->pcs, FRAMES_MAX) : 0;
	x->i_first = 0;
	for (int i = 0; i < x->n; i++)
		if (x->pcs[i] == at) {
			x->i_first = i;
			break;
		}
}

static void on_sample(int sig, siginfo_t *info, void *uc)
{
	struct stall *s = here.stall;
	int saved = errno;
	uint64_t asked;

	if (!s)
		return;
	/* It may come late, for a step that is over. */
	asked = atomic_load(&s->asked);
	if (asked / N_SAMPLES == atomic_load(&s->step) &&
		asked != atomic_load(&s->answered)) {
		struct sample *x = &s->samples[asked % N_SAMPLES];

		sample_take(x, s, uc);
		x->step = asked / N_SAMPLES;
		atomic_store(&s->answered, asked);
		watchdog_wake();
	}
	errno = saved;
}

/* -- the signal -------------------------------------------------------------------- */

static bool is_ours(int sig)
{
	struct sigaction sa;

	return sig && sigaction(sig, NULL, &sa) == 0 && (sa.sa_flags & SA_SIGINFO) &&
	       sa.sa_sigaction == on_sample;
}

/*
 * An emulator may accept a handler for a signal that it cannot send, as qemu-user does for the
 * last two. So one is sent, to be ignored; where it is blocked it waits, until it is said
 * again that it be ignored.
 */
static bool can_be_sent(int sig)
{
	bool sent = signal(sig, SIG_IGN) != SIG_ERR &&
		    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), sig) == 0;

	(void)signal(sig, SIG_IGN);
	(void)signal(sig, SIG_DFL);
	return sent;
}

/* From the top, which fewer programs use. */
static int signal_choose(void)
{
	struct sigaction ours = {.sa_sigaction = on_sample,
		.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
	struct sigaction sa;

	(void)sigfillset(&ours.sa_mask);
	/* valgrind keeps the last for itself */
	for (int sig = SIGRTMAX - 1; sig >= SIGRTMIN; sig--)
		if (sigismember(&not_ours, sig) == 0 &&
			sigaction(sig, NULL, &sa) == 0 && !(sa.sa_flags & SA_SIGINFO) &&
			sa.sa_handler == SIG_DFL && can_be_sent(sig) &&
			sigaction(sig, &ours, NULL) == 0)
			return sig;
	return 0;
}

void sample_signal_take(void)
{
	if (!MAY_SAMPLE)
		return;
	(void)pthread_sigmask(SIG_SETMASK, NULL, &not_ours);
	atomic_store(&sample_signal, signal_choose());
}

void sample_signal_release(void)
{
	int sig = atomic_exchange(&sample_signal, 0);

	if (!is_ours(sig))
		return;
	/* What is under way would end the process: ignoring throws it away. */
	(void)signal(sig, SIG_IGN);
	(void)signal(sig, SIG_DFL);
}

/* One that the thread does not take would wait in its queue, with those for later steps. */
static bool is_blocked_in(pid_t tid, int sig)
{
	char path[64], text[4096];
	_cleanup_close_ int fd = -1;
	const char *mask;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%ld/status", (long)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return false;
	text[n] = '\0';
	mask = strstr(text, "\nSigBlk:");
	return mask &&
	       (strtoull(mask + sizeof("\nSigBlk:") - 1, NULL, 16) >> (sig - 1) & 1);
}

bool sample_ask(const struct stall *s)
{
	int sig = atomic_load(&sample_signal), tid = atomic_load(&s->tid);

	if (!MAY_SAMPLE)
		return false;
	/* Somebody may have come to want that one. */
	if (!is_ours(sig)) {
		sig = signal_choose();
		atomic_store(&sample_signal, sig);
	}
	return sig && !is_blocked_in(tid, sig) &&
	       syscall(SYS_tgkill, getpid(), tid, sig) == 0;
}

/* -- the loop's thread ------------------------------------------------------------- */

static size_t altstack_size(void)
{
	return ALTSTACK_SIZE + (size_t)getauxval(AT_MINSIGSTKSZ);
}

static void altstack_free(void *mem)
{
	stack_t off = {.ss_flags = SS_DISABLE}, ss;

	if (sigaltstack(NULL, &ss) == 0 && ss.ss_sp == mem)
		(void)sigaltstack(&off, NULL);
	(void)munmap(mem, altstack_size());
}

static void altstack_make_key(void)
{
	have_altstack_key = pthread_key_create(&altstack_key, altstack_free) == 0;
}

/* Where there is one already, that will do. */
static void altstack_set(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	stack_t ss;

	(void)pthread_once(&once, altstack_make_key);
	if (!have_altstack_key || sigaltstack(NULL, &ss) < 0 ||
		!(ss.ss_flags & SS_DISABLE))
		return;
	ss = (stack_t){.ss_size = altstack_size()};
	ss.ss_sp = mmap(NULL, ss.ss_size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (ss.ss_sp == MAP_FAILED)
		return;
	if (sigaltstack(&ss, NULL) < 0 ||
		pthread_setspecific(altstack_key, ss.ss_sp) != 0)
		altstack_free(ss.ss_sp);
}

static NOINLINE void thread_prepare(void)
{
	void *pc;

	here.tid = (pid_t)syscall(SYS_gettid);
	if (!MAY_SAMPLE)
		return;
	altstack_set();
	(void)backtrace(&pc, 1); /* loads the unwinder */
}

void sample_thread_begins(struct stall *s)
{
	if (UNLIKELY(!here.tid))
		thread_prepare();
	atomic_store_explicit(&s->tid, here.tid, memory_order_relaxed);
	here.stall = s;
	atomic_signal_fence(memory_order_seq_cst);
}

void sample_thread_ends(const struct stall *s)
{
	if (here.stall != s)
		return;
	here.stall = NULL;
	atomic_signal_fence(memory_order_seq_cst);
}

void sample_forked(void)
{
	int sig = atomic_exchange(&sample_signal, 0);

	here.stall = NULL;
	here.tid = 0;
	if (is_ours(sig))
		(void)signal(sig, SIG_DFL);
}

/* -- for people -------------------------------------------------------------------- */

/* what begins a step is of no interest, nor what is around that */
static bool is_below_step(const char *name)
{
	return strcmp(name, "task_run") == 0 || strcmp(name, "gen_entry") == 0 ||
	       strcmp(name, "task_coro_entry") == 0 ||
	       strcmp(name, "leader_step") == 0 ||
	       strcmp(name, "leader_step_timed") == 0;
}

void sample_text(const struct sample *x, char *buf, size_t size)
{
	struct symbols s = SYMBOLS_NULL;
	char name[SYMBOL_MAX];
	int n_shown = 0;
	size_t at;

	(void)snprintf(buf, size, "after %.1f ms it was ",
		(double)x->lasted / (double)RV_MS(1));
	at = strlen(buf);
	if (x->n == 0)
		(void)snprintf(buf + at, size - at,
			"somewhere (no room to look on its alternate stack)");
	for (int i = x->i_first; i < x->n; i++) {
		/* all but the first are return addresses */
		const char *pc = (const char *)x->pcs[i] - (i > x->i_first);

		if (symbol_name(&s, pc, name, sizeof(name)) && is_below_step(name))
			break;
		symbol_text(&s, pc, name, sizeof(name));
		at += strlen(buf + at);
		if (n_shown == SHOWN_MAX || size - at < strlen(name) + 32) {
			(void)snprintf(buf + at, size - at, ", ...");
			break;
		}
		(void)snprintf(buf + at, size - at, "%s%s",
			n_shown == 0   ? "in "
			: n_shown == 1 ? ", called by "
				       : ", ",
			name);
		n_shown++;
	}
	symbols_deinit(&s);
}
