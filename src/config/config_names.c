#include "config.h"

#include "config/config_names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

size_t config_keys_of(const char *out[CONFIG_KEYS_OF_MAX], bool is_defaults,
	enum config_section section)
{
	bool takes_fields = is_defaults || config_section_has_fields(section);
	size_t n = 0;

	for (int f = 0; takes_fields && f < JOB_FIELD_N; f++)
		if (!job_field_is_ours((enum job_field)f) &&
			(is_defaults ||
				config_field_find(section, job_field_info[f].key) >= 0))
			out[n++] = job_field_info[f].key;
	if (is_defaults)
		return n;
	if (section == CONFIG_SECTION_SERVICE)
		out[n++] = "stop-timeout";
	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (config_key_info[k].section == section)
			out[n++] = config_key_info[k].key;
	return n;
}

const char *config_section_meant(const char *name)
{
	static const char *const sections[] = {"reeved", "defaults", "pool", "resource",
		"schedule", "service", "group", "environment"};

	/* as supervisord names what a service and a group are */
	if (STREQ(name, "program"))
		return "service";
	if (STREQ(name, "supervisord"))
		return "reeved";
	return str_nearest(name, sections, ARRAY_LEN(sections));
}

const char *config_key_meant(enum config_section section, const char *key)
{
	static const struct {
		const char *theirs, *ours;
	} keys[] = {
		{"ExecStart", "command"},
		{"ExecStartPre", "pre-start"},
		{"ExecStartPost", "post-start"},
		{"ExecStop", "pre-stop"},
		{"ExecStopPost", "post-stop"},
		{"ExecReload", "reload-command"},
		{"Restart", "restart"},
		{"RestartSec", "restart-delay"},
		{"TimeoutStartSec", "ready-timeout"},
		{"TimeoutStopSec", "stop-timeout"},
		{"WatchdogSec", "watchdog"},
		{"RuntimeMaxSec", "max-age"},
		{"WorkingDirectory", "cwd"},
		{"Environment", "env"},
		{"EnvironmentFile", "environment"},
		{"User", "user"},
		{"Requires", "requires"},
		{"After", "after"},
		{"KillSignal", "kill-signal"},
		{"Nice", "nice"},
		{"UMask", "umask"},
		{"numprocs", "instances"},
		{"autorestart", "restart"},
		{"startsecs", "min-uptime"},
		{"startretries", "restart-burst"},
		{"exitcodes", "no-restart-codes"},
		{"stopsignal", "kill-signal"},
		{"stopwaitsecs", "stop-timeout"},
		{"directory", "cwd"},
		{"stdout_logfile", "output"},
	};

	for (size_t i = 0; section == CONFIG_SECTION_SERVICE && i < ARRAY_LEN(keys);
		i++)
		if (STREQ(keys[i].theirs, key))
			return keys[i].ours;
	return NULL;
}

/* CONFIG_SECTION_N: [defaults]; -ENOENT */
static int find_section(const char *name)
{
	for (int s = 0; s < CONFIG_SECTION_N; s++)
		if (STREQ(name, config_section_name[s]))
			return s;
	return STREQ(name, "defaults") ? (int)CONFIG_SECTION_N : -ENOENT;
}

/* 0; -ENOMEM. meant NULL: nobody knows */
static int say(char **ret, const char *what, const char *name, const char *section,
	const char *meant)
{
	int n = asprintf(ret, "there is no %s %s%s%s%s%s%s%s%s", what, QUOTED(name),
		section ? " in [" : "", section ? section : "", section ? "]" : "",
		meant ? ", did you mean '" : "", meant ? meant : "", meant ? "'" : "",
		meant ? "?" : "");

	return n < 0 ? -ENOMEM : 0;
}

int config_place_check(const struct config_place *place, char **ret_why)
{
	const char *keys[CONFIG_KEYS_OF_MAX];
	int s = find_section(place->section);
	bool is_defaults = s == CONFIG_SECTION_N;
	const char *meant;
	size_t n;

	if (s < 0)
		return say(ret_why, "section", place->section, NULL,
			config_section_meant(place->section));
	if (!place->key)
		return 1;
	n = config_keys_of(keys, is_defaults, (enum config_section)s);
	for (size_t i = 0; i < n; i++)
		if (STREQ(keys[i], place->key))
			return 1;
	meant = is_defaults ? NULL
			    : config_key_meant((enum config_section)s, place->key);
	return say(ret_why, "key", place->key, place->section,
		meant ? meant : str_nearest(place->key, keys, n));
}
