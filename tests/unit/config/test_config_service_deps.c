/* What services and groups say of each other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strv.h"
#include "config/config_load.h"
#include "tests/unit/config/config_test.h"

#define ABC                             \
	"[service a]\ncommand = true\n" \
	"[service b]\ncommand = true\n" \
	"[service c]\ncommand = true\n"

START_TEST(lists_of_names_append_and_are_reset)
{
	_cleanup_(config_freep) struct config *c =
		loaded(ABC "[service d]\ncommand = true\nafter = a\nafter = b c\n"
			   "requires = a, b\n\te\n"
			   "[service e]\ncommand = true\nrequires = a\nrequires =\n");
	const struct config_named *d = config_find(c, CONFIG_SECTION_SERVICE, "d");
	const struct config_named *e = config_find(c, CONFIG_SECTION_SERVICE, "e");

	ck_assert_uint_eq(strv_len(d->v[CONFIG_AFTER].strv), 3);
	ck_assert_str_eq(d->v[CONFIG_AFTER].strv[2], "c");
	ck_assert_uint_eq(strv_len(d->v[CONFIG_REQUIRES].strv), 3);
	ck_assert_str_eq(d->v[CONFIG_REQUIRES].strv[1], "b");
	ck_assert_ptr_null(e->v[CONFIG_REQUIRES].strv);
}
END_TEST

START_TEST(after_of_a_service_is_not_that_of_jobs)
{
	_cleanup_(config_freep) struct config *c =
		loaded("[defaults]\nafter = 12\n" ABC
		       "[service d]\ncommand = true\nafter = a\n");
	const struct config_named *d = config_find(c, CONFIG_SECTION_SERVICE, "d");

	ck_assert_str_eq(d->v[CONFIG_AFTER].strv[0], "a");
	ck_assert(!job_spec_has(&d->job->spec, JOB_FIELD_AFTER));
	ck_assert_str_eq(job_strv(&c->defaults, AFTER)[0], "12");
	refused("[service a]\ncommand = true\nafter = 1|2\n",
		"3: after: not a name (letters, digits and _ . @ -, at most 64, a "
		"letter or _ "
		"first): '1|2'|");
}
END_TEST

START_TEST(services_that_are_named_are_there)
{
	refused("[service web]\ncommand = true\nrequires = dbb cache\nafter = web\n"
		"[service db]\ncommand = true\n"
		"[group g]\nservices = db wbe\n[group h]\n[group db]\nservices = db\n",
		"3: [service web] requires: there is no [service dbb], did you mean "
		"'db'?|"
		"3: [service web] requires: there is no [service cache]|"
		"4: [service web] after: a service cannot wait for itself|"
		"8: [group g] services: there is no [service wbe], did you mean "
		"'web'?|"
		"9: [group h] services: missing: which services?|"
		"10: [group db] name: there is a service of that name|"
		"11: [group db] services: 'db' is in [group g] already|");
	refused(ABC "[group g]\nservices = a b a\nstrategy = all\n",
		"8: [group g] services: 'a' is given twice|"
		"9: strategy: not one-for-one|one-for-all|rest-for-one: 'all'|");
}
END_TEST

START_TEST(rings_are_told_with_all_that_are_in_them)
{
	refused("[service a]\ncommand = true\nrequires = b\n"
		"[service b]\ncommand = true\nafter = c\n"
		"[service c]\ncommand = true\nrequires = a\n"
		"[service d]\ncommand = true\nafter = c e\n"
		"[service e]\ncommand = true\nafter = d\n"
		"[service f]\ncommand = true\nafter = e\n",
		"3: [service a] requires: it waits for itself: a, b, c, a|"
		"12: [service d] after: it waits for itself: d, e, d|");
	/* by its group, and what it says itself */
	refused("[service a]\ncommand = true\nafter = b\n"
		"[service b]\ncommand = true\n[group g]\nservices = a b\n",
		"3: [service a] after: it waits for itself: a, b, a; in [group g] each "
		"waits for those before it|");
	refused(ABC
		"[group g]\nservices = a b\n[group h]\nservices = c\n"
		"[service d]\ncommand = true\nafter = b\n[service e]\ncommand = true\n"
		"[group i]\nservices = d e\n"
		"[service f]\ncommand = true\nafter = e\n"
		"[service a]\nafter = f\n",
		"22: [service a] after: it waits for itself: a, f, e, d, b, a; in "
		"[group "
		"g] each waits for those before it|");
}
END_TEST

START_TEST(what_is_handed_to_a_group_has_an_end_there)
{
	static const char head[] =
		"[service a]\ncommand = true\nrestart-burst = 1\ngive-up = escalate\n"
		"[group g]\nservices = a\n";
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	_cleanup_(config_freep) struct config *c = NULL;

	refused(head,
		"4: [service a] give-up: escalate goes to [group g], which is never "
		"given up without restart-burst|");
	ck_assert_int_eq(buf_printf(&b, "%srestart-burst = 2\n", head), 0);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	c = loaded(buf_head(&b));
	ck_assert_int_eq(
		config_find(c, CONFIG_SECTION_GROUP, "g")->v[CONFIG_GROUP_BURST].num,
		2);
}
END_TEST

START_TEST(lists_have_an_end)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL, names = BUF_NULL;

	for (int i = 0; i <= 100; i++) {
		ck_assert_int_eq(
			buf_printf(&b, "[service s%d]\ncommand = true\n", i), 0);
		ck_assert_int_eq(buf_printf(&names, " s%d", i), 0);
	}
	ck_assert_int_eq(buf_append_byte(&names, '\0'), 0);
	ck_assert_int_eq(buf_printf(&b,
				 "[service x]\ncommand = true\nafter =%s\n[service "
				 "y]\ncommand = true\nafter = x\nafter =%.*s\n"
				 "[group g]\nservices =%s\n",
				 buf_head(&names), (int)strlen(buf_head(&names)) - 5,
				 buf_head(&names), buf_head(&names)),
		0);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	refused(buf_head(&b), "205: after: more than 100 names|"
			      "209: [service y] after: more than 100 names|"
			      "211: services: more than 100 names|");
}
END_TEST

START_TEST(a_long_chain_is_no_ring)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	_cleanup_(config_freep) struct config *c = NULL;

	/* the worst order for the search: each waits for the next */
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(
			buf_printf(&b, "[service s%d]\ncommand = true\n", i), 0);
		if (i < 999)
			ck_assert_int_eq(buf_printf(&b, "requires = s%d\n", i + 1), 0);
	}
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	c = loaded(buf_head(&b));
	ck_assert_uint_eq(c->named[CONFIG_SECTION_SERVICE].n, 1000);
}
END_TEST

UNIT_MAIN("config_service_deps", lists_of_names_append_and_are_reset,
	after_of_a_service_is_not_that_of_jobs, services_that_are_named_are_there,
	rings_are_told_with_all_that_are_in_them,
	what_is_handed_to_a_group_has_an_end_there, lists_have_an_end,
	a_long_chain_is_no_ring)
