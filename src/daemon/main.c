#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/parse.h"
#include "daemon/app.h"

enum { EXIT_USAGE = 2 };

static const char help[] =
	"Usage: reeved [OPTION]...\n"
	"Run a supervised pool of jobs; reeve(1) talks to it.\n"
	"\n"
	"  --user             for one user (default unless run as root)\n"
	"  --system           for the machine (default for root)\n"
	"  --config=FILE      read only this configuration file\n"
	"  --job-counts       say how many jobs wait in a state directory, and leave\n"
	"  --check-config     say what is wrong with the configuration, and leave\n"
	"  --socket=PATH      where clients connect\n"
	"  --state-dir=DIR    where jobs and their output are kept\n"
	"  --shutdown=MODE    terminate, drain or detach: what SIGTERM does to jobs\n"
	"  --log-level=LEVEL  error, warning, notice, info or debug\n"
	"  --ready-fd=N       write READY=1 there once clients can connect\n"
	"  --no-spawner       do not start reeve-spawner: something else does\n"
	"  --version, --help\n"
	"\n"
	"See reeved(8), reeve.conf(5).\n";

/* journald reads the level of each line from its "<N>" */
static void log_to_stderr(int level, const char *area, const char *text, void *arg)
{
	static const char *const names[] = {"emerg", "alert", "crit", "error",
		"warning", "notice", "info", "debug"};
	const bool *journal = arg;
	char line[2048];
	int n;

	if (*journal)
		n = snprintf(line, sizeof(line), "<%d>%s: %s\n", level, area, text);
	else
		n = snprintf(line, sizeof(line), "reeved: %s: %s: %s\n",
			names[level & 7], area, text);
	if (n >= (int)sizeof(line)) {
		n = sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	(void)!write(STDERR_FILENO, line, (size_t)n); /* one write: lines stay whole */
}

static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static int one_of(
	const char *option, const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (STREQ(words[i], text))
			return (int)i;
	fprintf(stderr, "reeved: %s: '%s' is none of its words, see --help\n", option,
		text);
	return -1;
}

static int take_mode(struct app_options *o, int *mode, int option)
{
	if (*mode && *mode != option) {
		fputs("reeved: --user and --system: one of them\n", stderr);
		return -1;
	}
	*mode = option;
	o->system_mode = option == 'y';
	return 0;
}

static int take_shutdown(struct app_options *o, const char *text)
{
	static const char *const words[] = {"terminate", "drain", "detach"};

	o->shutdown = one_of("--shutdown", text, words, ARRAY_LEN(words));
	return o->shutdown;
}

static int take_log_level(struct app_options *o, const char *text)
{
	static const char *const words[] = {
		"error", "warning", "notice", "info", "debug"};
	int i = one_of("--log-level", text, words, ARRAY_LEN(words));

	if (i >= 0) {
		o->log_level = LOG_ERR + i;
		log_set_level(o->log_level);
	}
	return i;
}

static int take_ready_fd(struct app_options *o, const char *text)
{
	int64_t fd;

	if (parse_i64(&fd, text, 3, 1 << 20) < 0 || fd_set_cloexec((int)fd, true) < 0) {
		fprintf(stderr, "reeved: --ready-fd: '%s' is no open descriptor\n",
			text);
		return -1;
	}
	o->ready_fd = (int)fd;
	return 0;
}

static int check_config(const struct app_options *o)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(config_paths_deinitp) struct config_paths paths = {NULL};
	_cleanup_(config_freep) struct config *cf = NULL;
	int r;

	r = app_config_paths(&paths, o);
	paths.looks_at_environments = true;
	if (r >= 0)
		r = config_load(&cf, &paths, &errors);
	config_errors_print(&errors, stderr);
	if (r >= 0)
		puts("configuration is good");
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const struct option long_options[] = {
	{"user", no_argument, NULL, 'u'},
	{"system", no_argument, NULL, 'y'},
	{"config", required_argument, NULL, 'c'},
	{"check-config", no_argument, NULL, 'C'},
	{"job-counts", no_argument, NULL, 'j'},
	{"socket", required_argument, NULL, 's'},
	{"state-dir", required_argument, NULL, 'd'},
	{"shutdown", required_argument, NULL, 'S'},
	{"log-level", required_argument, NULL, 'l'},
	{"ready-fd", required_argument, NULL, 'r'},
	{"no-spawner", no_argument, NULL, 'n'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

int main(int argc, char **argv)
{
	static bool journal;
	struct app_options o = {.system_mode = geteuid() == 0,
		.shutdown = -1,
		.log_level = -1,
		.ready_fd = -1};
	bool check = false, counts = false;
	int c, mode = 0, r = 0;

	if (fd_fill_standard() < 0)
		return EXIT_FAILURE;
	journal = stderr_is_journal();
	log_set_sink(log_to_stderr, &journal);
	while (r >= 0 && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case 'u':
		case 'y': r = take_mode(&o, &mode, c); break;
		case 'c': o.config_file = optarg; break;
		case 'C': check = true; break;
		case 'j': counts = true; break;
		case 's': o.socket = optarg; break;
		case 'd': o.state_dir = optarg; break;
		case 'S': r = take_shutdown(&o, optarg); break;
		case 'l': r = take_log_level(&o, optarg); break;
		case 'r': r = take_ready_fd(&o, optarg); break;
		case 'n': o.no_spawner = true; break;
		case 'V': puts("reeved " PACKAGE_VERSION); return EXIT_SUCCESS;
		case 'h': fputs(help, stdout); return EXIT_SUCCESS;
		default: r = -1;
		}
	}
	if (r >= 0 && optind < argc) {
		fprintf(stderr, "reeved: '%s' is not an option, see --help\n",
			argv[optind]);
		r = -1;
	}
	if (r < 0)
		return EXIT_USAGE;
	if (check)
		return check_config(&o);
	return counts ? app_job_counts(&o) : app_run(&o);
}
