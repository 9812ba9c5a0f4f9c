/*
 * Lists of exit codes and signals: "0 75 SIGTERM". The canonical form has codes in
 * rising order, then signals by number, each once, one blank between.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "job/spec.h"
#include "job/value_priv.h"

#define CODE_MAX   255
#define SIGNAL_MAX 64

struct codes {
	bool code[CODE_MAX + 1];
	bool sig[SIGNAL_MAX + 1];
};

static int code_add(struct codes *c, const char *word, char **err)
{
	int64_t n;
	int sig;

	if (isdigit((unsigned char)*word)) {
		if (parse_i64(&n, word, 0, CODE_MAX) < 0)
			return job_err(err, -ERANGE, "not an exit code (0 to %d): %s",
				CODE_MAX, QUOTED(word));
		c->code[n] = true;
		return 0;
	}
	sig = signal_parse(word);
	if (sig < 0)
		return job_err(err, -EINVAL, "neither an exit code nor a signal: %s",
			QUOTED(word));
	c->sig[sig] = true;
	return 0;
}

static int codes_format(struct buf *out, const struct codes *c)
{
	int r = 0;

	for (int i = 0; r >= 0 && i <= CODE_MAX; i++)
		if (c->code[i])
			r = buf_printf(out, "%s%d", buf_len(out) ? " " : "", i);
	for (int i = 1; r >= 0 && i <= SIGNAL_MAX; i++)
		if (c->sig[i])
			r = buf_printf(
				out, "%s%s", buf_len(out) ? " " : "", signal_name(i));
	return r;
}

int codes_canonical(char **ret, const char *text, size_t n_max, char **err)
{
	_cleanup_(strv_freep) char **words = NULL;
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	struct codes c = {0};
	int r;

	r = strv_split(&words, text, " \t\r\n\v\f,");
	if (r < 0)
		return r;
	if (strv_len(words) == 0)
		return job_err(err, -EINVAL, "no code in it: %s", QUOTED(text));
	if (strv_len(words) > n_max)
		return job_err(err, -RV_ELIMIT, "more than %zu codes: %s", n_max,
			QUOTED(text));
	STRV_FOREACH(w, words) {
		r = code_add(&c, *w, err);
		if (r < 0)
			return r;
	}
	r = codes_format(&out, &c);
	if (r < 0)
		return r;
	*ret = buf_steal_str(&out, NULL);
	return *ret ? 0 : -ENOMEM;
}

bool codes_match(const char *text, int code, int sig)
{
	char want[16];
	size_t n;

	if (sig > 0)
		snprintf(want, sizeof(want), "%s", signal_name(sig));
	else
		snprintf(want, sizeof(want), "%d", code);
	for (; *text; text += n, text += *text == ' ') {
		n = strcspn(text, " ");
		if (n == strlen(want) && memcmp(text, want, n) == 0)
			return true;
	}
	return false;
}
