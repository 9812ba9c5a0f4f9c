/*
 * One value in the text of a configuration file, changed, and every other byte kept:
 * comments, order, spaces, line ends.
 */
#ifndef CONFIG_CONFIG_EDIT_H
#define CONFIG_CONFIG_EDIT_H

#include "base/buf.h"
#include "config/config_errors.h"

/* [SECTION] or [SECTION ARGUMENT], and a key of it */
struct config_place {
	const char *section;
	const char *argument; /* NULL: none */
	const char *key;      /* NULL: all of the section */
};

/**
 * Set a value, or take it out.
 *
 * @out     gets the whole new text, behind what it has
 * @text    n bytes, of a file whose form is good
 * @file    its name for messages
 * @value   lines joined by line ends; NULL: the key, or the section, is to be gone
 * @errors  initialised by the caller; says what was wrong
 *
 * A value that is there is replaced where it stands; comments between its lines stay
 * behind it. A new key is put behind the line that has it as a comment ("#KEY = ..."),
 * else behind the last key of its section; a new section at the end of the file, behind an
 * empty line. A key is taken out wherever it stands. A section that has no key then, nor a
 * comment, goes with it, and the empty line before it: what set made is gone. Place without a
 * key: the whole section, with its comments.
 *
 * Returns 1; 0: the file says so already, and out has the text as it was; -EINVAL with
 * errors: the form of the file is bad, a key to set stands in it twice, or no file can say this
 * value (lines that end in blanks, a line end at the beginning or the end); -ENOMEM.
 */
int config_edit(struct buf *out, const char *text, size_t n, const char *file,
	const struct config_place *place, const char *value,
	struct config_errors *errors);

#endif
