# tests/unit/spawn
spawn_test_cflags = $(AM_CFLAGS) $(CHECK_CFLAGS)
spawn_test_libs = libspawn.la libbase.la $(CHECK_LIBS)
# the built spawner, not an installed one
spawn_test_cppflags = $(AM_CPPFLAGS) -DREEVE_SPAWNER=\"$(abs_builddir)/reeve-spawner\"
spawn_fixture = \
	tests/unit/spawn/spawner_fixture.c tests/unit/spawn/spawner_fixture.h \
	tests/unit/spawn/spawner_unit.c tests/unit/spawn/spawner_unit.h

check_PROGRAMS += tests/unit/spawn/test_spawner_start
TESTS += tests/unit/spawn/test_spawner_start
tests_unit_spawn_test_spawner_start_SOURCES = \
	tests/unit/spawn/test_spawner_start.c $(spawn_fixture)
tests_unit_spawn_test_spawner_start_CPPFLAGS = $(spawn_test_cppflags)
tests_unit_spawn_test_spawner_start_CFLAGS = $(spawn_test_cflags)
tests_unit_spawn_test_spawner_start_LDADD = $(spawn_test_libs)

check_PROGRAMS += tests/unit/spawn/test_spawner_end
TESTS += tests/unit/spawn/test_spawner_end
tests_unit_spawn_test_spawner_end_SOURCES = \
	tests/unit/spawn/test_spawner_end.c $(spawn_fixture)
tests_unit_spawn_test_spawner_end_CPPFLAGS = $(spawn_test_cppflags)
tests_unit_spawn_test_spawner_end_CFLAGS = $(spawn_test_cflags)
tests_unit_spawn_test_spawner_end_LDADD = $(spawn_test_libs)

check_PROGRAMS += tests/unit/spawn/test_spawner_gate
TESTS += tests/unit/spawn/test_spawner_gate
tests_unit_spawn_test_spawner_gate_SOURCES = \
	tests/unit/spawn/test_spawner_gate.c $(spawn_fixture)
tests_unit_spawn_test_spawner_gate_CPPFLAGS = $(spawn_test_cppflags)
tests_unit_spawn_test_spawner_gate_CFLAGS = $(spawn_test_cflags)
tests_unit_spawn_test_spawner_gate_LDADD = $(spawn_test_libs)

check_PROGRAMS += tests/unit/spawn/test_spawner_relay
TESTS += tests/unit/spawn/test_spawner_relay
tests_unit_spawn_test_spawner_relay_SOURCES = \
	tests/unit/spawn/test_spawner_relay.c $(spawn_fixture)
tests_unit_spawn_test_spawner_relay_CPPFLAGS = $(spawn_test_cppflags)
tests_unit_spawn_test_spawner_relay_CFLAGS = $(spawn_test_cflags)
tests_unit_spawn_test_spawner_relay_LDADD = $(spawn_test_libs)

check_PROGRAMS += tests/unit/spawn/test_spawner_claims
TESTS += tests/unit/spawn/test_spawner_claims
tests_unit_spawn_test_spawner_claims_SOURCES = \
	tests/unit/spawn/test_spawner_claims.c $(spawn_fixture)
tests_unit_spawn_test_spawner_claims_CPPFLAGS = $(spawn_test_cppflags)
tests_unit_spawn_test_spawner_claims_CFLAGS = $(spawn_test_cflags)
tests_unit_spawn_test_spawner_claims_LDADD = $(spawn_test_libs)

check_PROGRAMS += tests/unit/spawn/test_spawner_conn
TESTS += tests/unit/spawn/test_spawner_conn
tests_unit_spawn_test_spawner_conn_SOURCES = \
	tests/unit/spawn/test_spawner_conn.c $(spawn_fixture)
tests_unit_spawn_test_spawner_conn_CPPFLAGS = $(spawn_test_cppflags)
tests_unit_spawn_test_spawner_conn_CFLAGS = $(spawn_test_cflags)
tests_unit_spawn_test_spawner_conn_LDADD = $(spawn_test_libs)

check_PROGRAMS += tests/unit/spawn/test_spawner_hang
TESTS += tests/unit/spawn/test_spawner_hang
tests_unit_spawn_test_spawner_hang_SOURCES = \
	tests/unit/spawn/test_spawner_hang.c $(spawn_fixture)
tests_unit_spawn_test_spawner_hang_CPPFLAGS = $(spawn_test_cppflags)
tests_unit_spawn_test_spawner_hang_CFLAGS = $(spawn_test_cflags)
tests_unit_spawn_test_spawner_hang_LDADD = $(spawn_test_libs)

check_PROGRAMS += tests/unit/spawn/test_spawner_leave
TESTS += tests/unit/spawn/test_spawner_leave
tests_unit_spawn_test_spawner_leave_SOURCES = \
	tests/unit/spawn/test_spawner_leave.c $(spawn_fixture)
tests_unit_spawn_test_spawner_leave_CPPFLAGS = $(spawn_test_cppflags)
tests_unit_spawn_test_spawner_leave_CFLAGS = $(spawn_test_cflags)
tests_unit_spawn_test_spawner_leave_LDADD = $(spawn_test_libs)

check_PROGRAMS += tests/unit/spawn/test_spawner_stdin
TESTS += tests/unit/spawn/test_spawner_stdin
tests_unit_spawn_test_spawner_stdin_SOURCES = \
	tests/unit/spawn/test_spawner_stdin.c $(spawn_fixture)
tests_unit_spawn_test_spawner_stdin_CPPFLAGS = $(spawn_test_cppflags)
tests_unit_spawn_test_spawner_stdin_CFLAGS = $(spawn_test_cflags)
tests_unit_spawn_test_spawner_stdin_LDADD = $(spawn_test_libs)

check_PROGRAMS += tests/unit/spawn/test_spawner_said
TESTS += tests/unit/spawn/test_spawner_said
tests_unit_spawn_test_spawner_said_SOURCES = \
	tests/unit/spawn/test_spawner_said.c $(spawn_fixture)
tests_unit_spawn_test_spawner_said_CPPFLAGS = $(spawn_test_cppflags)
tests_unit_spawn_test_spawner_said_CFLAGS = $(spawn_test_cflags)
tests_unit_spawn_test_spawner_said_LDADD = $(spawn_test_libs)

check_PROGRAMS += tests/unit/spawn/test_wire
TESTS += tests/unit/spawn/test_wire
tests_unit_spawn_test_wire_SOURCES = tests/unit/spawn/test_wire.c
tests_unit_spawn_test_wire_CFLAGS = $(spawn_test_cflags)
tests_unit_spawn_test_wire_LDADD = $(spawn_test_libs)

check_PROGRAMS += tests/unit/spawn/test_spawner_stamped
TESTS += tests/unit/spawn/test_spawner_stamped
tests_unit_spawn_test_spawner_stamped_SOURCES = \
	tests/unit/spawn/test_spawner_stamped.c $(spawn_fixture)
tests_unit_spawn_test_spawner_stamped_CPPFLAGS = $(spawn_test_cppflags)
tests_unit_spawn_test_spawner_stamped_CFLAGS = $(spawn_test_cflags)
tests_unit_spawn_test_spawner_stamped_LDADD = $(spawn_test_libs)

check_PROGRAMS += tests/unit/spawn/test_stamp
TESTS += tests/unit/spawn/test_stamp
tests_unit_spawn_test_stamp_SOURCES = tests/unit/spawn/test_stamp.c
tests_unit_spawn_test_stamp_CFLAGS = $(spawn_test_cflags)
tests_unit_spawn_test_stamp_LDADD = $(spawn_test_libs)
