# short programs to learn libreeve from; they are built like a program outside of the tree:
# against the shared library and the public headers alone
examples = \
	contrib/examples/chat \
	contrib/examples/echo_protocol \
	contrib/examples/echo_streams \
	contrib/examples/gather \
	contrib/examples/hello \
	contrib/examples/pipeline \
	contrib/examples/queue \
	contrib/examples/shutdown \
	contrib/examples/threads \
	contrib/examples/timeouts
check_PROGRAMS += $(examples)
TESTS += tests/examples/examples.sh
check_SCRIPTS += tests/examples/examples.sh
EXTRA_DIST += tests/examples/examples.sh contrib/examples/README.md

contrib_examples_chat_SOURCES = contrib/examples/chat.c
contrib_examples_chat_CPPFLAGS = -I$(srcdir)/src/include
contrib_examples_chat_LDADD = libreeve.la

contrib_examples_echo_protocol_SOURCES = contrib/examples/echo_protocol.c
contrib_examples_echo_protocol_CPPFLAGS = -I$(srcdir)/src/include
contrib_examples_echo_protocol_LDADD = libreeve.la

contrib_examples_echo_streams_SOURCES = contrib/examples/echo_streams.c
contrib_examples_echo_streams_CPPFLAGS = -I$(srcdir)/src/include
contrib_examples_echo_streams_LDADD = libreeve.la

contrib_examples_gather_SOURCES = contrib/examples/gather.c
contrib_examples_gather_CPPFLAGS = -I$(srcdir)/src/include
contrib_examples_gather_LDADD = libreeve.la

contrib_examples_hello_SOURCES = contrib/examples/hello.c
contrib_examples_hello_CPPFLAGS = -I$(srcdir)/src/include
contrib_examples_hello_LDADD = libreeve.la

if HAVE_CURL
check_PROGRAMS += contrib/examples/http_get
contrib_examples_http_get_SOURCES = contrib/examples/http_get.c
contrib_examples_http_get_CPPFLAGS = -I$(srcdir)/src/include
contrib_examples_http_get_LDADD = libreeve-http.la libreeve.la
endif

contrib_examples_pipeline_SOURCES = contrib/examples/pipeline.c
contrib_examples_pipeline_CPPFLAGS = -I$(srcdir)/src/include
contrib_examples_pipeline_LDADD = libreeve.la

contrib_examples_queue_SOURCES = contrib/examples/queue.c
contrib_examples_queue_CPPFLAGS = -I$(srcdir)/src/include
contrib_examples_queue_LDADD = libreeve.la

contrib_examples_shutdown_SOURCES = contrib/examples/shutdown.c
contrib_examples_shutdown_CPPFLAGS = -I$(srcdir)/src/include
contrib_examples_shutdown_LDADD = libreeve.la

contrib_examples_threads_SOURCES = contrib/examples/threads.c
contrib_examples_threads_CPPFLAGS = -I$(srcdir)/src/include
contrib_examples_threads_LDADD = libreeve.la

contrib_examples_timeouts_SOURCES = contrib/examples/timeouts.c
contrib_examples_timeouts_CPPFLAGS = -I$(srcdir)/src/include
contrib_examples_timeouts_LDADD = libreeve.la
