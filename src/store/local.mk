noinst_LTLIBRARIES += libstore.la
libstore_la_SOURCES = \
	src/store/env_refs.c src/store/env_refs.h \
	src/store/schema.c src/store/schema.h \
	src/store/sqlite_util.c src/store/sqlite_util.h \
	src/store/store.c src/store/store.h src/store/store_ops.h \
	src/store/store_memory.c src/store/store_memory.h \
	src/store/store_sqlite.c src/store/store_sqlite_priv.h \
	src/store/store_sqlite_apply.c \
	src/store/store_sqlite_load.c \
	src/store/store_sqlite_look.c \
	src/store/store_sqlite_stmts.def \
	src/store/store_sqlite_write.c
libstore_la_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
EXTRA_DIST += src/store/README.md
