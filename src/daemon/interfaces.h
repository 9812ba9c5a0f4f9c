/* The text of reeve's interfaces, embedded from *.varlink at build time. */
#ifndef DAEMON_INTERFACES_H
#define DAEMON_INTERFACES_H

extern const char io_reeve_Job_varlink[];
extern const char io_reeve_Pool_varlink[];
extern const char io_reeve_Schedule_varlink[];
extern const char io_reeve_Service_varlink[];
extern const char io_reeve_Daemon_varlink[];

#endif
