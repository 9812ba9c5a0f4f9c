#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_hooks.h"
#include "config/config_load.h"
#include "config/config_service.h"
#include "job/asks.h"
#include "tests/unit/config/config_test.h"

/* the job of the service "s" */
static void job_of(struct job_spec *ret, const struct config *c)
{
	const struct config_named *s = config_find(c, CONFIG_SECTION_SERVICE, "s");

	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(config_service_job(ret, &s->job->spec, &c->defaults), 0);
}

START_TEST(service_has_its_keys_and_fields_of_a_job)
{
	_cleanup_(config_freep) struct config *c = loaded(
		"[service s]\ncommand = a b\nrestart = on-failure\n"
		"restart-delay = 2s\nno-restart-codes = TERM 3\ninstances = 4\n");
	const struct config_named *s = config_find(c, CONFIG_SECTION_SERVICE, "s");

	ck_assert_int_eq(s->v[CONFIG_RESTART].num, CONFIG_RESTART_ON_FAILURE);
	ck_assert_int_eq(s->v[CONFIG_RESTART_DELAY].num, 2 * USEC_PER_SEC);
	ck_assert_int_eq(s->v[CONFIG_RESTART_DELAY_MAX].num, 300 * USEC_PER_SEC);
	ck_assert_str_eq(s->v[CONFIG_NO_RESTART_CODES].text, "3 SIGTERM");
	ck_assert_int_eq(s->v[CONFIG_INSTANCES].num, 4);
	ck_assert_str_eq(job_strv(&s->job->spec, COMMAND)[1], "b");
}
END_TEST

START_TEST(stop_timeout_is_the_grace_of_its_job)
{
	_cleanup_(config_freep) struct config *c =
		loaded("[service s]\ncommand = a\nstop-timeout = 3s\n");
	_cleanup_(job_spec_deinit) struct job_spec spec;

	job_of(&spec, c);
	ck_assert_int_eq(job_num(&spec, KILL_GRACE), 3 * USEC_PER_SEC);
	refused("[service s]\ncommand = a\nstop-timeout = 3s\nkill-grace = 4s\n",
		"4: kill-grace is given twice, first in line 3|");
	refused("[schedule s]\nwhen = @daily\ncommand = a\nstop-timeout = 3s\n",
		"4: unknown key 'stop-timeout' in [schedule]: it belongs in [service "
		"NAME]|");
}
END_TEST

START_TEST(defaults_count_but_for_what_makes_no_sense_of_a_service)
{
	_cleanup_(config_freep) struct config *c =
		loaded("[pool p]\n[defaults]\nretries = 5\nretry-delay = 1h\npool = p\n"
		       "priority = 3\non-reboot = rerun\nnice = 4\n"
		       "env = A=1\nfunction = sleep\n"
		       "[service s]\ncommand = a\nenv = B=2\n");
	_cleanup_(job_spec_deinit) struct job_spec spec;

	job_of(&spec, c);
	ck_assert(!job_spec_has(&spec, JOB_FIELD_RETRIES));
	ck_assert(!job_spec_has(&spec, JOB_FIELD_RETRY_DELAY));
	ck_assert(!job_spec_has(&spec, JOB_FIELD_ON_REBOOT));
	ck_assert_str_eq(job_str(&spec, POOL), SERVICE_POOL);
	ck_assert(!job_spec_has(&spec, JOB_FIELD_PRIORITY));
	ck_assert(!job_spec_has(&spec, JOB_FIELD_FUNCTION));
	ck_assert_int_eq(job_num(&spec, NICE), 4);
	ck_assert_str_eq(job_strv(&spec, ENV)[0], "A=1");
	ck_assert_str_eq(job_strv(&spec, ENV)[1], "B=2");
}
END_TEST

START_TEST(with_a_pool_it_takes_slots)
{
	_cleanup_(config_freep) struct config *c =
		loaded("[pool p]\n[service s]\ncommand = a\npool = p\nslots = 2\n");
	_cleanup_(job_spec_deinit) struct job_spec spec;

	job_of(&spec, c);
	ck_assert_str_eq(job_str(&spec, POOL), "p");
	ck_assert_int_eq(job_num(&spec, SLOTS), 2);
}
END_TEST

