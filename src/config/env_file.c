#include "config.h"

#include "config/env_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/strv.h"
#include "config/config_trust.h"

/* ---- the form --------------------------------------------------------------------------- */

struct reader {
	const char *p, *end;
	unsigned line;
	struct strv_builder out;
	struct env_fault *fault;
};

static int refuse(struct reader *rd, unsigned line, int r, const char *text)
{
	rd->fault->line = line;
	snprintf(rd->fault->text, sizeof(rd->fault->text), "%s", text);
	return r;
}

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* at the first byte of the next line */
static void skip_line(struct reader *rd)
{
	const char *nl = memchr(rd->p, '\n', (size_t)(rd->end - rd->p));

	rd->line += nl != NULL;
	rd->p = nl ? nl + 1 : rd->end;
}

bool env_name_is_valid(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";

	if (!*s || !strchr(letters, *s))
		return false;
	for (; *s; s++)
		if (!strchr(letters, *s) && !(*s >= '0' && *s <= '9'))
			return false;
	return true;
}

int env_entry_check(const char *entry, char **err)
{
	_cleanup_free_ char *name = strndup(entry, strcspn(entry, "="));
	int n;

	if (!name)
		return -ENOMEM;
	if (env_name_is_valid(name))
		return 0;
	n = asprintf(err,
		"not the name of a variable (letters, digits and _, no digit first): "
		"%s",
		QUOTED(name));
	if (n < 0)
		*err = NULL;
	return n < 0 ? -ENOMEM : -EINVAL;
}

/* up to its '=', into out */
static int read_name(struct reader *rd, struct buf *out)
{
	const char *from = rd->p, *to;
	int r;

	while (rd->p < rd->end && *rd->p != '=' && !is_line_end(*rd->p))
		rd->p++;
	if (rd->p == rd->end || *rd->p != '=')
		return refuse(rd, rd->line, -EINVAL, "no '=' in this line");
	for (to = rd->p++; to > from && is_blank(to[-1]);)
		to--;
	r = buf_append(out, from, (size_t)(to - from));
	if (r >= 0)
		r = buf_append_byte(out, '\0');
	if (r < 0)
		return r;
	if (strncmp(buf_head(out), "export ", 7) == 0)
		return refuse(rd, rd->line, -EINVAL,
			"this is no shell script: NAME=VALUE, without 'export'");
	if (!env_name_is_valid(buf_head(out)))
		return refuse(rd, rd->line, -EINVAL,
			"not the name of a variable (letters, digits and _, no digit "
			"first)");
	buf_head(out)[buf_len(out) - 1] = '=';
	return 0;
}

static int append_byte(struct reader *rd, struct buf *out)
{
	rd->line += *rd->p == '\n';
	return buf_append_byte(out, *rd->p++);
}

/* at the byte behind the quote that opens */
static int read_quoted(struct reader *rd, struct buf *out, char quote)
{
	unsigned line = rd->line;
	int r = 0;

	while (r >= 0 && rd->p < rd->end && *rd->p != quote) {
		char next = rd->p + 1 < rd->end ? rd->p[1] : '\0';

		if (quote == '"' && *rd->p == '\\' && next && strchr("\"\\`$", next)) {
			rd->p++;
		} else if (quote == '"' && *rd->p == '\\' && next == '\n') {
			rd->p += 2;
			rd->line++;
			continue;
		}
		r = append_byte(rd, out);
	}
	if (r >= 0 && rd->p == rd->end)
		return refuse(rd, line, -EINVAL, "a quote is not closed");
	rd->p++;
	return r;
}

/* a piece without quotes up to the end of the line, without the blanks at its end */
static int read_plain(struct reader *rd, struct buf *out)
{
	size_t keep = buf_len(out);
	int r = 0;

	while (r >= 0 && rd->p < rd->end && !is_line_end(*rd->p)) {
		bool escaped = *rd->p == '\\' && rd->p + 1 < rd->end;

		rd->p += escaped;
		if (escaped && is_line_end(*rd->p)) {
			rd->p += *rd->p == '\r' && rd->p + 1 < rd->end &&
				 rd->p[1] == '\n';
			rd->line += *rd->p++ == '\n';
			continue;
		}
		r = append_byte(rd, out);
		if (r >= 0 && (escaped || !is_blank(rd->p[-1])))
			keep = buf_len(out);
	}
	if (r >= 0)
		out->end = out->start + keep;
	return r;
}

