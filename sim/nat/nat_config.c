#include "sim/nat/nat_config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/text/quantity.h"

static const uint64_t ns_per_s = 1000000000;

/* RFC 4787 REQ-5: not below two minutes; table: what a home router of the better kind holds. */
static const struct nat_config plain = {
    .mapping = NAT_ENDPOINT_INDEPENDENT,
    .filtering = NAT_ADDRESS_PORT_DEPENDENT,
    .ports = NAT_PORTS_PRESERVE,
    .port_step = 1,
    .timeout_ns = 120 * UINT64_C(1000000000),
    .unreplied_ns = 30 * UINT64_C(1000000000), /* linux: nf_conntrack_udp_timeout */
    .table = 4096,
    .pool = 1,
};

static const struct kind {
    const char *name, *text;
} kinds[] = {
    {"fullcone", "eim/eif"},
    {"restricted", "eim/adf"},
    {"portrestricted", "eim/apdf"},
    {"symmetric", "apdm/apdf,ports=random"},
    {"sequential", "apdm/apdf,ports=seq"},
    {"cgn", "eim/apdf,ports=block(512),pool=4,limit=512,timeout=300s,table=1000000"},
};

/* ---- words ---- */

static bool word_of(const char *text, size_t len, const char *const *words, unsigned count,
                    unsigned *out) {
    for (unsigned i = 0; i < count; i++)
        if (strlen(words[i]) == len && strncmp(words[i], text, len) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static const char *read_behaviour(struct nat_config *c, const char *text, size_t len) {
    static const char *const maps[] = {"eim", "adm", "apdm"}, *const filters[] = {"eif", "adf",
                                                                                  "apdf"};
    const size_t slash = strcspn(text, "/");
    unsigned map, filter;
    if (slash >= len || !word_of(text, slash, maps, 3, &map) ||
        !word_of(text + slash + 1, len - slash - 1, filters, 3, &filter))
        return "a NAT is MAP/FILTER (eim adm apdm / eif adf apdf) or fullcone restricted "
               "portrestricted symmetric sequential cgn linux firewall";
    c->mapping = (enum nat_dependence)map;
    c->filtering = (enum nat_dependence)filter;
    return NULL;
}

/* "name(N)": the number; false if it is not that. */
static bool read_call(const char *value, const char *name, uint32_t *out) {
    const size_t len = strlen(name);
    char *end;
    if (strncmp(value, name, len) != 0 || value[len] != '(')
        return false;
    const unsigned long n = strtoul(value + len + 1, &end, 10);
    *out = (uint32_t)n;
    return isdigit((unsigned char)value[len + 1]) && strcmp(end, ")") == 0 && n > 0 && n <= 32768;
}

static const char *read_ports(struct nat_config *c, const char *value) {
    if (strcmp(value, "preserve") == 0) {
        c->ports = NAT_PORTS_PRESERVE;
    } else if (strcmp(value, "random") == 0) {
        c->ports = NAT_PORTS_RANDOM;
    } else if (strcmp(value, "seq") == 0) {
        c->ports = NAT_PORTS_SEQUENTIAL;
        c->port_step = 1;
    } else if (read_call(value, "delta", &c->port_step)) {
        c->ports = NAT_PORTS_SEQUENTIAL;
    } else if (read_call(value, "block", &c->block_ports)) {
        c->ports = NAT_PORTS_BLOCK;
    } else {
        return "ports are preserve, seq, delta(N), random or block(N)";
    }
    return NULL;
}

static const char *read_count(const char *value, uint32_t most, uint32_t *out) {
    char *end;
    const unsigned long n = strtoul(value, &end, 10);
    *out = (uint32_t)n;
    return isdigit((unsigned char)*value) && *end == '\0' && n > 0 && n <= most
               ? NULL
               : "the number is out of range";
}

static const char *read_table(struct nat_config *c, char *value) {
    char *colon = strchr(value, ':');
    if (colon && strcmp(colon, ":lru") != 0)
        return "a table is N or N:lru";
    c->evicts = colon != NULL;
    if (colon)
        *colon = '\0';
    return read_count(value, NAT_TABLE_MAX, &c->table);
}

static const char *read_time(const char *value, uint64_t *out) {
    const char *wrong = quantity_parse(value, QUANTITY_DURATION, out);
    return !wrong && *out < ns_per_s ? "a timeout is at least 1s" : wrong;
}

/* Options whose value is a word. False: it is none of them. */
static bool read_word(struct nat_config *c, const char *key, const char *value) {
    static const struct {
        const char *key, *words[3];
    } options[] = {{"refresh", {"out", "both", "in"}},    {"hairpin", {"none", "ext", "int"}},
                   {"pooling", {"paired", "arbitrary"}},  {"icmp", {"pass", "drop"}},
                   {"ip6", {"firewall", "open", "none"}}, {"input", {"drop", "accept"}}};
    unsigned at = 0, i = 0;
    while (at < 6 && strcmp(options[at].key, key) != 0)
        at++;
    if (at == 6)
        return false;
    while (i < 3 && options[at].words[i] && strcmp(options[at].words[i], value) != 0)
        i++;
    if (i == 3 || !options[at].words[i])
        return false;
    switch (at) {
    case 0:
        c->refresh = (enum nat_refresh)i;
        break;
    case 1:
        c->hairpin = (enum nat_hairpin_kind)i;
        break;
    case 2:
        c->arbitrary = i == 1;
        break;
    case 3:
        c->drops_icmp = i == 1;
        break;
    case 4:
        c->ipv6 = (enum nat_ipv6)i;
        break;
    default:
        c->input_accepts = i == 1;
        break;
    }
    return true;
}

/* What means nothing to this kind. */
static bool is_foreign(const struct nat_config *c, const char *key) {
    static const char *const others[] = {"limit", "pool", "pooling", "refresh"};
    if (!c->conntrack)
        return strcmp(key, "unreplied") == 0 || strcmp(key, "input") == 0;
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i], key) == 0)
            return true;
    return false;
}

