/*
 * Specifiers, as systemd has them: what a '%' and a letter stand for in the sections of
 * services and schedules.
 *
 *   %n  name of the section        %h  home directory of the user
 *   %i  number of the instance     %t  runtime directory: /run, or $XDG_RUNTIME_DIR
 *   %u  user name   %U  its id     %H  host name    %l  host name up to the first dot
 *   %G  group id                   %b  boot id      %m  machine id    %v  kernel release
 *   %T  /tmp        %V  /var/tmp   %%  a percent sign
 *
 * Texts that have them are kept as they were written, and are read once it is known what
 * they stand for: when all files are read, and again for each instance of a service.
 */
#ifndef CONFIG_CONFIG_SPECIFIERS_H
#define CONFIG_CONFIG_SPECIFIERS_H

#include "base/buf.h"
#include "config/configuration.h"

struct specifiers {
	const char *name;
	const char *instance;    /* NULL: a schedule, which has none */
	const char *user, *home; /* NULL: it is not known */
	uint32_t uid, gid;
	enum config_mode mode;
};

/**
 * Put in what they stand for.
 *
 * @s    NULL: where "%%" is the only one
 * @err  what is wrong, malloc'd
 *
 * 0; -EINVAL with a message; -ENOMEM.
 */
int specifiers_expand(
	char **ret, const char *text, const struct specifiers *s, char **err);

/* the way back: a text in which a '%' is only itself */
int specifiers_escape(struct buf *out, const char *text, size_t n);

/* in sections of services and schedules */
bool config_field_has_specifiers(enum job_field f);
/* Take a field's text if it is to be kept as it is: 1; 0: it is like any other; -ENOMEM */
int config_raw_take(struct config_job *job, enum job_field f, const char *text);
/* its value was taken back */
void config_raw_drop(struct config_job *job, enum job_field f);
/* as it was written; NULL: the spec has it */
const char *config_raw_get(const struct config_job *job, enum job_field f);
void config_raw_deinit(struct config_job *job);
bool config_raw_equal(const struct config_job *a, const struct config_job *b);

/**
 * The fields that were kept, into a spec, up to one that is wrong: *at is 0 at first, and is
 * behind it then.
 *
 * 0: all of the rest; -EINVAL with the field, and a message, malloc'd, or NULL; -ERANGE, -RV_ELIMIT likewise,
 * as of job_value_parse; -ENOMEM.
 */
int config_raw_read(struct job_spec *spec, const struct config_job *job,
	const struct specifiers *s, unsigned *at, enum job_field *ret_field,
	char **err);

/* What is known of a section's jobs. buf is for the name of our own user. */
enum { SPECIFIERS_BUF = 1024 };
void specifiers_of(struct specifiers *ret, const struct config *c,
	const struct config_named *section, enum config_key user_key,
	char buf[SPECIFIERS_BUF]);

/* All that was kept of schedules and services into their specs, a service's as of its
 * instance 0; used by config_validate. */
void config_read_raw(struct config *c, struct config_errors *errors);

#endif
