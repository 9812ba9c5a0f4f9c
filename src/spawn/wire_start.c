/* The start request: the one record with many fields, and its argv and environment. */
#include "config.h"

#include "spawn/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/strv.h"

#define START_SET_GROUPS (1U << 0)
#define START_MEMFD      (1U << 1)
#define START_GATE       (1U << 2) /* gate and gate_slots follow the groups */
#define START_AHEAD      (1U << 3)
#define START_ASIDE      (1U << 4)
#define START_STAMPED    (1U << 5)
#define START_READY_FD   (1U << 6) /* its number follows the gate */
#define START_FLAGS_KNOWN                                                          \
	(START_SET_GROUPS | START_MEMFD | START_GATE | START_AHEAD | START_ASIDE | \
		START_STAMPED | START_READY_FD)

static int measure_strings(char *const *v, uint64_t *len, uint32_t *n)
{
	STRV_FOREACH(s, v) {
		*len += strlen(*s) + 1;
		if (*len > SPAWN_BLOB_MAX || ++*n > SPAWN_STRINGS_MAX)
			return -E2BIG;
	}
	return 0;
}

int wire_blob_measure(struct wire_blob *ret, char *const *argv, char *const *env)
{
	struct wire_blob blob = {0};
	uint64_t len = 0;
	int r;

	if (!argv || !argv[0])
		return -EINVAL;
	r = measure_strings(argv, &len, &blob.argc);
	if (r < 0)
		return r;
	r = measure_strings(env, &len, &blob.envc);
	if (r < 0)
		return r;
	blob.len = (uint32_t)len;
	*ret = blob;
	return 0;
}

static char *fill_strings(char *out, char *const *v)
{
	STRV_FOREACH(s, v) {
		size_t n = strlen(*s) + 1;

		memcpy(out, *s, n);
		out += n;
	}
	return out;
}

void wire_blob_fill(char *out, char *const *argv, char *const *env)
{
	out = fill_strings(out, argv);
	fill_strings(out, env);
}

int wire_blob_check(const char *data, const struct wire_blob *blob)
{
	uint64_t n = 0;
	const char *p = data, *end = data + blob->len;

	while (p < end) {
		const char *nul = memchr(p, 0, (size_t)(end - p));

		if (!nul)
			return -RV_EPROTOCOL;
		n++;
		p = nul + 1;
	}
	return n == (uint64_t)blob->argc + blob->envc ? 0 : -RV_EPROTOCOL;
}

int wire_blob_check_memfd(int fd, const struct wire_blob *blob)
{
	const int needed = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	struct stat st;
	int seals;

	/* EINVAL: not a memfd at all, which is as wrong as one that may change under us
	 */
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & needed) != needed)
		return -RV_EPROTOCOL;
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_size == (off_t)blob->len ? 0 : -RV_EPROTOCOL;
}

static int check_path(const char *s, bool wanted)
{
	size_t n = s ? strlen(s) : 0;

	if (!wanted)
		return n == 0 ? 0 : -EINVAL;
	return n >= 1 && n <= SPAWN_PATH_MAX && s[0] == '/' ? 0 : -EINVAL;
}

/* what either end refuses, each before it does anything */
static int request_check(const struct spawn_request *q)
{
	if ((q->stdin_kind > SPAWN_STDIO_PATH && q->stdin_kind != SPAWN_STDIO_PIPE) ||
		q->stdout_kind > SPAWN_STDIO_FD ||
		q->stderr_kind > SPAWN_STDIO_STDOUT ||
		q->leftovers > SPAWN_LEFTOVERS_WAIT)
		return -EINVAL;
	if (q->umask > 0777 || q->kill_signal < 1 || q->kill_signal > 64 ||
		q->start_timeout <= 0 || q->kill_grace < 0)
		return -EINVAL;
	if (q->nice != SPAWN_NICE_KEEP && (q->nice < -20 || q->nice > 19))
		return -EINVAL;
	if (q->n_rlimits > SPAWN_RLIMITS_MAX || q->n_groups > SPAWN_GROUPS_MAX)
		return -EINVAL;
	if (check_path(q->cwd, true) < 0 ||
		check_path(q->stdin_path, q->stdin_kind == SPAWN_STDIO_PATH) < 0 ||
		check_path(q->stdout_path, q->stdout_kind == SPAWN_STDIO_PATH) < 0 ||
		check_path(q->stderr_path, q->stderr_kind == SPAWN_STDIO_PATH) < 0)
		return -EINVAL;
	if ((q->ahead || q->aside) && (!q->gate || (q->ahead && q->aside)))
		return -EINVAL;
	if (q->ready_fd &&
		(q->ready_fd < SPAWN_READY_FD_MIN || q->ready_fd > SPAWN_READY_FD_MAX))
		return -EINVAL;
	if (q->cgroup && check_path(q->cgroup, true) < 0)
		return -EINVAL;
	if (q->stamped && q->stdout_kind != SPAWN_STDIO_FD)
		return -EINVAL;
	return 0;
}

