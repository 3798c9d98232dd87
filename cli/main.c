/* main.c: meshctl: finds the verb, opens nothing before it is asked for, and gives the exit code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kit/app.h"
#include "cli/kit/help.h"
#include "cli/screen/json.h"
#include "net/os/interrupt.h"
#include "net/os/tty.h"

static const struct verb verbs[] = {
    {"id", "", "", 0, 0, run_id, "print this node's id", ""},
    {"status", "", "", 0, 0, run_status, "what the daemon does, on one screen",
     "Exits with 3 if meshd is not running.\n"},
    {"ticket", "[--name NAME] [--ttl DURATION] [--out FILE]", "name ttl out", 0, 0, run_ticket,
     "make a ticket: a text that lets somebody become a contact",
     "The ticket holds a one-time secret: give it to one person, on a way that you trust.\n"
     "  --name NAME     the name that its user gets here (default: made from their id)\n"
     "  --ttl DURATION  how long it can be used (default: 1d)\n"
     "  -o, --out FILE  write it to this new file, which only its owner can read\n"},
    {"wait", "--for ready|peer=NAME|contact=NAME [--timeout DURATION]", "for timeout", 0, 0,
     run_wait, "wait until the daemon answers, a peer is online, or a contact exists",
     "  --for CONDITION         ready: meshd answers; peer=NAME: that contact is online; "
     "contact=NAME: there is one of that name\n"
     "  -t, --timeout DURATION  give up after it with exit code 10 (default: 30s); 0: never\n"},
    {"contact add", "NAME TICKET|-|--file PATH [--timeout DURATION]", "file timeout", 1, 2,
     run_contact_add, "add a contact from a ticket",
     "  -f, --file PATH         a file that holds the ticket\n"
     "  -t, --timeout DURATION  how long to wait for their answer (default: 3s); 0: not at all\n"
     "A ticket holds a secret and does not belong on a command line, which other users can see: "
     "use "
     "'-' (standard input) or --file, for example: meshctl contact add bob --file ticket.txt\n"
     "Exits with 7 if they do not take the ticket, and with 0 if they do, or have not answered "
     "yet: then they are tried "
     "again by and by.\n"},
    {"contact ls", "", "", 0, 0, run_contact_ls, "list the contacts", ""},
    {"contact path", "NAME auto|relay_only|direct_only|default", "", 2, 2, run_contact_path,
     "by which ways a contact may be reached",
     "  auto         its addresses and relays, whatever is best\n"
     "  relay_only   not one packet goes to or comes from its address\n"
     "  direct_only  never through a relay\n"
     "  default      as the settings say ([path] policy)\n"},
    {"contact rename", "OLD NEW", "", 2, 2, run_contact_rename, "call a contact by another name",
     "The history, transfers and standing orders follow it.\n"},
    {"contact rm", "NAME", "", 1, 1, run_contact_rm, "remove a contact and end its session", ""},
    {"send", "NAME PATH...|- [--as NAME] [--timeout DURATION] [--detach]", "as timeout detach", 2,
     1 << 30, run_send, "send files to a contact, and wait until they are verified there",
     "  -                       standard input: it is read to its end first, into a temporary "
     "file\n"
     "  --as NAME               what the file is called there (default: as here; stdin)\n"
     "  -t, --timeout DURATION  how long the contact may take to accept (default: no limit)\n"
     "  --detach                offer it and exit; meshd goes on by itself\n"
     "Interrupting it, or ending it in any other way, cancels the transfer.\n"},
    {"recv", "[--out DIR] [--from NAME] [--once] [--detach] [--timeout DURATION]",
     "out from once detach timeout", 0, 0, run_recv, "accept files until interrupted",
     "  -o, --out DIR           where to (default: meshd's download directory)\n"
     "  --from NAME             from this contact only\n"
     "  --once                  accept one transfer, and exit with its outcome when it has ended\n"
     "  --detach                accept one transfer, and exit when it has begun; meshd goes on\n"
     "  -t, --timeout DURATION  exit with 10 if no transfer has ended by then\n"
     "Interrupting it cancels what is being received. A second interrupt ends meshctl at once.\n"},
    {"transfers ls", "", "", 0, 0, run_transfers, "list transfers, ended ones too",
     "What a narrow terminal has no room for is shortened or left out; a pipe and --json get "
     "all.\n"},
    {"transfers show", "N", "", 1, 1, run_transfer_show, "what transfer N is about: all its files",
     ""},
    {"transfers", "", "", 0, 0, run_transfers, NULL, ""},
    {"accept", "N [--out DIR]", "out", 1, 1, run_accept, "accept the offered transfer N",
     "  -o, --out DIR  where to (default: meshd's download directory)\n"
     "meshd receives it by itself; follow it with: meshctl transfers ls\n"},
    {"reject", "N", "", 1, 1, run_reject, "refuse the offered transfer N", ""},
    {"cancel", "N", "", 1, 1, run_cancel, "end the transfer N", ""},
    {"msg", "NAME TEXT|- [--timeout DURATION]", "timeout", 2, 2, run_msg,
     "send a message ('-': from standard input)",
     "  -t, --timeout DURATION  how long to wait until the contact has it (default: 5s)\n"
     "After that it stays queued, and the exit code is 6. Interrupting leaves it queued, too.\n"
     "One line end at the end of standard input is not part of the message.\n"},
    {"msgs", "[--with NAME [--delete]] [--after SEQ] [--follow]", "with after follow delete", 0, 0,
     run_msgs, "print the stored messages, or delete them",
     "  --with NAME  of this contact only; its node id does, too, also of one that was removed\n"
     "  --after SEQ  newer ones than number SEQ only\n"
     "  --follow     go on as messages come, until interrupted\n"
     "  --delete     delete them here instead; those that wait to be delivered stay\n"},
    {"peers", "", "", 0, 0, run_peers, "sessions with contacts: path, RTT, traffic", ""},
    {"relays", "", "", 0, 0, run_relays, "relays: which are home, RTT, load, state", ""},
    {"ping", "NAME [--count N] [--timeout DURATION]", "count timeout", 1, 1, run_ping,
     "measure the round trip to a contact",
     "  -c, --count N           how many, a second apart (default: 3)\n"
     "  -t, --timeout DURATION  for each answer (default: 5s)\n"},
    {"events", "", "", 0, 0, run_events, "print what happens, one JSON object a line", ""},
    {"complete", "[--] WORD...", "", 0, 1 << 30, run_complete,
     "what the last WORD of a command could become, for the shells' completion",
     "Prints one possibility a line, with what it means after a tab.\n"},
};
enum { VERB_COUNT = sizeof verbs / sizeof *verbs };

/* The verb that the words begin with, two words before one. */
static const struct verb *find(char **words, int count, int *used) {
    for (int i = 0; i < VERB_COUNT; i++) {
        const char *name = verbs[i].name, *blank = strchr(name, ' ');
        size_t first = blank ? (size_t)(blank - name) : strlen(name);
        if (strlen(words[0]) != first || memcmp(words[0], name, first) != 0)
            continue;
        if (blank && (count < 2 || strcmp(words[1], blank + 1) != 0))
            continue;
        *used = blank ? 2 : 1;
        return &verbs[i];
    }
    return NULL;
}