/* pieces in quotes, and what stands behind them */
static int read_value(struct reader *rd, struct buf *out)
{
	int r = 0;

	while (r >= 0 && rd->p < rd->end && !is_line_end(*rd->p)) {
		char c = *rd->p;

		if (is_blank(c)) {
			rd->p++;
		} else if (c == '\'' || c == '"') {
			rd->p++;
			r = read_quoted(rd, out, c);
		} else {
			return read_plain(rd, out);
		}
	}
	return r;
}

static int read_variable(struct reader *rd)
{
	_cleanup_(buf_deinitp) struct buf entry = BUF_NULL;
	unsigned line = rd->line;
	int r = read_name(rd, &entry);

	if (r >= 0)
		r = read_value(rd, &entry);
	if (r >= 0 && memchr(buf_head(&entry), '\0', buf_len(&entry)))
		return refuse(rd, line, -EINVAL, "NUL byte in this line");
	if (r >= 0 && rd->out.n == ENV_FILE_VARIABLES_MAX) {
		snprintf(rd->fault->text, sizeof(rd->fault->text),
			"more than %d variables", ENV_FILE_VARIABLES_MAX);
		rd->fault->line = line;
		return -RV_ELIMIT;
	}
	if (r < 0)
		return r;
	return strv_builder_take(&rd->out, buf_steal_str(&entry, NULL));
}

int env_file_parse(char ***ret, const char *text, size_t n, struct env_fault *fault)
{
	struct reader rd = {.p = text, .end = text + n, .line = 1, .fault = fault};
	int r = 0;

	*fault = (struct env_fault){.line = 0};
	while (r >= 0 && rd.p < rd.end) {
		if (*rd.p == '#' || *rd.p == ';') {
			skip_line(&rd);
		} else if (is_blank(*rd.p) || is_line_end(*rd.p)) {
			rd.line += *rd.p++ == '\n';
		} else {
			r = read_variable(&rd);
		}
	}
	*ret = NULL;
	if (r >= 0 && rd.out.n > 0)
		r = strv_builder_finish(&rd.out, ret);
	strv_free(rd.out.v);
	return r < 0 ? r : 0;
}

/* ---- the file --------------------------------------------------------------------------- */

static int fail(struct env_fault *fault, int r, const char *text)
{
	*fault = (struct env_fault){.line = 0};
	snprintf(fault->text, sizeof(fault->text), "%s", text);
	return r;
}

int env_file_read(char ***ret, const char *path, bool if_there, enum config_mode mode,
	struct env_fault *fault)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	_cleanup_close_ int fd = -1;
	int r;

	*ret = NULL;
	*fault = (struct env_fault){.line = 0};
	fd = mode == CONFIG_MODE_SYSTEM
		     ? config_file_open_trusted(path, fault->text, sizeof(fault->text))
		     : config_file_open(path);
	if ((fd == -ENOENT && if_there) || *fault->text)
		return fd == -ENOENT ? 0 : fd;
	r = fd < 0 ? fd : 0;
	if (r >= 0)
		r = fd_read_to_end(&text, fd, ENV_FILE_BYTES_MAX);
	if (r >= 0)
		return env_file_parse(ret, buf_head(&text), buf_len(&text), fault);
	if (r == -EINVAL)
		return fail(fault, r, "not a regular file");
	if (r != -RV_ELIMIT)
		return r == -ENOMEM ? r : fail(fault, r, rv_strerror(r));
	*fault = (struct env_fault){.line = 0};
	snprintf(fault->text, sizeof(fault->text), "larger than %d KiB",
		ENV_FILE_BYTES_MAX >> 10);
	return r;
}

int virtualenv_check(const char *path, struct env_fault *fault)
{
	_cleanup_(buf_deinitp) struct buf file = BUF_NULL;
	struct stat st;

	if (buf_printf(&file, "%s/pyvenv.cfg", path) < 0 ||
		buf_append_byte(&file, '\0') < 0)
		return -ENOMEM;
	if (stat(buf_head(&file), &st) < 0) {
		int r = -errno;

		*fault = (struct env_fault){.line = 0};
		if (r == -ENOENT || r == -ENOTDIR)
			return fail(fault, r,
				"not a virtual environment: it has no pyvenv.cfg");
		snprintf(fault->text, sizeof(fault->text), "pyvenv.cfg: %s",
			rv_strerror(r));
		return r;
	}
	return S_ISREG(st.st_mode) ? 0
				   : fail(fault, -EINVAL,
					     "not a virtual environment: its "
					     "pyvenv.cfg is no file");
}