static uint16_t count_fds(const struct spawn_request *q, bool memfd)
{
	return (uint16_t)(memfd + (q->stdout_kind == SPAWN_STDIO_FD) +
			  (q->stderr_kind == SPAWN_STDIO_FD));
}

int wire_encode_start(struct buf *b, const struct spawn_request *req,
	const struct wire_blob *blob, const char *data)
{
	struct spawn_request q = *req;
	struct wire_writer w;
	uint32_t flags = 0;
	int r;

	q.cwd = q.cwd ? q.cwd : "/";
	r = request_check(&q);
	if (r < 0)
		return r;
	if (q.set_groups)
		flags |= START_SET_GROUPS;
	if (!data)
		flags |= START_MEMFD;
	if (q.gate)
		flags |= START_GATE;
	if (q.ahead)
		flags |= START_AHEAD;
	if (q.aside)
		flags |= START_ASIDE;
	if (q.stamped)
		flags |= START_STAMPED;
	if (q.ready_fd)
		flags |= START_READY_FD;
	wire_begin(&w, b, WIRE_START, count_fds(&q, !data));
	wire_put_token(&w, &q.token);
	wire_put(&w, flags, 4);
	wire_put(&w, q.stdin_kind, 1);
	wire_put(&w, q.stdout_kind, 1);
	wire_put(&w, q.stderr_kind, 1);
	wire_put(&w, q.leftovers, 1);
	wire_put(&w, q.umask, 2);
	wire_put(&w, (uint8_t)(int8_t)q.nice, 1);
	wire_put(&w, (uint8_t)q.kill_signal, 1);
	wire_put(&w, q.uid, 4);
	wire_put(&w, q.gid, 4);
	wire_put(&w, (uint64_t)q.start_timeout, 8);
	wire_put(&w, (uint64_t)q.kill_grace, 8);
	wire_put_str(&w, q.cwd);
	wire_put_str(&w, q.stdin_path);
	wire_put_str(&w, q.stdout_path);
	wire_put_str(&w, q.stderr_path);
	wire_put_str(&w, q.cgroup);
	wire_put(&w, q.n_rlimits, 1);
	for (size_t i = 0; i < q.n_rlimits; i++) {
		wire_put(&w, q.rlimits[i].resource, 4);
		wire_put(&w, q.rlimits[i].soft, 8);
		wire_put(&w, q.rlimits[i].hard, 8);
	}
	wire_put(&w, q.n_groups, 2);
	for (size_t i = 0; i < q.n_groups; i++)
		wire_put(&w, q.groups[i], 4);
	if (q.gate) {
		wire_put(&w, q.gate, 8);
		wire_put(&w, q.gate_slots, 4);
	}
	if (q.ready_fd)
		wire_put(&w, (uint8_t)q.ready_fd, 1);
	wire_put(&w, blob->argc, 4);
	wire_put(&w, blob->envc, 4);
	wire_put(&w, blob->len, 4);
	if (data)
		wire_put_bytes(&w, data, blob->len);
	return wire_end(&w);
}

static const char *null_if_empty(const char *s)
{
	return s[0] ? s : NULL;
}

