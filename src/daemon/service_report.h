/*
 * What is told of the run of a service beside its state: whether it is ready, what it says of
 * itself, whether it answers.
 */
#ifndef DAEMON_SERVICE_REPORT_H
#define DAEMON_SERVICE_REPORT_H

#include "varlink/json_write.h"

struct instance;
struct run;

/* Members of type Instance of io.reeve.Service; run NULL: it has none, and these are null. */
void service_report_put(struct json_writer *w, const struct run *run);
/* Where its output goes, as member "output", where it is not kept with its runs. */
void service_report_put_output(struct json_writer *w, const struct instance *in);
/* Why it is as it is: of one that runs and is not ready, or does not answer as it should. False:
 * there is nothing to say, and buf is as it was. */
bool service_report_why(const struct run *run, char *buf, size_t size);

#endif
