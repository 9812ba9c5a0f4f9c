#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/service_record.h"
#include "tests/support/unit.h"

static void formats_as(const struct service_record *rec, const char *want)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	struct service_record back = {.stopped = false};

	ck_assert_int_eq(service_record_format(&b, rec), 0);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	ck_assert_str_eq(buf_head(&b), want);
	ck_assert_int_eq(service_record_parse(&back, buf_head(&b)), 0);
	ck_assert_int_eq(back.stopped, rec->stopped);
	ck_assert_int_eq(back.scaled, rec->scaled);
	ck_assert_uint_eq(back.instances, rec->instances);
	ck_assert_uint_eq(back.defined, rec->defined);
	ck_assert_int_eq(back.rolling, rec->rolling);
	ck_assert_uint_eq(back.roll_next, rec->roll_next);
	ck_assert_str_eq(back.roll_behind, rec->roll_behind);
	ck_assert_str_eq(back.roll_failed, rec->roll_failed);
	ck_assert_int_eq(back.restart_usec, rec->restart_usec);
	ck_assert_int_eq(back.acknowledged_usec, rec->acknowledged_usec);
}

START_TEST(what_was_said_reads_back_the_same)
{
	struct service_record rec = {.stopped = false};

	ck_assert(service_record_is_empty(&rec));
	formats_as(&rec, "");
	rec.stopped = true;
	ck_assert(!service_record_is_empty(&rec));
	formats_as(&rec, "stopped = yes\n");
	rec.scaled = true;
	rec.instances = 1000;
	rec.defined = 2;
	formats_as(&rec, "stopped = yes\ninstances = 1000 of 2\n");
	rec.stopped = false;
	rec.instances = 0;
	formats_as(&rec, "instances = 0 of 2\n");
}
END_TEST

START_TEST(a_roll_reads_back_the_same)
{
	struct service_record rec = {.rolling = true};

	ck_assert(!service_record_is_empty(&rec));
	formats_as(&rec, "rolling = 0\n");
	rec.roll_next = 1000;
	strcpy(rec.roll_behind, "db");
	formats_as(&rec, "rolling = 1000 after db\n");
	service_record_end_roll(&rec);
	ck_assert(service_record_is_empty(&rec));
	strcpy(rec.roll_failed, "it stopped = at instance 1: not ready within 30s");
	ck_assert(!service_record_is_empty(&rec));
	formats_as(&rec,
		"roll-failed = it stopped = at instance 1: not ready within 30s\n");
}
END_TEST

START_TEST(a_planned_restart_reads_back_the_same)
{
	struct service_record rec = {.restart_usec = 1700000000000000};

	ck_assert(!service_record_is_empty(&rec));
	formats_as(&rec, "restart-before = 1700000000000000\n");
	service_record_end_roll(&rec); /* of a roll only */
	ck_assert(!service_record_is_empty(&rec));
}
END_TEST

START_TEST(what_somebody_knows_reads_back_the_same)
{
	struct service_record rec = {.acknowledged_usec = 1700000000000000};

	ck_assert(!service_record_is_empty(&rec));
	formats_as(&rec, "acknowledged = 1700000000000000\n");
	service_record_end_roll(&rec); /* of a roll only */
	ck_assert(!service_record_is_empty(&rec));
}
END_TEST

START_TEST(lines_of_a_later_version_are_left_out)
{
	struct service_record rec;

	ck_assert_int_eq(
		service_record_parse(&rec, "colour = red\nstopped = yes\nwords\n"), 0);
	ck_assert(rec.stopped && !rec.scaled);
}
END_TEST

START_TEST(values_that_are_none_are_refused)
{
	static const char *const texts[] = {"stopped = maybe\n", "instances = 3\n",
		"instances = 1001 of 1\n", "instances = -1 of 1\n", "rolling = x\n",
		"rolling = 1 after\n", "rolling = 1 after a b\n", "rolling = 1001\n",
		"instances = 1 of x\n", "instances =  of 1\n", "restart-before = 0\n",
		"restart-before = soon\n", "acknowledged = 0\n",
		"acknowledged = yes\n"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct service_record rec = {.stopped = true};

		ck_assert_int_eq(service_record_parse(&rec, texts[i]), -EINVAL);
		ck_assert(rec.stopped); /* as it was */
	}
}
END_TEST

UNIT_MAIN("service_record", what_was_said_reads_back_the_same,
	a_roll_reads_back_the_same, a_planned_restart_reads_back_the_same,
	what_somebody_knows_reads_back_the_same, lines_of_a_later_version_are_left_out,
	values_that_are_none_are_refused)