START_TEST(all_that_a_service_cannot_be_is_told_at_once)
{
	refused("[reeved]\nservice-instances-max = 15\n"
		"[service none]\n"
		"[service f]\nfunction = sleep\n"
		"[service retried]\ncommand = a\nretries = 3\n"
		"[service slots]\ncommand = a\nslots = 3\n"
		"[service pool]\ncommand = a\npool = nosuch\nneed = gpu=1\n"
		"[service stdin]\ncommand = a\nstdin = input:x\n"
		"[service both]\ncommand = a\nshell-command = b\n"
		"[service delays]\ncommand = a\nrestart-delay-max = 1s\n"
		"restart-delay = 2s\n"
		"[service many]\ncommand = a\ninstances = 8\n"
		"[service more]\ncommand = a\ninstances = 1\n",
		"3: [service none] command: nothing says what to run: command or "
		"shell-command|"
		"5: [service f] function: a service is a program, not a function of "
		"the daemon|"
		"8: [service retried] retries: of a service restart and restart-burst "
		"say that|"
		"11: [service slots] slots: without pool a service takes no slot|"
		"14: [service pool] pool: there is no [pool nosuch]|"
		"15: [service pool] need: there is no [resource gpu]|"
		"18: [service stdin] stdin: a service has no input to bring|"
		"21: [service both] shell-command: 'command' and 'shell-command' "
		"cannot both be given|"
		"25: [service delays] restart-delay: it is longer than "
		"restart-delay-max|"
		"28: [service many] instances: with these there are more than "
		"service-instances-max = 15|");
	refused("[service s]\ncommand = a\nrestart = maybe\nrestart-delay = 0\n"
		"no-restart-codes = NOSUCH\ninstances = -1\nrestrt = no\n"
		"when = @daily\n[service]\n[service a b]\n",
		"3: restart: not no|always|on-failure|on-success: 'maybe'|"
		"4: restart-delay: outside of 1ms to 366d: '0'|"
		"5: no-restart-codes: neither an exit code nor a signal: 'NOSUCH'|"
		"6: instances: outside of 0 to 1000: '-1'|"
		"7: unknown key 'restrt' in [service], did you mean 'restart'?|"
		"8: unknown key 'when' in [service]: it belongs in [schedule NAME]|"
		"9: [service] needs a name: [service NAME]|"
		"10: not the name of a service: 'a b'|");
}
END_TEST

START_TEST(each_fault_of_one_section_is_told)
{
	refused("[service s]\nforce = yes\nhold = yes\nname = x\narguments = {}\n"
		"delay = 5\nretries = 1\non-lost = rerun\nslots = 2\npriority = 1\n"
		"stdin = input:x\ncwd = rel\nshell = rel\n"
		"pre-start = %q\npost-stop = %q\nrestart-at = noon\n  @hourly\n  "
		"never\n",
		"1: [service s] command: nothing says what to run: command or "
		"shell-command|"
		"2: [service s] force: a service takes no slot unless pool says so|"
		"3: [service s] hold: a service is kept down with reeve service stop|"
		"4: [service s] name: the jobs of a service bear its name|"
		"5: [service s] arguments: they are those of a function, which a "
		"service is not|"
		"6: [service s] delay: it is for single jobs, not for a service|"
		"7: [service s] retries: of a service restart and restart-burst say "
		"that|"
		"8: [service s] on-lost: of a service restart says that: the end is a "
		"failure|"
		"9: [service s] slots: without pool a service takes no slot|"
		"10: [service s] priority: without pool a service takes no slot|"
		"11: [service s] stdin: a service has no input to bring|"
		"12: [service s] cwd: cwd is not an absolute path: 'rel'|"
		"13: [service s] shell: shell is not an absolute path: 'rel'|"
		"14: [service s] pre-start: unknown specifier '%q': a percent sign is "
		"written %%|"
		"15: [service s] post-stop: unknown specifier '%q': a percent sign is "
		"written %%|"
		"16: [service s] restart-at: at byte 1 of 'noon': expected a weekday, "
		"a "
		"date, a time or a word such as 'daily', not 'noon'|"
		"16: [service s] restart-at: at byte 1 of 'never': expected a weekday, "
		"a date, a time or a word such as 'daily', not 'never'|");
	refused("[service s]\ncommand = %q\ncwd = %q\noutput = %q\n",
		"2: [service s] command: unknown specifier '%q': a percent sign is "
		"written %%|"
		"3: [service s] cwd: unknown specifier '%q': a percent sign is written "
		"%%|"
		"4: [service s] output: unknown specifier '%q': a percent sign is "
		"written %%|");
	refused("[schedule s]\nwhen =\n  noon\n  @hourly\n  never\nat = @1\n"
		"after = x\nstdin = input:x\n",
		"1: [schedule s] command: nothing says what to run: command, "
		"shell-command or function|"
		"2: [schedule s] when: at byte 1 of 'noon': expected a weekday, a "
		"date, a time or a word such as 'daily', not 'noon'|"
		"2: [schedule s] when: at byte 1 of 'never': expected a weekday, a "
		"date, a time or a word such as 'daily', not 'never'|"
		"6: [schedule s] at: it is for single jobs, not for a schedule|"
		"7: [schedule s] after: it is for single jobs, not for a schedule|"
		"8: [schedule s] stdin: a schedule has no input to bring|");
}
END_TEST

