#include "config.h"

#include "base/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/macro.h"
#include "tests/support/open_fds.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"

static const char *in_dir(char path[512], const struct temp_dir *dir, const char *name)
{
	snprintf(path, 512, "%s/%s", dir->path, name);
	return path;
}

static void assert_reachable(int listener, const char *path, int type)
{
	_cleanup_close_ int client = -1;
	_cleanup_close_ int server = -1;
	char in[3];

	ck_assert_int_eq(unix_connect(&client, path, type, false), 0);
	ck_assert(fcntl(client, F_GETFD) & FD_CLOEXEC);
	server = accept(listener, NULL, NULL);
	ck_assert_int_ge(server, 0);
	ck_assert_int_eq(fd_write_all(client, "abc", 3), 0);
	ck_assert_int_eq(fd_read_all(server, in, 3), 0);
	ck_assert_mem_eq(in, "abc", 3);
}

START_TEST(listener_is_reachable_and_private_to_the_process)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
	TEMP_DIR(dir);
	char path[512];

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		_cleanup_close_ int fd = -1;

		in_dir(path, &dir, "s");
		ck_assert_int_eq(unix_listen(&fd, path, types[i], 0600, 8), 0);
		ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
		assert_reachable(fd, path, types[i]);
	}
}
END_TEST

START_TEST(socket_file_has_the_mode_and_the_umask_is_back)
{
	static const mode_t modes[] = {0600, 0660, 0666, 0700};
	TEMP_DIR(dir);
	mode_t saved = umask(027);

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		_cleanup_close_ int fd = -1;
		char path[512];
		struct stat st;

		ck_assert_int_eq(unix_listen(&fd, in_dir(path, &dir, "s"), SOCK_STREAM,
					 modes[i], 8),
			0);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert(S_ISSOCK(st.st_mode));
		ck_assert_uint_eq(st.st_mode & 0777, modes[i]);
		ck_assert_uint_eq(umask(027), 027);
	}
	umask(saved);
}
END_TEST

START_TEST(stale_socket_is_replaced)
{
	TEMP_DIR(dir);
	_cleanup_close_ int fd = -1;
	char path[512];

	in_dir(path, &dir, "s");
	ck_assert_int_eq(unix_listen(&fd, path, SOCK_STREAM, 0600, 8), 0);
	fd = close_safe(fd);
	ck_assert_int_eq(unix_connect(&fd, path, SOCK_STREAM, false), -ECONNREFUSED);
	ck_assert_int_eq(unix_listen(&fd, path, SOCK_STREAM, 0600, 8), 0);
	assert_reachable(fd, path, SOCK_STREAM);
}
END_TEST

START_TEST(living_socket_is_left_alone)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
	TEMP_DIR(dir);
	_cleanup_close_ int fd = -1;
	_cleanup_close_ int accepted = -1;
	char path[512];

	in_dir(path, &dir, "s");
	ck_assert_int_eq(unix_listen(&fd, path, SOCK_STREAM, 0600, 8), 0);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		int other = -7;

		ck_assert_int_eq(
			unix_listen(&other, path, types[i], 0600, 8), -EADDRINUSE);
		ck_assert_int_eq(other, -7);
	}
	accepted = accept(
		fd, NULL, NULL); /* the first probe; it comes before our client */
	ck_assert_int_ge(accepted, 0);
	assert_reachable(fd, path, SOCK_STREAM);
}
END_TEST

START_TEST(living_socket_with_a_full_backlog_is_left_alone)
{
	TEMP_DIR(dir);
	_cleanup_close_ int fd = -1;
	char path[512];
	int clients[16], other, r = 0;
	size_t n = 0;

	in_dir(path, &dir, "s");
	ck_assert_int_eq(unix_listen(&fd, path, SOCK_STREAM, 0600, 1), 0);
	while (n < ARRAY_LEN(clients)) {
		r = unix_connect(&clients[n], path, SOCK_STREAM, true);
		if (r < 0)
			break;
		n++;
	}
	ck_assert_int_eq(r, -EAGAIN);
	ck_assert_int_eq(unix_listen(&other, path, SOCK_STREAM, 0600, 8), -EADDRINUSE);
	ck_assert_int_eq(access(path, F_OK), 0);
	while (n > 0)
		close_safe(clients[--n]);
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
	TEMP_DIR(dir);
	struct stat st;
	char path[512];
	int fd;

	ck_assert_int_eq(file_write_atomic(dir.fd, "file", "x", 1, 0600), 0);
	ck_assert_int_eq(symlinkat("nowhere", dir.fd, "link"), 0);
	ck_assert_int_eq(mkdir_all(dir.fd, "dir", 0700), 0);
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = {"file", "link", "dir"};

		ck_assert_int_eq(unix_listen(&fd, in_dir(path, &dir, names[i]),
					 SOCK_STREAM, 0600, 8),
			-EEXIST);
		ck_assert_int_eq(lstat(path, &st), 0);
	}
}
END_TEST