static const char *read_option(struct nat_config *c, char *text) {
    char *value = strchr(text, '=');
    if (!value)
        return "key=value is expected";
    *value++ = '\0';
    if (is_foreign(c, text))
        return c->conntrack
                   ? "linux has timeout= unreplied= input= ports= hairpin= table= icmp= ip6="
                   : "only linux has unreplied= and input=";
    if (strcmp(text, "ports") == 0)
        return read_ports(c, value);
    if (strcmp(text, "timeout") == 0)
        return read_time(value, &c->timeout_ns);
    if (strcmp(text, "unreplied") == 0)
        return read_time(value, &c->unreplied_ns);
    if (strcmp(text, "table") == 0)
        return read_table(c, value);
    if (strcmp(text, "limit") == 0)
        return read_count(value, NAT_TABLE_MAX, &c->per_host);
    if (strcmp(text, "pool") == 0)
        return read_count(value, NAT_POOL_MAX, &c->pool);
    if (read_word(c, text, value))
        return NULL;
    return "options: ports= timeout= refresh=out|both|in hairpin=none|ext|int table= limit= pool= "
           "pooling=paired|arbitrary icmp=pass|drop ip6=firewall|open|none";
}

static const char *read_parts(struct nat_config *c, const char *text) {
    char part[NAT_TEXT_MAX + 1];
    const char *wrong = NULL;
    for (bool first = true; !wrong; first = false) {
        const size_t len = strcspn(text, ",");
        if (len > NAT_TEXT_MAX)
            return "too long";
        memcpy(part, text, len);
        part[len] = '\0';
        wrong = first ? read_behaviour(c, part, len) : read_option(c, part);
        if (!text[len])
            break;
        text += len + 1;
    }
    return wrong;
}

