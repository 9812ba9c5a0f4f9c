#!/bin/sh
# Each program of contrib/examples is run and says what its reader is told it would.
set -eu
tmp=$(mktemp -d)
pids=
cleanup() {
	# shellcheck disable=SC2086  # words
	[ -z "$pids" ] || kill $pids 2>/dev/null || :
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

fail() {
	echo "FAIL: $*"
	exit 1
}

# says NAME TEXT: the program ends well, and prints just that
says() {
	timeout 60 "contrib/examples/$1" >"$tmp/out" || fail "$1 ended with $?"
	printf '%s\n' "$2" >"$tmp/expected"
	diff -u "$tmp/expected" "$tmp/out" || fail "$1 said something else"
	echo "$1: ok"
}

says hello 'hello, world
goodbye, world'
says gather '0: the slow one
1: the quick one
2: the one in between'
says timeouts 'second acquire: Connection timed out
exchange: Operation canceled
goodbye: said
the whole: Connection timed out'
says queue '9 items done'
says pipeline '      2 apple
      3 pear
      1 plum
uniq ended with 0'
says threads '4203 primes; the loop went on meanwhile'

# begin NAME ARGUMENT...: in the background, its first line in a FIFO
begin() {
	name=$1
	shift
	# in the foreground: else it sends each signal twice, to the program and to the group
	: >"$tmp/$name.out" # the shell behind the & may be slow to make it
	timeout --foreground 60 "contrib/examples/$name" "$@" >"$tmp/$name.out" &
	pids="$pids $!"
	pid=$!
}

# the line that says that it is there
await_line() {
	timeout 60 tail -n +1 -f "$tmp/$1.out" | grep -m 1 "$2"
}

end() {
	kill "$pid"
	wait "$pid" || fail "$1 ended with $?"
	pids=
	echo "$1: ok"
}

mkfifo "$tmp/in" "$tmp/a" "$tmp/b"
if command -v python3 >/dev/null; then
	for name in echo_streams echo_protocol; do
		begin "$name" "$tmp/$name.socket"
		timeout 60 python3 - "$tmp/$name.socket" <<-'END' || fail "$name does not echo"
			import socket, sys, threading
			while True:
			    s = socket.socket(socket.AF_UNIX)
			    try:
			        s.connect(sys.argv[1])
			        break
			    except (FileNotFoundError, ConnectionRefusedError):
			        s.close()
			data = bytes(range(256)) * 8192
			threading.Thread(target=s.sendall, args=(data,)).start()
			got = b""
			while len(got) < len(data):
			    more = s.recv(65536)
			    assert more, "the end came early"
			    got += more
			assert got == data
		END
		end "$name"
	done

	begin chat
	port=$(await_line chat '^listening' | sed 's/.* //')
	timeout 60 python3 - "$port" <<-'END' || fail "chat does not pass lines on"
		import socket, sys, threading
		guests = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(3)]
		def read_last(guest):
		    for line in guest.makefile():
		        if line == "the last\n":
		            return
		readers = [threading.Thread(target=read_last, args=(g,)) for g in guests[1:]]
		for r in readers:
		    r.start()
		# a guest hears nothing before it is in the room
		while any(r.is_alive() for r in readers):
		    guests[0].sendall(b"the last\n")
		    readers[0].join(0.01)
	END
	end chat

	if [ -x contrib/examples/http_get ]; then
		mkdir "$tmp/web"
		for i in 1 2 3 4 5 6; do
			printf '%*d' "$i" 0 >"$tmp/web/$i"
		done
		: >"$tmp/http.server.out" # the shell behind the & may be slow to make it
		timeout --foreground 60 python3 -u -m http.server --bind 127.0.0.1 \
			--directory "$tmp/web" 0 >"$tmp/http.server.out" 2>/dev/null &
		pids="$pids $!"
		port=$(await_line http.server '^Serving' | sed 's/.* port \([0-9]*\).*/\1/')
		base=http://127.0.0.1:$port
		timeout 60 contrib/examples/http_get "$base/1" "$base/2" "$base/3" "$base/4" \
			"$base/5" "$base/6" >"$tmp/out" || fail "http_get ended with $?"
		for i in 1 2 3 4 5 6; do
			echo "200 $i $base/$i"
		done >"$tmp/expected"
		sort "$tmp/out" | diff -u "$tmp/expected" - || fail "http_get said something else"
		if timeout 60 contrib/examples/http_get "$base/1" file:///etc/passwd \
			>"$tmp/out" 2>"$tmp/err"; then
			fail "http_get has read a file"
		fi
		grep -q "'file' is neither http nor https" "$tmp/err" || fail "$(cat "$tmp/err")"
		[ "$(cat "$tmp/out")" = "200 1 $base/1" ] || fail "one failure has stopped others"
		# shellcheck disable=SC2086  # words
		kill $pids
		pids=
		echo "http_get: ok"
	fi
else
	echo "skipped: echo_streams, echo_protocol, chat, http_get: there is no python3"
fi

begin shutdown
await_line shutdown '^ready' >/dev/null
kill "$pid"
wait "$pid" || fail "shutdown ended with $?"
pids=
printf '%s\n' ready 'told to end' 'work of 200 ms: done' 'work of 3600000 ms: cut short' \
	>"$tmp/expected"
diff -u "$tmp/expected" "$tmp/shutdown.out" || fail "shutdown said something else"
echo "shutdown: ok"
