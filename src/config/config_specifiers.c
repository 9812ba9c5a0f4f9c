#include "config/config_specifiers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/strv.h"
#include "config/env_file.h"

/* ---- one text ----------------------------------------------------------------------------- */

static const char letters[] = "niuUGhtHlbmvTV";

PRINTF(2, 3) static int refuse(char **err, const char *fmt, ...)
{
	struct buf text = BUF_NULL;
	va_list ap;

	va_start(ap, fmt);
	if (buf_vprintf(&text, fmt, ap) >= 0)
		*err = buf_steal_str(&text, NULL);
	va_end(ap);
	buf_deinit(&text);
	return *err ? -EINVAL : -ENOMEM;
}

/* one line of a file */
static int append_file(struct buf *out, const char *path, char **err)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int r = file_read(&text, AT_FDCWD, path, 4096);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return refuse(err, "'%s': %s", path, rv_strerror(r));
	r = buf_append_byte(&text, '\0');
	return r < 0 ? r
		     : buf_append(out, buf_head(&text), strcspn(buf_head(&text), "\n"));
}

static int append_host(struct buf *out, bool whole)
{
	char name[HOST_NAME_MAX + 1] = "";

	(void)!gethostname(name, sizeof(name) - 1);
	return buf_append(out, name, whole ? strlen(name) : strcspn(name, "."));
}

static int append_kernel(struct buf *out)
{
	struct utsname u;

	return buf_append_str(out, uname(&u) == 0 ? u.release : "");
}

static int append_runtime_dir(struct buf *out, const struct specifiers *s, char **err)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	if (s->mode == CONFIG_MODE_SYSTEM ||
		(s->mode == CONFIG_MODE_ANY && geteuid() == 0))
		dir = "/run";
	if (!dir || dir[0] != '/')
		return refuse(err, "%%t: there is no runtime directory "
				   "(XDG_RUNTIME_DIR)");
	return buf_append_str(out, dir);
}

static int append_known(struct buf *out, char letter, const char *value, char **err)
{
	return value ? buf_append_str(out, value)
		     : refuse(err, "%%%c: it is not known here", letter);
}

static int append(struct buf *out, char letter, const struct specifiers *s, char **err)
{
	switch (letter) {
	case 'n': return buf_append_str(out, s->name);
	case 'i':
		if (!s->instance)
			return refuse(err, "%%i: only services have instances");
		return buf_append_str(out, s->instance);
	case 'u': return append_known(out, letter, s->user, err);
	case 'h': return append_known(out, letter, s->home, err);
	case 'U': return buf_printf(out, "%" PRIu32, s->uid);
	case 'G': return buf_printf(out, "%" PRIu32, s->gid);
	case 't': return append_runtime_dir(out, s, err);
	case 'H': return append_host(out, true);
	case 'l': return append_host(out, false);
	case 'b': return append_file(out, "/proc/sys/kernel/random/boot_id", err);
	case 'm': return append_file(out, "/etc/machine-id", err);
	case 'v': return append_kernel(out);
	case 'T': return buf_append_str(out, "/tmp");
	case 'V': return buf_append_str(out, "/var/tmp");
	default: return -EINVAL;
	}
}

/* p: at a '%' that is not doubled */
static int refuse_specifier(const char *p, const struct specifiers *s, char **err)
{
	char bad[3] = {'%', p[1], '\0'};

	if (p[1] && strchr(letters, p[1]) && !s)
		return refuse(err,
			"the specifier %s is for services and schedules: a percent "
			"sign is written %%%%",
			QUOTED(bad));
	return refuse(err, "unknown specifier %s: a percent sign is written %%%%",
		QUOTED(bad));
}

int specifiers_expand(
	char **ret, const char *text, const struct specifiers *s, char **err)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	int r = 0;

	*err = NULL;
	for (const char *p = text; r >= 0 && *p; p++) {
		if (*p != '%' || p[1] == '%') {
			p += *p == '%';
			r = buf_append_byte(&out, *p);
			continue;
		}
		if (!s || !p[1] || !strchr(letters, p[1]))
			return refuse_specifier(p, s, err);
		r = append(&out, *++p, s, err);
	}
	if (r < 0)
		return r;
	*ret = buf_steal_str(&out, NULL);
	return *ret ? 0 : -ENOMEM;
}

int specifiers_escape(struct buf *out, const char *text, size_t n)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = buf_append_byte(out, text[i]);
		if (r >= 0 && text[i] == '%')
			r = buf_append_byte(out, '%');
	}
	return r;
}

/* ---- kept as they were written ------------------------------------------------------------ */

/* the fields that have specifiers */
static const enum job_field raw_fields[CONFIG_RAW_N] = {JOB_FIELD_COMMAND,
	JOB_FIELD_CWD, JOB_FIELD_ENV, JOB_FIELD_STDIN, JOB_FIELD_OUTPUT};

static int raw_index(enum job_field f)
{
	for (int i = 0; i < CONFIG_RAW_N; i++)
		if (raw_fields[i] == f)
			return i;
	return -1;
}

/* what lists had before, as it would be written */
static int format_before(struct buf *out, struct config_job *job, enum job_field f)
{
	_cleanup_(buf_deinitp) struct buf value = BUF_NULL;
	int r = job_value_format(&value, f, &job->spec.v[f]);

	if (r >= 0)
		r = specifiers_escape(out, buf_head(&value), buf_len(&value));
	return r < 0 ? r : buf_append_byte(out, '\n');
}

