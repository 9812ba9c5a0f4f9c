#include "config.h"

#include "cli/command_table.h"

#include <string.h>

#include "base/macro.h"
#include "base/parse.h"

const struct option_def options_global[] = {
	{OPT_JSON, "json", 'j', NULL, HINT_NONE,
		"print JSON, and nothing else on stdout"},
	{OPT_SOCKET, "socket", 0, "PATH", HINT_FILE, "the daemon's control socket"},
	{OPT_COLOR, "color", 0, "WHEN", HINT_WHEN,
		"always, never, or auto: on terminals"},
	{0},
};

const struct option_def options_mode[] = {
	{OPT_SYSTEM, "system", 0, NULL, HINT_NONE, "the system's daemon"},
	{OPT_USER_MODE, "user", 0, NULL, HINT_NONE, "this user's own daemon"},
	{0},
};

/* --user means another thing behind a verb that selects jobs */
static const struct option_def options_mode_select[] = {
	{OPT_SYSTEM, "system", 0, NULL, HINT_NONE, "the system's daemon"},
	{0},
};

const struct option_def options_verb[] = {
	{OPT_HELP, "help", 'h', NULL, HINT_NONE, "show this help"},
	{0},
};

static const struct option_def options_before_verb[] = {
	{OPT_HELP, "help", 'h', NULL, HINT_NONE, "show the verbs"},
	{OPT_VERSION, "version", 'V', NULL, HINT_NONE, "show the version"},
	{0},
};

const struct option_def options_select[] = {
	{OPT_ALL, "all", 'a', NULL, HINT_NONE, "all of the caller's jobs"},
	{OPT_POOL, "pool", 'g', "POOL", HINT_POOL, "jobs of this pool"},
	{OPT_STATE, "state", 0, "STATE", HINT_STATE,
		"jobs in this state, may be repeated"},
	{OPT_RESULT, "result", 0, "RESULT", HINT_RESULT,
		"jobs that ended so, may be repeated"},
	{OPT_FAILED, "failed", 0, NULL, HINT_NONE, "jobs that ended badly"},
	{OPT_LABEL, "label", 'l', "LABEL", HINT_LABEL,
		"jobs with this label, may be repeated"},
	{OPT_NAME, "name", 0, "GLOB", HINT_NONE, "jobs whose name matches"},
	{OPT_SCHEDULE, "schedule", 0, "NAME", HINT_SCHEDULE,
		"jobs that this schedule made"},
	{OPT_SINCE, "since", 0, "TIME", HINT_NONE,
		"jobs submitted since: 2h, today, 10:00, 2026-01-31"},
	{OPT_USER, "user", 0, "USER", HINT_USER, "another user's jobs"},
	{0},
};

static const struct option_def options_add[] = {
	{OPT_EACH, "each", 0, NULL, HINT_NONE,
		"a job for every line of standard input, or for what follows :::"},
	{OPT_NUL, "null", '0', NULL, HINT_NONE, "with --each: items end with NUL"},
	{OPT_BATCH, "batch", 0, "FILE", HINT_FILE,
		"one job a line: a JSON object or a shell line; - is standard input"},
	{OPT_GRAPH, "graph", 0, "FILE", HINT_FILE,
		"a job for each [job NAME] of a file, all of them or none"},
	{OPT_KEY, "key", 0, "KEY", HINT_NONE,
		"a call repeated with the same key gives the same ids"},
	{0},
};

static const struct option_def options_run[] = {
	{OPT_KEY, "key", 0, "KEY", HINT_NONE,
		"a call repeated with the same key is the same job"},
	{OPT_QUIET, "quiet", 'q', NULL, HINT_NONE, "no line about waiting or the end"},
	{0},
};

static const struct option_def options_gather[] = {
	{OPT_KEEP_GOING, "keep-going", 'k', NULL, HINT_NONE,
		"a failure does not cancel the rest"},
	{OPT_EACH, "each", 0, NULL, HINT_NONE,
		"a job for every line of standard input, or for what follows :::"},
	{OPT_NUL, "null", '0', NULL, HINT_NONE, "with --each: items end with NUL"},
	{OPT_NO_OUTPUT, "no-output", 0, NULL, HINT_NONE, "do not show their output"},
	{OPT_KEY, "key", 0, "KEY", HINT_NONE,
		"a call repeated with the same key is about the same jobs"},
	{OPT_QUIET, "quiet", 'q', NULL, HINT_NONE,
		"no line about failures and the end"},
	{0},
};

