# src/spawn: the wire format and reeved's side; the spawner itself
noinst_LTLIBRARIES += libspawn.la
libspawn_la_SOURCES = \
	src/spawn/claims.c src/spawn/claims.h \
	src/spawn/client.c src/spawn/client.h \
	src/spawn/exits.c src/spawn/exits.h \
	src/spawn/launch.c src/spawn/launch.h \
	src/spawn/notify_message.c src/spawn/notify_message.h \
	src/spawn/procfs.c src/spawn/procfs.h \
	src/spawn/spawn.c src/spawn/spawn.h \
	src/spawn/stamp.c src/spawn/stamp.h \
	src/spawn/wire.c src/spawn/wire_start.c src/spawn/wire.h
libspawn_la_CFLAGS = $(AM_CFLAGS)

pkglibexec_PROGRAMS += reeve-spawner
reeve_spawner_SOURCES = \
	src/spawn/child.c src/spawn/child.h \
	src/spawn/conn.c src/spawn/conn.h \
	src/spawn/gates.c src/spawn/gates.h \
	src/spawn/life.c src/spawn/life_priv.h \
	src/spawn/life_request.c \
	src/spawn/life_start.c \
	src/spawn/orphans.c src/spawn/orphans.h \
	src/spawn/relay.c src/spawn/relay.h \
	src/spawn/request.c src/spawn/request.h \
	src/spawn/runs.c src/spawn/runs.h \
	src/spawn/said.c src/spawn/said.h \
	src/spawn/source.h \
	src/spawn/spawner.c src/spawn/spawner.h \
	src/spawn/spawner_lock.c src/spawn/spawner_lock.h \
	src/spawn/spawner_log.c src/spawn/spawner_log.h \
	src/spawn/spawner_setup.c src/spawn/spawner_setup.h \
	src/spawn/stamper.c src/spawn/stamper.h \
	src/spawn/start.c \
	src/spawn/starter.c src/spawn/starter.h \
	src/spawn/starter_clone.c src/spawn/starter_priv.h \
	src/spawn/tree.c src/spawn/tree.h
reeve_spawner_CFLAGS = $(AM_CFLAGS)
reeve_spawner_LDADD = libspawn.la libbase.la
EXTRA_DIST += src/spawn/README.md
dist_man_MANS += src/spawn/reeve-spawner.8
