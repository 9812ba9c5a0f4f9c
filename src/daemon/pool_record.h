/*
 * What was said of a pool at run time, and how it is stored: as text, a line each.
 *
 *   added = yes                 no file defines it
 *   paused = yes, draining = yes, reason = TEXT
 *   set KEY = VALUE             in place of what the file says, in its notation
 *   basis KEY = VALUE           what the file said then
 *
 * In a value that has several lines they are kept apart by \n, a backslash is doubled.
 */
#ifndef DAEMON_POOL_RECORD_H
#define DAEMON_POOL_RECORD_H

#include "config/configuration.h"

struct pool_settings {
	union config_value v[CONFIG_KEY_N]; /* of keys of [pool] */
	bool set[CONFIG_KEY_N];
};

struct pool_record {
	bool added;
	bool paused, draining;
	char *reason; /* why it is paused; owned; NULL: somebody said so */
	struct pool_settings
		settings;           /* that differ from the file's, or from defaults */
	struct pool_settings basis; /* what the file said of these */
};

/* of settings that own their values, as those of a record do */
void pool_settings_deinit(struct pool_settings *s);
/* -ENOMEM: *ret is empty */
int pool_settings_copy(struct pool_settings *ret, const struct pool_settings *s);
void pool_record_deinit(struct pool_record *rec);
/* -ENOMEM: *ret is empty */
int pool_record_copy(struct pool_record *ret, const struct pool_record *rec);
/* it says nothing: no record is needed */
bool pool_record_is_empty(const struct pool_record *rec);
bool pool_settings_are_empty(const struct pool_settings *s);

/* The text, without NUL. 0, -ENOMEM */
int pool_record_format(struct buf *out, const struct pool_record *rec);
/* Lines that are not known, of a later version, are left out. 0, -ENOMEM */
int pool_record_parse(struct pool_record *ret, const char *text);

#endif
