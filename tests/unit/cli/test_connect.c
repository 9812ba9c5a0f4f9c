#include "config.h"

#include <errno.h>

#include "cli/connect.h"
#include "tests/support/unit.h"

static const struct paths_env env = {
	.home = "/home/me", .runtime_dir = "/run/user/7", .machine_id = "m1"};
static struct target target;

static void choose(const struct target_choice *choice)
{
	ck_assert_int_eq(target_choose(&target, choice, &env), 0);
}

START_TEST(option_beats_everything)
{
	choose(&(struct target_choice){
		.socket_option = "/a", .socket_variable = "/b", .system = true});
	ck_assert_str_eq(target.socket, "/a");
	ck_assert_int_eq(target.reason, TARGET_BY_OPTION);
	ck_assert(!target_is_default(&target));
	target_deinit(&target);
}
END_TEST

START_TEST(variable_beats_mode)
{
	choose(&(struct target_choice){.socket_variable = "/b", .system = true});
	ck_assert_str_eq(target.socket, "/b");
	target_deinit(&target);
}
END_TEST

START_TEST(empty_variable_is_none)
{
	choose(&(struct target_choice){.socket_variable = "", .uid = 7});
	ck_assert_str_eq(target.socket, "/run/user/7/reeve/control.sock");
	target_deinit(&target);
}
END_TEST

START_TEST(root_has_the_system_and_others_their_own)
{
	choose(&(struct target_choice){.uid = 0});
	ck_assert_str_eq(target.socket, "/run/reeve/control.sock");
	ck_assert_str_eq(target.state_dir, "/var/lib/reeve");
	target_deinit(&target);
	choose(&(struct target_choice){.uid = 7});
	ck_assert_str_eq(target.state_dir, "/home/me/.local/state/reeve/m1");
	ck_assert(target_is_default(&target));
	target_deinit(&target);
}
END_TEST

START_TEST(mode_can_be_said)
{
	choose(&(struct target_choice){.uid = 0, .user = true});
	ck_assert_str_eq(target.socket, "/run/user/7/reeve/control.sock");
	target_deinit(&target);
	choose(&(struct target_choice){.uid = 7, .system = true});
	ck_assert_str_eq(target.socket, "/run/reeve/control.sock");
	target_deinit(&target);
}
END_TEST

START_TEST(both_modes_are_refused)
{
	ck_assert_int_eq(
		target_choose(&target,
			&(struct target_choice){.user = true, .system = true}, &env),
		-EINVAL);
}
END_TEST

UNIT_MAIN("connect", option_beats_everything, variable_beats_mode,
	empty_variable_is_none, root_has_the_system_and_others_their_own,
	mode_can_be_said, both_modes_are_refused)