static const struct option_def options_ls[] = {
	{OPT_QUIET, "quiet", 'q', NULL, HINT_NONE, "ids only"},
	{OPT_LIMIT, "limit", 0, "N", HINT_NONE,
		"at most so many (terminal: 50; 0: all)"},
	{OPT_SORT, "sort", 0, "KEY[,KEY...]", HINT_SORT,
		"by these, the first so many: state,-priority; - descends"},
	{OPT_COLUMNS, "columns", 0, "NAME[,NAME...]", HINT_COLUMNS,
		"these columns; with --json what they are made of"},
	{0},
};

static const struct option_def options_show[] = {
	{OPT_ENV, "env", 0, NULL, HINT_NONE, "values of the environment too"},
	{0},
};

static const struct option_def options_logs[] = {
	{OPT_FOLLOW, "follow", 'f', NULL, HINT_NONE, "go on until the run has ended"},
	{OPT_LINES, "lines", 'n', "N", HINT_NONE, "only so many at the end"},
	{OPT_RUN, "run", 0, "N", HINT_NONE, "of this run; default: the newest"},
	{OPT_STREAM, "stream", 0, "WHICH", HINT_STREAM, "all, stdout, or stderr"},
	{OPT_FROM, "since", 0, "TIME", HINT_NONE,
		"lines since: 2h, today, 10:00, 2026-01-31"},
	{OPT_UNTIL, "until", 0, "TIME", HINT_NONE, "lines until then"},
	{OPT_GREP, "grep", 0, "REGEX", HINT_NONE,
		"lines that match an extended regular expression"},
	{OPT_IGNORE_CASE, "ignore-case", 'i', NULL, HINT_NONE,
		"--grep: letters match in both cases"},
	{0},
};

/* --since is not that of the selectors here */
static const struct option_def options_events[] = {
	{OPT_FOLLOW, "follow", 'f', NULL, HINT_NONE, "go on with what happens"},
	{OPT_FROM, "since", 0, "CURSOR|TIME", HINT_NONE,
		"behind this event, or from this time on"},
	{OPT_LIMIT, "limit", 0, "N", HINT_NONE, "end after so many"},
	{0},
};

static const struct option_def options_history[] = {
	{OPT_LIMIT, "limit", 0, "N", HINT_NONE, "at most so many"},
	{0},
};

static const struct option_def options_wait[] = {
	{OPT_ANY, "any", 0, NULL, HINT_NONE,
		"only until one has ended, and print its id"},
	{OPT_FIRST_FAILURE, "first-failure", 0, NULL, HINT_NONE,
		"only until one did not succeed"},
	{OPT_FOR, "for", 0, "empty", HINT_CHOICE,
		"until the pool has nothing unfinished, also of what comes meanwhile"},
	{OPT_TIMEOUT, "timeout", 't', "TIME", HINT_NONE,
		"give up after so long: exit 124"},
	{OPT_QUIET, "quiet", 'q', NULL, HINT_NONE,
		"say nothing about jobs that failed"},
	{0},
};

static const struct option_def options_kill[] = {
	{OPT_SIGNAL, "signal", 's', "SIGNAL", HINT_SIGNAL,
		"which signal, default TERM"},
	{0},
};

static const struct option_def options_send[] = {
	{OPT_NO_NEWLINE, "no-newline", 'n', NULL, HINT_NONE,
		"no newline behind the text"},
	{OPT_EOF, "eof", 0, NULL, HINT_NONE, "then its end: the job reads no more"},
	{OPT_TIMEOUT, "timeout", 't', "TIME", HINT_NONE,
		"give up when the job reads nothing for so long"},
	{0},
};

static const struct option_def options_retry[] = {
	{OPT_ENV, "env", 0, NULL, HINT_NONE, "with the environment of this call"},
	{0},
};

static const struct option_def options_rm[] = {
	{OPT_FORCE, "force", 0, NULL, HINT_NONE, "cancel what is not finished first"},
	{0},
};

static const struct option_def options_clean[] = {
	{OPT_FINISHED, "finished", 0, NULL, HINT_NONE, "however they ended"},
	{OPT_DRY_RUN, "dry-run", 0, NULL, HINT_NONE, "only say how many"},
	{0},
};

