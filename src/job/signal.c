/* Names of signals. RTMIN stands at 34 in the C library, so real-time signals are known
 * by number. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "job/fields.h"

#define SIGNAL_MAX 64

static const char *const names[] = {
#define S(name) [SIG##name] = "SIG" #name
	S(HUP),
	S(INT),
	S(QUIT),
	S(ILL),
	S(TRAP),
	S(ABRT),
	S(BUS),
	S(FPE),
	S(KILL),
	S(USR1),
	S(SEGV),
	S(USR2),
	S(PIPE),
	S(ALRM),
	S(TERM),
	S(STKFLT),
	S(CHLD),
	S(CONT),
	S(STOP),
	S(TSTP),
	S(TTIN),
	S(TTOU),
	S(URG),
	S(XCPU),
	S(XFSZ),
	S(VTALRM),
	S(PROF),
	S(WINCH),
	S(IO),
	S(PWR),
	S(SYS),
#undef S
};

/* "SIG32" to "SIG64", filled before main so that signal_name can be used everywhere */
static char numbered[SIGNAL_MAX + 1][8];

__attribute__((constructor)) static void numbered_fill(void)
{
	for (int i = 0; i <= SIGNAL_MAX; i++)
		snprintf(numbered[i], sizeof(numbered[i]), "SIG%d", i);
}

const char *signal_name(int sig)
{
	if (sig < 1 || sig > SIGNAL_MAX)
		return "SIG?";
	if ((size_t)sig < ARRAY_LEN(names) && names[sig])
		return names[sig];
	return numbered[sig];
}

static int number_parse(const char *text, int64_t min, int64_t max)
{
	int64_t n;

	return parse_i64(&n, text, min, max) < 0 ? -EINVAL : (int)n;
}

int signal_parse(const char *text)
{
	int r;

	if (text[0] >= '0' && text[0] <= '9')
		return number_parse(text, 1, SIGNAL_MAX);
	if (strncmp(text, "SIG", 3) == 0)
		text += 3;
	for (size_t i = 1; i < ARRAY_LEN(names); i++)
		if (names[i] && STREQ(names[i] + 3, text))
			return (int)i;
	if (strncmp(text, "RTMIN", 5) == 0) {
		if (!text[5])
			return SIGRTMIN;
		r = text[5] == '+' ? number_parse(text + 6, 0, SIGRTMAX - SIGRTMIN)
				   : -EINVAL;
		return r < 0 ? r : SIGRTMIN + r;
	}
	if (strncmp(text, "RTMAX", 5) == 0) {
		if (!text[5])
			return SIGRTMAX;
		r = text[5] == '-' ? number_parse(text + 6, 0, SIGRTMAX - SIGRTMIN)
				   : -EINVAL;
		return r < 0 ? r : SIGRTMAX - r;
	}
	if (text[0] >= '0' && text[0] <= '9') /* "SIG40" */
		return number_parse(text, 1, SIGNAL_MAX);
	return -EINVAL;
}
