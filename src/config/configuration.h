/*
 * The configuration: the daemon's settings, the defaults of all jobs, the pools, and
 * for each value the place it came from. (Not config.h: that is autoconf's, and files
 * of this folder would find this one in its place.)
 *
 * Depends on base, job and libinih only: the CLI links it for `config check`.
 */
#ifndef CONFIG_CONFIGURATION_H
#define CONFIG_CONFIGURATION_H

#include "base/cleanup.h"
#include "base/clock.h"
#include "config/config_errors.h"
#include "job/spec.h"

enum config_type {
	CONFIG_TYPE_NUMBER,   /* num */
	CONFIG_TYPE_BOOL,     /* num: 0 or 1 */
	CONFIG_TYPE_DURATION, /* num: microseconds, INT64_MAX for infinity */
	CONFIG_TYPE_SIZE,     /* num: bytes, INT64_MAX for infinity */
	CONFIG_TYPE_WORD,     /* num: place of the word in the row's metavar, from 0 */
	CONFIG_TYPE_RATE,     /* rate: "10/min"; infinity: n is 0 */
	CONFIG_TYPE_USERS,    /* strv: numbers, or names that users have; appends */
	CONFIG_TYPE_LINES,    /* strv: a text each line; appends */
	CONFIG_TYPE_ZONE,     /* text: of a time zone that is there; NULL: none said */
	CONFIG_TYPE_TEXT,     /* text: at most max bytes; NULL: none said */
	CONFIG_TYPE_USER,     /* user: one that is there; name NULL: none said */
	CONFIG_TYPE_SIGNAL,   /* num: signal number; 0: none said */
	CONFIG_TYPE_CODES, /* text: exit codes and signals, canonical (job/spec.h); NULL */
	CONFIG_TYPE_NAMES,   /* strv: names of sections, at most max; appends */
	CONFIG_TYPE_ALLOWED, /* strv: as USERS, or "*", everybody; appends */
};

enum config_section {
	CONFIG_SECTION_REEVED,
	/* those that have names */
	CONFIG_SECTION_POOL,
	CONFIG_SECTION_RESOURCE,
	CONFIG_SECTION_SCHEDULE,
	CONFIG_SECTION_SERVICE,
	CONFIG_SECTION_GROUP,
	CONFIG_SECTION_ENVIRONMENT,
	CONFIG_SECTION_N
};
extern const char *const config_section_name[CONFIG_SECTION_N];

/* Its sections say what jobs are: they take job fields beside their own keys, with
 * specifiers. */
static inline bool config_section_has_job(enum config_section section)
{
	return section == CONFIG_SECTION_SCHEDULE || section == CONFIG_SECTION_SERVICE;
}

/* They take job fields, all or a few: those of an environment are what it gives to jobs. */
static inline bool config_section_has_fields(enum config_section section)
{
	return config_section_has_job(section) || section == CONFIG_SECTION_ENVIRONMENT;
}

/* A job field by the name that it has in such a section, negative -ENOENT: of services
 * stop-timeout is another name for kill-grace. */
int config_field_find(enum config_section section, const char *key);

enum config_key {
#define X(section, id, ...) CONFIG_##id,
#include "config/config_keys.def"
#undef X
	CONFIG_KEY_N
};

struct config_key_info {
	enum config_section section;
	const char *key;
	enum config_type type;
	const char *default_text; /* NULL: an empty list */
	int64_t min, max;
	const char *metavar;
	const char *help;
};
extern const struct config_key_info config_key_info[CONFIG_KEY_N];

/* Whose daemon a configuration is for. That of the system must say as whom schedules and
 * services run. */
enum config_mode { CONFIG_MODE_ANY, CONFIG_MODE_SYSTEM, CONFIG_MODE_USER };

/* values of CONFIG_RESTART, as enum restart_policy */
enum config_restart {
	CONFIG_RESTART_NO,
	CONFIG_RESTART_ALWAYS,
	CONFIG_RESTART_ON_FAILURE,
	CONFIG_RESTART_ON_SUCCESS,
};

/* values of CONFIG_GIVE_UP and CONFIG_GROUP_GIVE_UP; those of CONFIG_STRATEGY are enum
 * restart_strategy */
enum config_give_up { CONFIG_GIVE_UP_STOP, CONFIG_GIVE_UP_ESCALATE };

/* values of CONFIG_LIVE_ACTION */
enum config_live_action {
	CONFIG_LIVE_RESTART,
	CONFIG_LIVE_STOP,
	CONFIG_LIVE_NOTHING,
};

/* values of CONFIG_OVERLAP; those of CONFIG_MISSED are enum schedule_missed */
enum config_overlap {
	CONFIG_OVERLAP_SKIP,
	CONFIG_OVERLAP_QUEUE,
	CONFIG_OVERLAP_REPLACE,
	CONFIG_OVERLAP_ALLOW
};

