/*
 * Calendar expressions against the program whose grammar they are: expressions are made up
 * (seeded), and `systemd-analyze calendar` has to read, print and elapse them as we do.
 *
 * Known faults of systemd 252. They are left out here and nowhere else, and counted:
 * - Asked for what follows a moment in the second of two equal hours, it gives what it gave in
 *   the first once more. So base times do not lie there.
 * - "12:00 CEST", the local name of daylight saving time, never elapses: the search begins on
 *   1 January, which is not in summer. So such names do not end an expression.
 * - It may lose an elapse, or give up, where a repetition runs over the end of its field
 *   ("*-3/16" on 30 December tries the 35th, which is 4 January, and never sees the 3rd), and
 *   at the end of hours that are skipped in zones whose winter has the daylight saving time
 *   (Europe/Dublin). Excused where what it lost does match, as a naive reading of its own
 *   normal form says; what it has and we have not is never excused.
 * - It refuses a range of one second ("*:*:48..48", but not "*:*:48..48/1"), and lowers the
 *   limit of 28 days from the end of the month by three for each further element of a list.
 * - It prints "0/1,0.5" of the seconds as "*", and seconds without their fraction (so that is
 *   what is compared).
 * Blanks around an expression, and more than one before the zone, are taken here.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/zone.h"
#include "job/calendar.h"
#include "tests/support/unit.h"
#include "tests/unit/job/calendar_naive.h"

#define TOOL         "systemd-analyze"
#define N_ITERATIONS 8
#define N_BATCH      40

static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York",
	"Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca",
	"Europe/Dublin", "America/St_Johns", "America/Santiago"};

/* xorshift64: the same everywhere; $SEED gives others */
static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static unsigned below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 11) % n);
}

static bool chance(unsigned percent)
{
	return below(100) < percent;
}

/* how often systemd was found to be wrong */
static size_t n_excused;

/* ---- expressions ---- */

static void put_weekdays(struct buf *out)
{
	static const char *const names[] = {
		"Mon", "Tuesday", "wed", "Thu", "FRI", "saturday", "Sun"};
	unsigned from = below(7);

	buf_append_str(out, names[from]);
	if (chance(40))
		buf_printf(out, "%s%s", chance(80) ? ".." : "-",
			names[from + below(7 - from)]);
	if (chance(30))
		buf_printf(out, ",%s", names[below(7)]);
	buf_append_byte(out, ' ');
}

/* an element of a list of numbers from min to max */
static void put_element(struct buf *out, int min, int max)
{
	int n = max - min, start = min + (int)below((unsigned)n + 1),
	    room = max - start;

	if (chance(50))
		buf_printf(out, "%02d", start);
	else
		buf_printf(out, "%d", start);
	if (room > 1 && chance(35)) {
		int stop = start + (int)below((unsigned)room + 1);

		buf_printf(out, "..%d", stop);
		if (stop > start && chance(40))
			buf_printf(
				out, "/%d", 1 + (int)below((unsigned)(stop - start)));
	} else if (room > 1 && chance(35)) {
		buf_printf(out, "/%d", 1 + (int)below((unsigned)room));
	}
}

static void put_list(struct buf *out, int min, int max, unsigned percent_star)
{
	if (chance(percent_star)) {
		buf_append_byte(out, '*');
		return;
	}
	put_element(out, min, max);
	while (chance(25)) {
		buf_append_byte(out, ',');
		put_element(out, min, max);
	}
}

static void put_date(struct buf *out)
{
	bool from_end = chance(20);

	if (chance(60)) {
		if (chance(70))
			buf_append_byte(out, '*');
		else if (chance(20))
			buf_printf(out, "%02d", 20 + (int)below(15));
		else
			put_list(out, 2010, 2040, 0);
		buf_append_byte(out, '-');
	}
	put_list(out, 1, 12, 60);
	buf_append_byte(out, from_end ? '~' : '-');
	if (!from_end)
		put_list(out, 1, 31, 30);
	else if (chance(70))
		buf_printf(out, "%02d", 1 + (int)below(28));
	else if (chance(50))
		buf_printf(out, "%d..%d", 1 + (int)below(9), 10 + (int)below(9));
	else
		buf_printf(out, "%d/%d", 8 + (int)below(20), 1 + (int)below(7));
}