START_TEST(each_line_of_a_list_is_told_at_its_place)
{
	refused("[service s]\ncommand = a\nenv = 2B=4\n  C\n# none\n\n"
		"  D=1\n  E\n  %i=1\n  F=%i\n  G\n  \"B C=3\"\n"
		"env =\n\n  =x\n",
		"3: env: not the name of a variable (letters, digits and _, no digit "
		"first): '2B'|"
		"4: env: no '=' (NAME=VALUE): 'C'|"
		"8: env: no '=' (NAME=VALUE): 'E'|"
		"11: env: no '=' (NAME=VALUE): 'G'|"
		"12: env: not the name of a variable (letters, digits and _, no digit "
		"first): 'B C'|"
		"15: env: no name before '=': '=x'|");
	refused("[defaults]\nneed = gpu\n  a=1\n  b c=1 d\n[resource a]\n"
		"[resource c]\n[group g]\nservices = 1\n  2 3\n[environment e]\n"
		"env = A.B=1\n",
		"2: need: not a resource and how much of it, such as gpu=1: 'gpu'|"
		"4: need: not a resource and how much of it, such as gpu=1: 'b'|"
		"4: need: not a resource and how much of it, such as gpu=1: 'd'|"
		"8: services: not a name (letters, digits and _ . @ -, at most 64, a "
		"letter or _ first): '1'|"
		"9: services: not a name (letters, digits and _ . @ -, at most 64, a "
		"letter or _ first): '2', '3'|"
		"11: env: not the name of a variable (letters, digits and _, no digit "
		"first): 'A.B'|");
}
END_TEST

static void ready_of(struct ready_rule *ret, const struct config *c, unsigned instance)
{
	const struct config_named *s = config_find(c, CONFIG_SECTION_SERVICE, "s");

	ck_assert_int_eq(config_service_ready(ret, c, s, instance, NULL), 0);
}

START_TEST(what_tells_that_it_is_ready_may_have_specifiers)
{
	_cleanup_(config_freep) struct config *plain =
		loaded("[service s]\ncommand = a\n");
	_cleanup_(config_freep) struct config *tcp =
		loaded("[service s]\ncommand = a\nready = tcp:80%i\ninstances = 12\n");
	_cleanup_(config_freep) struct config *path =
		loaded("[service s]\ncommand = a\nready = unix:/%n/%i\n");
	_cleanup_(config_freep) struct config *fd =
		loaded("[service s]\ncommand = a\nready = fd\n");
	_cleanup_(config_freep) struct config *fd4 =
		loaded("[service s]\ncommand = a\nready = fd:1%i\n");
	struct ready_rule rule;

	ready_of(&rule, plain, 0);
	ck_assert_int_eq(rule.kind, READY_EXEC);
	ready_of(&rule, tcp, 11);
	ck_assert_int_eq(rule.kind, READY_TCP);
	ck_assert_uint_eq(rule.port, 8011);
	ready_of(&rule, fd, 0);
	ck_assert_int_eq(rule.kind, READY_FD);
	ck_assert_int_eq(rule.fd, 3);
	ready_of(&rule, fd4, 4);
	ck_assert_int_eq(rule.fd, 14);
	ready_of(&rule, path, 3);
	ck_assert_int_eq(rule.kind, READY_UNIX);
	ck_assert_str_eq(rule.text, "/s/3");
	ready_rule_deinit(&rule);
}
END_TEST

/* of the first instance of [service s]; as it would be written, the caller's to free */
static char *live_of(const char *text)
{
	_cleanup_(config_freep) struct config *c = loaded(text);
	const struct config_named *s = config_find(c, CONFIG_SECTION_SERVICE, "s");
	struct ready_rule rule, copy;
	char *said;

	ck_assert_int_eq(config_service_live(&rule, c, s, 7, NULL), 0);
	ck_assert_int_eq(ready_rule_copy(&copy, &rule), 0);
	ready_rule_deinit(&rule);
	said = ready_rule_format(&copy);
	ready_rule_deinit(&copy);
	ck_assert_ptr_nonnull(said);
	return said;
}

