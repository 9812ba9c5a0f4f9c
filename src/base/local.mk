noinst_LTLIBRARIES += libbase.la
libbase_la_SOURCES = \
	src/include/reeve/base.h \
	src/base/buf.c src/base/buf.h \
	src/base/civil.c src/base/civil.h \
	src/base/cleanup.h \
	src/base/clock.c src/base/clock.h \
	src/base/error.c src/base/error.h src/base/error_codes.def \
	src/base/failpoint.c src/base/failpoint.h \
	src/base/fd.c src/base/fd_network.c src/base/fd.h \
	src/base/hashmap.c src/base/hashmap.h \
	src/base/heap.c src/base/heap.h \
	src/base/id_list.c src/base/id_list.h \
	src/base/invariant.c src/base/invariant.h \
	src/base/list.h src/base/macro.h \
	src/base/log.c src/base/log.h \
	src/base/base64.c src/base/base64.h \
	src/base/parse.c src/base/parse.h \
	src/base/proc.c src/base/proc.h \
	src/base/sigpipe.c src/base/sigpipe.h \
	src/base/siphash.c src/base/siphash.h \
	src/base/strv.c src/base/strv.h \
	src/base/temporary.c src/base/temporary.h \
	src/base/unix_socket.c src/base/unix_socket.h \
	src/base/zone.c src/base/zone.h src/base/zone_priv.h \
	src/base/zone_rule.c \
	src/base/zone_tzif.c
libbase_la_CFLAGS = $(AM_CFLAGS)
EXTRA_DIST += src/base/README.md
