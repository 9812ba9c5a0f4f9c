#include "config.h"

#include "tests/unit/store/store_fixture.h"

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/macro.h"

static const char spec_bytes[] = "\x01\x00\xff\xfe\xc3\x28 spec";
static const char env_bytes[] = "A=1\0B=\xff\xfe\0";

const struct store_env fixture_env = {7, env_bytes, sizeof(env_bytes) - 1};

struct store_job fixture_job(uint64_t id)
{
	return (struct store_job){
		.id = id,
		.uid = UINT32_MAX - 1,
		.gid = 1002,
		.state = JOB_BACKOFF,
		.result = JOB_RESULT_TIMEOUT,
		.n_runs = 5,
		.n_failed = 4,
		.exit_code = -1,
		.signal = 15,
		.flags = STORE_JOB_CANCEL | STORE_JOB_PAUSED,
		.submitted_usec = INT64_C(1700000000000001),
		.started_usec = INT64_C(1700000000000002),
		.finished_usec = INT64_C(1700000000000003),
		.due_usec = INT64_MAX,
		.env_id = fixture_env.id,
		.spec = spec_bytes,
		.spec_len = sizeof(spec_bytes) - 1,
		.reason = "because \xff of that",
	};
}

struct store_run fixture_run(uint64_t job_id, uint32_t run)
{
	return (struct store_run){
		.token = {job_id, run, UINT64_MAX - 3},
		.boot_id = "0123456789abcdef0123456789abcdef",
		.spawner_id = "fedcba9876543210fedcba9876543210",
		.output = "output/1/\xe9",
		.started_usec = 101,
		.ended_usec = 102,
		.elapsed_usec = 103,
		.pid = INT32_MAX,
		.pid_start = UINT64_MAX,
		.end_kind = RUN_END_START_FAILED,
		.result = JOB_RESULT_FAILED,
		.wait_status = -104,
		.error = -105,
		.step = "chdir",
		.reason = "no such directory",
		.utime_usec = 106,
		.stime_usec = 107,
		.max_rss_bytes = INT64_C(1) << 40,
		.leftovers = UINT32_MAX,
		.value = "{\"a\":1}",
		.ready_usec = 108,
	};
}

struct store_op op_plain_job(uint64_t id)
{
	struct store_job j = fixture_job(id);

	j.env_id = 0;
	return op_job(STORE_JOB_INSERT, j);
}

int apply_ops(struct store *st, struct store_op *ops, size_t n)
{
	struct store_unit u = {.ops = ops, .n_ops = n, .error = 12345};
	struct store_unit *units[] = {&u};

	ck_assert_int_eq(store_apply(st, units, 1), 0);
	return u.error;
}

int apply_raw(struct store *st, struct store_op op, bool sync)
{
	struct store_unit u = {.ops = &op, .n_ops = 1, .sync = sync};
	struct store_unit *units[] = {&u};

	return store_apply(st, units, 1);
}

/* -- contents as text ------------------------------------------------------------ */

static void dump_bytes(struct buf *out, const char *name, const void *p, size_t n)
{
	if (!p) {
		buf_printf(out, " %s=null", name);
		return;
	}
	buf_printf(out, " %s=%zu:", name, n);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%02x", ((const unsigned char *)p)[i]);
}

static void dump_text(struct buf *out, const char *name, const char *s)
{
	dump_bytes(out, name, s, s ? strlen(s) : 0);
}

void dump_job(struct buf *out, const struct store_job *j)
{
	buf_printf(out, "job %" PRIu64 " uid=%u gid=%u state=%d result=%d runs=%u/%u",
		j->id, j->uid, j->gid, (int)j->state, (int)j->result, j->n_failed,
		j->n_runs);
	buf_printf(
		out, " exit=%d signal=%d flags=%x", j->exit_code, j->signal, j->flags);
	buf_printf(out, " times=%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64,
		j->submitted_usec, j->started_usec, j->finished_usec, j->due_usec);
	buf_printf(out, " env=%" PRIu64, j->env_id);
	dump_bytes(out, "spec", j->spec, j->spec_len);
	dump_text(out, "reason", j->reason);
	if (j->place)
		buf_printf(out, " place=%" PRId64, j->place);
	buf_append_byte(out, '\n');
}

void dump_run(struct buf *out, const struct store_run *r)
{
	buf_printf(out, "run %" PRIu64 "/%u@%" PRIu64 " %s %s", r->token.job_id,
		r->token.run, r->token.epoch, r->boot_id, r->spawner_id);
	dump_text(out, "output", r->output);
	buf_printf(out, " times=%" PRId64 ",%" PRId64 ",%" PRId64, r->started_usec,
		r->ended_usec, r->elapsed_usec);
	buf_printf(out, " pid=%d@%" PRIu64 " kind=%d result=%d status=%d error=%d",
		r->pid, r->pid_start, (int)r->end_kind, (int)r->result, r->wait_status,
		r->error);
	dump_text(out, "step", r->step);
	dump_text(out, "reason", r->reason);
	buf_printf(out, " used=%" PRId64 ",%" PRId64 ",%" PRId64 " left=%u",
		r->utime_usec, r->stime_usec, r->max_rss_bytes, r->leftovers);
	dump_text(out, "value", r->value);
	if (r->ready_usec)
		buf_printf(out, " ready=%" PRId64, r->ready_usec);
	buf_append_byte(out, '\n');
}

