/*
 * What the unit tests of the spawner share beside the fixture: one around each test, and
 * what more than one of the programs asks for.
 */
#ifndef TESTS_SPAWNER_UNIT_H
#define TESTS_SPAWNER_UNIT_H

#include "spawner_fixture.h"

extern struct fx *fx; /* of the test that runs */

/* for UNIT_MAIN_FIXTURE: a spawner that is connected; its end */
void fx_setup(void);
void fx_teardown(void);

void fx_ack(uint64_t job_id);
/* in the fixture's directory, at a gate that all of these share */
struct spawn_request fx_gated(
	uint64_t id, uint32_t slots, bool ahead, const char *line);
void fx_start_gated(uint64_t id, uint32_t slots, bool ahead, const char *line);

/* A directory on which every access hangs until it is killed: a FUSE mount whose server
 * never answers; its descriptor. -1: not possible here. */
int fx_mount_hanging(const char *path);
void fx_unmount_hanging(const char *path, int fuse);

/* what a spawner that was told to stop has written of the jobs 1 to 3; how many there are */
int fx_exits(struct spawn_run_info ret[4]);

/* the files of claims in the directory, and the runs in the last of them */
struct fx_claims {
	unsigned n_files;
	struct spawn_run_info runs[16];
	size_t n;
};

void fx_load_claims(struct fx_claims *ret);
/* NULL: there is none of this job */
const struct spawn_run_info *fx_find_claim(const struct fx_claims *c, uint64_t id);

#endif
