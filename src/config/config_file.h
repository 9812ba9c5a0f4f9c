/*
 * One configuration file: bytes in, sections and keys out.
 *
 * The grammar, line by line:
 *   # or ; in the first column   a comment, wherever it stands
 *   [NAME] or [NAME ARGUMENT]    a section begins
 *   KEY = VALUE                  only the first '=' separates
 *   an indented line             continues the value before it
 * White space around names and at the ends of lines is dropped; in between every byte
 * of a value is kept. Continued lines are joined by line ends; the indentation of the
 * first one is taken from all of them, what is deeper stays. Empty lines between
 * continued lines stay. Nothing else is special: no quotes, no escapes, no comments
 * behind values.
 *
 * libinih reads the sections and keys, but it cuts long lines and names, takes ';' and
 * ':' inside of values for its own, and gives each continued line as a key again. How
 * depends on how it was built. So it is given a stand-in of the file in which every
 * line is short and every value is the number of an entry; the true texts are kept
 * aside.
 */
#ifndef CONFIG_CONFIG_FILE_H
#define CONFIG_CONFIG_FILE_H

#include "base/buf.h"
#include "config/config_errors.h"

#define CONFIG_FILE_BYTES_MAX (16 * 1024 * 1024)
/* longest key: what every build of libinih passes on whole */
#define CONFIG_KEY_LEN_MAX 48

struct config_entry {
	const char *section;  /* "pool"; NULL: its header was bad and is reported */
	const char *argument; /* "default"; NULL: none */
	const char *key;      /* NULL: the section begins here */
	const char *value;    /* NULL with key NULL; may be "" */
	unsigned line; /* counted from 1; of the key, or of the section's header */
	const struct buf *lines; /* config_entry_line; NULL: of no file */
};

/* The line of the file in which line i of the value stands, from 0: comments and empty lines may
 * be between them. */
unsigned config_entry_line(const struct config_entry *e, size_t i);

/* Texts live during the call. 0, or a negative error that ends the reading. */
typedef int (*config_entry_fn)(const struct config_entry *e, void *arg);

/**
 * Read the text of a file.
 *
 * @text  n bytes, any
 * @file  its name for messages
 *
 * Faults of form are added to errors with their lines and the reading goes on.
 * Returns 0 (also with such faults), -ENOMEM, or what fn returned.
 */
int config_file_parse(const char *text, size_t n, const char *file, config_entry_fn fn,
	void *arg, struct config_errors *errors);

#endif