static const struct option_def options_call[] = {
	{OPT_DETACH, "detach", 0, NULL, HINT_NONE, "print the id, do not wait"},
	{OPT_KEY, "key", 0, "KEY", HINT_NONE,
		"a call repeated with the same key is the same job"},
	{0},
};

static const struct option_def options_calendar[] = {
	{OPT_COUNT, "count", 'n', "N", HINT_NONE, "so many times, default 5"},
	{OPT_FROM, "from", 0, "TIME", HINT_NONE,
		"what follows this, default now: tomorrow 06:00, 2026-12-01, +2h"},
	{OPT_TZ, "tz", 0, "ZONE", HINT_ZONE,
		"where the expression holds, unless it says so itself"},
	{0},
};

static const struct option_def options_config[] = {
	{OPT_FILE, "file", 0, "FILE", HINT_FILE,
		"this file only, and that is the one to change"},
	{OPT_CONFIG, "config", 0, "FILE", HINT_FILE, "the same"},
	{OPT_AS, "as", 0, "NAME", HINT_FILE,
		"check, diff: the file as if it stood there among the others"},
	{OPT_CHANGED, "changed", 0, NULL, HINT_NONE,
		"show: without what is at its default"},
	{OPT_EXIT_CODE, "exit-code", 0, NULL, HINT_NONE,
		"diff: 1 where something would change"},
	{0},
};

static const struct option_def options_daemon[] = {
	{OPT_STATE_DIR, "state-dir", 0, "DIR", HINT_DIR,
		"start: where the state is kept"},
	{OPT_CONFIG, "config", 0, "FILE", HINT_FILE, "start: the configuration"},
	{OPT_MODE, "mode", 0, "MODE", HINT_SHUTDOWN,
		"stop, restart: terminate, drain, or detach what runs (restart: "
		"detach)"},
	{0},
};

static const struct option_def options_varlink[] = {
	{OPT_MORE, "more", 0, NULL, HINT_NONE, "ask for a stream of replies"},
	{0},
};

static const struct option_def options_pool[] = {
	{OPT_SLOTS, "slots", 'N', "N", HINT_NONE,
		"add, set: jobs that run at one time; 0: one for each CPU"},
	{OPT_RATE, "rate", 0, "N/TIME", HINT_NONE,
		"add, set: most starts in a time: 10/min; infinity"},
	{OPT_PAUSE_ON_FAILURE, "pause-on-failure", 0, "yes|no", HINT_CHOICE,
		"add, set: pause it when a job of it fails"},
	{OPT_ON_EMPTY, "on-empty", 0, "TEXT", HINT_NONE,
		"add, set: command line that is run when its last job has ended"},
	{0},
};

#define SERVICE_OPTIONS                                                   \
	{OPT_ALL, "all", 0, NULL, HINT_NONE, "all services"},             \
	{                                                                 \
		OPT_NO_WAIT, "no-wait", 0, NULL, HINT_NONE,               \
			"do not wait until they are ready, or have ended" \
	}
#define ROLLING_OPTION                                                         \
	{                                                                      \
		OPT_ROLLING, "rolling", 0, NULL, HINT_NONE,                    \
			"restart: one service after the other, each instance " \
			"ready before the next; it stops at one that is not"   \
	}
static const struct option_def options_start[] = {SERVICE_OPTIONS, {0}};
static const struct option_def options_restart[] = {
	SERVICE_OPTIONS, ROLLING_OPTION, {0}};
static const struct option_def options_reload[] = {
	{OPT_ALL, "all", 0, NULL, HINT_NONE, "all services"}, {0}};
static const struct option_def options_service[] = {SERVICE_OPTIONS, ROLLING_OPTION,
	{OPT_QUIET, "quiet", 'q', NULL, HINT_NONE, "ls: names only"},
	{OPT_FOLLOW, "follow", 'f', NULL, HINT_NONE,
		"logs: go on until interrupted, with what is started meanwhile"},
	{OPT_LINES, "lines", 'n', "N", HINT_NONE, "logs: only the last N lines"},
	{OPT_RUN, "run", 0, "N", HINT_NONE, "logs: of its Nth start"},
	{OPT_STREAM, "stream", 0, "all|stdout|stderr", HINT_STREAM,
		"logs: only this of a split output"},
	{OPT_FROM, "since", 0, "TIME", HINT_NONE, "logs: lines since then"},
	{OPT_UNTIL, "until", 0, "TIME", HINT_NONE, "logs: lines until then"},
	{OPT_GREP, "grep", 0, "REGEX", HINT_NONE, "logs: lines that match it"},
	{OPT_IGNORE_CASE, "ignore-case", 'i', NULL, HINT_NONE,
		"logs: --grep: letters match in both cases"},
	{0}};

