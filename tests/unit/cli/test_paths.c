#include "config.h"

#include <errno.h>

#include "base/strv.h"
#include "cli/start.h"
#include "client/paths.h"
#include "tests/support/unit.h"

static char *path;

static void assert_path(int r, const char *expected)
{
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(path, expected);
	free(path);
}

START_TEST(state_follows_xdg_and_the_machine)
{
	struct paths_env env = {.home = "/h", .state_home = "/s", .machine_id = "m1"};

	assert_path(paths_state_dir(&path, PATHS_USER, &env), "/s/reeve/m1");
	env.state_home = NULL;
	assert_path(
		paths_state_dir(&path, PATHS_USER, &env), "/h/.local/state/reeve/m1");
}
END_TEST

START_TEST(socket_falls_back_to_the_state_directory)
{
	struct paths_env env = {.home = "/h", .machine_id = "m1"};

	assert_path(paths_socket(&path, PATHS_USER, &env, NULL),
		"/h/.local/state/reeve/m1/control.sock");
	assert_path(paths_socket(&path, PATHS_USER, &env, "/x"), "/x/control.sock");
	env.runtime_dir = "/run/user/7";
	assert_path(paths_socket(&path, PATHS_USER, &env, "/x"),
		"/run/user/7/reeve/control.sock");
}
END_TEST

START_TEST(no_home_and_no_variables_is_an_error)
{
	struct paths_env env = {.machine_id = "m1"};

	ck_assert_int_eq(paths_state_dir(&path, PATHS_USER, &env), -ENOENT);
	ck_assert_int_eq(paths_socket(&path, PATHS_USER, &env, NULL), -ENOENT);
	ck_assert_int_eq(paths_config_dir(&path, PATHS_USER, &env), -ENOENT);
}
END_TEST

START_TEST(system_paths_do_not_depend_on_the_environment)
{
	struct paths_env env = {.home = "/h", .runtime_dir = "/r", .state_home = "/s"};

	assert_path(paths_state_dir(&path, PATHS_SYSTEM, &env), "/var/lib/reeve");
	assert_path(paths_socket(&path, PATHS_SYSTEM, &env, NULL),
		"/run/reeve/control.sock");
}
END_TEST

START_TEST(relative_variables_are_ignored)
{
	struct paths_env env;

	setenv("XDG_STATE_HOME", "state", 1);
	setenv("XDG_RUNTIME_DIR", "", 1);
	setenv("HOME", "/h", 1);
	paths_env_get(&env);
	ck_assert_ptr_null(env.state_home);
	ck_assert_ptr_null(env.runtime_dir);
	ck_assert_str_eq(env.home, "/h");
}
END_TEST

START_TEST(started_daemon_gets_only_the_documented_environment)
{
	char *caller[] = {(char *)"HOME=/h", (char *)"SECRET=1", (char *)"PATH=/evil",
		(char *)"XDG_RUNTIME_DIR=/run/user/7",
		(char *)"XDG_STATE_HOME=relative", (char *)"LD_PRELOAD=x", NULL};
	char **env = start_environment(caller);

	ck_assert_str_eq(strv_env_get(env, "HOME"), "/h");
	ck_assert_str_eq(strv_env_get(env, "PATH"), START_PATH);
	ck_assert_str_eq(strv_env_get(env, "XDG_RUNTIME_DIR"), "/run/user/7");
	ck_assert_ptr_null(strv_env_get(env, "XDG_STATE_HOME"));
	ck_assert_ptr_null(strv_env_get(env, "SECRET"));
	ck_assert_ptr_null(strv_env_get(env, "LD_PRELOAD"));
	strv_free(env);
}
END_TEST

UNIT_MAIN("paths", state_follows_xdg_and_the_machine,
	socket_falls_back_to_the_state_directory, no_home_and_no_variables_is_an_error,
	system_paths_do_not_depend_on_the_environment, relative_variables_are_ignored,
	started_daemon_gets_only_the_documented_environment)
