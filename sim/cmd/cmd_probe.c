/* cmd_probe.c: meshsim probe KIND...: what a host behind such a NAT finds out about it. */
#include <stdio.h>

#include "sim/cmd/cmd.h"
#include "sim/nat/probe.h"

int cmd_probe(struct options *o) {
    const struct addr external = {.kind = ADDR_IPV4, .ip = {198, 18, 0, 1}};
    for (int i = 0; i < o->file_count; i++) {
        struct nat_config c;
        struct draw draw;
        struct probe found;
        const char *wrong = nat_config_read(&c, o->files[i]);
        if (wrong || c.firewall) {
            fprintf(stderr, "meshsim: '%s': %s\n", o->files[i],
                    wrong ? wrong : "a firewall maps nothing");
            return EXIT_USAGE;
        }
        draw_init(&draw, o->has_seed ? o->seed : 1);
        struct nat *n = nat_new(&c, &draw, 0);
        nat_set_external(n, &external, 1);
        (void)probe_run(n, SIM_S, &found);
        nat_free(n);
        printf("%s%s\n", i ? "\n" : "", o->files[i]);
        probe_print(stdout, &found);
    }
    return EXIT_OK;
}