static void get_lists(struct wire_reader *r, struct wire_start *ret)
{
	struct spawn_request *q = &ret->req;

	q->n_rlimits = wire_get(r, 1);
	if (q->n_rlimits > SPAWN_RLIMITS_MAX)
		r->bad = true;
	for (size_t i = 0; i < q->n_rlimits && !r->bad; i++)
		ret->rlimits[i] = (struct spawn_rlimit){
			.resource = (uint32_t)wire_get(r, 4),
			.soft = wire_get(r, 8),
			.hard = wire_get(r, 8),
		};
	q->rlimits = ret->rlimits;
	q->n_groups = wire_get(r, 2);
	if (q->n_groups > SPAWN_GROUPS_MAX)
		r->bad = true;
	for (size_t i = 0; i < q->n_groups && !r->bad; i++)
		ret->groups[i] = (uint32_t)wire_get(r, 4);
	q->groups = ret->groups;
}

int wire_decode_start(struct wire_reader *r, uint16_t n_fds, struct wire_start *ret)
{
	struct spawn_request *q = &ret->req;
	struct wire_blob *blob = &ret->blob;
	uint32_t flags;

	*q = (struct spawn_request){.stdout_fd = -1, .stderr_fd = -1};
	*blob = (struct wire_blob){0};
	wire_get_token(r, &q->token);
	flags = (uint32_t)wire_get(r, 4);
	q->stdin_kind = (enum spawn_stdio)wire_get(r, 1);
	q->stdout_kind = (enum spawn_stdio)wire_get(r, 1);
	q->stderr_kind = (enum spawn_stdio)wire_get(r, 1);
	q->leftovers = (enum spawn_leftovers)wire_get(r, 1);
	q->umask = (uint32_t)wire_get(r, 2);
	q->nice = (int8_t)wire_get(r, 1);
	q->kill_signal = (int)wire_get(r, 1);
	q->uid = (uint32_t)wire_get(r, 4);
	q->gid = (uint32_t)wire_get(r, 4);
	q->start_timeout = (rv_time)wire_get(r, 8);
	q->kill_grace = (rv_time)wire_get(r, 8);
	q->cwd = wire_get_str(r, SPAWN_PATH_MAX);
	q->stdin_path = null_if_empty(wire_get_str(r, SPAWN_PATH_MAX));
	q->stdout_path = null_if_empty(wire_get_str(r, SPAWN_PATH_MAX));
	q->stderr_path = null_if_empty(wire_get_str(r, SPAWN_PATH_MAX));
	q->cgroup = null_if_empty(wire_get_str(r, SPAWN_PATH_MAX));
	get_lists(r, ret);
	q->set_groups = flags & START_SET_GROUPS;
	q->ahead = flags & START_AHEAD;
	q->aside = flags & START_ASIDE;
	q->stamped = flags & START_STAMPED;
	if (flags & START_GATE) {
		q->gate = wire_get(r, 8);
		q->gate_slots = (uint32_t)wire_get(r, 4);
	}
	if (flags & START_READY_FD)
		q->ready_fd = (int)wire_get(r, 1);
	blob->argc = (uint32_t)wire_get(r, 4);
	blob->envc = (uint32_t)wire_get(r, 4);
	blob->len = (uint32_t)wire_get(r, 4);
	if (!(flags & START_MEMFD))
		blob->data = wire_get_bytes(r, blob->len);
	if (wire_done(r) < 0 || (flags & ~START_FLAGS_KNOWN) || request_check(q) < 0)
		return -RV_EPROTOCOL;
	if (blob->argc < 1 || blob->argc > SPAWN_STRINGS_MAX ||
		blob->envc > SPAWN_STRINGS_MAX || blob->len > SPAWN_BLOB_MAX)
		return -RV_EPROTOCOL;
	if (!q->gate && (flags & START_GATE))
		return -RV_EPROTOCOL;
	if (!q->ready_fd && (flags & START_READY_FD))
		return -RV_EPROTOCOL;
	if (n_fds != count_fds(q, flags & START_MEMFD))
		return -RV_EPROTOCOL;
	return blob->data ? wire_blob_check(blob->data, blob) : 0;
}
