/* Finds one annotation in a config.json, of which nothing else is asked: the whole document is
 * checked by the engine, later. */
#include "helper.h"

struct text { const char *at, *end; };

static void blank(struct text *t) {
  while (t->at < t->end && (*t->at == ' ' || *t->at == '\t' || *t->at == '\n' || *t->at == '\r')) t->at++;
}

static int take(struct text *t, char c) {
  blank(t);
  if (t->at >= t->end || *t->at != c) return 0;
  t->at++;
  return 1;
}

/* A string without its quotes, its escapes as they are; 0 where there is none. */
static int string(struct text *t, struct text *value) {
  if (!take(t, '"')) return 0;
  value->at = t->at;
  while (t->at < t->end && *t->at != '"') t->at += *t->at == '\\' ? 2 : 1;
  if (t->at >= t->end) return 0;
  value->end = t->at++;
  return 1;
}

static int is(const struct text *t, const char *s) {
  size n = (size)(t->end - t->at);
  if (n != length(s)) return 0;
  for (size i = 0; i < n; i++)
    if (t->at[i] != s[i]) return 0;
  return 1;
}

/* Passes over any value; its brackets are counted and not matched. */
static void skip(struct text *t) {
  struct text ignored;
  int depth = 0;
  do {
    blank(t);
    if (t->at == t->end) return;
    char c = *t->at;
    if (c == '"') {
      if (!string(t, &ignored)) t->at = t->end;
    } else if (c == ',' && !depth) {
      return;
    } else {
      depth += (c == '{' || c == '[') - (c == '}' || c == ']');
      if (depth < 0) return;
      t->at++;
    }
    blank(t);
  } while (depth || (t->at < t->end && *t->at != ',' && *t->at != '}' && *t->at != ']'));
}

/* The value of that member of the object at t; 0 where there is none. */
static int member(struct text *t, const char *name) {
  struct text key;
  if (!take(t, '{')) return 0;
  while (string(t, &key) && take(t, ':')) {
    if (is(&key, name)) return 1;
    skip(t);
    if (!take(t, ',')) return 0;
  }
  return 0;
}

/* 0 where there is none, or one with an escape in it or too long, which no id is. */
int annotation(const char *json, size n, const char *name, char *value, size room) {
  struct text t = {json, json + n}, found;
  if (!member(&t, "annotations") || !member(&t, name) || !string(&t, &found)) return 0;
  size bytes = (size)(found.end - found.at);
  if (!bytes || bytes >= room) return 0;
  for (size i = 0; i < bytes; i++)
    if (found.at[i] == '\\') return 0;
  copy(value, found.at, bytes);
  value[bytes] = 0;
  return 1;
}