bool config_field_has_specifiers(enum job_field f)
{
	return raw_index(f) >= 0;
}

int config_raw_take(struct config_job *job, enum job_field f, const char *text)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	int i = raw_index(f), r = 0;
	char *own;

	if (i < 0 || (!job->raw[i] && !strchr(text, '%')))
		return 0;
	if (job_type_appends(job_field_info[f].type)) {
		if (job->raw[i])
			r = buf_printf(&out, "%s\n", job->raw[i]);
		else if (job_spec_has(&job->spec, f))
			r = format_before(&out, job, f);
	}
	if (r >= 0)
		r = buf_append_str(&out, text);
	own = r < 0 ? NULL : buf_steal_str(&out, NULL);
	if (!own)
		return -ENOMEM;
	free(job->raw[i]);
	job->raw[i] = own;
	job_spec_unset(&job->spec, f);
	return 1;
}

void config_raw_drop(struct config_job *job, enum job_field f)
{
	int i = raw_index(f);

	if (i < 0)
		return;
	free(job->raw[i]);
	job->raw[i] = NULL;
}

const char *config_raw_get(const struct config_job *job, enum job_field f)
{
	int i = raw_index(f);

	return i < 0 ? NULL : job->raw[i];
}

void config_raw_deinit(struct config_job *job)
{
	for (int i = 0; i < CONFIG_RAW_N; i++)
		free(job->raw[i]);
}

bool config_raw_equal(const struct config_job *a, const struct config_job *b)
{
	for (int i = 0; i < CONFIG_RAW_N; i++)
		if (!a->raw[i] != !b->raw[i] ||
			(a->raw[i] && !STREQ(a->raw[i], b->raw[i])))
			return false;
	return true;
}

static int read_one(struct job_spec *spec, enum job_field f, const char *text,
	const struct specifiers *s, char **err)
{
	_cleanup_free_ char *expanded = NULL;
	union job_value v;
	int r = specifiers_expand(&expanded, text, s, err);

	if (r < 0)
		return r;
	job_spec_unset(spec, f);
	if (!*expanded)
		return 0;
	r = job_value_parse(&v, f, expanded, err);
	if (r < 0)
		return r;
	if (f == JOB_FIELD_ENV)
		STRV_FOREACH(entry, v.strv)
			r = r < 0 ? r : env_entry_check(*entry, err);
	if (r >= 0)
		return job_spec_put(spec, f, v);
	job_value_free(&v, f);
	return r;
}

int config_raw_read(struct job_spec *spec, const struct config_job *job,
	const struct specifiers *s, unsigned *at, enum job_field *ret_field, char **err)
{
	int r = 0;

	*err = NULL;
	while (*at < CONFIG_RAW_N && r >= 0) {
		unsigned i = (*at)++;

		*ret_field = raw_fields[i];
		if (job->raw[i])
			r = read_one(spec, raw_fields[i], job->raw[i], s, err);
	}
	return r;
}

/* ---- of sections -------------------------------------------------------------------------- */

void specifiers_of(struct specifiers *ret, const struct config *c,
	const struct config_named *section, enum config_key user_key,
	char buf[SPECIFIERS_BUF])
{
	const union config_value *user = &section->v[user_key];
	struct passwd pw, *found = NULL;

	*ret = (struct specifiers){.name = section->name,
		.uid = geteuid(),
		.gid = getegid(),
		.home = getenv("HOME"),
		.mode = c->mode};
	if (user->user.name) {
		ret->user = user->user.name;
		ret->home = user->user.home;
		ret->uid = user->user.uid;
		ret->gid = user->user.gid;
	} else if (getpwuid_r(geteuid(), &pw, buf, SPECIFIERS_BUF, &found) == 0 &&
		   found) {
		ret->user = pw.pw_name;
	}
}

static void read_section(struct config *c, struct config_named *named,
	enum config_section section, struct config_errors *errors)
{
	bool is_service = section == CONFIG_SECTION_SERVICE;
	char buf[SPECIFIERS_BUF];
	unsigned at = 0;
	struct specifiers s;
	int r;

	specifiers_of(
		&s, c, named, is_service ? CONFIG_SERVICE_USER : CONFIG_USER, buf);
	s.instance = is_service ? "0" : NULL;
	do {
		_cleanup_free_ char *err = NULL;
		enum job_field f;

		r = config_raw_read(&named->job->spec, named->job, &s, &at, &f, &err);
		if (r == -ENOMEM)
			errors->no_memory = true;
		else if (r < 0)
			config_errors_add(errors, named->job->origin[f].file,
				named->job->origin[f].line, "[%s %s] %s: %s",
				config_section_name[section], named->name,
				job_field_info[f].key, err ? err : rv_strerror(r));
	} while (r < 0);
}

void config_read_raw(struct config *c, struct config_errors *errors)
{
	for (int i = CONFIG_SECTION_POOL; i < CONFIG_SECTION_N; i++)
		for (size_t k = 0; k < c->named[i].n; k++)
			if (config_section_has_job((enum config_section)i))
				read_section(c, &c->named[i].v[k],
					(enum config_section)i, errors);
}
