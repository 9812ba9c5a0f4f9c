/*
 * Tables of the database, and how one made by an older reeve becomes one of today.
 *
 * Migrations are numbered by their place in the list; PRAGMA user_version says how many
 * a database has been through. All that are missing run in one transaction. A migration
 * that was released is never changed.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <sqlite3.h>

#include "reeve/base.h"

#define SCHEMA_APPLICATION_ID 0x52454556 /* "REEV", in the header of the file */

/* SQL of each step, from an empty database to today's tables */
extern const char *const schema_steps[];
extern const unsigned schema_version; /* how many there are */

/**
 * Look at a database that is open, without writing.
 *
 * @n_known  steps that are known
 *
 * Returns the version it has (0: empty, to be made), -RV_EVERSION if it has been
 * through more steps than are known, -RV_ECORRUPT if it is damaged or somebody else's.
 */
int schema_check(sqlite3 *db, unsigned n_known);

/**
 * Run the steps that are missing, in one transaction: all or none.
 *
 * Returns 0, or as schema_check, or an error of SQLite (sqlite_util.h).
 */
int schema_migrate(sqlite3 *db, const char *const *steps, unsigned n_steps);

#endif
