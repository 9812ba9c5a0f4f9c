#include "config.h"

#include "daemon/login_env.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strv.h"

int login_env_put(struct job_spec *spec, const char *name, const char *value)
{
	char *text = NULL, **v;

	STRV_FOREACH(e, job_strv(spec, ENV))
		if (strncmp(*e, name, strlen(name)) == 0 && (*e)[strlen(name)] == '=')
			return 0;
	if (!value)
		return 0;
	v = calloc(2, sizeof(*v));
	if (!v || asprintf(&text, "%s=%s", name, value) < 0) {
		free(v);
		return -ENOMEM;
	}
	v[0] = text;
	return job_spec_put(spec, JOB_FIELD_ENV, (union job_value){.strv = v});
}

int login_env_put_all(struct job_spec *spec, const char *user, const char *home)
{
	int r = login_env_put(spec, "PATH", "/usr/local/bin:/usr/bin:/bin");

	if (r >= 0)
		r = login_env_put(spec, "HOME", home);
	if (r >= 0)
		r = login_env_put(spec, "USER", user);
	return r < 0 ? r : login_env_put(spec, "LOGNAME", user);
}
