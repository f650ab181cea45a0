/*
 * A plugin for QEMU: which blocks of code a function executes, and how often.
 *
 * Arguments: output=PATH, what is written; function=ADDRESS, the function; mark=ADDRESS, a function
 * that reports an end of a part, or 0. Writes a line "block ADDRESS BYTES TIMES" for each block
 * executed since the call began, then "mark" or, where the call ended, "frame". What it uses of
 * QEMU's plugin interface has been the same in every version of it; it is declared here, for
 * distributions do not ship the header with the emulators.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

typedef void (*translated_fn)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*executed_fn)(unsigned int cpu, void *data);
typedef void (*ended_fn)(qemu_plugin_id_t id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated_fn callback);
void qemu_plugin_register_vcpu_tb_exec_cb(
    struct qemu_plugin_tb *tb, executed_fn callback, int flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, ended_fn callback, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

/* An emulator refuses a plugin made for another version than its own. */
__attribute__((visibility("default"))) int qemu_plugin_version = IRC_PLUGIN_VERSION;

struct block {
    uint64_t address, bytes, times;
    struct block *next;
};

static uint64_t function, mark;
static FILE *file;
static struct block *blocks;
static const struct block *before;
static uint64_t back;
static int inside;

static void report(const char *what)
{
    for (const struct block *block = blocks; block != NULL; block = block->next) {
        if (block->times > 0) {
            fprintf(file, "block %llu %llu %llu\n", (unsigned long long)block->address,
                (unsigned long long)block->bytes, (unsigned long long)block->times);
        }
    }
    fprintf(file, "%s\n", what);
}

static void executed(unsigned int cpu, void *data)
{
    struct block *block = data;
    (void)cpu;
    if (!inside && block->address == function && before != NULL) {
        inside = 1;
        /* The call ends the block before, and leads back behind it. */
        back = before->address + before->bytes;
        for (struct block *other = blocks; other != NULL; other = other->next) {
            other->times = 0;
        }
    } else if (inside && block->address == back) {
        inside = 0;
        report("frame");
    } else if (inside && mark != 0 && block->address == mark) {
        report("mark");
        before = block;
        return;
    }
    block->times += (uint64_t)inside;
    before = block;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    const uint64_t address = qemu_plugin_tb_vaddr(tb);
    const size_t count = qemu_plugin_tb_n_insns(tb);
    uint64_t bytes = 0;
    struct block *block = blocks;
    (void)id;
    for (size_t i = 0; i < count; ++i) {
        bytes += qemu_plugin_insn_size(qemu_plugin_tb_get_insn(tb, i));
    }
    while (block != NULL && (block->address != address || block->bytes != bytes)) {
        block = block->next;
    }
    if (block == NULL) {
        block = calloc(1, sizeof *block);
        if (block == NULL) {
            abort();
        }
        block->address = address;
        block->bytes = bytes;
        block->next = blocks;
        blocks = block;
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, 0, block);
}

static void ended(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    fclose(file);
}

static const char *value_of(const char *argument, const char *name)
{
    const size_t length = strlen(name);
    return strncmp(argument, name, length) == 0 && argument[length] == '='
        ? argument + length + 1
        : NULL;
}

__attribute__((visibility("default"))) int qemu_plugin_install(
    qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; ++i) {
        const char *value = value_of(argv[i], "output");
        if (value != NULL) {
            file = fopen(value, "w");
        }
        value = value_of(argv[i], "function");
        function = value == NULL ? function : strtoull(value, NULL, 0);
        value = value_of(argv[i], "mark");
        mark = value == NULL ? mark : strtoull(value, NULL, 0);
    }
    if (file == NULL) {
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
