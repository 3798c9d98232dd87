/* linux_nat HOME WORLD MODEL [SEED]: sends the same packets through the kernel between the two
 * namespaces and through the model, and compares what comes out: which external ports are kept and
 * which are the same, and who gets in. Ports that are drawn need not be equal, of course. With a
 * seed the packets are drawn.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim/nat/nat.h"

enum { OUT, IN, WAIT, REFUSED, TOO_BIG };
enum {
    LOW_PORTS = 512, /* the kernel translates those below only to such */
    SOCKETS_MAX = 64,
    NARROW_MTU = 1300,
    BIG_BYTES = 1400,
    ROUTER = 1,
    FIRST_MS = 500,
    SILENCE_MS = 100,
    IN_MS = 200
};

/* OUT: from inside to far. IN: from far to the external port that step `seen` got (or, below 0, to
 * that number). WAIT: ms. REFUSED: from inside to far, where nobody listens: whose packet does the
 * ICMP error quote that comes back? TOO_BIG: from far like IN, but larger than what the home's link
 * takes: the same. */
struct step {
    int op;
    unsigned host, port, far, far_port; /* the last byte of addresses */
    int seen;
    const char *what;
};

static const struct step written[] = {
    {OUT, 2, 7700, 2, 80, 0, "a new source keeps its port"},
    {OUT, 2, 7700, 3, 80, 0, "also towards another host"},
    {OUT, 2, 7700, 2, 81, 0, "and another port"},
    {OUT, 3, 7700, 4, 80, 0, "another host may have the same port towards somewhere else"},
    {OUT, 4, 7700, 2, 80, 0, "but not where it is taken"},
    {OUT, 4, 7700, 3, 80, 0, "what it got there it keeps where the first choice is taken too"},
    {OUT, 4, 7700, 5, 80, 0, "and where it would not be"},
    {IN, 2, 7700, 2, 80, 0, "the place it was sent to answers"},
    {IN, 2, 7700, 3, 80, 1, "so does the other"},
    {IN, 3, 7700, 4, 80, 3, "each to whoever asked it"},
    {IN, 4, 7700, 2, 80, 4, "whatever the port"},
    {IN, 2, 7700, 5, 99, 0, "a stranger does not get in"},
    {IN, 2, 7700, 2, 99, 0, "nor another port of a friend"},
    {IN, 2, 7700, 5, 82, -7702, "what comes before anybody has asked does not get in"},
    {OUT, 2, 7702, 5, 82, 0, "and may spoil the port for whoever asks there"},
    {IN, 2, 7702, 5, 82, -7702, "who was too early may be in now"},
    {OUT, 2, 7702, 5, 83, 0, "the source has the port it got there, towards others, too"},
    {REFUSED, 2, 7703, 5, 84, 0, "an error from outside quotes the packet as it was inside"},
    {REFUSED, 4, 7700, 5, 85, 0, "also where the port was another"},
    {TOO_BIG, 2, 7700, 2, 80, 0, "an error from inside quotes it as it was outside"},
    {TOO_BIG, 4, 7700, 2, 80, 4, "whatever the port"},
    {OUT, 2, 500, 2, 500, 0, "a low port is kept"},
    {OUT, 3, 500, 2, 500, 0, "or becomes another low one"},
    {OUT, 2, 9000, 2, 90, 0, "an entry without an answer"},
    {OUT, 2, 9001, 2, 91, 0, "one that is answered at once"},
    {IN, 2, 9001, 2, 91, 24, "here"},
    {WAIT, 0, 1300, 0, 0, 0, ""},
    {IN, 2, 9001, 2, 91, 24, "1.3 s later both are there"},
    {OUT, 2, 9000, 2, 90, 0, "and what goes out refreshes as well"},
    {WAIT, 0, 1300, 0, 0, 0, ""},
    {IN, 2, 9001, 2, 91, 24, "now it is older than two seconds: a stream"},
    {IN, 2, 9000, 2, 90, 23, "its first answer makes nothing a stream yet"},
    {WAIT, 0, 3000, 0, 0, 0, ""},
    {IN, 2, 9001, 2, 91, 24, "streams live longer than the short time"},
    {IN, 2, 9000, 2, 90, 23, "but only they"},
    {OUT, 5, 9002, 2, 92, 0, "and one that nobody answers"},
    {WAIT, 0, 2700, 0, 0, 0, ""},
    {IN, 5, 9002, 2, 92, 35, "is gone after the short time"},
    {IN, 2, 7700, 3, 81, 1, "as are those of the beginning"},
    {WAIT, 0, 4500, 0, 0, 0, ""},
    {IN, 2, 9001, 2, 91, 24, "a stream ends after the long time"},
    {OUT, 3, 9001, 2, 91, 0, "and its port is free for the next"},
};
enum { WRITTEN = sizeof written / sizeof *written, DRAWN = 40, STEPS_MAX = 64 };