static const struct option_def options_schedule[] = {
	{OPT_WHEN, "when", 0, "EXPRESSION", HINT_NONE,
		"add: when its jobs start, see reeve calendar; may be repeated"},
	{OPT_TZ, "tz", 0, "ZONE", HINT_ZONE,
		"add: where the expressions hold, unless they say so themselves"},
	{OPT_JITTER, "jitter", 0, "TIME", HINT_NONE,
		"add: each start is up to so much later"},
	{OPT_MISSED, "missed", 0, "skip|latest|all", HINT_CHOICE,
		"add: what becomes of starts that were missed"},
	{OPT_MISSED_MAX, "missed-max", 0, "N", HINT_NONE,
		"add: with --missed all, the newest so many"},
	{OPT_MISSED_SPREAD, "missed-spread", 0, "TIME", HINT_NONE,
		"add: with --missed all, time between two of them"},
	{OPT_OVERLAP, "overlap", 0, "skip|queue|replace|allow", HINT_CHOICE,
		"add: what happens when the job before has not ended"},
	{OPT_QUEUE_MAX, "queue-max", 0, "N", HINT_NONE,
		"add: with --overlap queue, starts that may wait"},
	{OPT_COUNT, "count", 'n', "N", HINT_NONE, "next: so many times, default 5"},
	{0},
};

static const char *const service_words[] = {"ls", "status", "start", "stop", "restart",
	"reload", "scale", "reset", "why", "logs", NULL};
static const char *const schedule_words[] = {
	"ls", "show", "next", "history", "add", "rm", "run", "pause", "resume", NULL};
static const char *const pool_words[] = {
	"ls", "add", "set", "reset", "rm", "pause", "resume", "drain", NULL};
static const char *const config_words[] = {
	"check", "show", "get", "set", "unset", "edit", "diff", NULL};
static const char *const daemon_words[] = {
	"start", "stop", "restart", "reload", "status", "ping", "health", NULL};

#define SELECTS "[JOB...] [SELECTOR...]"