static void live_is(const char *text, const char *want)
{
	_cleanup_free_ char *said = live_of(text);

	ck_assert_str_eq(said, want);
}

START_TEST(what_is_asked_of_one_that_is_ready)
{
	live_is("[service s]\ncommand = a\n", "none");
	live_is("[service s]\ncommand = a\nlive = tcp:8%i\n", "tcp:87");
	live_is("[service s]\ncommand = a\nlive = unix:/%n\n", "unix:/s");
	live_is("[service s]\ncommand = a\nlive = command: test -e %n\n",
		"command:test -e s");
	live_is("[service s]\ncommand = a\nlive = http:80/a%%20b?c=%i\n",
		"http:80/a%20b?c=7");
}
END_TEST

START_TEST(questions_that_cannot_be_are_told)
{
	refused("[service a]\ncommand = a\nlive = notify\n"
		"[service b]\ncommand = a\nlive = http:80\n"
		"[service c]\ncommand = a\nlive = http:0/\n"
		"[service d]\ncommand = a\nready = http:80/a b\n"
		"[service e]\ncommand = a\nlive = http:123456789/\n"
		"[service f]\ncommand = a\nlive = command:\n"
		"[service g]\ncommand = a\nlive-failures = 0\nlive-action = kill\n",
		"3: [service a] live: it is none of tcp:PORT, unix:PATH, "
		"http:PORT/PATH, command:CMD: 'notify'|"
		"6: [service b] live: it is not like http:PORT/PATH: 'http:80'|"
		"9: [service c] live: a port is a number from 1 to 65535: 'http:0/'|"
		"12: [service d] ready: the path has a space, a # or a byte that is no "
		"ASCII: write %%20, %%23 and so on: 'http:80/a b'|"
		"15: [service e] live: it is not like http:PORT/PATH: "
		"'http:123456789/'|"
		"18: [service f] live: command: names no command: 'command:'|"
		"21: live-failures: outside of 1 to 1000: '0'|"
		"22: live-action: not restart|stop|none: 'kill'|");
}
END_TEST

START_TEST(readiness_that_cannot_be_is_told)
{
	refused("[service a]\ncommand = a\nready = soon\n"
		"[service b]\ncommand = a\nready = tcp:0\n"
		"[service c]\ncommand = a\nready = unix:x\n"
		"[service d]\ncommand = a\nready = tcp:6553%i\ninstances = 7\n"
		"[service e]\ncommand = a\nready = fd:2\n"
		"[service f]\ncommand = a\nready = output:(a\n"
		"[service g]\ncommand = a\nready = output:(a)\\1\n"
		"[service h]\ncommand = a\nready = output:a\noutput = null\n",
		"3: [service a] ready: it is none of exec, notify, fd:N, tcp:PORT, "
		"unix:PATH, http:PORT/PATH, output:REGEX, command:CMD: 'soon'|"
		"6: [service b] ready: a port is a number from 1 to 65535: 'tcp:0'|"
		"9: [service c] ready: the path of a socket begins with /: 'unix:x'|"
		"12: [service d] ready: of instance 6: a port is a number from 1 to "
		"65535: 'tcp:65536'|"
		"16: [service e] ready: a descriptor is a number from 3 to 255: 'fd:2'|"
		"19: [service f] ready: a ( or ) of the pattern has no partner "
		"(regex(7)): 'output:(a'|"
		"22: [service g] ready: the pattern refers back to a group, or has {N} "
		"more than once: 'output:(a)\\1'|"
		"25: [service h] ready: output: is for output that is kept by the "
		"daemon, not for that of the field output|");
}
END_TEST

