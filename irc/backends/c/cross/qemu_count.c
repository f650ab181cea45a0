/*
 * A plugin for QEMU's user-mode emulators: how many instructions a function executes.
 *
 * Arguments: function=ADDRESS, the function; caller=FIRST and end=LAST, the addresses between which
 * its caller lies. Prints "irc-count N" for each call. What it uses of QEMU's plugin interface has
 * been the same in every version of it; it is declared here, for distributions do not ship the
 * header with the emulators.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;

typedef void (*translated_fn)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*executed_fn)(unsigned int cpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated_fn callback);
void qemu_plugin_register_vcpu_tb_exec_cb(
    struct qemu_plugin_tb *tb, executed_fn callback, int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);

/* An emulator refuses a plugin made for another version than its own. */
__attribute__((visibility("default"))) int qemu_plugin_version = IRC_PLUGIN_VERSION;

struct block {
    uint64_t address;
    uint64_t instructions;
};

static uint64_t function, caller, end, count;
static int inside;

static void executed(unsigned int cpu, void *data)
{
    const struct block *block = data;
    (void)cpu;
    if (block->address == function) {
        inside = 1;
        count = 0;
    } else if (inside && block->address >= caller && block->address < end) {
        inside = 0;
        fprintf(stderr, "irc-count %llu\n", (unsigned long long)count);
    }
    count += block->instructions;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    struct block *block = malloc(sizeof *block);
    (void)id;
    if (block == NULL) {
        abort();
    }
    block->address = qemu_plugin_tb_vaddr(tb);
    block->instructions = qemu_plugin_tb_n_insns(tb);
    qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, 0, block);
}

static void take(const char *argument, const char *name, uint64_t *value)
{
    const size_t length = strlen(name);
    if (strncmp(argument, name, length) == 0 && argument[length] == '=') {
        *value = strtoull(argument + length + 1, NULL, 0);
    }
}

__attribute__((visibility("default"))) int qemu_plugin_install(
    qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; ++i) {
        take(argv[i], "function", &function);
        take(argv[i], "caller", &caller);
        take(argv[i], "end", &end);
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
