/* Strings and messages, without a libc. */
#include "helper.h"

size length(const char *s) {
  size n = 0;
  while (s[n]) n++;
  return n;
}

int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

typedef unsigned long __attribute__((may_alias, aligned(1))) word;

void copy(void *to, const void *from, size n) {
  char *t = to;
  const char *f = from;
  for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word), f += sizeof(word)) *(word *)t = *(const word *)f;
  while (n--) *t++ = *f++;
}

/* The compiler may call these for structures. */
void *memcpy(void *to, const void *from, size n) {
  copy(to, from, n);
  return to;
}

void *memset(void *to, int value, size n) {
  char *t = to;
  word all = (unsigned char)value * 0x0101010101010101UL;
  for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word)) *(word *)t = all;
  while (n--) *t++ = (char)value;
  return to;
}

/* Appends s behind to, never reaching end; returns the new end of the text. */
char *append(char *to, char *end, const char *s) {
  while (*s && to + 1 < end) *to++ = *s++;
  *to = 0;
  return to;
}

void complain(const char *what, const char *detail, long error) {
  char text[PATH_LENGTH + 256], digits[24];
  char *end = text + sizeof text;
  char *p = append(append(append(text, end, "jrun: "), end, what), end, detail);
  if (error < 0) {
    char *d = digits + sizeof digits - 1;
    unsigned long n = (unsigned long)-error;
    *d = 0;
    do *--d = (char)('0' + n % 10); while (n /= 10);
    p = append(append(p, end, ": errno "), end, d);
  }
  p = append(p, end, "\n");
  syscall3(SYS_write, 2, text, p - text);
}

_Noreturn void quit(int status) {
  syscall1(SYS_exit_group, status);
  for (;;) __builtin_trap(); /* a seccomp filter may refuse even that */
}