static void put_seconds(struct buf *out)
{
	if (chance(70))
		put_list(out, 0, 59, 10);
	else if (chance(50))
		buf_printf(out, "%u.%u", below(60), below(10000));
	else
		buf_printf(out, "%u.%u/%u.%u", below(20), below(100), 1 + below(30),
			below(10000000));
}

static void put_time(struct buf *out)
{
	put_list(out, 0, 23, 35);
	buf_append_byte(out, ':');
	put_list(out, 0, 59, 20);
	if (chance(25)) {
		buf_append_byte(out, ':');
		put_seconds(out);
	}
}

static char *make_expression(void)
{
	static const char *const words[] = {"minutely", "hourly", "daily", "weekly",
		"monthly", "quarterly", "semiannually", "yearly", "annually"};
	struct buf out = BUF_NULL;
	bool date, time;

	if (chance(3)) {
		buf_append_str(&out, words[below(ARRAY_LEN(words))]);
	} else if (chance(2)) {
		buf_printf(&out, "@%u", 1500000000 + below(600000000));
	} else {
		date = chance(60);
		time = !date || chance(70);
		if (chance(30))
			put_weekdays(&out);
		if (date)
			put_date(&out);
		if (date && time)
			buf_append_byte(&out, ' ');
		if (time)
			put_time(&out);
	}
	if (chance(8))
		buf_printf(&out, " %s", zones[below(ARRAY_LEN(zones))]);
	return buf_steal_str(&out, NULL);
}

/* one byte of it is another one */
static char *spoil(char *text)
{
	static const char bytes[] = "0123456789*/,.-~: @MonTueUTC";
	size_t n = strlen(text), at = below((unsigned)n);

	if (chance(50))
		text[at] = bytes[below(sizeof(bytes) - 1)];
	else
		memmove(text + at, text + at + 1, n - at);
	return text;
}

/* ---- what systemd says ---- */

struct answer {
	bool accepted;
	bool gave_up; /* over the search */
	char *normal;
	int64_t elapses[N_ITERATIONS]; /* seconds */
	size_t n_elapses;
};

static void run_tool(struct buf *out, struct buf *err, const char *zone, int64_t base,
	char *const *texts, size_t n)
{
	char *argv[N_BATCH + 8] = {(char *)TOOL, (char *)"calendar"}, option[2][64];
	char dir[] = "/tmp/calendar-XXXXXX", path[2][64];
	struct civil date = civil_of_days(base / 86400);
	size_t n_args = 2;
	int status;
	pid_t pid;

	snprintf(option[0], sizeof(option[0]), "--iterations=%d", N_ITERATIONS);
	snprintf(option[1], sizeof(option[1]),
		"--base-time=%04d-%02d-%02d %02d:%02d:%02d UTC", (int)date.year,
		date.month, date.day, (int)(base / 3600 % 24), (int)(base / 60 % 60),
		(int)(base % 60));
	argv[n_args++] = option[0];
	argv[n_args++] = option[1];
	argv[n_args++] = (char *)"--";
	for (size_t i = 0; i < n; i++)
		argv[n_args++] = texts[i];
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path[0], sizeof(path[0]), "%s/out", dir);
	snprintf(path[1], sizeof(path[1]), "%s/err", dir);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (!freopen(path[0], "w", stdout) || !freopen(path[1], "w", stderr))
			_exit(2);
		setenv("TZ", zone, 1);
		setenv("LC_ALL", "C", 1);
		setenv("SYSTEMD_COLORS", "0", 1);
		execvp(TOOL, argv);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(file_read(out, AT_FDCWD, path[0], 1 << 24), 0);
	ck_assert_int_eq(file_read(err, AT_FDCWD, path[1], 1 << 24), 0);
	unlink(path[0]);
	unlink(path[1]);
	rmdir(dir);
	buf_append_byte(out, '\0');
	buf_append_byte(err, '\0');
}

/* "Fri 2027-02-26 00:00:00 UTC" */
static bool parse_utc(int64_t *ret, const char *text)
{
	int y, mon, d, h, min, s, n = 0;

	if (sscanf(text, "%*3s %d-%d-%d %d:%d:%d UTC%n", &y, &mon, &d, &h, &min, &s,
		    &n) != 6 ||
		n == 0)
		return false;
	*ret = civil_to_days(y, mon, d) * 86400 + h * 3600 + min * 60 + s;
	return true;
}

