#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "daemon/functions.h"

static void freeaddrinfop(struct addrinfo **ai)
{
	if (*ai)
		freeaddrinfo(*ai);
}

static const char *get_name(const json_t *arguments, char **message)
{
	const char *name = json_string_value(json_object_get(arguments, "name"));

	if (json_object_size(arguments) != 1 || !name || !name[0] ||
		strlen(name) > 255) {
		function_argument_error(
			message, "dns.lookup takes just 'name', a host name");
		return NULL;
	}
	return name;
}

static int check(const json_t *arguments, char **message)
{
	return get_name(arguments, message) ? 0 : -EINVAL;
}

static int call(struct function_call *c)
{
	_cleanup_(freeaddrinfop) struct addrinfo *list = NULL;
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	const char *name = get_name(c->arguments, &c->message);
	json_t *addresses;
	int r;

	if (!name)
		return -EINVAL;
	r = getaddrinfo(name, NULL, &hints, &list);
	if (r != 0) {
		function_argument_error(&c->message, "%s: %s", name, gai_strerror(r));
		return r == EAI_NONAME ? -ENOENT : -EIO;
	}
	addresses = json_array();
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		char text[NI_MAXHOST];

		if (getnameinfo(ai->ai_addr, ai->ai_addrlen, text, sizeof(text), NULL,
			    0, NI_NUMERICHOST) == 0)
			json_array_append_new(addresses, json_string(text));
	}
	c->value = json_pack("{s:s, s:o}", "name", name, "addresses", addresses);
	return c->value ? 0 : -ENOMEM;
}

const struct function function_dns_lookup = {
	.name = "dns.lookup",
	.help = "addresses of a host; name=HOST",
	.blocking = true,
	.check = check,
	.call = call,
};