void dump_env(struct buf *out, const struct store_env *e)
{
	buf_printf(out, "env %" PRIu64, e->id);
	dump_bytes(out, "data", e->data, e->len);
	buf_append_byte(out, '\n');
}

void dump_key(struct buf *out, const struct store_key *k)
{
	buf_printf(out, "key %u", k->uid);
	dump_text(out, "key", k->key);
	buf_printf(out, " %" PRIu64 "+%u at %" PRId64 "\n", k->first_id, k->n,
		k->created_usec);
}

static int load_job(const struct store_job *j, void *arg)
{
	dump_job(arg, j);
	return 0;
}

static int load_run(const struct store_run *r, void *arg)
{
	dump_run(arg, r);
	return 0;
}

static int load_env(const struct store_env *e, void *arg)
{
	dump_env(arg, e);
	return 0;
}

static int load_key(const struct store_key *k, void *arg)
{
	dump_key(arg, k);
	return 0;
}

static int load_definition(const struct store_definition *d, void *arg)
{
	buf_printf(arg, "definition %s %s: %s\n", d->kind, d->name, d->text);
	return 0;
}

static int load_meta(const char *name, int64_t number, void *arg)
{
	buf_printf(arg, "meta %s=%" PRId64 "\n", name, number);
	return 0;
}

char *dump_store(struct store *st)
{
	static const struct store_load_ops ops = {
		.meta = load_meta,
		.definition = load_definition,
		.env = load_env,
		.key = load_key,
		.job = load_job,
		.run = load_run,
	};
	struct buf out = BUF_NULL;

	ck_assert_int_eq(store_load(st, &ops, &out), 0);
	return buf_steal_str(&out, NULL);
}

char *dump_runs(struct store *st, uint64_t job_id)
{
	struct buf out = BUF_NULL;

	ck_assert_int_eq(store_runs(st, job_id, load_run, &out), 0);
	return buf_steal_str(&out, NULL);
}

static int count_one(const struct store_job *j, void *arg)
{
	++*(size_t *)arg;
	return 0;
}

size_t count_jobs(struct store *st)
{
	const struct store_load_ops ops = {.job = count_one};
	size_t n = 0;

	ck_assert_int_eq(store_load(st, &ops, &n), 0);
	return n;
}

/* -- opening --------------------------------------------------------------------- */

struct store *open_store(int dir_fd, enum store_durability durability)
{
	_cleanup_free_ char *msg = NULL;
	struct store *st = NULL;
	int r = store_open_sqlite(&st, dir_fd, durability, &msg);

	ck_assert_msg(r == 0, "open: %d, %s", r, msg ? msg : "");
	ck_assert_ptr_null(msg);
	return st;
}

void expect_refusal(int dir_fd, int error, const char *text)
{
	_cleanup_free_ char *msg = NULL;
	struct store *st = NULL;

	ck_assert_int_eq(
		store_open_sqlite(&st, dir_fd, STORE_DURABILITY_FULL, &msg), error);
	ck_assert_ptr_null(st);
	ck_assert_ptr_nonnull(msg);
	ck_assert_msg(strstr(msg, text), "'%s' is not in '%s'", text, msg);
	ck_assert_msg(strstr(msg, "reeve.db"), "'%s' names no file", msg);
}

uint64_t file_hash(int dir_fd, const char *name)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */

	if (file_read(&b, dir_fd, name, SIZE_MAX) < 0)
		return 0;
	for (size_t i = 0; i < buf_len(&b); i++)
		h = (h ^ (unsigned char)buf_head(&b)[i]) * UINT64_C(1099511628211);
	return h;
}

/* -- the file system under SQLite ------------------------------------------------ */

static atomic_size_t syncs, writes;
static atomic_int sync_error;
static size_t write_limit;
static int write_error;
static void (*sync_fn)(void *arg);
static void *sync_arg;

size_t n_syncs(void)
{
	return atomic_load(&syncs);
}

size_t n_writes(void)
{
	return atomic_load(&writes);
}

void fail_syncs(int error)
{
	atomic_store(&sync_error, error);
}

void on_next_sync(void (*fn)(void *arg), void *arg)
{
	sync_fn = fn;
	sync_arg = arg;
}

static int sync_counted(long call, int fd)
{
	void (*fn)(void *arg) = sync_fn;
	int e = atomic_load(&sync_error);

	if (fn) {
		sync_fn = NULL;
		fn(sync_arg);
	}
	atomic_fetch_add(&syncs, 1);
	if (e) {
		errno = e;
		return -1;
	}
	return (int)syscall(call, fd);
}

/* these stand before libc's for everything in the process, SQLite's library too */
__attribute__((visibility("default"))) int fdatasync(int fd);
__attribute__((visibility("default"))) int fdatasync(int fd)
{
	return sync_counted(SYS_fdatasync, fd);
}

__attribute__((visibility("default"))) int fsync(int fd);
__attribute__((visibility("default"))) int fsync(int fd)
{
	return sync_counted(SYS_fsync, fd);
}

/* one write of the log or the database */
static ssize_t counted_pwrite(int fd, const void *p, size_t n, off_t offset)
{
	size_t i = atomic_fetch_add(&writes, 1) + 1;

	if (write_limit && i >= write_limit) {
		if (!write_error)
			kill(getpid(), SIGKILL);
		errno = write_error;
		return -1;
	}
	return pwrite(fd, p, n, offset);
}

void fail_writes(size_t n, int error)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	atomic_store(&writes, 0);
	write_limit = n;
	write_error = error;
	vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)counted_pwrite);
	vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)counted_pwrite);
}