const char *nat_config_read(struct nat_config *out, const char *text) {
    const size_t head = strcspn(text, ",");
    char full[2 * NAT_TEXT_MAX];
    *out = plain;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i].name) == head && strncmp(kinds[i].name, text, head) == 0) {
            if (strlen(text) > NAT_TEXT_MAX)
                return "too long";
            (void)snprintf(full, sizeof full, "%s%s", kinds[i].text, text + head);
            return read_parts(out, full);
        }
    if (head == 5 && strncmp("linux", text, head) == 0) {
        (void)snprintf(full, sizeof full, "apdm/apdf%.90s", text + head);
        out->conntrack = true;
        out->table = 16384;
        const char *wrong = read_parts(out, full);
        if (!wrong && (out->ports == NAT_PORTS_SEQUENTIAL || out->ports == NAT_PORTS_BLOCK))
            wrong = "linux has ports=preserve and ports=random";
        return !wrong && out->evicts ? "linux has table=N" : wrong;
    }
    if (head == 8 && strncmp("firewall", text, head) == 0) {
        (void)snprintf(full, sizeof full, "eim/apdf%.90s", text + head);
        out->firewall = true;
        return read_parts(out, full);
    }
    return read_parts(out, text);
}

void nat_config_name(const struct nat_config *c, char out[static 32]) {
    static const char *const maps[] = {"eim", "adm", "apdm"},
                             *const filters[] = {"eif", "adf", "apdf"},
                             *const ports[] = {"preserve", "seq", "random", "block"};
    if (c->firewall)
        (void)snprintf(out, 32, "firewall");
    else if (c->conntrack)
        (void)snprintf(out, 32, "linux,%s", ports[c->ports]);
    else
        (void)snprintf(out, 32, "%s/%s,%s", maps[c->mapping], filters[c->filtering],
                       ports[c->ports]);
}

/* ---- TCP ---- */

void nat_config_tcp(const struct nat_config *udp, bool wall, struct nat_config *out) {
    static const uint64_t second_ns = UINT64_C(1000000000);
    *out = *udp;
    if (wall && nat_config_read(out, "firewall"))
        abort();
    out->conntrack = udp->conntrack;
    out->input_accepts = !wall && udp->input_accepts;
    out->timeout_ns = (udp->conntrack ? 5 * 86400 : 7440) * second_ns;
    out->unreplied_ns = 120 * second_ns;
    out->refresh = NAT_REFRESH_BOTH;
}

/* ---- mixes ----
 * Shares in per mille. No measurement gives the whole joint distribution, so these are round
 * assumptions: Ford, Srisuresh and Kegel (USENIX ATC 2005) found 82 % of NATs mapping independently
 * of the endpoint; carriers' and companies' NATs are harder on average (Richter et al., IMC 2016).
 * Whoever has better figures writes groups.
 */
static const struct mix {
    const char *name;
    struct mix_share {
        uint32_t per_mille;
        const char *kind;
    } shares[6];
} mixes[] = {
    {"mix:home",
     {{620, "portrestricted"},
      {120, "restricted"},
      {80, "fullcone"},
      {120, "symmetric"},
      {40, "sequential"},
      {20, "portrestricted,timeout=30s,refresh=both"}}},
    {"mix:corp",
     {{450, "symmetric"}, {400, "portrestricted"}, {100, "restricted"}, {50, "sequential"}}},
    {"mix:mobile", {{600, "cgn"}, {400, "symmetric,timeout=30s"}}},
};

static const struct mix *find_mix(const char *text) {
    for (size_t i = 0; i < sizeof mixes / sizeof *mixes; i++)
        if (strcmp(mixes[i].name, text) == 0)
            return &mixes[i];
    return NULL;
}

bool nat_mix_known(const char *text) {
    return find_mix(text) != NULL;
}

void nat_mix_draw(struct nat_config *out, const char *text, uint64_t drawn) {
    const struct mix *m = find_mix(text);
    uint64_t at = draw_below(drawn, 1000);
    unsigned i = 0;
    if (!m)
        abort();
    while (m->shares[i + 1].kind && at >= m->shares[i].per_mille)
        at -= m->shares[i++].per_mille;
    if (nat_config_read(out, m->shares[i].kind))
        abort();
}
