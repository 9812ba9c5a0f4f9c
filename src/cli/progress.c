#include "config.h"

#include "cli/progress.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/macro.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/time.h"

#define CLEAR_LINE "\r\033[K"
#define RED        "\033[31m"
#define PLAIN      "\033[0m"
#define WIDTH      80 /* where the terminal does not say */

double progress_rate(struct progress_rate *r, rv_time now, int64_t ended)
{
	unsigned newest = (r->first + r->n - 1) % PROGRESS_SAMPLES;
	rv_time elapsed;

	if (r->n == 0 || now - r->samples[newest].at >= RV_SEC(1)) {
		newest = (r->first + r->n) % PROGRESS_SAMPLES;
		r->samples[newest].at = now;
		r->samples[newest].ended = ended;
		if (r->n < PROGRESS_SAMPLES)
			r->n++;
		else
			r->first = (r->first + 1) % PROGRESS_SAMPLES;
	}
	elapsed = now - r->samples[r->first].at;
	ended -= r->samples[r->first].ended;
	if (elapsed < RV_SEC(1) || ended <= 0)
		return 0;
	return (double)ended / ((double)elapsed / RV_SEC(1));
}

/* Append a part if it fits whole, else nothing more; *left: columns */
static void append(char *buf, unsigned *left, const char *color, const char *part)
{
	size_t len = strlen(buf), n = strlen(part);

	if (n > *left) {
		*left = 0;
		return;
	}
	*left -= (unsigned)n;
	snprintf(buf + len, PROGRESS_TEXT_MAX - len, "%s%s%s", color ? color : "", part,
		color ? PLAIN : "");
}

char *progress_text(char buf[PROGRESS_TEXT_MAX], const struct progress_counts *counts,
	double per_sec, unsigned width, bool color)
{
	int64_t ended = counts->succeeded + counts->failed;
	char part[96], left_text[TIME_TEXT_MAX];
	double left = per_sec > 0 ? (double)counts->waiting / per_sec : 0;

	buf[0] = '\0';
	snprintf(part, sizeof(part), "%" PRId64 "/%" PRId64 " done", ended,
		ended + counts->waiting);
	append(buf, &width, NULL, part);
	if (counts->failed > 0) {
		snprintf(part, sizeof(part), ", %" PRId64 " failed", counts->failed);
		append(buf, &width, color ? RED : NULL, part);
	}
	snprintf(part, sizeof(part), ", %" PRId64 " running", counts->running);
	append(buf, &width, NULL, part);
	snprintf(part, sizeof(part), ", %" PRId64 " queued",
		counts->waiting - counts->running);
	append(buf, &width, NULL, part);
	if (per_sec <= 0)
		return buf;
	snprintf(part, sizeof(part), ", %.*f/s", per_sec < 10 ? 1 : 0, per_sec);
	append(buf, &width, NULL, part);
	if (left < 1e9) {
		time_format_span(left_text, sizeof(left_text), (int64_t)left * 1000000);
		snprintf(part, sizeof(part), ", %s left", left_text);
		append(buf, &width, NULL, part);
	}
	return buf;
}

/* A signal that ends us must not leave the line behind. */
static void clear_and_die(int signal_number)
{
	ssize_t n = write(STDERR_FILENO, CLEAR_LINE, strlen(CLEAR_LINE));

	(void)n;
	raise(signal_number); /* SA_RESETHAND: now it has its usual effect */
}

static void catch_ends(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction old, sa = {.sa_flags = SA_RESETHAND | SA_NODEFER};

	sa.sa_handler = clear_and_die;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(signals[i], &sa, NULL);
}

void progress_init(struct progress *p, const struct cli *c)
{
	const char *term = getenv("TERM");

	*p = (struct progress){
		.on = c->err_is_tty && !c->json && !options_has(&c->opts, OPT_QUIET) &&
		      term && *term && !STREQ(term, "dumb"),
		.color = color_is_wanted(
			COLOR_AUTO, c->err_is_tty, getenv("NO_COLOR"), term),
	};
}

void progress_show(struct progress *p, const struct progress_counts *counts)
{
	char text[PROGRESS_TEXT_MAX];
	struct winsize size;
	unsigned width = WIDTH;
	double rate;

	if (!p->on)
		return;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		width = size.ws_col;
	rate = progress_rate(&p->rate, rv_now(), counts->succeeded + counts->failed);
	if (!p->shown)
		catch_ends();
	p->shown = true;
	/* not the last column: some terminals begin a new line then */
	fprintf(stderr, CLEAR_LINE "%s",
		progress_text(text, counts, rate, width - 1, p->color));
	fflush(stderr);
}

void progress_hide(struct progress *p)
{
	if (!p->shown)
		return;
	p->shown = false;
	fputs(CLEAR_LINE, stderr);
	fflush(stderr);
}
