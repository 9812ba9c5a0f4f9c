# libreeve-http: a library of its own, so that libreeve does not drag libcurl in
EXTRA_DIST += src/http/README.md src/http/libreeve-http.sym src/http/reeve-http.pc.in
CLEANFILES += src/http/reeve-http.pc src/runtime/man/reeve_http.3

if HAVE_CURL
noinst_LTLIBRARIES += libhttp.la
libhttp_la_SOURCES = \
	src/http/http_answer.c \
	src/http/http_hop.c \
	src/http/http_loop.c \
	src/http/http_names.c \
	src/http/http_options.c \
	src/http/http_priv.h \
	src/http/http_request.c
libhttp_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
reeveinclude_HEADERS += src/include/reeve/http.h

# how to count: src/runtime/local.mk
lib_LTLIBRARIES += libreeve-http.la
libreeve_http_la_SOURCES =
libreeve_http_la_LIBADD = libhttp.la libreeve.la $(CURL_LIBS) $(PTHREAD_LIBS)
libreeve_http_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 \
	-Wl,--version-script=$(srcdir)/src/http/libreeve-http.sym
libreeve_http_la_DEPENDENCIES = libhttp.la libreeve.la src/http/libreeve-http.sym

pkgconfig_DATA += src/http/reeve-http.pc
src/http/reeve-http.pc: $(srcdir)/src/http/reeve-http.pc.in Makefile
	$(AM_V_GEN)$(MKDIR_P) src/http && $(SED) -e 's|[@]prefix@|$(prefix)|' \
		-e 's|[@]exec_prefix@|$(exec_prefix)|' -e 's|[@]libdir@|$(libdir)|' \
		-e 's|[@]includedir@|$(includedir)|' -e 's|[@]VERSION@|$(VERSION)|' \
		$(srcdir)/src/http/reeve-http.pc.in > $@

# by the rule of libreeve's pages
nodist_man_MANS += src/runtime/man/reeve_http.3
endif