/* From line on, up to an empty one; behind it. What was refused leaves an empty line too. */
static char *parse_block(struct answer *a, char *line, bool utc)
{
	line += strspn(line, "\n");
	while (*line && *line != '\n') {
		char *end = strchr(line, '\n'), *value = strstr(line, ": ");
		const char *name = line + strspn(line, " ");
		int64_t sec;

		ck_assert_ptr_nonnull(end);
		*end = '\0';
		ck_assert_ptr_nonnull(value);
		value += 2;
		if (strncmp(name, "Normalized", 10) == 0)
			a->normal = strdup(value);
		/* the zone's own line comes first, without the other where it is UTC */
		if ((strncmp(name, "(in UTC)", 8) == 0 ||
			    (utc && (strncmp(name, "Next", 4) == 0 ||
					    strncmp(name, "Iter", 4) == 0))) &&
			parse_utc(&sec, value)) {
			ck_assert_uint_lt(a->n_elapses, N_ITERATIONS);
			a->elapses[a->n_elapses++] = sec;
		}
		line = end + 1;
	}
	return *line ? line + 1 : line;
}

static void ask_systemd(struct answer *answers, const char *zone, int64_t base,
	char *const *texts, size_t n)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL, err = BUF_NULL;
	char *line;

	run_tool(&out, &err, zone, base, texts, n);
	line = buf_head(&out);
	for (size_t i = 0; i < n; i++) {
		char refused[256], gave_up[256];

		answers[i] = (struct answer){.accepted = true};
		snprintf(refused, sizeof(refused), "specification '%s':", texts[i]);
		snprintf(gave_up, sizeof(gave_up), "next elapse for '%s':", texts[i]);
		if (strstr(buf_head(&err), refused)) {
			answers[i].accepted = false;
			continue;
		}
		if (strstr(buf_head(&err), gave_up)) {
			answers[i].gave_up = true;
			continue;
		}
		line = parse_block(&answers[i], line, STREQ(zone, "UTC"));
		ck_assert_msg(answers[i].normal, "no answer for '%s'; errors:\n%s",
			texts[i], buf_head(&err));
	}
}

/* ---- comparison ---- */

static bool has_blanks(const char *text)
{
	size_t n = strlen(text);

	return text[0] == ' ' || text[n - 1] == ' ' || strstr(text, "  ");
}

/* a range of one second, or a list of days from the end of the month */
static bool is_refused_wrongly(const char *text)
{
	const char *tilde = strchr(text, '~'), *colon = strchr(text, ':');

	if (tilde && strchr(tilde, ','))
		return true;
	colon = colon ? strchr(colon + 1, ':') : NULL;
	return colon && strstr(colon, "..");
}

/* NULL where both say the same, else what differs */
static char *compare(const char *text, struct zone *zone, struct zone_cache *cache,
	int64_t base, const struct answer *theirs)
{
	_cleanup_(calendar_freep) struct calendar *c = NULL;
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	_cleanup_free_ char *message = NULL;
	int64_t usec = base * USEC_PER_SEC;
	int r = calendar_parse(&c, text, zone, cache, &message);

	buf_printf(&out, "'%s' in %s from @%" PRId64 ": ", text, zone_name(zone), base);
	if (r == 0 && !theirs->accepted &&
		(has_blanks(text) || is_refused_wrongly(text))) {
		n_excused++;
		return NULL;
	}
	if ((r == 0) != theirs->accepted) {
		buf_printf(&out, "%s, but systemd %s", r == 0 ? "accepted" : message,
			theirs->accepted ? "takes it" : "does not");
		return buf_steal_str(&out, NULL);
	}
	n_excused += theirs->gave_up;
	if (r < 0 || theirs->gave_up)
		return NULL;
	if (strstr(text, "0/1") && strstr(theirs->normal, ":*")) {
		n_excused++;
		return NULL;
	}
	if (!STREQ(calendar_format(c), theirs->normal)) {
		buf_printf(&out, "normal form '%s', of systemd '%s'",
			calendar_format(c), theirs->normal);
		return buf_steal_str(&out, NULL);
	}
	for (size_t n = 0; n < N_ITERATIONS; n++) {
		int64_t ours = -1,
			other = n < theirs->n_elapses ? theirs->elapses[n] : -1;

		if (calendar_next(&usec, c, usec, 0) == 0)
			ours = usec / USEC_PER_SEC;
		if (ours >= 0 && (other < 0 || other > ours) &&
			calendar_naive_matches(
				theirs->normal, calendar_zone(c), usec)) {
			n_excused++;
			return NULL;
		}
		if (ours != other) {
			buf_printf(&out,
				"elapse %zu at @%" PRId64 ", of systemd at @%" PRId64,
				n, ours, other);
			return buf_steal_str(&out, NULL);
		}
		if (ours < 0)
			break;
	}
	return NULL;
}