START_TEST(what_was_meant_is_told)
{
	refused("[service s]\ncommand = a\nready = exce\nlive = http_80/\n"
		"ExecStart = b\nnumprocs = 2\nautorestart = no\nnope = 1\n"
		"restart-factor = 1.5\nafter = g\n[group g]\nservices = s\n"
		"[program p]\n[environment e]\nuser = root\nrestart-burst = 1\n",
		"3: [service s] ready: it is none of exec, notify, fd:N, tcp:PORT, "
		"unix:PATH, http:PORT/PATH, output:REGEX, command:CMD: 'exce', did "
		"you mean 'exec'?|"
		"4: [service s] live: it is none of tcp:PORT, unix:PATH, "
		"http:PORT/PATH, command:CMD: 'http_80/'|"
		"5: unknown key 'ExecStart' in [service], did you mean 'command'?|"
		"6: unknown key 'numprocs' in [service], did you mean 'instances'?|"
		"7: unknown key 'autorestart' in [service], did you mean 'restart'?|"
		"8: unknown key 'nope' in [service]|"
		"9: restart-factor: not a whole number: '1.5'|"
		"10: [service s] after: 'g' is a group: here its services are named|"
		"13: unknown section 'program', did you mean [service]?|"
		"15: unknown key 'user' in [environment], did you mean 'users'?|"
		"16: unknown key 'restart-burst' in [environment]: it belongs in "
		"[service NAME] or [group NAME]|");
}
END_TEST

START_TEST(hooks_are_lines_with_specifiers)
{
	_cleanup_(config_freep) struct config *c =
		loaded("[service s]\ncommand = a\ninstances = 3\nhook-timeout = 2s\n"
		       "pre-start = mkdir -p /run/%n-%i\n  date +%%s\n"
		       "reload-command = kill -HUP $MAINPID\n");
	const struct config_named *s = config_find(c, CONFIG_SECTION_SERVICE, "s");
	struct service_hooks *h;

	ck_assert_int_eq(config_service_hooks(&h, c, s, 2, NULL, NULL), 0);
	ck_assert_str_eq(h->lines[HOOK_PRE_START][0], "mkdir -p /run/s-2");
	ck_assert_str_eq(h->lines[HOOK_PRE_START][1], "date +%s");
	ck_assert_ptr_null(h->lines[HOOK_PRE_START][2]);
	ck_assert_str_eq(h->lines[HOOK_RELOAD][0], "kill -HUP $MAINPID");
	ck_assert(!service_hooks_has(h, HOOK_POST_STOP));
	ck_assert_int_eq(h->timeout_usec, 2 * USEC_PER_SEC);
	service_hooks_unref(h);
}
END_TEST

START_TEST(hooks_that_cannot_be_are_told)
{
	refused("[service a]\ncommand = a\npre-start = a\n b\n c\n d\n e\n f\n g\n h\n"
		" i\n j\n k\n l\n m\n n\n o\n p\n q\n"
		"[service b]\ncommand = a\npost-stop = date +%Q\n",
		"3: [service a] pre-start: more than 16 lines|"
		"22: [service b] post-stop: unknown specifier '%Q': a percent "
		"sign is written %%|");
}
END_TEST

START_TEST(restart_at_is_a_time_and_not_an_interval)
{
	refused("[service a]\ncommand = a\nrestart-at = Mon 03:00\n  every 5min\n"
		"[service b]\ncommand = a\nrestart-at = noon\n"
		"[service c]\ncommand = a\nmax-memory = 1K\n",
		"3: [service a] restart-at: after an interval: that is max-age|"
		"7: [service b] restart-at: at byte 1 of 'noon': expected a weekday, a "
		"date, a time or a word such as 'daily', not 'noon'|"
		"10: max-memory: outside of 1M to infinity: '1K'|");
}
END_TEST

/* 20 labels of [defaults] and 20 others are more than a job may have */
START_TEST(list_that_is_too_long_with_that_of_defaults_is_told)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;

	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(
			buf_printf(&b, "%sl%d",
				i == 0    ? "[defaults]\nlabel = "
				: i == 20 ? "\n[service s]\ncommand = a\nlabel = "
					  : " ",
				i),
			0);
	ck_assert_int_eq(buf_append(&b, "", 1), 0);
	refused(buf_head(&b),
		"3: [service s] lists: one has too many elements, with those of "
		"[defaults]|");
}
END_TEST

UNIT_MAIN("config_service", service_has_its_keys_and_fields_of_a_job,
	stop_timeout_is_the_grace_of_its_job,
	defaults_count_but_for_what_makes_no_sense_of_a_service,
	with_a_pool_it_takes_slots, all_that_a_service_cannot_be_is_told_at_once,
	each_fault_of_one_section_is_told, each_line_of_a_list_is_told_at_its_place,
	what_tells_that_it_is_ready_may_have_specifiers,
	readiness_that_cannot_be_is_told, what_was_meant_is_told,
	what_is_asked_of_one_that_is_ready, questions_that_cannot_be_are_told,
	hooks_are_lines_with_specifiers, hooks_that_cannot_be_are_told,
	restart_at_is_a_time_and_not_an_interval,
	list_that_is_too_long_with_that_of_defaults_is_told)