const struct command command_table[] = {
	{"run", NULL, "[OPTION...] [--] COMMAND [ARG...]",
		"submit a job, show its output, wait for it",
		"The exit code is the job's: 128+n after signal n, 124 when it ran "
		"into its "
		"limit, 126 or 127 when it could not be started, 130 when it was "
		"cancelled, "
		"125 when reeve itself failed. Ctrl-C cancels it, a second one kills "
		"it; it "
		"goes on when the terminal is closed.",
		options_run, NULL,
		COMMAND_STARTS_DAEMON | COMMAND_FIELDS | COMMAND_ARGV, HINT_COMMAND,
		cmd_run},
	{"add", NULL, "[OPTION...] [--] COMMAND [ARG...]", "submit a job, print its id",
		"With -c TEXT a shell runs it, else no shell is involved. With --batch "
		"every "
		"line of a file is a job, with --graph every section; the options hold "
		"for all of them. With "
		"--each {} in the command is an item, {.} without its extension, {/} "
		"its last component, {//} its directory, {/.} both of the former, {#} "
		"its number; without any of them it is the last argument.",
		options_add, NULL,
		COMMAND_STARTS_DAEMON | COMMAND_FIELDS | COMMAND_ARGV, HINT_COMMAND,
		cmd_add},
	{"gather", NULL, "[OPTION...] [--] COMMAND... | -",
		"submit jobs, show their output in order, wait for all",
		"Every argument is a command line for the shell; with - every line of "
		"standard input, as with add --batch; with --each as with add --each. "
		"The first one that does not succeed cancels the rest. Exit code 0: "
		"all succeeded; 1: some did not; 130: cancelled by Ctrl-C. A second "
		"Ctrl-C kills them; they go on when the terminal is closed.",
		options_gather, NULL,
		COMMAND_STARTS_DAEMON | COMMAND_FIELDS | COMMAND_ARGV, HINT_NONE,
		cmd_gather},
	{"ls", "status", SELECTS, "list jobs",
		"On a terminal: what is not finished, then what finished last, 50 "
		"rows. "
		"Otherwise and with --json all of them, unless --limit is given.",
		options_ls, NULL, COMMAND_SELECTS, HINT_JOB, cmd_ls},
	{"show", NULL, SELECTS, "show everything about a job, by default the newest",
		NULL, options_show, NULL, COMMAND_SELECTS, HINT_JOB, cmd_show},
	{"why", NULL, SELECTS, "say what jobs wait for, or why they ended so",
		"By default the newest.", NULL, NULL, COMMAND_SELECTS, HINT_JOB,
		cmd_why},
	{"graph", NULL, SELECTS, "draw jobs that wait for one another as a tree",
		"Below each job stand those that wait for it. Without selection: those "
		"of "
		"the caller's unfinished jobs that wait for others or are waited for, "
		"and "
		"all that hangs together with them.",
		NULL, NULL, COMMAND_SELECTS, HINT_JOB, cmd_graph},
	{"logs", NULL, SELECTS, "print the output of a job, by default the newest",
		"Of several jobs one after the other; with -f all at once, each line "
		"behind the name of its job. --since and --until go by the time at "
		"the front of each line where there is one (timestamps), else by when "
		"a run began and ended. Exit code 3: no line matches.",
		options_logs, NULL, COMMAND_SELECTS, HINT_JOB, cmd_logs},
	{"wait", NULL, SELECTS, "wait until jobs are finished",
		"Exit code 0: all succeeded; 1: some did not; 3: nothing matched; 124: "
		"waited "
		"too long. Without selection: the caller's jobs that are unfinished "
		"now. With --any and --first-failure the others go on.",
		options_wait, NULL, COMMAND_SELECTS, HINT_JOB, cmd_wait},
	{"events", NULL, SELECTS, "show what happened to jobs",
		"One line for each change of state that the daemon keeps (events-max), "
		"with --json one object a line. Selectors mean what a job came into. "
		"With -f those that come, from now on unless --since is given. What "
		"is not kept any more is told.",
		options_events, NULL, COMMAND_SELECTS, HINT_JOB, cmd_events},
	{"history", NULL, SELECTS, "list runs that have ended, the last one first",
		"One line a run: a job that was retried has several. On a terminal 50, "
		"otherwise at most 10000.",
		options_history, NULL, COMMAND_SELECTS, HINT_JOB, cmd_history},
	{"stats", NULL, SELECTS, "count finished jobs, per pool and in all",
		"How they ended, how long they waited and ran (mean, and what 95 of "
		"100 did not exceed), how many finished in the last hour; of the jobs "
		"that are kept.",
		NULL, NULL, COMMAND_SELECTS, HINT_JOB, cmd_stats},
	{"ps", NULL, SELECTS, "show the processes of running jobs",
		"The main process, all below it, and those that left it behind but "
		"still bear its mark; and when the job last wrote output. Exit code 3: "
		"there are none.",
		NULL, NULL, COMMAND_SELECTS, HINT_JOB, cmd_ps},
	{"cancel", NULL, SELECTS, "end jobs in whatever state they are", NULL, NULL,
		NULL, COMMAND_SELECTS, HINT_JOB, cmd_cancel},
	{"kill", NULL, SELECTS, "send a signal to running jobs", NULL, options_kill,
		NULL, COMMAND_SELECTS, HINT_JOB, cmd_kill},
	{"pause", NULL, SELECTS, "stop the processes of running jobs", NULL, NULL, NULL,
		COMMAND_SELECTS, HINT_JOB, cmd_pause},
	{"resume", NULL, SELECTS, "let paused jobs go on", NULL, NULL, NULL,
		COMMAND_SELECTS, HINT_JOB, cmd_resume},
	{"send", NULL, "JOB [TEXT...]", "write to the stdin of a running job",
		"Of one that was submitted with --stdin-open. Without TEXT standard "
		"input is sent, as it comes and to its end. While the job does not "
		"read, and the pipe is full, send waits (send-timeout); what it could "
		"not write it tells. Only --eof ends the job's stdin.",
		options_send, NULL, COMMAND_SELECTS, HINT_JOB, cmd_send},
	{"hold", NULL, SELECTS, "keep jobs from starting", NULL, NULL, NULL,
		COMMAND_SELECTS, HINT_JOB, cmd_hold},
	{"release", NULL, SELECTS, "let held jobs start", NULL, NULL, NULL,
		COMMAND_SELECTS, HINT_JOB, cmd_release},
	{"force", NULL, SELECTS, "start jobs now, past all limits",
		"Past slots, rates, resources, a pause of the pool, a delay, and jobs "
		"that "
		"it waits for.",
		NULL, NULL, COMMAND_SELECTS, HINT_JOB, cmd_force},
	{"move", NULL, SELECTS " first|last",
		"move waiting jobs before, or behind, all others",
		"Whatever their priority; several keep their order.", NULL, NULL,
		COMMAND_SELECTS, HINT_JOB, cmd_move},
	{"set", NULL, SELECTS " KEY=VALUE...", "change properties of jobs",
		"Keys and values as in reeve.conf(5), checked as at submit; an empty "
		"value is the default. Of a job that runs: name, label, priority, "
		"timeout, kill-signal, kill-grace, retries, retry-*, success-codes, "
		"on-reboot, on-lost. What it runs can be changed before its first run.",
		NULL, NULL, COMMAND_SELECTS, HINT_JOB, cmd_set},
	{"edit", NULL, "JOB", "change a job in an editor",
		"$VISUAL, $EDITOR or vi on its properties, in the notation of "
		"reeve.conf(5). What is wrong is told with its line, and the text is "
		"kept. The job is not held meanwhile; what cannot be changed any more "
		"when the editor ends is refused.",
		NULL, NULL, COMMAND_SELECTS, HINT_JOB, cmd_edit},
	{"retry", NULL, SELECTS, "run finished jobs again, under the same id", NULL,
		options_retry, NULL, COMMAND_SELECTS, HINT_FINISHED_JOB, cmd_retry},
	{"rm", NULL, SELECTS, "forget finished jobs and their output", NULL, options_rm,
		NULL, COMMAND_SELECTS, HINT_FINISHED_JOB, cmd_rm},
	{"clean", NULL, "[SELECTOR...]", "forget jobs that succeeded, print how many",
		"With --failed those that did not succeed, with --finished all that "
		"ended.",
		options_clean, NULL, COMMAND_SELECTS, HINT_NONE, cmd_clean},
	{"call", NULL, "FUNCTION [KEY=VALUE...] [KEY:=JSON...]",
		"call a function of the daemon, print its result", NULL, options_call,
		NULL, COMMAND_STARTS_DAEMON | COMMAND_FIELDS, HINT_FUNCTION, cmd_call},
	{"pool", NULL, "ls|add|set|reset|rm|pause|resume|drain [POOL...]",
		"look at pools, make, change and steer them",
		"pause: nothing of it starts, what runs goes on. drain: it takes no "
		"new "
		"jobs, those that it has go on and start. resume ends both. What is "
		"set "
		"of a pool in the configuration holds until a reload that changes its "
		"section, or reset. All is kept over restarts.",
		options_pool, pool_words, 0, HINT_WORDS_POOL, cmd_pool},
	{"schedule", NULL, "ls|show|next|history|add|rm|run|pause|resume [NAME...]",
		"look at schedules, make, run and steer them",
		"A schedule submits a job whenever its time comes. add makes one that "
		"is "
		"kept over restarts; the options of add say what its jobs are. run: a "
		"job "
		"of it now, whatever goes on. pause: nothing of it starts until "
		"resume, "
		"and what elapses meanwhile is left out. rm: its jobs go on. history: "
		"what it did, and what it left out, and why.",
		options_schedule, schedule_words, COMMAND_FIELDS, HINT_WORDS_SCHEDULE,
		cmd_schedule},
	{"service", NULL, "ls|status|start|stop|restart|reload|scale|reset|why|logs",
		"look at services, start and stop them",
		"A service is a program of the configuration that is kept running. "
		"Names come behind the word, and may be globs, or those of groups; "
		"--all: every service. "
		"stop: it stays stopped "
		"over restarts and reloads "
		"until start. restart: one instance after the other, a group as a "
		"whole; what is stopped only by its name. scale NAME N: so "
		"many instances, until its section is changed, or reset. reset: also, "
		"restarts that were counted count no more.",
		options_service, service_words, 0, HINT_WORDS_SERVICE, cmd_service},
	{"start", NULL, "[OPTION...] NAME... | --all", "start services",
		"NAME may be a glob, or that of a group. "
		"Waits until each instance is ready, and says which is not, and why.",
		options_start, NULL, 0, HINT_SERVICE, cmd_start},
	{"stop", NULL, "[OPTION...] NAME... | --all",
		"stop services, until they are started",
		"Over restarts and reloads, too. NAME may be a glob, or that of a "
		"group.",
		options_start, NULL, 0, HINT_SERVICE, cmd_stop},
	{"restart", NULL, "[OPTION...] NAME... | --all", "restart services",
		"One instance of each after the other; a group that is named is "
		"stopped as a whole first. What is stopped is started by its name "
		"only, "
		"not by a glob or --all. Waits as start does.",
		options_restart, NULL, 0, HINT_SERVICE, cmd_restart},
	{"reload", NULL, "[OPTION...] NAME... | --all",
		"have services read their configuration again",
		"NAME may be a glob, or that of a group. "
		"By the reload-signal or the reload-command of its section, or both; "
		"waited for. Of the daemon: reeve daemon reload.",
		options_reload, NULL, 0, HINT_SERVICE, cmd_reload},
	{"calendar", NULL, "EXPRESSION", "show when a schedule would be due",
		"EXPRESSION is what systemd timers take ('Mon..Fri 06:00', '*:0/15', "
		"'*-*~1 Europe/Berlin'), cron's five fields ('0 3 * * 1', '@daily'), "
		"or an "
		"interval ('every 90min'). No daemon is needed. With --json: a list of "
		"microseconds since 1970, UTC.",
		options_calendar, NULL, 0, HINT_NONE, cmd_calendar},
	{"config", NULL, "check|show|get|set|unset|edit|diff [ARG...]",
		"look at the configuration, and change it",
		"KEY is SECTION.KEY, or SECTION.NAME.KEY: reeved.log-level, "
		"pool.default.slots. set and unset change values in a file (set: a "
		"key and its value, or several such) and keep every other byte; "
		"without --file that is "
		"reeve.conf.d/90-local.conf. What would make the configuration wrong "
		"is refused. show and unset take SECTION.NAME, too. No daemon is "
		"needed; it takes changes with daemon reload, "
		"and edit tells it to. diff asks it what that would do.",
		options_config, config_words, 0, HINT_WORDS, cmd_config},
	{"daemon", NULL, "start|stop|restart|reload|status|ping|health",
		"start, stop, and look at the daemon", NULL, options_daemon,
		daemon_words, 0, HINT_WORDS, cmd_daemon},
	{"varlink", NULL, "METHOD [PARAMETERS]", "make a raw call, print its replies",
		"PARAMETERS is a JSON object. For example: reeve varlink "
		"io.reeve.Daemon.Status",
		options_varlink, NULL, 0, HINT_NONE, cmd_varlink},
	{"help", NULL, "[VERB]", "explain reeve or one verb", NULL, NULL, NULL, 0,
		HINT_VERB, cmd_help},
	{"version", NULL, "", "print the version", NULL, NULL, NULL, 0, HINT_NONE,
		cmd_version},
	{"__complete", NULL, "INDEX WORD...", "candidates for the shell's completion",
		NULL, NULL, NULL, COMMAND_HIDDEN | COMMAND_RAW, HINT_NONE,
		cmd_complete},
};
const size_t command_table_len = ARRAY_LEN(command_table);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_table_len; i++) {
		const struct command *cmd = &command_table[i];

		if (STREQ(cmd->name, name) || (cmd->alias && STREQ(cmd->alias, name)))
			return cmd;
	}
	return NULL;
}

const char *command_nearest(const char *name)
{
	const char *names[ARRAY_LEN(command_table) * 2];
	size_t n = 0;

	for (size_t i = 0; i < command_table_len; i++) {
		if (command_table[i].flags & COMMAND_HIDDEN)
			continue;
		names[n++] = command_table[i].name;
		if (command_table[i].alias)
			names[n++] = command_table[i].alias;
	}
	return str_nearest(name, names, n);
}

struct option_set command_options(const struct command *cmd)
{
	bool selects = cmd->flags & COMMAND_SELECTS;
	struct option_set set = {
		.fields = cmd->flags & COMMAND_FIELDS,
		.stop_at_operand = cmd->flags & COMMAND_ARGV,
	};
	size_t n = 0;

	/* its own first: `-n` of logs is lines */
	if (cmd->options)
		set.tables[n++] = cmd->options;
	if (selects)
		set.tables[n++] = options_select;
	set.tables[n++] = options_global;
	set.tables[n++] = selects ? options_mode_select : options_mode;
	set.tables[n++] = options_verb;
	return set;
}

struct option_set global_options(void)
{
	return (struct option_set){
		.tables = {options_before_verb, options_global, options_mode},
	};
}