/* in the second of two equal hours */
static bool is_repeated(const struct zone *z, int64_t sec)
{
	struct zone_span span, before;

	zone_span_at(&span, z, sec);
	if (span.begin == INT64_MIN)
		return false;
	zone_span_at(&before, z, span.begin - 1);
	return sec < span.begin + before.offset - span.offset;
}

/* from 2011 (Apia skips a day) to 2042, half of them within two days of a change */
static int64_t make_base(const struct zone *z)
{
	int64_t base = 1293840000 + (int64_t)below(1000000) * 1000 + below(1000);
	struct zone_span span;

	zone_span_at(&span, z, base);
	if (chance(50) && span.end != INT64_MAX && span.end < 2300000000)
		base = span.end - 2 * 86400 + below(3 * 86400);
	return is_repeated(z, base) ? base - 7200 : base;
}

/* n_bases of them for each zone */
static void compare_many(bool spoiled, size_t n_bases, size_t n_accepted_min)
{
	struct zone_cache cache = ZONE_CACHE_NULL;
	size_t n_compared = 0, n_accepted = 0, n_different = 0;

	for (size_t z = 0; z < ARRAY_LEN(zones); z++) {
		_cleanup_(zone_unrefp) struct zone *zone = NULL;

		ck_assert_int_eq(zone_get(&zone, &cache, zones[z]), 0);
		for (size_t b = 0; b < n_bases; b++) {
			char *texts[N_BATCH];
			struct answer answers[N_BATCH];
			int64_t base = make_base(zone);

			for (size_t i = 0; i < N_BATCH; i++) {
				texts[i] = make_expression();
				if (spoiled)
					spoil(texts[i]);
			}
			ask_systemd(answers, zones[z], base, texts, N_BATCH);
			for (size_t i = 0; i < N_BATCH; i++) {
				char *difference = compare(
					texts[i], zone, &cache, base, &answers[i]);

				if (difference)
					puts(difference);
				n_different += difference != NULL;
				free(difference);
				n_compared++;
				n_accepted += answers[i].accepted;
				free(answers[i].normal);
				free(texts[i]);
			}
		}
	}
	zone_cache_deinit(&cache);
	ck_assert_msg(n_different == 0, "%zu of %zu expressions differ, see above",
		n_different, n_compared);
	printf("%zu expressions compared, %zu of them accepted, %zu excused\n",
		n_compared, n_accepted, n_excused);
	ck_assert_uint_ge(n_accepted, n_accepted_min);
	/* these are rare, or the list above hides something */
	ck_assert_uint_le(n_excused * 50, n_compared);
}

START_TEST(thousands_of_expressions_elapse_as_with_systemd)
{
	compare_many(false, 7, 2000);
}
END_TEST

START_TEST(spoiled_expressions_are_taken_and_refused_as_by_systemd)
{
	compare_many(true, 3, 200);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {thousands_of_expressions_elapse_as_with_systemd,
		spoiled_expressions_are_taken_and_refused_as_by_systemd};
	char path[4096], *dir, *rest;
	const char *search = getenv("PATH"), *other = getenv("SEED");

	if (other)
		seed ^= strtoull(other, NULL, 10) * UINT64_C(0x2545f4914f6cdd1d);
	snprintf(path, sizeof(path), "%s", search ? search : "/usr/bin:/bin");
	for (dir = strtok_r(path, ":", &rest); dir; dir = strtok_r(NULL, ":", &rest)) {
		char tool[8192];

		snprintf(tool, sizeof(tool), "%s/%s", dir, TOOL);
		if (access(tool, X_OK) == 0)
			return unit_run("calendar_systemd", NULL, NULL, tests,
				ARRAY_LEN(tests));
	}
	puts("there is no " TOOL " here (package systemd)");
	return 77;
}
