noinst_LTLIBRARIES += libvarlink.la
libvarlink_la_SOURCES = \
	src/varlink/builtin.c src/varlink/builtin.h \
	src/varlink/bytes_field.c src/varlink/bytes_field.h \
	src/varlink/client_conn.c src/varlink/client_conn.h \
	src/varlink/fault.c src/varlink/fault.h \
	src/varlink/frame.c src/varlink/frame.h \
	src/varlink/idl.h src/varlink/idl_check.c src/varlink/idl_parse.c \
	src/varlink/idl_priv.h src/varlink/idl_scan.c \
	src/varlink/json_write.c src/varlink/json_write.h \
	src/varlink/limits.h \
	src/varlink/message.c src/varlink/message.h \
	src/varlink/message_quick.c src/varlink/message_quick.h \
	src/varlink/plain.h \
	src/varlink/registry.c src/varlink/registry.h \
	src/varlink/server_call.c src/varlink/server_conn.c \
	src/varlink/server_conn.h src/varlink/server_priv.h \
	src/varlink/std_error.c src/varlink/std_error.h
nodist_libvarlink_la_SOURCES = src/varlink/org.varlink.service.c
libvarlink_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

# An interface becomes part of a program as a string: list DIR/NAME.c in a library's
# nodist_..._SOURCES and CLEANFILES, and DIR/NAME.varlink in EXTRA_DIST. The symbol is the
# name of the file with '_' for every other byte: io_reeve_Job_varlink.
SUFFIXES = .varlink
.varlink.c:
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(SHELL) $(srcdir)/src/varlink/embed.sh $< > $@.tmp && mv $@.tmp $@

EXTRA_DIST += src/varlink/README.md src/varlink/embed.sh \
	src/varlink/org.varlink.service.varlink
CLEANFILES += src/varlink/org.varlink.service.c