START_TEST(paths_over_107_bytes_work)
{
	TEMP_DIR(dir);
	char deep[301], path[512];
	int fds_before;

	memset(deep, 'd', sizeof(deep));
	for (size_t i = 100; i < 300; i += 100)
		deep[i] = '/';
	deep[300] = '\0';
	ck_assert_int_eq(mkdir_all(dir.fd, deep, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/sock", dir.path, deep);
	fds_before = n_open_fds();
	/* the second round finds a stale file, the check inside a living one */
	for (int round = 0; round < 2; round++) {
		_cleanup_close_ int fd = -1;
		struct stat st;
		int other;

		ck_assert_int_eq(unix_listen(&fd, path, SOCK_STREAM, 0640, 8), 0);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_uint_eq(st.st_mode & 0777, 0640);
		assert_reachable(fd, path, SOCK_STREAM);
		ck_assert_int_eq(
			unix_listen(&other, path, SOCK_STREAM, 0600, 8), -EADDRINUSE);
	}
	ck_assert_int_eq(n_open_fds(), fds_before);
}
END_TEST

START_TEST(longest_direct_path_and_the_next_both_work)
{
	TEMP_DIR(dir);

	for (size_t len = 106; len <= 110; len++) {
		_cleanup_close_ int fd = -1;
		char path[512];
		size_t n = strlen(in_dir(path, &dir, ""));

		memset(path + n, 's', len - n);
		path[len] = '\0';
		ck_assert_int_eq(unix_listen(&fd, path, SOCK_STREAM, 0600, 8), 0);
		ck_assert_int_eq(access(path, F_OK), 0);
		assert_reachable(fd, path, SOCK_STREAM);
	}
}
END_TEST

START_TEST(impossible_paths_are_refused)
{
	TEMP_DIR(dir);
	char path[512], name[257];
	int fd;

	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	ck_assert_int_eq(
		unix_connect(&fd, in_dir(path, &dir, name), SOCK_STREAM, false),
		-ENAMETOOLONG);
	name[120] = '\0';
	ck_assert_int_eq(
		unix_listen(&fd, in_dir(path, &dir, name), SOCK_STREAM, 0600, 1),
		-ENAMETOOLONG);
	ck_assert_int_eq(unix_listen(&fd, "", SOCK_STREAM, 0600, 1), -EINVAL);
	ck_assert_int_eq(unix_listen(&fd, dir.path, SOCK_STREAM, 0600, 1), -EEXIST);
	ck_assert_int_eq(
		unix_connect(&fd, in_dir(path, &dir, "none"), SOCK_STREAM, false),
		-ENOENT);
	ck_assert_int_eq(
		unix_listen(&fd, in_dir(path, &dir, "none/s"), SOCK_STREAM, 0600, 1),
		-ENOENT);
}
END_TEST

START_TEST(peer_of_a_connection_is_known)
{
	_cleanup_close_ int a = -1;
	_cleanup_close_ int b = -1;
	_cleanup_close_ int lonely = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct unix_peer peer = {.pid = -7};
	int fds[2];

	ck_assert_int_eq(unix_peer_get(&peer, lonely), -ENOTCONN);
	ck_assert_int_eq(peer.pid, -7);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	a = fds[0];
	b = fds[1];
	ck_assert_int_eq(unix_peer_get(&peer, a), 0);
	ck_assert_int_eq(peer.pid, getpid());
	ck_assert_uint_eq(peer.uid, getuid());
	ck_assert_uint_eq(peer.gid, getgid());
}
END_TEST

struct pair {
	int a, b;
};

static struct pair pair_make(int type)
{
	int fds[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	return (struct pair){fds[0], fds[1]};
}

static void pair_close(struct pair *p)
{
	close_safe(p->a);
	close_safe(p->b);
}

#define PAIR(name, type) _cleanup_(pair_close) struct pair name = pair_make(type)

START_TEST(descriptors_arrive_with_their_bytes)
{
	PAIR(pair, SOCK_STREAM);
	int got[4], send[2] = {STDIN_FILENO, pair.a};
	size_t n_got = ARRAY_LEN(got);
	struct stat want, is;
	char in[8];

	ck_assert_int_eq(unix_send_fds(pair.a, "hello", 5, send, 2), 5);
	ck_assert_int_eq(unix_recv_fds(pair.b, in, sizeof(in), got, &n_got), 5);
	ck_assert_mem_eq(in, "hello", 5);
	ck_assert_uint_eq(n_got, 2);
	ck_assert_int_eq(fstat(pair.a, &want), 0);
	ck_assert_int_eq(fstat(got[1], &is), 0);
	ck_assert(want.st_ino == is.st_ino);
	for (size_t i = 0; i < n_got; i++) {
		ck_assert(fcntl(got[i], F_GETFD) & FD_CLOEXEC);
		close_safe(got[i]);
	}
}
END_TEST

START_TEST(surplus_descriptors_are_closed)
{
	PAIR(pair, SOCK_STREAM);
	int before = n_open_fds();
	size_t n_got = 1;
	int got[1], send[5] = {0, 1, 2, 0, 1};
	char in[8];

	ck_assert_int_eq(unix_send_fds(pair.a, "x", 1, send, 5), 1);
	ck_assert_int_eq(unix_recv_fds(pair.b, in, sizeof(in), got, &n_got), 1);
	ck_assert_uint_eq(n_got, 1);
	ck_assert_int_eq(n_open_fds(), before + 1);
	close_safe(got[0]);
	n_got = 0;
	ck_assert_int_eq(unix_send_fds(pair.a, "x", 1, send, 5), 1);
	ck_assert_int_eq(unix_recv_fds(pair.b, in, sizeof(in), NULL, &n_got), 1);
	ck_assert_uint_eq(n_got, 0);
	ck_assert_int_eq(n_open_fds(), before);
}
END_TEST

START_TEST(cut_message_is_refused_and_its_descriptors_closed)
{
	PAIR(pair, SOCK_SEQPACKET);
	int before = n_open_fds();
	size_t n_got = 2;
	int got[2], send[2] = {0, 1};
	char in[4];

	ck_assert_int_eq(unix_send_fds(pair.a, "too long", 8, send, 2), 8);
	ck_assert_int_eq(unix_recv_fds(pair.b, in, sizeof(in), got, &n_got), -EMSGSIZE);
	ck_assert_uint_eq(n_got, 2);
	ck_assert_int_eq(n_open_fds(), before);
	ck_assert_int_eq(unix_send_fds(pair.a, "next", 4, NULL, 0), 4);
	ck_assert_int_eq(unix_recv_fds(pair.b, in, sizeof(in), got, &n_got), 4);
	ck_assert_uint_eq(n_got, 0);
}
END_TEST

START_TEST(as_many_descriptors_as_the_kernel_takes_arrive)
{
	PAIR(pair, SOCK_STREAM);
	int before = n_open_fds();
	size_t n_got = UNIX_FDS_MAX;
	int send[UNIX_FDS_MAX + 1] = {0}, got[UNIX_FDS_MAX];
	char in[4];

	ck_assert_int_eq(unix_send_fds(pair.a, "x", 1, send, UNIX_FDS_MAX), 1);
	ck_assert_int_eq(unix_recv_fds(pair.b, in, sizeof(in), got, &n_got), 1);
	ck_assert_uint_eq(n_got, UNIX_FDS_MAX);
	for (size_t i = 0; i < n_got; i++)
		close_safe(got[i]);
	ck_assert_int_eq(n_open_fds(), before);
	ck_assert_int_eq(
		unix_send_fds(pair.a, "x", 1, send, UNIX_FDS_MAX + 1), -EINVAL);
	ck_assert_int_eq(unix_send_fds(pair.a, "", 0, send, 1), -EINVAL);
}
END_TEST

START_TEST(end_and_emptiness_are_told_apart)
{
	PAIR(pair, SOCK_STREAM);
	size_t n_got = 0;
	char in[4];

	ck_assert_int_eq(unix_recv_fds(pair.b, in, sizeof(in), NULL, &n_got), -EAGAIN);
	pair.a = close_safe(pair.a);
	ck_assert_int_eq(unix_recv_fds(pair.b, in, sizeof(in), NULL, &n_got), 0);
	ck_assert_int_eq(unix_send_fds(pair.b, "x", 1, NULL, 0), -EPIPE);
}
END_TEST

UNIT_MAIN("unix_socket", listener_is_reachable_and_private_to_the_process,
	socket_file_has_the_mode_and_the_umask_is_back, stale_socket_is_replaced,
	living_socket_is_left_alone, living_socket_with_a_full_backlog_is_left_alone,
	what_is_no_socket_is_left_alone, paths_over_107_bytes_work,
	longest_direct_path_and_the_next_both_work, impossible_paths_are_refused,
	peer_of_a_connection_is_known, descriptors_arrive_with_their_bytes,
	surplus_descriptors_are_closed,
	cut_message_is_refused_and_its_descriptors_closed,
	as_many_descriptors_as_the_kernel_takes_arrive,
	end_and_emptiness_are_told_apart)
