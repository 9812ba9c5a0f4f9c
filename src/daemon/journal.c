#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include "daemon/job.h"
#include "daemon/journal.h"

int journal_stream_open(const struct job *j)
{
	char buf[65], id[96];
	const char *name = job_name(j, buf);

	snprintf(id, sizeof(id), "reeve-%s-%" PRIu64, name ? name : "job", j->id);
	return sd_journal_stream_fd(id, LOG_INFO, 0);
}