/* values of CONFIG_SHUTDOWN; those of CONFIG_DURABILITY are enum store_durability */
enum config_shutdown {
	CONFIG_SHUTDOWN_TERMINATE,
	CONFIG_SHUTDOWN_DRAIN,
	CONFIG_SHUTDOWN_DETACH
};

union config_value {
	int64_t num;
	struct {
		int64_t n, usec; /* so many in so long */
	} rate;
	char **strv; /* owned */
	char *text;  /* owned */
	struct {
		char *name, *home; /* owned */
		uint32_t uid, gid;
	} user;
};

/* Where a value was given; file NULL: nowhere, it is the default. Of a list that was
 * appended to, the last place. */
struct config_origin {
	const char *file; /* belongs to config.files */
	unsigned line;
};

enum { CONFIG_RAW_N = 5 }; /* fields that may have specifiers */

/* job fields of a section that has them */
struct config_job {
	struct job_spec spec; /* set: what the section gives */
	struct config_origin origin[JOB_FIELD_N];
	/* of fields that have specifiers, as they were written: config_specifiers.h. They
	 * are in spec, too, once all files are read. Owned */
	char *raw[CONFIG_RAW_N];
};

/* one [pool NAME], [resource NAME], [schedule NAME], [service NAME], [group NAME] or
 * [environment NAME] */
struct config_named {
	char *name;
	struct config_origin origin; /* none for a pool `default` that no file has */
	union config_value v[CONFIG_KEY_N]; /* of the keys of its section */
	struct config_origin key_origin[CONFIG_KEY_N];
	struct config_job
		*job; /* where config_section_has_fields; NULL for others; owned */
	uint32_t *
		uids; /* of an environment: who is meant by its users, but for "*"; owned */
	size_t n_uids;
};

/* all of one kind; of pools the first is always `default` */
struct config_names {
	struct config_named *v;
	size_t n;
};

struct config {
	union config_value v[CONFIG_KEY_N]; /* of [reeved] */
	struct config_origin origin[CONFIG_KEY_N];
	struct job_spec defaults; /* set: what [defaults] give */
	struct config_origin defaults_origin[JOB_FIELD_N];
	struct config_names named[CONFIG_SECTION_N]; /* of those that have names */
	char **files; /* those that were read, in order */
	enum config_mode mode;
};

/* most starts of a rate */
#define CONFIG_RATE_MAX 10000
/* longest stretch of a rate: in nanoseconds it is added to a time */
#define CONFIG_RATE_USEC_MAX (INT64_C(366) * 24 * 3600 * 1000000)

#define config_num(c, ID)  ((c)->v[CONFIG_##ID].num)
#define config_strv(c, ID) ((c)->v[CONFIG_##ID].strv)

/* level for log_set_level() */
int config_log_level(const struct config *c);
/* NULL when there is none of this name */
const struct config_named *config_find(
	const struct config *c, enum config_section section, const char *name);
/* The section for a name, made with all keys at their defaults where there is none. 0,
 * -ENOMEM */
int config_add(struct config_named **ret, struct config *c, enum config_section section,
	const char *name);
/* Values of such a section by themselves: what is added at run time. */
int config_named_init(
	struct config_named *ret, enum config_section section, const char *name);
void config_named_deinit(struct config_named *named, enum config_section section);

/* everything at its default: what no file at all gives. 0, -ENOMEM. */
int config_new(struct config **ret);
struct config *config_free(struct config *c); /* takes NULL, returns NULL */
DEFINE_CLEANUP(struct config *, config_free)

/* Key of a section by its name; -ENOENT. */
int config_key_find(enum config_section section, const char *key);

/* Text to value and back, as job_value_parse and job_value_format do it. Blocks where it
 * looks up users. */
int config_value_parse(
	union config_value *ret, enum config_key k, const char *text, char **err);
int config_value_format(
	struct buf *out, enum config_key k, const union config_value *v);
/* a number of that type; DURATION_TEXT_MAX is enough */
void config_num_format(char *out, size_t size, enum config_type t, int64_t num);
void config_value_free(union config_value *v, enum config_key k);
/* of a value that was said, or none: a copy of its own. 0, -ENOMEM */
int config_value_copy(
	union config_value *ret, enum config_key k, const union config_value *v);
bool config_type_is_list(enum config_type t);
/* of two values of one key, and of all keys of two sections of one kind */
bool config_value_equal(
	const union config_value *a, const union config_value *b, enum config_key k);
bool config_named_equal(const struct config_named *a, const struct config_named *b,
	enum config_section section);

#endif