/* "contact add, contact ls": what a group has. */
static void list_group(const char *word, char *out, size_t cap) {
    const size_t len = strlen(word);
    size_t n = 0;
    out[0] = '\0';
    for (int i = 0; i < VERB_COUNT && n < cap; i++)
        if (strncmp(verbs[i].name, word, len) == 0 && verbs[i].name[len] == ' ')
            n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? ", " : "", verbs[i].name);
}

static int no_such_verb(struct app *a, char **words, int count) {
    char own[OPTIONS_MESSAGE_MAX];
    list_group(words[0], own, sizeof own);
    if (own[0] && count > 1)
        return app_fail(a, ERR_USAGE, "there is no command \"%s %s\"; there are: %s", words[0],
                        words[1], own);
    if (own[0])
        return app_fail(a, ERR_USAGE, "%s alone is no command; there are: %s", words[0], own);
    return app_fail(a, ERR_USAGE, "there is no command \"%s\"; see: meshctl --help", words[0]);
}

static int run(struct app *a, char **words, int count) {
    char message[OPTIONS_MESSAGE_MAX];
    int used = 0;
    const struct verb *v = find(words, count, &used);
    if (!v)
        return no_such_verb(a, words, count);
    if (a->o.help) {
        help_verb(stdout, v);
        return 0;
    }
    a->verb = v;
    a->words = words + used;
    a->word_count = count - used;
    if (options_allow(&a->o, v->options, message) != 0)
        return app_fail(a, ERR_USAGE, "%s; see: meshctl %s --help", message, v->name);
    if (a->word_count < v->min || a->word_count > v->max)
        return app_fail(a, ERR_USAGE, "too %s arguments; usage: meshctl %s%s%s",
                        a->word_count < v->min ? "few" : "many", v->name, v->synopsis[0] ? " " : "",
                        v->synopsis);
    int code = app_find_socket(a, &a->o);
    if (code)
        return code;
    interrupt_catch();
    return v->run(a);
}

static int show_version(const struct app *a) {
    if (a->o.json) {
        json_t *o = json_object();
        json_object_set_new(o, "version", json_string(MESHD_VERSION));
        json_object_set_new(o, "api", json_integer(PROTO_API_VERSION));
        print_json(o);
    } else {
        puts("meshctl " MESHD_VERSION);
    }
    return 0;
}

int main(int argc, char **argv) {
    static struct app a;
    char message[OPTIONS_MESSAGE_MAX];
    int count = 0, code;
    char **words = calloc((size_t)argc + 1, sizeof *words);
    if (!words)
        return 1;
    if (!tty_keep_stdio())
        exit(1);
    client_init(&a.client);
    a.verbs = verbs;
    a.verb_count = VERB_COUNT;
    int err = options_parse(&a.o, argc, argv, words, &count, message);
    if (err) {
        code = app_fail(&a, err, "%s; see: meshctl --help", message);
    } else if (a.o.version && count == 0) {
        code = show_version(&a);
    } else if (count == 0) {
        help_all(a.o.help ? stdout : stderr, verbs, VERB_COUNT);
        code = a.o.help ? 0 : 2;
    } else {
        code = run(&a, words, count);
    }
    client_close(&a.client);
    json_decref(a.held);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == 0)
        code = app_stdout_failed(&a);
    free(words); /* the last sentence may be about one */
    return code;
}
