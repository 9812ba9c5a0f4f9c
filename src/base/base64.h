/* base64: bytes that are not UTF-8 travel so in JSON. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "reeve/base.h"

/* base64 (RFC 4648, with padding) */
size_t base64_encoded_len(size_t n);                    /* without the NUL */
void base64_encode(char *out, const void *p, size_t n); /* out has len + 1 bytes */
/* 0, -EINVAL, -ENOMEM; *ret is malloc'd with a NUL after its end */
int base64_decode(void **ret, size_t *ret_len, const char *s, size_t n);

#endif
