noinst_LTLIBRARIES += libclient.la
libclient_la_SOURCES = src/client/client.c src/client/client.h \
	src/client/paths.c src/client/paths.h
libclient_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
EXTRA_DIST += src/client/README.md