static struct step steps[STEPS_MAX];
static unsigned step_count;

static struct socket {
    int fd;
    bool inside;
    unsigned host, port;
} sockets[SOCKETS_MAX];
static unsigned socket_count;

struct icmp_error {
    struct sockaddr_in router, to; /* who says so; where the packet went */
    unsigned code, mtu;
};
static int home_ns, world_ns;
static bool draws_ports; /* of the kernel and of the model, both */

static void die(const char *what) {
    perror(what);
    exit(1);
}

static struct sockaddr_in address(bool inside, unsigned host, unsigned port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr =
                                    htonl((inside ? 0xc0a84d00u : 0xc6124d00u) | host)};
}

static struct addr model_address(bool inside, unsigned host, unsigned port) {
    struct addr a = {.kind = ADDR_IPV4, .port = (uint16_t)port};
    const struct sockaddr_in s = address(inside, host, port);
    memcpy(a.ip, &s.sin_addr, 4);
    return a;
}

static int socket_at(bool inside, unsigned host, unsigned port) {
    for (unsigned i = 0; i < socket_count; i++)
        if (sockets[i].inside == inside && sockets[i].host == host && sockets[i].port == port)
            return sockets[i].fd;
    if (socket_count == SOCKETS_MAX || setns(inside ? home_ns : world_ns, CLONE_NEWNET) != 0)
        die("setns");
    const struct sockaddr_in at = address(inside, host, port);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1, probe = IP_PMTUDISC_PROBE;
    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe) != 0)
        die("bind");
    sockets[socket_count++] =
        (struct socket){.fd = fd, .inside = inside, .host = host, .port = port};
    return fd;
}

/* The next ICMP error about what this socket has sent; false: there is none. The kernel tells only
 * whose packet was quoted. */
static bool hear(int fd, struct icmp_error *out) {
    union {
        struct cmsghdr align;
        char bytes[512];
    } control;
    char head[64];
    struct sockaddr_in to;
    struct iovec iov = {head, sizeof head};
    struct msghdr m = {.msg_name = &to,
                       .msg_namelen = sizeof to,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    if (recvmsg(fd, &m, MSG_ERRQUEUE) < 0)
        return false;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        struct sock_extended_err e;
        if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR || !out)
            continue;
        memcpy(&e, CMSG_DATA(c), sizeof e);
        *out = (struct icmp_error){.to = to, .code = e.ee_code, .mtu = e.ee_info};
        memcpy(&out->router, CMSG_DATA(c) + sizeof e, sizeof out->router);
    }
    return true;
}

/* Within so long. */
static bool hears(int fd, struct icmp_error *out) {
    struct pollfd p = {.fd = fd}; /* POLLERR is always asked for */
    *out = (struct icmp_error){.code = 0};
    return poll(&p, 1, FIRST_MS) > 0 && hear(fd, out);
}

/* Which socket of that side gets the packet of this number, within so long; -1: none. *from: who it
 * seems to come from. */
static int receive(bool inside, uint32_t number, int ms, struct sockaddr_in *from) {
    struct pollfd p[SOCKETS_MAX];
    for (;;) {
        for (unsigned i = 0; i < socket_count; i++)
            p[i] = (struct pollfd){.fd = sockets[i].inside == inside ? sockets[i].fd : -1,
                                   .events = POLLIN};
        if (poll(p, socket_count, ms) <= 0)
            return -1;
        for (unsigned i = 0; i < socket_count; i++) {
            uint32_t got;
            socklen_t len = sizeof *from;
            if ((p[i].revents & POLLIN) &&
                recvfrom(p[i].fd, &got, sizeof got, 0, (struct sockaddr *)from, &len) ==
                    sizeof got &&
                got == number)
                return (int)i;
            if (p[i].revents & POLLERR) /* nobody was there, says the router */
                (void)hear(p[i].fd, NULL);
        }
    }
}

