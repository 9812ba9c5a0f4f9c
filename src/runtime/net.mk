# transports, servers, streams
libruntime_la_SOURCES += \
	src/runtime/dns.c \
	src/runtime/inet_connect.c \
	src/runtime/inet_listen.c \
	src/runtime/net.c src/runtime/net_priv.h \
	src/runtime/net_fd.c \
	src/runtime/net_poll.c src/runtime/net_poll.h \
	src/runtime/pipe.c \
	src/runtime/process.c src/runtime/process_spawn.c src/runtime/process_priv.h \
	src/runtime/process_io.c src/runtime/process_protocol.c \
	src/runtime/procpool.c \
	src/runtime/server.c \
	src/runtime/server_accept.c \
	src/runtime/stream.c src/runtime/stream_priv.h \
	src/runtime/stream_read.c \
	src/runtime/stream_serve.c \
	src/runtime/transport.c \
	src/runtime/transport_info.c \
	src/runtime/transport_write.c \
	src/runtime/udp.c
reeve_headers += \
	src/include/reeve/dns.h \
	src/include/reeve/inet.h \
	src/include/reeve/net.h \
	src/include/reeve/pipe.h \
	src/include/reeve/process.h \
	src/include/reeve/procpool.h \
	src/include/reeve/stream.h \
	src/include/reeve/transport.h \
	src/include/reeve/udp.h
