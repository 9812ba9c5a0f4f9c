/* Values to the text that reads back as the same value. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/strv.h"
#include "job/value_priv.h"
#include "job/words.h"

static int format_num(struct buf *out, enum job_type t, int64_t num)
{
	const char *const *words = job_type_words(t);
	char text[DURATION_TEXT_MAX];

	if (words)
		return buf_append_str(out, words[num]);
	switch (t) {
	case JOB_TYPE_OCTAL: return buf_printf(out, "%04" PRIo64, (uint64_t)num);
	case JOB_TYPE_DURATION:
		return buf_append_str(out, duration_format(text, sizeof(text), num));
	case JOB_TYPE_TIME:
		if (num % USEC_PER_SEC == 0)
			return buf_printf(out, "@%" PRId64, num / USEC_PER_SEC);
		return buf_printf(out, "@%" PRId64 ".%06" PRId64, num / USEC_PER_SEC,
			num % USEC_PER_SEC);
	case JOB_TYPE_SIZE:
		return buf_append_str(out, size_format(text, sizeof(text), num));
	case JOB_TYPE_SIGNAL: return buf_append_str(out, signal_name((int)num) + 3);
	default: return buf_printf(out, "%" PRId64, num);
	}
}

/* A line end inside, or a quote at the start, would be read as something else; blanks
 * at the ends would not be kept by a file. */
static bool env_needs_quotes(const char *s)
{
	static const char blanks[] = " \t\r\v\f";
	size_t n = strlen(s);

	return *s == '"' || strchr(s, '\n') ||
	       (n > 0 && (strchr(blanks, s[0]) || strchr(blanks, s[n - 1])));
}

static int format_element(struct buf *out, enum job_type t, const char *s)
{
	if (t == JOB_TYPE_ARGV)
		return words_quote(out, s);
	if (t == JOB_TYPE_ENV && env_needs_quotes(s))
		return words_quote_line(out, s);
	return buf_append_str(out, s);
}

static int format_strv(struct buf *out, enum job_type t, char *const *v)
{
	STRV_FOREACH(s, v) {
		int r = 0;

		if (s != v)
			r = buf_append_byte(out, t == JOB_TYPE_ENV ? '\n' : ' ');
		if (r >= 0)
			r = format_element(out, t, *s);
		if (r < 0)
			return r;
	}
	return 0;
}

int job_value_format(struct buf *out, enum job_field f, const union job_value *v)
{
	enum job_type t = job_field_info[f].type;

	switch (job_type_shape(t)) {
	case JOB_SHAPE_NUM: return format_num(out, t, v->num);
	case JOB_SHAPE_STR: return v->str ? buf_append_str(out, v->str) : 0;
	default: return format_strv(out, t, v->strv);
	}
}