static uint64_t now_ns(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void send_to(int fd, uint32_t number, const struct sockaddr_in *to) {
    /* An error that came for an earlier packet is told now; then the socket is free again. */
    for (unsigned tries = 0; tries < 3; tries++)
        if (sendto(fd, &number, sizeof number, 0, (const struct sockaddr *)to, sizeof *to) ==
            sizeof number)
            return;
    die("sendto");
}

/* External ports by step: the kernel's and the model's. */
static unsigned kernel_port[STEPS_MAX], model_port[STEPS_MAX];
static unsigned wrong;

static void complain(unsigned i, const char *kernel, const char *model) {
    printf("step %u, \"%s\": kernel %s, model %s\n", i, steps[i].what, kernel, model);
    wrong++;
}

static void go_out(unsigned i, struct nat *n) {
    const struct step *s = &steps[i];
    const struct sockaddr_in to = address(false, s->far, s->far_port);
    struct sockaddr_in from = {0};
    (void)socket_at(false, s->far, s->far_port);
    struct addr src = model_address(true, s->host, s->port);
    const struct addr dst = model_address(false, s->far, s->far_port);
    send_to(socket_at(true, s->host, s->port), i, &to);
    const enum nat_verdict v = nat_out(n, now_ns(), &src, &dst);
    const bool came = receive(false, i, FIRST_MS, &from) >= 0;
    kernel_port[i] = came ? ntohs(from.sin_port) : 0;
    model_port[i] = v == NAT_PASS ? src.port : 0;
    char kernel[64], model[64];
    (void)snprintf(kernel, sizeof kernel, "port %u", kernel_port[i]);
    (void)snprintf(model, sizeof model, "port %u", model_port[i]);
    /* Of the 511 low ports one that is drawn may be any other one, too. */
    const bool drawn = draws_ports && kernel_port[i] < LOW_PORTS && model_port[i] < LOW_PORTS;
    bool same = (drawn || (kernel_port[i] == s->port) == (model_port[i] == s->port)) &&
                (kernel_port[i] < 1024) == (model_port[i] < 1024);
    for (unsigned k = 0; k < i; k++)
        if (steps[k].op == OUT && !drawn)
            same = same && (kernel_port[i] == kernel_port[k]) == (model_port[i] == model_port[k]);
    if (!same)
        complain(i, kernel, model);
}

static void come_in(unsigned i, struct nat *n) {
    const struct step *s = &steps[i];
    const struct sockaddr_in to =
        address(false, ROUTER, s->seen < 0 ? (unsigned)-s->seen : kernel_port[s->seen]);
    struct sockaddr_in from;
    const struct addr src = model_address(false, s->far, s->far_port);
    struct addr dst =
        model_address(false, ROUTER, s->seen < 0 ? (unsigned)-s->seen : model_port[s->seen]);
    (void)socket_at(true, s->host, s->port);
    send_to(socket_at(false, s->far, s->far_port), i, &to);
    const bool passes = nat_in(n, now_ns(), &src, &dst) == NAT_PASS;
    const int at = receive(true, i, passes ? IN_MS : SILENCE_MS, &from);
    char kernel[64] = "keeps it out", model[64] = "keeps it out";
    if (at >= 0)
        (void)snprintf(kernel, sizeof kernel, "gives it to .%u:%u", sockets[at].host,
                       sockets[at].port);
    if (passes)
        (void)snprintf(model, sizeof model, "gives it to .%u:%u", dst.ip[3], dst.port);
    if (strcmp(kernel, model) != 0)
        complain(i, kernel, model);
}

static bool equal(const struct addr *a, const struct sockaddr_in *b) {
    return memcmp(a->ip, &b->sin_addr, 4) == 0 && a->port == ntohs(b->sin_port);
}

/* The sender's socket hears it, so the kernel has turned the source back; where it went is not to
 * be touched. */
static void be_refused(unsigned i, struct nat *n) {
    const struct step *s = &steps[i];
    const struct sockaddr_in to = address(false, s->far, s->far_port);
    const struct addr inner = model_address(true, s->host, s->port),
                      dst = model_address(false, s->far, s->far_port);
    struct addr src = inner;
    struct icmp_error e;
    const int fd = socket_at(true, s->host, s->port);
    send_to(fd, i, &to);
    const bool passes = nat_out(n, now_ns(), &src, &dst) == NAT_PASS &&
                        nat_icmp_in(n, now_ns(), &src, &dst) == NAT_PASS &&
                        addr_equal(&src, &inner);
    const bool heard = hears(fd, &e) && e.code == 3 && equal(&dst, &e.to);
    if (heard != passes)
        complain(i, heard ? "tells the sender" : "tells nobody", passes ? "tells" : "does not");
}

/* The router speaks under its outer address, of the packet as it was sent. */
static void be_too_big(unsigned i, struct nat *n) {
    static const char big[BIG_BYTES];
    const struct step *s = &steps[i];
    const struct sockaddr_in to = address(false, ROUTER, kernel_port[s->seen]),
                             router = address(false, ROUTER, 0);
    const struct addr src = model_address(false, s->far, s->far_port);
    struct addr dst = model_address(false, ROUTER, model_port[s->seen]);
    const struct addr outer = dst;
    struct icmp_error e;
    const int fd = socket_at(false, s->far, s->far_port);
    if (sendto(fd, big, sizeof big, 0, (const struct sockaddr *)&to, sizeof to) != sizeof big)
        die("sendto");
    const bool passes = nat_in(n, now_ns(), &src, &dst) == NAT_PASS &&
                        nat_icmp_out(n, now_ns(), &src, &dst) == NAT_PASS &&
                        addr_equal(&dst, &outer);
    const bool heard = hears(fd, &e) && e.code == 4 && e.mtu == NARROW_MTU &&
                       e.to.sin_port == to.sin_port && e.to.sin_addr.s_addr == to.sin_addr.s_addr &&
                       e.router.sin_addr.s_addr == router.sin_addr.s_addr;
    if (heard != passes)
        complain(i, heard ? "tells the sender" : "tells nobody", passes ? "tells" : "does not");
}

static int namespace_of(const char *name) {
    char path[128];
    (void)snprintf(path, sizeof path, "/var/run/netns/%s", name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die(path);
    return fd;
}

static void write_steps(void) {
    memcpy(steps, written, sizeof written);
    step_count = WRITTEN;
}

/* Few hosts and ports, so that they meet; no time passes, so that none is decided by a
 * millisecond. */
static void draw_steps(uint64_t seed) {
    static const unsigned inner[] = {7700, 7700, 7701, 500}, outer[] = {80, 80, 500};
    struct draw d;
    uint64_t drawn = 0;
    draw_init(&d, seed);
#define BELOW(n) ((unsigned)draw_below(draw_u64(&d, 0, DRAW_CHOICE, drawn++), (n)))
    for (step_count = 0; step_count < DRAWN; step_count++) {
        struct step *s = &steps[step_count];
        *s = (struct step){.op = step_count == 0 || BELOW(5) < 3 ? OUT : IN, .what = "drawn"};
        s->host = 2 + BELOW(4);
        s->port = inner[BELOW(4)];
        s->far = 2 + BELOW(3);
        s->far_port = outer[BELOW(3)];
        const int seen = (int)BELOW(step_count ? step_count : 1);
        if (s->op == IN && (steps[seen].op != OUT || BELOW(6) == 0))
            s->seen = -(int)s->port;
        else if (s->op == IN)
            s->seen = seen;
        if (s->op == IN && s->seen >= 0 && BELOW(2)) {
            s->far = steps[seen].far;
            s->far_port = steps[seen].far_port;
        }
    }
#undef BELOW
}

int main(int argc, char **argv) {
    struct nat_config cfg;
    struct draw draw;
    if (argc < 4 || argc > 5 || nat_config_read(&cfg, argv[3]))
        return 2;
    if (argc == 5)
        draw_steps(strtoull(argv[4], NULL, 10));
    else
        write_steps();
    draws_ports = cfg.ports == NAT_PORTS_RANDOM;
    home_ns = namespace_of(argv[1]);
    world_ns = namespace_of(argv[2]);
    draw_init(&draw, 1);
    struct nat *n = nat_new(&cfg, &draw, 1);
    const struct addr external = model_address(false, ROUTER, 0);
    nat_set_external(n, &external, 1);
    for (unsigned i = 0; i < step_count; i++) {
        static void (*const ops[])(unsigned i, struct nat *n) = {
            [OUT] = go_out, [IN] = come_in, [REFUSED] = be_refused, [TOO_BIG] = be_too_big};
        if (steps[i].op == WAIT)
            (void)usleep(steps[i].port * 1000);
        else
            ops[steps[i].op](i, n);
    }
    nat_free(n);
    printf("%s%s%s: %u steps, %u differ\n", argv[3], argc == 5 ? " seed " : "",
           argc == 5 ? argv[4] : "", step_count, wrong);
    return wrong > 0;
}
