#include "tests/unit/daemon/fixture.h"

#include "base/log.h"
#include "daemon/spawner_link_priv.h"

static char last_line[256];
static unsigned n_lines;

static void keep_line(int level, const char *area, const char *text, void *arg)
{
	n_lines++;
	snprintf(last_line, sizeof(last_line), "%s", text);
}

static void tell(struct spawner_link *l, pid_t pid, uint64_t job_id)
{
	struct spawn_orphan o = {.pid = pid, .token = {.job_id = job_id}, .comm = "su"};

	link_client_ops.on_orphan(&o, l);
}

START_TEST(orphan_is_told_with_its_job_where_that_is_known)
{
	struct spawner_link l = {.pid = 1};

	log_set_sink(keep_line, NULL);
	tell(&l, 4435, 7);
	ck_assert_str_eq(last_line,
		"process 4435 ('su', once of job 7) belongs to no run, leaving it "
		"alone");
	tell(&l, 4435, 0);
	ck_assert_str_eq(
		last_line, "process 4435 ('su') belongs to no run, leaving it alone");
}
END_TEST

START_TEST(many_orphans_do_not_fill_the_log)
{
	struct spawner_link l = {.pid = 1};

	log_set_sink(keep_line, NULL);
	n_lines = 0;
	for (int i = 0; i < 1000; i++)
		tell(&l, 1000 + i, 0);
	ck_assert_uint_eq(n_lines, 10);
	/* a minute later the others are counted, and new ones told */
	l.orphans_since -= RV_SEC(60);
	tell(&l, 5000, 0);
	ck_assert_uint_eq(n_lines, 12);
	ck_assert_str_eq(
		last_line, "process 5000 ('su') belongs to no run, leaving it alone");
}
END_TEST

UNIT_MAIN("spawner_news", orphan_is_told_with_its_job_where_that_is_known,
	many_orphans_do_not_fill_the_log)
